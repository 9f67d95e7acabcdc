"""The control plane on each of its stores, empty for every test."""

import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import NamedTuple

import asyncpg
import pytest
import pytest_asyncio

from bylaw.core.clock import ManualClock
from bylaw.core.ids import Ids
from bylaw.storage.control import open_control
from bylaw.storage.memory.control import MemoryControlStore
from bylaw.storage.sql.control import SqlControlStore
from bylaw.storage.sql.database import Database
from bylaw.storage.sql.tables import metadata
from tests import postgres
from tests.contracts.values import A, B, tenant


class Kept(NamedTuple):
    """A database that is opened once for all tests, as to compile its statements takes longer than a test."""

    database: Database
    clear: Callable[[], Awaitable[None]]


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def kept_sqlite(empty_control: Path, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Kept]:
    """A SQLite file, opened once."""
    path = tmp_path_factory.mktemp("control") / "control.db"
    shutil.copy(empty_control, path)
    database = await _opened(f"sqlite:///{path}")
    await database.close()
    empty = path.read_bytes()

    async def clear() -> None:
        await database.close()
        for each in path.parent.iterdir():
            each.unlink()
        path.write_bytes(empty)

    yield Kept(database, clear)
    await database.close()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def kept_postgres(postgres_server: str) -> AsyncIterator[Kept]:
    """A PostgreSQL database, opened once."""
    statement = ";".join(str(table.delete()) for table in reversed(metadata.sorted_tables))
    with postgres.fresh_database(postgres_server) as url:
        database = await _opened(url)
        owner = await asyncpg.connect(postgres.plain(url))

        async def clear() -> None:
            await owner.execute(statement)

        yield Kept(database, clear)
        await owner.close()
        await database.close()


async def _opened(url: str) -> Database:
    clock = ManualClock()
    return (await open_control(url, ids=Ids(clock), clock=clock)).database


@pytest.fixture(params=["memory", "sqlite", "postgres"])
def kept(request: pytest.FixtureRequest) -> Kept | None:
    """Each database in turn, and none."""
    return None if request.param == "memory" else request.getfixturevalue(f"kept_{request.param}")


@pytest_asyncio.fixture(loop_scope="session")
async def store(
    kept: Kept | None, clock: ManualClock, one_loop: None
) -> MemoryControlStore | SqlControlStore:
    """An empty control plane with two tenants."""
    del one_loop
    ids = Ids(clock)
    opened: MemoryControlStore | SqlControlStore
    if kept is None:
        opened = MemoryControlStore(ids=ids, clock=clock)
    else:
        await kept.clear()
        opened = SqlControlStore(kept.database, ids=ids, clock=clock)
    async with opened.system() as system:
        for tenant_id in (A, B):
            await system.add_tenant(tenant(tenant_id))
    return opened


async def _rows(store: MemoryControlStore | SqlControlStore) -> dict[str, list[dict[str, object]]]:
    if isinstance(store, MemoryControlStore):
        return {
            name: [dict(row) for row in store.contents.get(name, {}).values()] for name in metadata.tables
        }
    async with store.database.begin(None, writes=False) as connection:
        return {
            name: [dict(row) for row in (await connection.execute(table.select())).mappings()]
            for name, table in metadata.tables.items()
        }


@pytest.fixture
def snapshot_of():
    """Everything that a store holds, of one tenant or of all, row by row."""

    async def snapshot(store: MemoryControlStore | SqlControlStore, tenant_id: str | None = None):
        found = await _rows(store)
        return {
            name: sorted(
                repr(row) for row in rows if tenant_id in {None, row.get("tenant_id", row.get("id"))}
            )
            for name, rows in found.items()
        }

    return snapshot
