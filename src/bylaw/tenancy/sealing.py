"""Sealing: secrets that have to be used again, encrypted so that a copy of the database gives nothing away.

AES-256-GCM under a key that lies outside of the database. What is sealed is bound to whom it belongs: a row
that is copied to another tenant, or under another id, does not open.
"""

import base64
import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from bylaw.core.errors import Corrupt

_FORM: Final = "v1"
_NONCE_BYTES: Final = 12


class Sealer(Protocol):
    """Seals secrets, and opens what it sealed."""

    def seal(self, plain: bytes, *owner: str) -> str:
        """Return `plain` sealed for its owner."""

    def open(self, sealed: str, *owner: str) -> bytes:
        """Return what was sealed for this owner. Raises: Corrupt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretKeys:
    """The keys under which secrets are sealed, by name: all of them open, the `active` one seals."""

    active: str
    keys: Mapping[str, bytes]

    @classmethod
    def first(cls) -> "SecretKeys":
        """Return the keys of a new installation: one."""
        name, key = _new_key()
        return cls(active=name, keys={name: key})

    def rotated(self, *, used: frozenset[str]) -> "SecretKeys":
        """Return the keys with a new one that seals, without those of before that are not in `used`."""
        name, key = _new_key()
        kept = {each: held for each, held in self.keys.items() if each in used or each == self.active}
        return SecretKeys(active=name, keys={**kept, name: key})

    def seal(self, plain: bytes, *owner: str) -> str:
        """Return `plain` sealed for its owner."""
        nonce = os.urandom(_NONCE_BYTES)
        sealed = AESGCM(self.keys[self.active]).encrypt(nonce, plain, _bound(owner))
        return f"{_FORM}.{self.active}.{base64.urlsafe_b64encode(nonce + sealed).decode()}"

    def open(self, sealed: str, *owner: str) -> bytes:
        """Return what was sealed for this owner. Raises: Corrupt."""
        name = sealed_under(sealed)
        try:
            raw = base64.urlsafe_b64decode(sealed.split(".")[2])
            return AESGCM(self.keys[name]).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], _bound(owner))
        except KeyError as error:
            message = f"A secret was sealed under the key {name}, which is not in this server's secret file."
            raise Corrupt(message, place="a sealed secret") from error
        except (InvalidTag, ValueError) as error:
            message = "A sealed secret does not open: it was changed, or belongs to something else."
            raise Corrupt(message, place="a sealed secret") from error


def sealed_under(sealed: str) -> str:
    """Return the name of the key under which something was sealed. Raises: Corrupt."""
    parts = sealed.split(".")
    if len(parts) != 3 or parts[0] != _FORM:
        raise Corrupt("This is no sealed secret.", place="a sealed secret")
    return parts[1]


def _new_key() -> tuple[str, bytes]:
    key = AESGCM.generate_key(bit_length=256)
    return hashlib.sha256(b"bylaw secret key" + key).hexdigest()[:12], key


def _bound(owner: tuple[str, ...]) -> bytes:
    return json.dumps(["bylaw", *owner]).encode()
