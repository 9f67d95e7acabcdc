"""The MCP server at `/mcp`: who is let in with a message.

Each message stands alone: its key is looked at, and again by the route that a tool stands for. So a revoked
key ends a client's session with its next message, and any process can answer.
"""

import asyncio
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from bylaw.api import strict_json
from bylaw.api.auth import Door
from bylaw.api.edge import Hot
from bylaw.api.incoming import Incoming
from bylaw.api.inside import Inside
from bylaw.api.problems import Answer
from bylaw.core.errors import Forbidden

if TYPE_CHECKING:
    from bylaw.api.mcp_server import McpServer

PATHS: Final = ("/mcp", "/mcp/sse")
_LOCAL: Final = re.compile(rb"https?://(?:localhost|127\.0\.0\.1|\[::1\])(?::[0-9]{1,5})?")


class Mcp:
    """Answers the messages of MCP clients; the SDK is loaded beside other work when the first one comes."""

    def __init__(self, door: Door, inside: Inside) -> None:
        self._door = door
        self._inside = inside
        self._server: McpServer | None = None

    def table(self) -> Mapping[tuple[str, str], Hot]:
        """Return the handlers by method and path; there is no stream to listen to, and no session to end."""
        answers = {"POST": self.answer, "GET": self._refuse, "DELETE": self._refuse}
        return {(method, path): answers[method] for method in answers for path in PATHS}

    async def answer(self, incoming: Incoming) -> Answer:
        """Answer one message. Raises: as `Door.enter`; Forbidden for a page of another site."""
        _require_no_page(incoming)
        self._door.enter(incoming, None)
        strict_json.parse(incoming.body)
        if self._server is None:
            self._server = await asyncio.to_thread(_loaded, self._inside)
        return await self._server.answer(incoming)

    async def _refuse(self, incoming: Incoming) -> Answer:
        _require_no_page(incoming)
        self._door.enter(incoming, None)
        return Answer(status=405, headers=((b"allow", b"POST"),))


def _loaded(inside: Inside) -> "McpServer":
    """Return what answers, once the SDK is loaded, for which no start of a server waits."""
    from bylaw.api.mcp_server import McpServer  # noqa: PLC0415

    return McpServer(inside)


def _require_no_page(incoming: Incoming) -> None:
    """Return nothing unless a page of the web asks, whose name may lead here by its owner's doing.

    Tools on this machine may; programs elsewhere name no origin. Raises: Forbidden.
    """
    origin = incoming.headers.get(b"origin")
    if origin is not None and not _LOCAL.fullmatch(origin):
        message = "MCP is not for pages of the web: connect from a program, which sends no Origin."
        raise Forbidden(message, needs="no Origin header")
