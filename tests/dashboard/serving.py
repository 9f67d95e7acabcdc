"""A server that listens on this machine as `bylaw serve` does, on a clock that a test may put forward."""

import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import httpx
import uvicorn
from playwright.async_api import BrowserContext

from bylaw import settings
from bylaw.api.asgi import App as Asgi
from bylaw.api.tracing import Untraced
from bylaw.api.wire import Wire, WireLimits
from bylaw.app import join
from bylaw.core.clock import SystemClock
from bylaw.core.ids import Ids
from bylaw.settings import Settings
from bylaw.stores import open_stores
from tests.api.conftest import Template, World

COOKIE = "bylaw-session"


class Ahead(SystemClock):
    """The machine's clock, put forward or back by what tests say."""

    def __init__(self, ahead_ms: int = 0) -> None:
        self.ahead_ms = ahead_ms

    def now_ms(self) -> int:
        return super().now_ms() + self.ahead_ms

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.now_ms() / 1000, UTC)


@dataclass(frozen=True)
class Site:
    """A running server, what it holds, and where a browser finds it."""

    world: World
    clock: Ahead
    url: str
    sessions: dict[str, str] = field(default_factory=dict)

    async def session(self, caller: str = "admin") -> str:
        """The text of a new session that may what the key of `caller` may."""
        return (await self.world.make("/v1/sessions", {}, caller))["session"]

    async def shown(self, path: str, caller: str | None = "admin") -> httpx.Response:
        """What `path` shows somebody in the end, as the server answers it and without a browser."""
        if caller is not None and caller not in self.sessions:
            self.sessions[caller] = await self.session(caller)
        cookie = {} if caller is None else {"cookie": f"{COOKIE}={self.sessions[caller]}"}
        answer = await self.world.send(None, "GET", path, headers={"accept": "text/html", **cookie})
        while answer.status_code == 303 and not answer.headers["location"].startswith("/sign-in"):
            path = answer.headers["location"]
            answer = await self.world.send(None, "GET", path, headers={"accept": "text/html", **cookie})
        return answer

    async def sign_in(self, context: BrowserContext, caller: str = "admin") -> None:
        """Have a browser hold a session of `caller`, as signing in does."""
        session = await self.session(caller)
        await context.add_cookies([{"name": COOKIE, "value": session, "url": self.url, "httpOnly": True}])


@asynccontextmanager
async def listening(asgi: Asgi) -> AsyncIterator[str]:
    """Serve `asgi` and yield its address."""
    config = uvicorn.Config(
        asgi,
        http=partial(Wire, limits=WireLimits(head_bytes=32_768, head_s=20), ids=Ids()),
        ws="none",
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=1,
    )
    server, listener = uvicorn.Server(config), socket.create_server(("127.0.0.1", 0))
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listener])
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        await server.shutdown(sockets=[listener])


@asynccontextmanager
async def serving(
    data: Path, template: Template | None = None, *, given: Settings | None = None, behind_ms: int = 0
) -> AsyncIterator[Site]:
    """Serve what is in `data`: a copy of `template`, or nothing yet; `behind_ms` ago, by its clock."""
    if template is not None:
        shutil.copytree(template.data, data)
    given = settings.build(data=data) if given is None else given
    clock = Ahead(-behind_ms)
    ids = Ids(clock)
    async with AsyncExitStack() as stack:
        stores = await open_stores(given, clock, ids, stack)
        app = await stack.enter_async_context(join(given, stores, clock=clock, ids=ids, tracer=Untraced()))
        url = await stack.enter_async_context(listening(app.asgi))
        keys = {"operator": app.admin_key or ""} if template is None else dict(template.keys)
        ids_held = {} if template is None else dict(template.ids)
        yield Site(World(app=app, keys=keys, ids=ids_held), clock, url)
