"""What stores refuse rather than guess: rows of no value, a log that is not open, an id that came twice."""

import pytest

from bylaw.core.clock import ManualClock
from bylaw.core.errors import Conflict, Corrupt, Unavailable
from bylaw.core.ids import Ids, PolicyId, ReceiptId, TenantId
from bylaw.policies.model import Policy
from bylaw.receipts.ports import PendingEntry
from bylaw.receipts.signing import KeySet, Signer
from bylaw.storage.control import open_control, open_database
from bylaw.storage.migrations import history
from bylaw.storage.postgres.receipts_writer import PostgresWriter
from bylaw.storage.receipt_rows import _REMEMBERED_SETS, PolicySets
from bylaw.storage.rows import from_row, item_of
from bylaw.storage.sqlite.receipts_schema import open_file
from bylaw.storage.sqlite.receipts_writer import SqliteWriter
from bylaw.tenancy.model import Tenant
from tests.contracts.values import A, tenant

SIGNER = Signer.from_seed(bytes(32))


class Same(Ids):
    """Ids that are one."""

    def uuid7(self):
        return "00000000-0000-7000-8000-000000000000"


def entry(*policies):
    return PendingEntry(
        id=ReceiptId("rcpt_1"),
        log="log",
        tenant=TenantId("t"),
        kind="decision",
        issued_ms=0,
        policies=tuple(map(PolicyId, policies)),
        receipt=b"{}",
    )


def test_a_row_that_holds_no_value_is_corrupt_and_names_the_kind():
    with pytest.raises(Corrupt, match="A stored Tenant cannot be read") as refused:
        from_row(Tenant, {"id": "t", "name": 7, "created_ms": 0})
    assert refused.value.place == "Tenant"
    with pytest.raises(Corrupt, match="A stored Policy cannot be read"):
        item_of(Policy, {"item": {"id": "p"}})


async def test_nothing_is_written_to_a_log_that_is_not_open(tmp_path):
    opened = await open_file(str(tmp_path / "receipts.db"))
    try:
        writer = SqliteWriter(opened, origin="log", signer=SIGNER, keys=KeySet())
        with pytest.raises(Unavailable, match="not open"):
            await writer.write([entry()])
        assert await opened.run(lambda db: db.execute("SELECT count(*) FROM receipts").get) == 0
    finally:
        await opened.close()


async def test_nothing_is_written_to_a_log_that_nobody_holds():
    writer = PostgresWriter("", origin=str, signer=SIGNER, keys=KeySet())
    for attempt in (writer.write([entry()]), writer.try_out()):
        with pytest.raises(Unavailable, match="No log is held"):
            await attempt


async def test_an_entry_whose_id_came_already_is_refused_and_does_not_get_lost(tmp_path):
    clock = ManualClock()
    url = f"sqlite:///{tmp_path / 'control.db'}"
    database = open_database(url)
    await history.upgrade(database)
    await database.close()
    store = await open_control(url, ids=Same(clock), clock=clock)
    try:
        async with store.system() as system:
            await system.add_tenant(tenant(A))
        with pytest.raises(Conflict):
            async with store.begin(A) as unit:
                await unit.outbox.add("key", {"n": 1}, {"n": 2})
        async with store.system(writes=False) as system:
            assert await system.queue.pending(10) == []
    finally:
        await store.close()


def test_sets_of_policies_are_staged_again_once_too_many_are_remembered():
    sets = PolicySets()
    first = sets.number(entry("p0"))
    for n in range(1, _REMEMBERED_SETS + 1):
        sets.number(entry(f"p{n}"))
        sets.commit()
    assert sets.staged() == []
    assert sets.number(entry("p0")) == first
    assert sets.staged() == [("t", "p0", first)]
