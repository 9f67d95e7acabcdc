"""What is particular to each database: the disk, other processes, and connections that go away."""

import asyncio
import subprocess
import sys
from itertools import count

import asyncpg
import pytest
from sqlalchemy import text

from bylaw.core.clock import ManualClock, SystemClock
from bylaw.core.errors import Corrupt, InvalidInput, Unavailable
from bylaw.core.ids import Ids
from bylaw.storage.control import open_control, open_database
from bylaw.storage.migrations import history
from bylaw.storage.sql.session import failures
from tests import postgres
from tests.contracts.lists import every
from tests.contracts.values import A, tenant, workspace


@pytest.fixture
async def opened():
    """Return a function that opens a store, which is closed at the end."""
    stores = []

    async def opened(url):
        clock = ManualClock()
        stores.append(await open_control(url, ids=Ids(clock), clock=clock))
        return stores[-1]

    yield opened
    for each in stores:
        await each.close()


@pytest.fixture
def own_url(postgres_server):
    """An empty PostgreSQL database of this test alone."""
    with postgres.fresh_database(postgres_server) as url:
        yield url


async def pragmas(database, *, writes):
    async with database.begin(None, writes=writes) as connection:
        await connection.execute(text("SELECT count(*) FROM tenants"))
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout", "query_only")
        return {name: (await connection.execute(text(f"PRAGMA {name}"))).scalar_one() for name in names}


async def test_a_sqlite_file_is_durable_checked_and_guarded(tmp_path, opened):
    store = await opened(f"sqlite:///{tmp_path / 'control.db'}")
    told = {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 5000}
    assert await pragmas(store.database, writes=True) == {**told, "query_only": 0}
    assert await pragmas(store.database, writes=False) == {**told, "query_only": 1}


async def test_a_full_disk_is_said_to_be_full(tmp_path, opened):
    store = await opened(f"sqlite:///{tmp_path / 'control.db'}")

    async def fill():
        with failures():
            async with store.database.begin(None, writes=True) as connection:
                await connection.execute(text("PRAGMA max_page_count = 1"))  # no less than there are
                await connection.execute(text("CREATE TABLE filler AS SELECT zeroblob(10000000) AS filling"))

    with pytest.raises(Unavailable, match="kept nothing: its disk is full, make room"):
        await fill()


WRITER = """
import asyncio, sys
from dataclasses import replace
from bylaw.core.clock import SystemClock
from bylaw.core.ids import Ids
from bylaw.storage.control import open_control

async def main():
    clock = SystemClock()
    store = await open_control(sys.argv[1], ids=Ids(clock), clock=clock)
    for _ in range(25):
        async with store.begin("tenant-a") as unit:
            shop = await unit.tenancy.workspaces.get("ws")
            shop = replace(shop, name=shop.name + "x", revision=shop.revision + 1)
            await unit.tenancy.workspaces.save(shop)
            await unit.changes.bump()

asyncio.run(main())
"""


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
async def test_processes_that_write_at_once_lose_no_update(kind, tmp_path, request, opened):
    url = f"sqlite:///{tmp_path / 'control.db'}" if kind == "sqlite" else request.getfixturevalue("own_url")
    store = await opened(url)
    async with store.system() as system:
        await system.add_tenant(tenant(A))
        await system.of(A).tenancy.workspaces.add(workspace(id="ws", name=""))
    command = (sys.executable, "-c", WRITER, url)
    writers = [await asyncio.create_subprocess_exec(*command, stderr=subprocess.PIPE) for _ in range(3)]
    for each in writers:
        _, errors = await each.communicate()
        assert each.returncode == 0, errors.decode()
    async with store.begin(A, writes=False) as unit:
        shop = await unit.tenancy.workspaces.get("ws")
    assert (shop.name, shop.revision) == ("x" * 75, 76)
    async with store.system(writes=False) as system:
        assert await system.counters() == {A: 75}


async def test_a_lost_postgres_connection_is_an_unavailable_database_and_heals(own_url, opened):
    store = await opened(own_url)

    async def cut():
        async with store.begin(A) as unit:
            other = await asyncpg.connect(postgres.plain(own_url))
            await other.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            await other.close()
            await every(unit.tenancy.workspaces.list)

    with pytest.raises(Unavailable):
        await cut()
    async with store.begin(A) as unit:
        assert await every(unit.tenancy.workspaces.list) == []


async def test_a_deadlock_is_an_unavailable_database_and_one_of_the_two_comes_through(own_url, opened):
    store = await opened(own_url)
    shops = [workspace(), workspace()]
    async with store.system() as system:
        await system.add_tenant(tenant(A))
        for each in shops:
            await system.of(A).tenancy.workspaces.add(each)
    met = asyncio.Barrier(2)

    async def write(first, second):
        async with store.system() as system:
            rows = system.of(A).tenancy.workspaces
            await rows.save(next_of(await rows.get(first.id)))
            await met.wait()
            await rows.save(next_of(await rows.get(second.id)))

    done = await asyncio.gather(write(*shops), write(*shops[::-1]), return_exceptions=True)
    assert sorted(map(type, done), key=str) == [type(None), Unavailable] or done == [None, None]


def next_of(shop):
    return workspace(id=shop.id, revision=shop.revision + 1)


async def test_what_cannot_be_opened_is_said(tmp_path):
    clock = SystemClock()
    for url in ("nonsense", "mysql://host/name", "sqlite://"):
        with pytest.raises(InvalidInput, match="postgresql://"):
            open_database(url)
    (tmp_path / "file").write_text("not a folder")
    for url in (f"sqlite:///{tmp_path}/file/control.db", f"postgresql://u@/n?host={tmp_path}"):
        with pytest.raises(Unavailable):
            await open_control(url, ids=Ids(clock), clock=clock)
    (tmp_path / "control.db").write_bytes(b"certainly not a database file" * 100)
    with pytest.raises(Corrupt):
        await open_control(f"sqlite:///{tmp_path / 'control.db'}", ids=Ids(clock), clock=clock)


async def test_a_start_that_is_up_to_date_waits_for_no_writer(tmp_path, opened):
    url = f"sqlite:///{tmp_path / 'control.db'}"
    store = await opened(url)
    async with store.system() as system:
        await system.add_tenant(tenant(A))
        again = await opened(url)
        async with again.begin(A, writes=False) as unit:
            assert await every(unit.tenancy.workspaces.list) == []
    assert await history.current(store.database) == history.newest()


async def test_who_gives_up_in_the_midst_of_a_transaction_locks_nobody_out(tmp_path, opened):
    store = await opened(f"sqlite:///{tmp_path / 'control.db'}")
    async with store.system() as system:
        await system.add_tenant(tenant(A))
    given_up = []  # kept, with all that their failures refer to
    for passes in range(60):  # of the loop, until it is given up: at another point each time
        began = asyncio.Event()

        async def busy(began=began):
            async with store.begin(A) as unit:
                began.set()
                for number in count():
                    await unit.tenancy.workspaces.add(workspace(A, id=f"w{number}"))
                    await unit.tenancy.workspaces.get("w1")

        given_up.append(asyncio.create_task(busy()))
        await began.wait()
        for _ in range(passes):
            await asyncio.sleep(0)
        for _ in range(1 + passes % 3):  # again while it ends
            given_up[-1].cancel()
            await asyncio.sleep(0)
        await asyncio.wait(given_up[-1:])
        async with store.system() as system:
            await system.add_tenant(tenant(f"t{len(given_up)}"))
    assert all(each.cancelled() for each in given_up)
