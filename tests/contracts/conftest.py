"""The control plane on each of its stores, empty for every test."""

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bylaw.core.clock import ManualClock
from bylaw.core.ids import Ids
from bylaw.storage.control import open_control
from bylaw.storage.memory.control import MemoryControlStore
from bylaw.storage.sql.control import SqlControlStore
from bylaw.storage.sql.tables import metadata
from tests import postgres
from tests.conftest import upgraded
from tests.contracts.values import A, B, tenant


@pytest.fixture(scope="module")
def migrated_url(postgres_url: str) -> str:
    """A PostgreSQL database with the whole schema."""
    postgres.apart(lambda: upgraded(postgres_url))
    return postgres_url


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(params=["memory", "sqlite", "postgres"])
async def store(
    request: pytest.FixtureRequest, tmp_path: Path, clock: ManualClock
) -> AsyncIterator[MemoryControlStore | SqlControlStore]:
    """An empty control plane with two tenants."""
    ids = Ids(clock)
    opened: MemoryControlStore | SqlControlStore
    if request.param == "memory":
        opened = MemoryControlStore(ids=ids, clock=clock)
    elif request.param == "sqlite":
        path = tmp_path / "control.db"
        shutil.copy(request.getfixturevalue("empty_control"), path)
        opened = await open_control(f"sqlite:///{path}", ids=ids, clock=clock)
    else:
        url = request.getfixturevalue("migrated_url")
        await postgres.execute(url, *(str(table.delete()) for table in reversed(metadata.sorted_tables)))
        opened = await open_control(url, ids=ids, clock=clock)
    async with opened.system() as system:
        for tenant_id in (A, B):
            await system.add_tenant(tenant(tenant_id))
    yield opened
    await opened.close()


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
