"""What we sign, the public library for receivers verifies; and nothing else passes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from bylaw.core.clock import SystemClock
from bylaw.core.ids import Ids
from bylaw.notify.signing import new_secret, signed_headers

IDS = Ids()
BODY = b'{"type":"policy.created"}'


def now_ms():
    return SystemClock().now_ms()


@given(said=st.recursive(st.none() | st.integers() | st.text(st.characters(codec="utf-8")), st.lists))
def test_whatever_is_said_verifies(said):
    secret, body = new_secret(IDS), json.dumps({"data": said}, ensure_ascii=False).encode()
    headers = signed_headers("ntc_1", now_ms(), body, [secret])
    assert Verifier(secret).verify(body, dict(headers)) == {"data": said}


def test_each_of_two_secrets_verifies_and_no_third():
    old, new, other = (new_secret(IDS) for _ in range(3))
    headers = dict(signed_headers("ntc_1", now_ms(), BODY, [new, old]))
    assert len(headers["webhook-signature"].split()) == 2
    Verifier(old).verify(BODY, headers)
    Verifier(new).verify(BODY, headers)
    with pytest.raises(WebhookVerificationError):
        Verifier(other).verify(BODY, headers)


@pytest.mark.parametrize("part", ["id", "body", "timestamp", "signature"])
def test_nothing_can_be_changed(part):
    secret = new_secret(IDS)
    headers, body = dict(signed_headers("ntc_1", now_ms(), BODY, [secret])), BODY
    if part == "body":
        body = BODY.replace(b"created", b"deleted")
    elif part == "id":
        headers["webhook-id"] = "ntc_2"
    elif part == "timestamp":
        headers["webhook-timestamp"] = str(int(headers["webhook-timestamp"]) + 1)
    else:
        headers["webhook-signature"] = "v1,AAAA"
    with pytest.raises(WebhookVerificationError):
        Verifier(secret).verify(body, headers)


@pytest.mark.parametrize("minutes", [-10, 10])
def test_what_was_recorded_cannot_be_sent_again_later(minutes):
    secret = new_secret(IDS)
    headers = signed_headers("ntc_1", now_ms() + minutes * 60_000, BODY, [secret])
    with pytest.raises(WebhookVerificationError, match="timestamp"):
        Verifier(secret).verify(BODY, dict(headers))


def test_secrets_are_long_and_each_is_its_own():
    made = {new_secret(IDS) for _ in range(100)}
    assert len(made) == 100
    assert all(each.startswith("whsec_") and len(each) > 50 for each in made)
