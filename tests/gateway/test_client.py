"""The HTTP client: whom it may call, and what it keeps open."""

import asyncio

import pytest

from bylaw.providers.http import HttpAnswer, HttpCall, HttpClient, HttpLimits, is_public
from bylaw.providers.model import Failed
from tests.gateway.scripted import scripted


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1", "::", "::1"),
        *("::127.0.0.1", "::ffff:127.0.0.1", "::ffff:8.8.8.8", "64:ff9b::7f00:1", "64:ff9b::a9fe:a9fe"),
        *("64:ff9b:1::1", "2002:7f00:1::", "2001:0:7f00:1::", "fc00::1", "fe80::1%1", "fec0::1", "ff02::1"),
    ],
)
def test_an_address_within_is_not_public_however_it_is_written(address):
    assert not is_public(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700:4700::1111", "64:ff9b::808:808", "2002:808:808::"])
def test_an_address_of_the_public_network_is_public(address):
    assert is_public(address)


async def test_what_leads_to_where_nobody_calls_any_more_is_closed():
    now = [0.0]
    client = HttpClient("any", HttpLimits(), ticks=lambda: now[0])
    async with scripted() as first, scripted() as second:
        for provider in (first, second):
            now[0] += 60
            answer = await client.send(HttpCall(method="GET", url=provider.url, headers={}))
            assert isinstance(answer, HttpAnswer)
        await first.closed.wait()
        assert not second.closed.is_set()
        await client.aclose()


def call(provider, key="one"):
    return HttpCall(method="GET", url=provider.url, headers={"authorization": f"Bearer {key}"})


async def test_one_slow_provider_leaves_another_callable():
    client = HttpClient("any", HttpLimits(calls=8))
    async with scripted() as slow, scripted() as other:
        slow.stalls = True
        sent = [asyncio.create_task(client.send(call(slow))) for _ in range(3)]
        done, waiting = await asyncio.wait(sent, return_when=asyncio.FIRST_COMPLETED)
        (refused,) = [each.result() for each in done]
        assert isinstance(refused, Failed)
        assert (refused.reason, len(waiting)) == ("busy", 2)
        assert isinstance(await client.send(call(other)), HttpAnswer)
        slow.stalls = False
        assert isinstance(await client.send(call(slow, key="two")), HttpAnswer)
        for each in waiting:
            each.cancel()
        await asyncio.wait(waiting)
        assert isinstance(await client.send(call(slow)), HttpAnswer)
        await client.aclose()


async def test_all_shares_together_are_held_to_the_whole():
    client = HttpClient("any", HttpLimits(calls=2))
    async with scripted() as slow:
        slow.stalls = True
        sent = [asyncio.create_task(client.send(call(slow, key))) for key in ("one", "two", "three")]
        done, waiting = await asyncio.wait(sent, return_when=asyncio.FIRST_COMPLETED)
        assert ([each.result().reason for each in done], len(waiting)) == (["busy"], 2)
        for each in waiting:
            each.cancel()
        await asyncio.wait(waiting)
