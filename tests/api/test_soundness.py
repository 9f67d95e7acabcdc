"""A database that lost a table: the server says so, refuses what it cannot do, and shows nobody a trace."""

import asyncio
import sqlite3

import apsw
import pytest

from bylaw import settings
from bylaw.app import build
from bylaw.storage.postgres import receipts_queries as postgres_receipts
from bylaw.storage.sql.tables import metadata
from bylaw.storage.sqlite import receipts_queries as sqlite_receipts
from tests import postgres
from tests.api.conftest import World, populate

TABLES = [table.name for table in metadata.sorted_tables]
POLICY = {"name": "q", "rules": [{"expr": "true"}]}


class Sqlite:
    """The files of a server on SQLite."""

    receipts = sqlite_receipts.TABLES

    def __init__(self, folder):
        self.options = {"data": folder}
        self.folder = folder

    async def control(self, statement):
        """Carry out a statement; in a thread, as the server goes on here and may be writing."""
        await asyncio.to_thread(self._execute, sqlite3.connect, "control.db", statement)

    async def ledger(self, statement):
        await asyncio.to_thread(self._execute, apsw.Connection, "receipts.db", statement)

    def _execute(self, connect, name, statement):
        connection = connect(str(self.folder / name))
        connection.execute("PRAGMA busy_timeout = 30000")
        connection.execute(statement)
        connection.close()


class Postgres:
    """The database of a server on PostgreSQL."""

    receipts = postgres_receipts.TABLES

    def __init__(self, url, folder):
        self.options = {"database": postgres.plain(url), "key_file": str(folder / "keys.json")}
        self.url = url

    async def control(self, statement):
        await postgres.execute(self.url, statement)

    async def ledger(self, statement):
        await postgres.execute(self.url, statement.replace("ALTER TABLE ", "ALTER TABLE ledger."))


@pytest.fixture(params=["sqlite", "postgres"])
async def broken(request, tmp_path):
    """A populated server, and the database below it."""
    if request.param == "sqlite":
        database = Sqlite(tmp_path)
    else:
        url = request.getfixturevalue("database_url")
        database = Postgres(url, tmp_path)
    async with build(settings.build(**database.options)) as app:
        world = World(app=app)
        await populate(world)
        yield world, database


@pytest.fixture
def database_url(postgres_server):
    with postgres.fresh_database(postgres_server) as url:
        yield url


async def unready(world):
    """Look, and return what is said about each check that does not hold."""
    await world.app.upkeep.soundness.look()
    found = await world.send(None, "GET", "/readyz")
    checks = {each["name"]: each["detail"] for each in found.json()["checks"] if not each["ok"]}
    assert found.status_code == (503 if checks else 200)
    return checks


async def test_each_table_that_is_gone_is_named(broken):
    world, database = broken
    assert await unready(world) == {}
    for place, tables, execute in (
        ("control", TABLES, database.control),
        ("receipts", database.receipts, database.ledger),
    ):
        for table in tables:
            await execute(f"ALTER TABLE {table} RENAME TO aside")
            said = await unready(world)
            assert said.keys() == {place}
            assert table in said[place]
            await execute(f"ALTER TABLE aside RENAME TO {table}")
    assert await unready(world) == {}


async def test_what_needs_a_table_that_is_gone_is_refused_without_a_trace(broken, caplog):
    world, database = broken
    await database.control("ALTER TABLE versions RENAME TO aside")
    await database.ledger("ALTER TABLE parts RENAME TO aside")
    receipt = world.ids["receipt_id"]
    for method, path, body in (
        ("GET", "/v1/policies", None),
        ("POST", "/v1/policies", POLICY),
        ("POST", "/v1/decisions", {"user_intent": "x"}),
        ("GET", f"/v1/receipts/{receipt}/body", None),
        ("GET", f"/v1/decisions/{receipt}", None),
    ):
        found = await world.send("admin", method, path, json=body)
        assert (found.status_code, found.json()["code"]) == (503, "unavailable"), found.text
        assert found.headers["retry-after"] == "1"
        assert "SELECT" not in found.text
    assert (await world.send("admin", "GET", f"/v1/receipts/{receipt}/proof")).status_code == 200
    assert "Traceback" not in caplog.text
