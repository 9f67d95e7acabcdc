"""What joins the dashboard to the routes that it shows, asked in this process as from outside."""

from collections.abc import Awaitable, Mapping
from typing import Final, TypeVar, cast

import msgspec
from starlette.types import Receive, Scope, Send

from bylaw.api.asgi import App
from bylaw.api.incoming import Incoming
from bylaw.api.inside import Inside
from bylaw.dashboard.asking import Answered, Asked
from bylaw.dashboard.site import Site

T = TypeVar("T")
_JSON: Final = "application/json"
# What of a browser's request says who asks, and not what: it goes along.
_ALONG: Final = (b"x-forwarded-for", b"host", b"user-agent")


class Routes:
    """The routes of the API, as the dashboard asks them."""

    def __init__(self, inside: Inside) -> None:
        self._inside = inside

    async def ask(self, asked: Asked) -> Answered:
        """Return what a route answers."""
        visit = cast("Incoming", asked.visit["bylaw"])
        headers = {name: visit.headers[name] for name in _ALONG if name in visit.headers}
        if asked.session:
            headers[b"authorization"] = f"Bearer {asked.session}".encode()
        if asked.revision:
            headers[b"if-match"] = asked.revision.encode()
        if asked.once:
            headers[b"idempotency-key"] = asked.once.encode()
        body = b""
        if asked.body is not None:
            headers[b"content-type"] = _JSON.encode()
            body = msgspec.json.encode(asked.body)
        incoming = Incoming(
            id=visit.id,
            method=asked.method,
            path=asked.path,
            headers=headers,
            peer=visit.peer,
            body=body,
            is_use=asked.is_use,
        )
        answer = await self._inside.ask(incoming, asked.query)
        visit.caller = incoming.caller or visit.caller
        given = dict(answer.headers)
        is_json = b"json" in given.get(b"content-type", b"") and bool(answer.body)
        return Answered(
            status=answer.status,
            data=msgspec.json.decode(answer.body) if is_json else None,
            body=answer.body,
            etag=given.get(b"etag", b"").decode(),
        )

    async def attend(self, visit: Mapping[str, object], work: Awaitable[T]) -> T:
        """Return what comes of `work`, as long as the browser waits."""
        return await cast("Incoming", visit["bylaw"]).attended(work)


class Front:
    """Hands requests for pages to the dashboard, and all others to the API."""

    def __init__(self, site: Site, api: App) -> None:
        self._site = site
        self._api = api

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        app = self._site.app if self._site.has(scope) else self._api
        await app(scope, receive, send)
