"""Asking a provider whether a connection works: one small call, to an address that was looked at first.

The name is resolved once and the call goes to what was found, so that a name cannot lead elsewhere after the
look. Redirects are not followed, and no answer is read further than its status.
"""

import asyncio
import http.client
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, Literal
from urllib.parse import urlsplit

from bylaw.tenancy.connections import Credentials
from bylaw.tenancy.model import Provider

Outgoing = Literal["off", "public", "any"]

_TIMEOUT_S: Final = 10.0
_HTTP_OK, _HTTP_ANSWERED = range(200, 300), range(300, 600)
# Where each provider is asked for its models, which costs nothing.
_ADDRESSES: Final[Mapping[Provider, str]] = MappingProxyType(
    {
        "openai": "https://api.openai.com/v1",
        "anthropic": "https://api.anthropic.com/v1",
        "google": "https://generativelanguage.googleapis.com/v1beta",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """What became of a call: whether it worked, in words."""

    works: bool
    message: str


class Providers:
    """Calls providers, as far as `outgoing` allows: not at all, at public addresses, or at any."""

    def __init__(self, outgoing: Outgoing) -> None:
        self._outgoing = outgoing

    async def try_out(self, provider: Provider, endpoint: str, credentials: Credentials) -> Tried:
        """Return whether the provider lists its models for these credentials; the call may take seconds."""
        if self._outgoing == "off":
            said = (
                "This server makes no outgoing calls: set BYLAW_OUTGOING to `public` to let it ask providers."
            )
            return Tried(works=False, message=said)
        if provider == "aws":
            return Tried(works=False, message="Connections of AWS cannot be tried from here.")
        address = (endpoint or _ADDRESSES.get(provider, "")) + "/models"
        return await asyncio.to_thread(self._try, address, _headers(provider, credentials))

    def _try(self, address: str, headers: Mapping[str, str]) -> Tried:
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            allowed = [each[4][0] for each in found if self._may_reach(str(each[4][0]))]
            if not allowed:
                said = f"{host} is no public address: with BYLAW_OUTGOING=any it may be asked."
                return Tried(works=False, message=said)
            tls = host if parts.scheme == "https" else ""
            status = _ask((str(allowed[0]), port), f"{host}:{port}", parts.path, headers, tls=tls)
        except (OSError, http.client.HTTPException, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            return Tried(works=False, message=f"{host} does not answer: {reason}.")
        if status in _HTTP_OK:
            return Tried(works=True, message="The provider answers, and accepts the key.")
        if status in {401, 403}:
            return Tried(works=False, message=f"The provider answers and refuses the key ({status}).")
        return Tried(works=False, message=f"The provider answers with status {status}.")

    def _may_reach(self, address: str) -> bool:
        return self._outgoing == "any" or ipaddress.ip_address(address).is_global


def _headers(provider: Provider, credentials: Credentials) -> Mapping[str, str]:
    key = credentials.secret or credentials.key
    if not key:
        return {}
    match provider:
        case "anthropic":
            return {"x-api-key": key, "anthropic-version": "2023-06-01"}
        case "google":
            return {"x-goog-api-key": key}
        case _:
            return {"authorization": f"Bearer {key}"}


def _ask(address: tuple[str, int], host: str, path: str, headers: Mapping[str, str], *, tls: str) -> int:
    """Return the status that is answered at `address`, which must prove to be `tls` unless that is empty."""
    with socket.create_connection(address, timeout=_TIMEOUT_S) as plain:
        wrapped = ssl.create_default_context().wrap_socket(plain, server_hostname=tls) if tls else plain
        with wrapped:
            connection = http.client.HTTPConnection(host, timeout=_TIMEOUT_S)
            connection.sock = wrapped
            connection.request("GET", path, headers={**headers, "accept": "application/json"})
            response = connection.getresponse()
            response.close()
            return response.status
