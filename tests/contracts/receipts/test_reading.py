"""What every reader of receipts promises, to one tenant and to proofs."""

import pytest

from bylaw.core.errors import InvalidInput, NotFound
from bylaw.core.ids import AgentId, PolicyId, ReceiptId
from bylaw.core.paging import Slice
from bylaw.receipts.log import Tile
from bylaw.receipts.model import OutcomeClaim
from bylaw.receipts.ports import Idempotency, ReceiptQuery, Repeated
from tests.contracts.receipts.shelf import OTHER
from tests.receipts.book import TENANT, decision

NOBODY = ReceiptId("rcpt_01JD0000000000000000000000")


async def ids(ledger, query=None, part=None, tenant=TENANT):
    page = await ledger.of(tenant).list(query or ReceiptQuery(), part or Slice())
    return [item.id for item in page.items]


async def test_a_receipt_is_read_as_it_was_written(shelf, ledger):
    (entry,) = await shelf.record(ledger)
    found = await ledger.of(TENANT).get(entry.id)
    assert (found.receipt, found.tenant, found.index) == (entry.receipt, TENANT, 0)
    assert found.signature is None


async def test_a_receipt_keeps_its_own_signature(shelf, ledger):
    entry = shelf.issue(ledger)
    entry = type(entry)(
        **{name: getattr(entry, name) for name in entry.__struct_fields__} | {"signature": b"s" * 64}
    )
    await ledger.log.append([entry])
    assert (await ledger.logs.find(entry.id)).signature == b"s" * 64


async def test_another_tenant_finds_nothing(shelf, ledger):
    (entry,) = await shelf.record(ledger, idempotency=Idempotency(scope="s", key="k", digest="d"))
    theirs = ledger.of(OTHER)
    for call in (theirs.get(entry.id), theirs.parts(entry.id), theirs.erase(entry.id)):
        with pytest.raises(NotFound):
            await call
    assert await ids(ledger, tenant=OTHER) == []
    assert await ids(ledger, ReceiptQuery(policy=PolicyId("pol_refunds")), tenant=OTHER) == []
    assert await theirs.repeated("s", "k") is None
    assert [part.name for part in await ledger.of(TENANT).parts(entry.id)] == ["request"]


async def test_a_key_leads_to_its_receipt(shelf, ledger):
    (entry,) = await shelf.record(ledger, idempotency=Idempotency(scope="s", key="k", digest="d"))
    assert await ledger.of(TENANT).repeated("s", "k") == Repeated(id=entry.id, digest="d")
    assert await ledger.of(TENANT).repeated("s", "other") is None


async def test_receipts_are_listed_newest_first_in_pages_that_lose_none(shelf, ledger):
    entries = await shelf.record(ledger, 4)
    entries += await shelf.record(ledger, 5, after_ms=0)
    expected = [entry.id for entry in sorted(entries, key=lambda e: (e.issued_ms, e.id), reverse=True)]
    seen, cursor = [], None
    while True:
        page = await ledger.of(TENANT).list(ReceiptQuery(), Slice(limit=2, cursor=cursor, total=True))
        seen += [item.id for item in page.items]
        cursor = page.next_cursor
        assert page.total == 9
        if cursor is None:
            break
    assert seen == expected
    assert await ids(ledger, part=Slice(limit=3, offset=4)) == expected[4:7]


async def test_a_page_goes_on_where_it_ended_while_receipts_arrive(shelf, ledger):
    old = await shelf.record(ledger, 4)
    page = await ledger.of(TENANT).list(ReceiptQuery(), Slice(limit=2))
    await shelf.record(ledger, 3)
    rest = await ids(ledger, part=Slice(limit=9, cursor=page.next_cursor))
    assert rest == [old[1].id, old[0].id]


@pytest.mark.parametrize("cursor", ["nonsense", "WzFd", "W10"])
async def test_a_foreign_cursor_is_refused(ledger, cursor):
    with pytest.raises(InvalidInput):
        await ledger.of(TENANT).list(ReceiptQuery(), Slice(cursor=cursor))


async def test_a_list_can_be_narrowed(shelf, ledger):
    (allowed,) = await shelf.record(ledger)
    (blocked,) = await shelf.record(ledger, claim=decision("block", agent="agent-9"))
    outcome = OutcomeClaim(agent="agent-9", outcome_of=blocked.id, status="failed")
    (after,) = await shelf.record(ledger, claim=outcome)
    await shelf.record(ledger, tenant=OTHER)
    assert await ids(ledger) == [after.id, blocked.id, allowed.id]
    assert await ids(ledger, ReceiptQuery(kind="decision")) == [blocked.id, allowed.id]
    assert await ids(ledger, ReceiptQuery(agent=AgentId("agent-9"))) == [after.id, blocked.id]
    assert await ids(ledger, ReceiptQuery(agent=AgentId("agent-9"), outcome="block")) == [blocked.id]
    assert await ids(ledger, ReceiptQuery(policy=PolicyId("pol_refunds"))) == [blocked.id, allowed.id]
    assert await ids(ledger, ReceiptQuery(policy=PolicyId("pol_other"))) == []
    assert await ids(ledger, ReceiptQuery(since_ms=blocked.issued_ms)) == [after.id, blocked.id]
    assert await ids(ledger, ReceiptQuery(until_ms=blocked.issued_ms)) == [allowed.id]
    (again,) = await shelf.record(ledger, claim=decision(outcome_of=blocked.id))
    assert await ids(ledger, ReceiptQuery(outcome_of=blocked.id)) == [again.id, after.id]
    assert await ids(ledger, ReceiptQuery(outcome_of=blocked.id, kind="outcome")) == [after.id]
    assert await ids(ledger, ReceiptQuery(outcome_of=allowed.id)) == []
    page = await ledger.of(TENANT).list(ReceiptQuery(kind="decision"), Slice(limit=1, total=True))
    assert page.total == 3


async def test_outcomes_are_counted_where_they_lie_in_time(shelf, ledger):
    hour, start = 3_600_000, shelf.clock.now_ms()
    (first,) = await shelf.record(ledger, after_ms=0)
    (blocked,) = await shelf.record(ledger, claim=decision("block"), after_ms=hour - 1)
    (again,) = await shelf.record(ledger, after_ms=2 * hour + 1)
    await shelf.record(ledger, 2, after_ms=0)
    # What is none, or is somebody else's, is not counted.
    await shelf.record(
        ledger, claim=OutcomeClaim(agent="a", outcome_of=first.id, status="failed"), after_ms=0
    )
    await shelf.record(ledger, tenant=OTHER, after_ms=0)

    async def counted(since_ms, until_ms, bucket_ms=hour, tenant=TENANT):
        span = {"since_ms": since_ms, "until_ms": until_ms, "bucket_ms": bucket_ms}
        return await ledger.of(tenant).outcomes(**span)

    last = start + 3 * hour
    assert await counted(start, last + hour) == {start: {"allow": 1, "block": 1}, last: {"allow": 3}}
    assert await counted(start, last + hour, hour // 2) == {
        start: {"allow": 1},
        start + hour // 2: {"block": 1},
        last: {"allow": 3},
    }
    assert await counted(start + 1, last) == {start: {"block": 1}}
    assert await counted(blocked.issued_ms, again.issued_ms) == {start: {"block": 1}}
    assert await counted(start, start) == {}
    assert await counted(start, last + hour, tenant=OTHER) == {last: {"allow": 1}}


async def test_erased_parts_are_gone_and_the_log_still_holds(shelf, ledger):
    contents = {"request": b"secret words", "detail": b"more"}
    entry, kept = [*await shelf.record(ledger, contents=contents), *await shelf.record(ledger)]
    mine = ledger.of(TENANT)
    assert [(part.name, part.content) for part in await mine.parts(entry.id)] == [
        ("detail", b"more"),
        ("request", b"secret words"),
    ]
    assert list(await mine.erase(entry.id, ["request", "absent"])) == ["request"]
    assert [part.name for part in await mine.parts(entry.id)] == ["detail"]
    assert list(await mine.erase(entry.id)) == ["detail"]
    assert list(await mine.erase(entry.id)) == []
    assert list(await mine.parts(entry.id)) == []
    assert len(await mine.parts(kept.id)) == 1
    assert (await mine.get(entry.id)).receipt == entry.receipt
    assert await shelf.findings(ledger) == ("verified", [])


async def test_what_is_not_there_is_not_found(ledger):
    mine = ledger.of(TENANT)
    for call in (mine.get(NOBODY), mine.parts(NOBODY), mine.erase(NOBODY), ledger.logs.find(NOBODY)):
        with pytest.raises(NotFound):
            await call
    with pytest.raises(NotFound):
        await ledger.logs.checkpoint(ledger.log.origin, covering=0)


async def test_a_receipt_of_any_tenant_can_be_proven(shelf, ledger):
    (entry,) = await shelf.record(ledger, tenant=OTHER)
    (about_the_log,) = await shelf.record(ledger, tenant=None)
    assert (await ledger.logs.find(entry.id)).tenant == OTHER
    assert (await ledger.logs.find(about_the_log.id)).tenant is None
    assert (await ledger.logs.checkpoint(ledger.log.origin, covering=1)).size == 2
    with pytest.raises(NotFound):
        await ledger.logs.checkpoint(ledger.log.origin, covering=2)


async def test_leaves_and_checkpoints_are_read_in_runs(shelf, ledger):
    entries = [entry for _ in range(3) for entry in await shelf.record(ledger, 2)]
    origin = ledger.log.origin
    leaves = await ledger.logs.leaves(origin, start=1, limit=3)
    assert [(leaf.index, leaf.id) for leaf in leaves] == [(at, entries[at].id) for at in (1, 2, 3)]
    assert [note.size for note in await ledger.logs.checkpoints(origin, above=2, limit=1)] == [4]
    assert [note.size for note in await ledger.logs.latest()] == [6]


async def test_an_unknown_log_is_empty(shelf, ledger):
    await shelf.record(ledger)
    logs, unknown, tile = ledger.logs, "bylaw.test/main/none", Tile(0, 0)
    assert list(await logs.leaves(unknown, start=0, limit=9)) == []
    assert list(await logs.checkpoints(unknown, above=0, limit=9)) == []
    assert await logs.tiles(unknown, [tile], size=1) == {tile: b""}
    with pytest.raises(NotFound):
        await logs.checkpoint(unknown, covering=0)
