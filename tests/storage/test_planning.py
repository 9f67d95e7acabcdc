"""SQLite plans by figures that every start makes sure of."""

import sqlite3

import pytest

from bylaw.core.clock import ManualClock
from bylaw.core.ids import Ids
from bylaw.storage.control import open_control

CLOCK = ManualClock()


async def start(path) -> None:
    store = await open_control(f"sqlite:///{path}", ids=Ids(CLOCK), clock=CLOCK)
    async with store.system(writes=False) as system:
        await system.probe()
    await store.close()


@pytest.fixture
def path(tmp_path):
    return tmp_path / "control.db"


def figures(path) -> dict[str, str]:
    with sqlite3.connect(path) as file:
        found = dict(file.execute("SELECT idx, stat FROM sqlite_stat1").fetchall())
    file.close()
    return found


def changed(path, *statements: str) -> None:
    with sqlite3.connect(path) as file:
        for statement in statements:
            file.execute(statement)
    file.close()


async def test_a_new_file_is_told_what_it_will_hold(path):
    await start(path)
    told = figures(path)
    assert told["ix_violations_tenant_id_at_ms_id"] == "1000000 1000000 1 1"
    assert told["ix_violations_tenant_id_provider_at_ms_id"] == "1000000 1000000 250000 1 1"
    assert told["ix_policies_waiting"] == "50000 50000 1 1 1 1"
    assert told["words"].startswith("1000000 1000000 50 ")
    with sqlite3.connect(path) as file:
        made = "SELECT name FROM sqlite_master WHERE type = 'index' AND tbl_name NOT LIKE 'sqlite_%'"
        indexes = {name for (name,) in file.execute(made)}
    file.close()
    assert indexes <= {*told, *(f"sqlite_autoindex_{name}_1" for name in told)}


@pytest.mark.parametrize("change", ["ANALYZE", "DELETE FROM sqlite_stat1", "DROP TABLE sqlite_stat1"])
async def test_other_figures_are_set_right_at_the_next_start(path, change):
    await start(path)
    told = figures(path)
    changed(path, change)
    await start(path)
    assert figures(path) == told


async def test_a_file_that_was_told_is_not_written_again(path):
    await start(path)
    changed(path, "PRAGMA wal_checkpoint(TRUNCATE)")
    before = path.read_bytes()
    await start(path)
    assert path.read_bytes() == before
