"""Addresses of webhooks: `https` anywhere, `http` only inside, where the server may call inside at all."""

import ipaddress
from typing import Final
from urllib.parse import urlsplit

from bylaw.core.errors import InvalidInput
from bylaw.providers.http import Outgoing

_MOST: Final = 2_000


def checked_url(text: str, outgoing: Outgoing, *, path: str = "url") -> str:
    """Return an address that may be called.

    Where it leads is looked at again with every call, because a name may lead elsewhere by then.
    Raises: InvalidInput for what is no `https://host/path`, or is `http` to where that is not allowed.
    """
    address = text.strip()
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise _unusable(path) from None
    extra = parts.username is not None or parts.password is not None or parts.fragment
    is_plain = address.isascii() and address.isprintable() and " " not in address
    if not host or extra or len(address) > _MOST or not is_plain:
        raise _unusable(path)
    if parts.scheme == "https" or (parts.scheme == "http" and outgoing == "any" and _is_inside(host)):
        return address
    if parts.scheme != "http":
        raise _unusable(path)
    message = (
        "Write https: http is for addresses of this machine or network, and with BYLAW_OUTGOING=any only."
    )
    raise InvalidInput.of(path, "insecure_url", message)


def host_of(url: str) -> str:
    """Return the scheme and host of an address: what may be told of one whose path could be a secret."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


def _is_inside(host: str) -> bool:
    try:
        found = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost"
    return found.is_private and not found.is_link_local


def _unusable(path: str) -> InvalidInput:
    message = f"Write an address as https://host/path, at most {_MOST} characters, without user or fragment."
    return InvalidInput.of(path, "bad_url", message)
