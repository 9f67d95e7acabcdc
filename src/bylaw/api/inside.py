"""Asking the server's own routes from inside: the same doors, limits and answers as from outside."""

from collections.abc import Mapping, Sequence
from typing import cast
from urllib.parse import urlencode

from bylaw.api.asgi import App, Message, Scope
from bylaw.api.edge import Served
from bylaw.api.incoming import Incoming
from bylaw.api.problems import Answer
from bylaw.core.errors import BylawError


class Inside:
    """Hands requests to what an edge serves."""

    def __init__(self, served: Served) -> None:
        self._served = served

    async def ask(self, incoming: Incoming, query: Mapping[str, str | Sequence[str]] | None = None) -> Answer:
        """Return what the route of `incoming` answers; a failure is an answer, a bug is not."""
        hot = self._served.hot.get((incoming.method, incoming.path))
        if hot is None:
            return await answered_by(self._served.app, incoming, urlencode(query or {}, doseq=True).encode())
        try:
            return await hot(incoming)
        except BylawError as error:
            return self._served.failures.of(error, incoming)


async def answered_by(app: App, incoming: Incoming, query: bytes = b"") -> Answer:
    """Return the whole answer of an ASGI application to `incoming`, as which the request is known to it."""
    sent: list[Message] = []
    waiting: list[Message] = [{"type": "http.request", "body": incoming.body, "more_body": False}]

    async def receive() -> Message:
        return waiting.pop() if waiting else {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": incoming.method,
        "scheme": "http",
        "path": incoming.path,
        "raw_path": incoming.path.encode(),
        "root_path": "",
        "query_string": query,
        "headers": [*incoming.headers.items()],
        "client": (incoming.peer, 0) if incoming.peer else None,
        "server": None,
        "bylaw": incoming,
    }
    await app(scope, receive, send)
    started = next(each for each in sent if each["type"] == "http.response.start")
    headers = cast("list[tuple[bytes, bytes]]", started.get("headers", []))
    return Answer(
        status=cast("int", started["status"]),
        body=b"".join(cast("bytes", each.get("body", b"")) for each in sent if each is not started),
        headers=tuple((name, value) for name, value in headers if name.lower() != b"content-length"),
    )
