"""A session whose end PostgreSQL has announced, and whose stream is still open."""

import asyncio
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import make_url

from bylaw.core.clock import ManualClock
from bylaw.core.errors import Unavailable
from bylaw.core.ids import Ids
from bylaw.storage.control import open_control
from tests import postgres
from tests.contracts.receipts.shelf import Shelf
from tests.contracts.values import A, tenant
from tests.receipts.book import TENANT

FIELDS = b"SFATAL\0VFATAL\0C57P01\0Mterminating connection due to administrator command\0\0"
GOODBYE = b"E" + (len(FIELDS) + 4).to_bytes(4, "big") + FIELDS


class Doorkeeper:
    """Passes every byte between clients and the server, and can say goodbye in the server's name."""

    def __init__(self, url: str) -> None:
        self._url = make_url(url)
        self._clients: list[asyncio.StreamWriter] = []
        self._passing: list[asyncio.Task] = []

    @asynccontextmanager
    async def at(self, directory: Path):
        """Serve on a socket in `directory`, and yield the URL there."""
        server = await asyncio.start_unix_server(self._welcome, directory / ".s.PGSQL.5432")
        query = {"host": str(directory)}
        try:
            yield self._url.set(host=None, port=None, query=query).render_as_string(hide_password=False)
        finally:
            server.close()
            for client in self._clients:
                client.close()
            await asyncio.gather(*self._passing)

    async def say_goodbye(self) -> None:
        """Tell every client, and return once all have read it: a local socket hands over in the same turn."""
        for client in self._clients:
            client.write(GOODBYE)
        for _ in range(5):
            await asyncio.sleep(0)

    async def _welcome(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients.append(writer)
        self._passing.append(asyncio.current_task())
        host, port = self._url.query.get("host", self._url.host), self._url.port or 5432
        if str(host).startswith("/"):
            theirs = await asyncio.open_unix_connection(f"{host}/.s.PGSQL.{port}")
        else:
            theirs = await asyncio.open_connection(host, port)
        await asyncio.gather(self._pass(reader, theirs[1]), self._pass(theirs[0], writer))

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                writer.write(data)
        writer.close()


@pytest.fixture
async def doorkeeper(postgres_url):
    await postgres.execute(postgres_url, "DROP SCHEMA IF EXISTS ledger CASCADE")
    return Doorkeeper(postgres_url)


async def unavailable_then_back(doorkeeper, work):
    """Say goodbye to every session; return how often `work` was unavailable before it worked again."""
    await work()
    await doorkeeper.say_goodbye()
    refused = 0
    while True:
        try:
            await work()
        except Unavailable:
            refused += 1
            await asyncio.sleep(0)
        else:
            return refused


async def test_readers_of_receipts_say_unavailable_and_come_back(doorkeeper, tmp_path):
    async with doorkeeper.at(tmp_path) as url:
        shelf = Shelf("postgres", postgres.plain(url))
        ledger = await shelf.open()
        (entry,) = await shelf.record(ledger)
        assert await unavailable_then_back(doorkeeper, lambda: ledger.of(TENANT).get(entry.id))
        await shelf.close()


async def test_the_control_plane_takes_another_session_before_it_begins(doorkeeper, tmp_path):
    async with doorkeeper.at(tmp_path) as url:
        clock = ManualClock()
        store = await open_control(url, ids=Ids(clock), clock=clock)
        async with store.system() as system:
            await system.add_tenant(tenant(A))

        async def work():
            async with store.system() as system:
                await system.tenant(A)

        assert await unavailable_then_back(doorkeeper, work) == 0
        await store.close()
