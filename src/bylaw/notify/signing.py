"""Signatures as Standard Webhooks: HMAC-SHA256 over `id.timestamp.body`, one for each secret that is good.

Source: github.com/standard-webhooks/standard-webhooks, spec/standard-webhooks.md, symmetric signatures.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Final

from bylaw.core.ids import Ids

PREFIX: Final = "whsec_"
_LENGTH: Final = 43  # letters and digits: 256 bits


def new_secret(ids: Ids) -> str:
    """Return a new secret as receivers are given it."""
    return PREFIX + base64.b64encode(ids.secret(_LENGTH).encode()).decode()


def signed_headers(ident: str, at_ms: int, body: bytes, secrets: Sequence[str]) -> Mapping[str, str]:
    """Return the headers by which a receiver who holds one of `secrets` knows the sender, id and time."""
    timestamp = str(at_ms // 1000)
    content = f"{ident}.{timestamp}.".encode() + body
    return {
        "webhook-id": ident,
        "webhook-timestamp": timestamp,
        "webhook-signature": " ".join(_signature(content, secret) for secret in secrets),
    }


def _signature(content: bytes, secret: str) -> str:
    key = base64.b64decode(secret.removeprefix(PREFIX))
    return "v1," + base64.b64encode(hmac.new(key, content, hashlib.sha256).digest()).decode()
