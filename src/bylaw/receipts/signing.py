"""Ed25519 keys: how they sign, how they are named, and the published set that says which ones to trust when.

A key is named by `kid`, its RFC 7638 thumbprint. The published set is a JWKS document (RFC 7517, RFC 8037) in
which each key carries its standing: `active`, `retired` (signs no more, stays good) or `revoked` with the
moment from which nothing it says counts.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Literal

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from bylaw.core import canonical_json
from bylaw.core.clock import from_rfc3339, rfc3339
from bylaw.core.errors import InvalidInput
from bylaw.receipts.reading import from_base64url, malformed, to_base64url

PUBLIC_BYTES = 32
MAX_KEYS = 1000
CHANGE_MS = 60_000

Standing = Literal["active", "retired", "revoked"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicKey:
    """A published key and its standing; `ended_ms` is when it was retired or revoked, None while active."""

    kid: str
    raw: bytes
    standing: Standing
    since_ms: int
    ended_ms: int | None = None

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Return whether `signature` is this key's over `message`; the standing is not considered."""
        return verifies(self.raw, message, signature)

    def revoked_by(self, moment_ms: int) -> bool:
        """Return whether the key had been revoked by `moment_ms`."""
        return self.standing == "revoked" and self.ended_ms is not None and moment_ms >= self.ended_ms

    def objection(self, moment_ms: int) -> str | None:
        """Return why the key could not speak at `moment_ms`, or None.

        A change of key is given `CHANGE_MS` on both sides, as several processes take part in it; a revocation
        none.
        """
        if moment_ms < self.since_ms - CHANGE_MS:
            return f"the key {self.kid} was not in use before {rfc3339(self.since_ms)}"
        if self.ended_ms is None:
            return None
        if self.revoked_by(moment_ms):
            return f"the key {self.kid} was revoked at {rfc3339(self.ended_ms)}"
        if self.standing == "retired" and moment_ms > self.ended_ms + CHANGE_MS:
            return f"the key {self.kid} was retired at {rfc3339(self.ended_ms)}"
        return None


class Signer:
    """A private key that signs; `kid` names it and `public` is its 32-byte public half."""

    __slots__ = ("_private", "kid", "public")

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.public = private.public_key().public_bytes_raw()
        self.kid = thumbprint(self.public)

    @classmethod
    def generate(cls) -> "Signer":
        """Return a signer with a new random key, whose id does not look like a flag on a command line."""
        while (made := cls(Ed25519PrivateKey.generate())).kid.startswith("-"):
            pass
        return made

    @classmethod
    def from_seed(cls, seed: bytes) -> "Signer":
        """Return the signer whose private key is the 32 bytes `seed`."""
        return cls(Ed25519PrivateKey.from_private_bytes(seed))

    @classmethod
    def from_pem(cls, pem: bytes) -> "Signer":
        """Return the signer that `pem` (PKCS #8, not encrypted) holds.

        Raises: InvalidInput when it is not an Ed25519 private key.
        """
        try:
            private = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError) as error:
            raise InvalidInput("The signing key file is not an unencrypted PKCS #8 PEM file.") from error
        if not isinstance(private, Ed25519PrivateKey):
            raise InvalidInput(
                "The signing key is not an Ed25519 key: make one with `openssl genpkey -algorithm ed25519`."
            )
        return cls(private)

    def pem(self) -> bytes:
        """Return the private key as PKCS #8 PEM, for a file that only its owner may read (mode 0600)."""
        return self._private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte Ed25519 signature over `message`; the same message gives the same signature."""
        return self._private.sign(message)


@dataclass(frozen=True, slots=True)
class KeySet:
    """The published keys, oldest first; at most one is active per signing process."""

    keys: tuple[PublicKey, ...] = ()

    def get(self, kid: str) -> PublicKey | None:
        """Return the key named `kid`, or None."""
        return next((key for key in self.keys if key.kid == kid), None)

    def with_active(self, public: bytes, at_ms: int) -> "KeySet":
        """Return the set with `public` added, active from `at_ms`; a key already there stays as it is."""
        kid = thumbprint(public)
        if self.get(kid) is not None:
            return self
        return KeySet((*self.keys, PublicKey(kid=kid, raw=public, standing="active", since_ms=at_ms)))

    def with_retired(self, kid: str, at_ms: int) -> "KeySet":
        """Return the set with `kid` retired at `at_ms`; retired and revoked keys stay as they are."""
        return self._ended(kid, "retired", at_ms)

    def with_revoked(self, kid: str, at_ms: int) -> "KeySet":
        """Return the set in which nothing `kid` says from `at_ms` on counts; the earliest revocation stays.

        Raises: InvalidInput when no such key is in the set.
        """
        if self.get(kid) is None:
            raise InvalidInput(f"No key {kid!r} in this set.")
        return self._ended(kid, "revoked", at_ms)

    def _ended(self, kid: str, standing: Standing, at_ms: int) -> "KeySet":
        def stays(key: PublicKey) -> bool:
            if standing == "revoked":
                return key.revoked_by(at_ms)
            return key.standing != "active"

        return KeySet(
            tuple(
                replace(key, standing=standing, ended_ms=at_ms) if key.kid == kid and not stays(key) else key
                for key in self.keys
            )
        )

    def jwks(self) -> bytes:
        """Return the JWKS document, as canonical JSON."""
        return canonical_json.canonical({"keys": [_jwk(key) for key in self.keys]})


def thumbprint(public: bytes) -> str:
    """Return the RFC 7638 thumbprint of an Ed25519 public key: base64url SHA-256 of its required members."""
    members = canonical_json.canonical({"crv": "Ed25519", "kty": "OKP", "x": to_base64url(public)})
    return to_base64url(hashlib.sha256(members).digest())


def verifies(public: bytes, message: bytes, signature: bytes) -> bool:
    """Return whether `signature` over `message` is by `public`."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def key_set(document: bytes) -> KeySet:
    """Return the key set that a JWKS `document` holds; other kinds of key are passed over (RFC 7517 §5).

    Raises: InvalidInput for a document that is not a JWKS, or an Ed25519 key that contradicts itself.
    """
    try:
        return _key_set(document)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise malformed("JWKS document", error) from error


class _Jwk(msgspec.Struct, frozen=True, kw_only=True):
    """One key of a JWKS as it is read; moments are RFC 3339."""

    kty: str
    crv: str = ""
    x: str = ""
    alg: str = ""
    use: str = ""
    kid: str = ""
    status: Standing = "active"
    since: str = ""
    retired_at: str = ""
    revoked_at: str = ""


class _Jwks(msgspec.Struct, frozen=True):
    keys: list[_Jwk]


def _key_set(document: bytes) -> KeySet:
    found = msgspec.json.decode(document, type=_Jwks).keys
    if len(found) > MAX_KEYS:
        raise ValueError(f"more than {MAX_KEYS} keys")
    keys = tuple(_public_key(jwk) for jwk in found if _can_verify(jwk))
    if len({key.kid for key in keys}) != len(keys):
        raise ValueError("a key is in it twice")
    return KeySet(keys)


def _jwk(key: PublicKey) -> dict[str, str]:
    jwk = {
        "alg": "EdDSA",
        "crv": "Ed25519",
        "kid": key.kid,
        "kty": "OKP",
        "since": rfc3339(key.since_ms),
        "status": key.standing,
        "use": "sig",
        "x": to_base64url(key.raw),
    }
    if key.ended_ms is not None:
        jwk[f"{key.standing}_at"] = rfc3339(key.ended_ms)
    return jwk


def _can_verify(jwk: _Jwk) -> bool:
    signs = jwk.use in ("", "sig") and jwk.alg in ("", "EdDSA", "Ed25519")
    return jwk.kty == "OKP" and jwk.crv == "Ed25519" and signs


def _public_key(jwk: _Jwk) -> PublicKey:
    raw = from_base64url(jwk.x)
    if len(raw) != PUBLIC_BYTES:
        raise ValueError(f"an Ed25519 key has {PUBLIC_BYTES} bytes")
    kid = thumbprint(raw)
    if jwk.kid not in ("", kid):
        raise ValueError(f"kid {jwk.kid!r} is not the thumbprint of its key")
    ended_at = jwk.retired_at if jwk.status == "retired" else jwk.revoked_at
    ended = None if jwk.status == "active" else from_rfc3339(ended_at)
    since = from_rfc3339(jwk.since) if jwk.since else 0
    return PublicKey(kid=kid, raw=raw, standing=jwk.status, since_ms=since, ended_ms=ended)
