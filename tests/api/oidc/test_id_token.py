"""ID tokens: every way in which one may lie, and the kinds of signature that are understood."""

import hmac
import json
from base64 import urlsafe_b64encode
from hashlib import sha256

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bylaw.api.oidc.id_token import Expected, Proven, head_of, proven
from bylaw.core.errors import Unauthenticated
from tests.api.oidc.issuer import CLIENT, Issuer, key_for, public_of

NOW_S = 1_767_225_600
URL, KIM = "https://login.example.com", "kim@example.com"
EXPECTED = Expected(issuer=URL, client_id=CLIENT, nonce="n", now_s=NOW_S)


@pytest.fixture
def issuer():
    return Issuer(url=URL, email=KIM, now_s=lambda: NOW_S)


def read(issuer, token=None):
    keys = [public_of(key, kid, alg) for kid, (key, alg) in issuer.published.items()]
    return proven(issuer.token_for("n") if token is None else token, keys, EXPECTED)


def test_a_token_tells_who_somebody_is(issuer):
    assert read(issuer) == Proven(issuer=URL, subject=issuer.subject, email=KIM)


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"iss": "https://elsewhere.example.com"}, "another issuer"),
        ({"aud": "another"}, "another application"),
        ({"aud": [CLIENT, "another"]}, "another application"),
        ({"aud": []}, "another application"),
        ({"azp": "another"}, "another application"),
        ({"nonce": "another"}, "another sign-in"),
        ({"nonce": None}, "another sign-in"),
        ({"exp": 1_700_000_000}, "expired"),
        ({"iat": 4_000_000_000}, "future"),
        ({"nbf": 4_000_000_000}, "future"),
        ({"sub": ""}, "who it is about"),
        ({"sub": "a\x00b"}, "who it is about"),
        ({"sub": "s" * 256}, "who it is about"),
        ({"sub": None}, "shape"),
        ({"exp": None}, "shape"),
        ({"iat": None}, "shape"),
        ({"exp": "tomorrow"}, "shape"),
        ({"email": None}, "does not confirm"),
        ({"email_verified": None}, "does not confirm"),
        ({"email_verified": False}, "does not confirm"),
        ({"email_verified": "true"}, "does not confirm"),
    ],
    ids=str,
)
def test_a_token_that_does_not_fit_is_not_believed(issuer, claims, why):
    issuer.claims = claims
    with pytest.raises(Unauthenticated, match=why):
        read(issuer)


@pytest.mark.parametrize("claims", [{"aud": [CLIENT]}, {"aud": [CLIENT, "another"], "azp": CLIENT}], ids=str)
def test_a_token_for_several_applications_is_ours_when_it_says_so(issuer, claims):
    issuer.claims = claims
    assert read(issuer)


def test_clocks_may_differ_by_a_minute_and_no_more(issuer):
    for issuer.ahead_s in (59, -359):
        assert read(issuer)
    for issuer.ahead_s in (61, -360):
        with pytest.raises(Unauthenticated, match="clocks"):
            read(issuer)


@pytest.mark.parametrize("alg", ["RS512", "PS256", "ES256", "EdDSA"])
def test_signatures_of_every_kind_are_understood(issuer, alg):
    issuer.rotate(alg)
    assert read(issuer)


def forged(head, sign=lambda _: b""):
    """A token whose head says what it likes."""
    claims = {"iss": URL, "sub": "x", "aud": CLIENT, "email": KIM, "email_verified": True, "nonce": "n"}
    claims |= {"iat": NOW_S, "exp": NOW_S + 300}
    parts = [urlsafe_b64encode(json.dumps(each).encode()).rstrip(b"=") for each in (head, claims)]
    signature = urlsafe_b64encode(sign(b".".join(parts))).rstrip(b"=")
    return b".".join([*parts, signature]).decode()


def test_a_token_that_anybody_could_make_is_not_believed(issuer):
    public = issuer.key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)

    def by_what_is_public(signed):
        return hmac.digest(public, signed, sha256)

    for head, sign in (
        ({"alg": "none"}, lambda _: b""),
        ({"alg": "None", "kid": "k1"}, lambda _: b""),
        ({"alg": "none", "kid": "k1"}, by_what_is_public),
        ({"alg": "HS256", "kid": "k1"}, by_what_is_public),
        ({"alg": "ES256K", "kid": "k1"}, by_what_is_public),
        ({"kid": "k1"}, by_what_is_public),
        ({"alg": "RS256", "kid": "k1"}, by_what_is_public),
        ({"alg": "RS256", "kid": "k1"}, lambda _: b""),
        ({"alg": "RS256", "kid": 1}, by_what_is_public),
        ({"alg": "RS256", "kid": "k1", "crit": ["exp"]}, by_what_is_public),
    ):
        with pytest.raises(Unauthenticated, match="not believed"):
            read(issuer, forged(head, sign))
    for text in ("", "no token", "a.b.c", "€", "." * 9_999):
        with pytest.raises(Unauthenticated, match="no signed token"):
            head_of(text)


def test_a_key_is_believed_in_its_own_use_and_kind_alone(issuer):
    key = issuer.key
    token = issuer.token_for("n")
    good = public_of(key, "k1", "RS256")
    assert proven(token, [good, public_of(key, "k2", "RS256")], EXPECTED)
    for keys in (
        [],
        [good | {"kid": "k2"}],
        [good | {"use": "enc"}],
        [good | {"alg": "RS512"}],
        [good | {"kty": "oct", "k": "AAAA"}],
        [good | {"n": 1}],
        [public_of(key_for("ES256"), "k1", "ES256")],
        [good, good],
    ):
        with pytest.raises(Unauthenticated, match="not believed"):
            proven(token, keys, EXPECTED)
    issuer.kid = ""
    assert proven(issuer.token_for("n"), [good], EXPECTED)
    with pytest.raises(Unauthenticated, match="does not publish"):
        proven(issuer.token_for("n"), [good, public_of(key, "k2", "RS256")], EXPECTED)


def test_a_token_under_a_key_that_is_too_short_is_not_believed(issuer):
    issuer.key = short = rsa.generate_private_key(public_exponent=65_537, key_size=1_024)  # noqa: S505
    with pytest.warns(jwt.warnings.InsecureKeyLengthWarning):
        token = issuer.token_for("n")
    with pytest.raises(Unauthenticated, match="signature"):
        proven(token, [public_of(short, "k1", "RS256")], EXPECTED)
