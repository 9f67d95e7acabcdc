"""`bylaw worker`: do the jobs of a server in a process of its own."""

import asyncio
import logging
import os
import signal
import sys
import time
from asyncio import AbstractEventLoop
from contextlib import suppress
from pathlib import Path
from threading import Thread
from typing import Final

import click
import uvloop

from bylaw.api.ports import Unit
from bylaw.app.worker import open_worker
from bylaw.cli.data import require_data
from bylaw.jobs.worker import Worker
from bylaw.settings import Settings, load

NICENESS: Final = 15
EPILOG = """\b
Examples:
  BYLAW_JOBS_WORKERS=0 bylaw serve --data /var/lib/bylaw   # a server without workers of its own
  bylaw worker --data /var/lib/bylaw                       # and one beside it
  bylaw worker --database postgresql://bylaw@db/bylaw --secret-file /etc/bylaw/secrets.json

\b
`bylaw serve` starts one worker by itself. Several may work on one database. On SQLite, run them on the
machine of the server and while it runs: it is the server that keeps the file small.
"""


@click.command(epilog=EPILOG)
@click.option(
    "--data", type=click.Path(path_type=Path), help="Directory of the embedded SQLite (bylaw-data)."
)
@click.option("--database", help="postgresql://… that holds everything instead.")
@click.option("--secret-file", help="File of the keys under which credentials are encrypted.")
@click.option("--jobs-at-once", type=int, help="Jobs that run at once (16).")
@click.option("--child", is_flag=True, hidden=True, help="Stop when standard input ends.")
def worker(*, child: bool, **flags: object) -> None:
    """Do jobs until SIGTERM or SIGINT; then finish, or give back, what has begun."""
    settings = load(flags, os.environ, signs=False)
    require_data(settings.storage)
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(message)s")
    logging.getLogger("alembic").setLevel(logging.WARNING)
    os.nice(NICENESS)
    uvloop.run(run(settings, child=child))


async def run(settings: Settings, *, child: bool) -> None:
    """Do jobs until a signal asks to stop, or for a child until its parent is gone."""
    loop = asyncio.get_running_loop()
    async with open_worker(settings) as opened:
        for each in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(each, opened.stop)
        if child:
            Thread(target=_listen, args=(opened, loop, settings.server.shutdown_s), daemon=True).start()
        else:
            click.echo("The worker is ready; Ctrl-C stops it.", err=True)
        await opened.run()


def _listen(opened: Worker[Unit], loop: AbstractEventLoop, grace_s: float) -> None:
    """Wake the worker for each line, and stop it at the end: at last by force, should it not listen."""
    with suppress(RuntimeError):  # the loop is closed: there is nothing left to stop
        while os.read(0, 4096):
            loop.call_soon_threadsafe(opened.wake)
        loop.call_soon_threadsafe(opened.stop)
    time.sleep(2 * grace_s)
    os._exit(1)
