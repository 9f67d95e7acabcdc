"""`bylaw serve`: run the server until SIGTERM or SIGINT."""

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from functools import partial
from pathlib import Path
from threading import Timer
from typing import Final, assert_never, cast

import click
import uvicorn
import uvloop
from sqlalchemy import make_url

import bylaw
from bylaw.api.first_start import OperatorKey
from bylaw.api.wire import Wire, WireLimits
from bylaw.app import App, build
from bylaw.app.children import Children
from bylaw.core.clock import SystemClock
from bylaw.core.errors import Conflict, InvalidInput
from bylaw.core.ids import Ids
from bylaw.settings import LOOPBACK, Settings, load

PATIENCE_S: Final = 3.0
EPILOG = """\b
Examples:
  bylaw serve                                     # SQLite in ./bylaw-data, on 127.0.0.1:8181
  bylaw serve --data /var/lib/bylaw --port 9000
  bylaw serve --database postgresql://bylaw@db/bylaw --key-file /etc/bylaw/keys.json
  BYLAW_ADMIN_KEY=sf_live_v1_… bylaw serve        # bring your own first key

\b
Every setting is also a variable BYLAW_… and a key of the file in BYLAW_CONFIG: see `bylaw settings`.
"""


@click.command(epilog=EPILOG)
@click.option("--host", help="Address to listen on (127.0.0.1).")
@click.option("--port", type=int, help="Port to listen on (8181); 0 takes a free one.")
@click.option(
    "--data", type=click.Path(path_type=Path), help="Directory of the embedded SQLite (bylaw-data)."
)
@click.option("--database", help="postgresql://… to keep everything in PostgreSQL instead.")
@click.option("--key-file", help="File of this server's signing keys (keys.json in the data directory).")
@click.option("--expose", is_flag=True, default=None, help="Allow a host other than loopback.")
@click.option("--access-log", help="Which requests leave a line: all, errors or off.")
def serve(**flags: object) -> None:
    """Run the server; it starts with no settings at all and says where everything is."""
    settings = load(flags, os.environ)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    for wordy in ("alembic", "mcp"):
        logging.getLogger(wordy).setLevel(logging.WARNING)
    uvloop.run(run(settings))


async def run(settings: Settings) -> None:
    """Serve until a signal asks to stop; then finish what was accepted and close everything.

    Raises: Conflict when the port or the data is in use.
    """
    async with AsyncExitStack() as opened:
        listener = opened.enter_context(listen(settings.server.host, settings.server.port))
        with told_when_slow(settings):
            app = await opened.enter_async_context(build(settings))
        config = uvicorn.Config(
            app.asgi,
            http=cast(
                "type[asyncio.Protocol]", partial(Wire, limits=wire_limits(settings), ids=Ids(SystemClock()))
            ),
            ws="none",
            lifespan="off",
            access_log=False,
            log_level="warning",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=settings.server.shutdown_s,
        )
        server = uvicorn.Server(config)
        # Nobody may ask to stop and not be heard: neither before the server listens for signals itself, nor
        # when it is done and raises the one that stopped it once more.
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, server.handle_exit)
        announce(settings, app, listener.getsockname()[1])
        children = Children(settings, app.workload)
        app.stores.control.when_enqueued(children.wake)
        await opened.enter_async_context(children.running())
        spare_the_collector()
        await server.serve(sockets=[listener])
        click.echo("Stopping: everything that was accepted is answered.", err=True)
    click.echo("Stopped.", err=True)


@contextmanager
def told_when_slow(settings: Settings, after_s: float = PATIENCE_S) -> Iterator[Timer]:
    """Say what the start of a server is busy with when the block takes longer than that."""
    said = (
        f"Still starting on {_place(settings)}: bringing the schema up to date, reading the log, compiling"
        " the policies."
    )
    timer = Timer(after_s, click.echo, [said], {"err": True})
    timer.daemon = True
    timer.start()
    try:
        yield timer
    finally:
        timer.cancel()


def wire_limits(settings: Settings) -> WireLimits:
    """Return what connections are held to."""
    return WireLimits(head_bytes=settings.server.head_bytes, head_s=settings.server.head_ms / 1000)


def spare_the_collector() -> None:
    """Leave what was loaded at start out of garbage collection, and collect less often.

    A decision leaves no cycles behind, and looking for some cost a fifth of its time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens. Raises: Conflict when the port is taken, InvalidInput for a bad host."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except socket.gaierror as error:
        message = f"{host!r} (--host, BYLAW_HOST) is not an address of this machine: {error.strerror}."
        raise InvalidInput(message) from error
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
    except OSError as error:
        listener.close()
        raise Conflict(
            f"Port {port} on {host} cannot be used: {error.strerror}. Choose another: --port or BYLAW_PORT.",
            reason="port_in_use",
        ) from error
    listener.listen(2048)
    return listener


def _about(key: OperatorKey | None) -> str:
    """Return what was done about the operator's key; the text of one that was given is never shown."""
    if key is None:
        return "made at an earlier start, not shown again; lost? BYLAW_ADMIN_KEY adds one of your choice"
    match key.fate:
        case "made":
            return f"{key.raw}   (shown this once: keep it)"
        case "registered":
            return "that of BYLAW_ADMIN_KEY: registered, the first one here"
        case "added":
            return (
                "that of BYLAW_ADMIN_KEY: registered beside those known here, which stay good until revoked"
            )
        case "known":
            return "that of BYLAW_ADMIN_KEY: known here already"
        case _:
            assert_never(key.fate)


def _place(settings: Settings) -> str:
    """Return where the data is, without a password."""
    if settings.storage.database:
        return make_url(settings.storage.database).render_as_string(hide_password=True)
    return str(settings.storage.data.resolve())


def _judges(settings: Settings) -> str:
    model = settings.judge.judge_model
    if not model:
        return "what it can show offline; other rules in words are left undecided (BYLAW_JUDGE_MODEL)"
    return f"offline first, then {model}"


def announce(settings: Settings, app: App, port: int) -> None:
    """Print where everything is, and what this start did about the operator's key."""
    host = settings.server.host
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    click.echo(f"Bylaw {bylaw.__version__} listens on {url}")
    click.echo(f"  data          {_place(settings)}")
    click.echo(f"  signing keys  {app.key_file.resolve()}")
    click.echo(f"  log           {app.stores.ledger.log.origin}")
    click.echo(f"  dashboard     {url}/")
    click.echo(f"  API           {url}/openapi.json")
    click.echo(f"  metrics       {url}/metrics")
    click.echo(f"  judges        {_judges(settings)}")
    click.echo(f"  admin key     {_about(app.operator_key)}")
    if host not in LOOPBACK:
        click.echo("  Keys travel in clear to this address: put TLS in front.")
    click.echo("It is ready; Ctrl-C stops it.")
