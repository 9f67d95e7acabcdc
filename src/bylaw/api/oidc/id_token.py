"""ID tokens: what an issuer says of a person, believed when all of it fits (OpenID Connect Core 3.1.3.7).

Whoever is turned away is told what did not fit; the token itself is never repeated.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import jwt
import msgspec

from bylaw.core.errors import Unauthenticated

# Signatures that only the issuer can make: never `none`, never one whose key we hold ourselves.
ALGORITHMS: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
)
LEEWAY_S: Final = 60
_MOST: Final = 255  # characters of a subject (OpenID Connect Core 2) and of an address
_JWS: Final = jwt.PyJWS(algorithms=sorted(ALGORITHMS), options={"enforce_minimum_key_length": True})

# A public key as its issuer publishes it (RFC 7517).
Jwk = Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proven:
    """Who somebody is: the issuer's lasting name for them, and an address that it has seen to be theirs."""

    issuer: str
    subject: str
    email: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """What a token has to say. Units: `now_s` in seconds since the epoch."""

    issuer: str
    client_id: str
    nonce: str
    now_s: float


class Head(msgspec.Struct, frozen=True):
    """Which key signed a token, and how."""

    alg: str
    kid: str = ""


class _Claims(msgspec.Struct, frozen=True, kw_only=True):
    iss: str
    sub: str
    aud: str | list[str]
    exp: float
    iat: float
    nbf: float = 0
    azp: str | None = None
    nonce: str = ""
    email: str = ""
    email_verified: object = False


def head_of(token: str) -> Head:
    """Return what a token says of its signature. Raises: Unauthenticated for one that nobody could check."""
    try:
        head = msgspec.convert(_JWS.get_unverified_header(token), Head)
    except (jwt.PyJWTError, msgspec.ValidationError):
        raise _unfit("it is no signed token") from None
    if head.alg not in ALGORITHMS:
        raise _unfit("it is not signed in a way that proves who made it")
    return head


def proven(token: str, keys: Sequence[Jwk], expected: Expected) -> Proven:
    """Return who a token is about, which one of `keys` signed. Raises: Unauthenticated."""
    claims = _claims(token, keys)
    audience = [claims.aud] if isinstance(claims.aud, str) else claims.aud
    azp = claims.azp if claims.azp is not None or len(audience) > 1 else expected.client_id
    now = expected.now_s
    for fits, why in (
        (claims.iss == expected.issuer, "it is of another issuer"),
        (expected.client_id in audience and azp == expected.client_id, "it is meant for another application"),
        (now < claims.exp + LEEWAY_S, "it has expired, or the clocks of the two servers differ"),
        (max(claims.iat, claims.nbf) <= now + LEEWAY_S, "it is from the future: the clocks differ"),
        (claims.nonce == expected.nonce, "it is for another sign-in"),
        (_is_name(claims.sub), "it does not say who it is about"),
    ):
        if not fits:
            raise _unfit(why)
    if claims.email_verified is not True or not _is_name(claims.email):
        raise Unauthenticated(
            "The sign-in service does not confirm your e-mail address. Confirm it there, or ask whoever runs"
            " this server to have the service send `email` and `email_verified`."
        )
    return Proven(issuer=claims.iss, subject=claims.sub, email=claims.email)


def _is_name(text: str) -> bool:
    return 0 < len(text) <= _MOST and text.isprintable()


def _claims(token: str, keys: Sequence[Jwk]) -> _Claims:
    """Return what a token says, once its signature holds under a key of its own kind."""
    head = head_of(token)
    fitting = [
        each
        for each in keys
        if each.get("kid", "") == head.kid or not head.kid
        if each.get("use", "sig") == "sig" and each.get("alg", head.alg) == head.alg
    ]
    if len(fitting) != 1:
        raise _unfit("it is signed with a key that the service does not publish")
    try:
        key = jwt.PyJWK(dict(fitting[0]), algorithm=head.alg)
        said = _JWS.decode(token, key, algorithms=[head.alg])
        return msgspec.json.decode(said, type=_Claims)
    except (jwt.PyJWTError, msgspec.DecodeError, TypeError, ValueError):
        raise _unfit("its signature or its shape is wrong") from None


def _unfit(why: str) -> Unauthenticated:
    return Unauthenticated(
        f"The answer of the sign-in service is not believed: {why}. Sign in again; if that does not help,"
        " tell whoever runs this server."
    )
