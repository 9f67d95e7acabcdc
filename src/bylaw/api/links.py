"""Addresses of this server, for answers that lead back to it."""

import re
from collections.abc import Mapping
from typing import Final

from bylaw.core.errors import InvalidInput, Problem

_HOST: Final = re.compile(rb"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")


class Links:
    """Makes addresses under `public_url`, or under the host that each request names when that is empty.

    What a proxy says of the host (`X-Forwarded-…`) is not believed: whoever sets one up sets `public_url`.
    """

    def __init__(self, public_url: str = "") -> None:
        if public_url and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", public_url):
            message = "Write an address without a query: https://policies.example.com."
            raise InvalidInput(message, Problem(path="server.public_url", code="bad_value", message=message))
        self._public_url = public_url.rstrip("/")

    def to(self, path: str, headers: Mapping[bytes, bytes]) -> str:
        """Return the address of `path`, for whoever sent a request with `headers`."""
        if self._public_url:
            return self._public_url + path
        host = headers.get(b"host", b"")
        return f"http://{host.decode() if _HOST.fullmatch(host) else 'localhost'}{path}"

    def receipt(self, ident: str, headers: Mapping[bytes, bytes]) -> str:
        """Return where anybody can verify a receipt in a browser."""
        return self.to(f"/r/{ident}", headers)
