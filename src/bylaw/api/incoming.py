"""A request as the edge read it, whichever route it goes to."""

from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol, TypeVar

T = TypeVar("T")
NOT_JSON: Final = "Send the body as content-type application/json, not compressed."


class Attended(Protocol):
    """Waits for work that another server does for the request."""

    async def __call__(self, work: Awaitable[T], /) -> T:
        """Return what comes of `work`; it is given up when whoever asked leaves."""


async def alone(work: Awaitable[T], /) -> T:
    """Return what comes of `work`, whoever waits for it."""
    return await work


@dataclass(slots=True, kw_only=True)
class Incoming:
    """A request with its body; header names are lower case, `peer` is the address at the other end.

    The route adds `caller` for the access log, and `answer_headers` to go with whatever is answered. It waits
    for other servers through `attended`: meanwhile the deadline of the request does not hold. `is_use`:
    somebody asked for it, which keeps a session; an open page that asks by itself does not.
    """

    id: str
    method: str
    path: str
    headers: Mapping[bytes, bytes]
    peer: str = ""
    body: bytes = b""
    caller: str = ""
    answer_headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    attended: Attended = alone
    is_use: bool = True

    @property
    def is_json(self) -> bool:
        """Whether the body is said to be plain JSON, or there is none."""
        kind = self.headers.get(b"content-type", b"").partition(b";")[0].strip().lower()
        is_plain = self.headers.get(b"content-encoding", b"identity").lower() == b"identity"
        return not self.body or (is_plain and (kind == b"application/json" or kind.endswith(b"+json")))
