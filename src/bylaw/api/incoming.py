"""A request as the edge read it, whichever route it goes to."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(slots=True, kw_only=True)
class Incoming:
    """A request with its body; header names are lower case, `peer` is the address at the other end.

    The route adds `caller` for the access log, and `answer_headers` to go with whatever is answered.
    """

    id: str
    method: str
    path: str
    headers: Mapping[bytes, bytes]
    peer: str = ""
    body: bytes = b""
    caller: str = ""
    answer_headers: list[tuple[bytes, bytes]] = field(default_factory=list)
