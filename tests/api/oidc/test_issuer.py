"""What many ask of the issuer at once: one of them asks, the others have the answer."""

import asyncio

import pytest

from bylaw.api.oidc.issuer import Registration, SignOnIssuer
from bylaw.core.clock import ManualClock
from bylaw.core.errors import Unavailable
from bylaw.providers.http import HttpClient, HttpLimits
from tests.api.oidc.issuer import CLIENT, LABEL, SECRET, issuing

DISCOVERY = "/.well-known/openid-configuration"
AT_ONCE = 5


@pytest.fixture
async def issuer():
    async with issuing() as served:
        yield served


@pytest.fixture
async def asking(issuer):
    """What asks that issuer, as a server does."""
    known = Registration(
        issuer=issuer.url, client_id=CLIENT, secret=SECRET, label=LABEL, scopes="openid", return_to=""
    )
    asks = SignOnIssuer(known, HttpClient("any", HttpLimits()), ManualClock())
    yield asks
    await asks.aclose()


async def asked_at_once(asking):
    """What each of those learns who ask before the first of them has an answer."""
    return await asyncio.gather(*(asking.doors() for _ in range(AT_ONCE)), return_exceptions=True)


async def test_one_answer_serves_all_who_wait(issuer, asking):
    found = await asked_at_once(asking)
    assert {each.issuer for each in found} == {issuer.url}
    assert issuer.asked[DISCOVERY] == 1


async def test_those_who_wait_for_an_issuer_that_is_out_of_order_are_told_at_once(issuer, asking):
    issuer.answers = {DISCOVERY: (500, b"")}
    found = await asked_at_once(asking)
    assert {type(each) for each in found} == {Unavailable}
    assert issuer.asked[DISCOVERY] == 1
    issuer.answers = {}
    assert (await asking.doors()).issuer == issuer.url
