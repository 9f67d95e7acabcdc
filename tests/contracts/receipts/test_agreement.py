"""The law of writers: whatever comes, in whatever batches, every store records the same log."""

import asyncio
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from bylaw.core.ids import PolicyId, ReceiptId
from bylaw.core.paging import Slice
from bylaw.receipts import checkpoint
from bylaw.receipts.ports import Effect, Idempotency, ReceiptQuery
from tests.contracts.receipts.shelf import OTHER, Shelf
from tests.receipts.book import TENANT, decision

keys = st.none() | st.builds(
    Idempotency, scope=st.sampled_from("st"), key=st.sampled_from("kl"), digest=st.sampled_from("de")
)
entries = st.fixed_dictionaries(
    {
        "tenant": st.sampled_from([TENANT, OTHER, None]),
        "ident": st.none() | st.sampled_from([ReceiptId("rcpt_a"), ReceiptId("rcpt_b")]),
        "idempotency": keys,
        "effects": st.lists(st.just(Effect(kind="violation", payload=b"1")), max_size=2),
        "claim": st.sampled_from([decision(), decision("block", agent="agent-9")]),
        "after_ms": st.sampled_from([0, 1000]),
    }
)
batches = st.lists(st.lists(entries, min_size=1, max_size=6), max_size=6)


async def told(kind, place, given_batches):
    """Everything that can be asked about a log after `given_batches`."""
    shelf = Shelf(kind, place)
    start = shelf.clock.now_ms()
    ledger = await shelf.open()
    fates = [
        await ledger.log.append([shelf.issue(ledger, **entry) for entry in batch]) for batch in given_batches
    ]
    notes = await ledger.logs.checkpoints(ledger.log.origin, above=0, limit=100)
    lists = []
    for tenant in (TENANT, OTHER):
        for query in (
            ReceiptQuery(),
            ReceiptQuery(outcome="block"),
            ReceiptQuery(policy=PolicyId("pol_refunds")),
        ):
            page = await ledger.of(tenant).list(query, Slice(limit=3, total=True))
            lists.append(([item.id for item in page.items], page.total, page.next_cursor))
    counts = [
        await ledger.of(TENANT).outcomes(since_ms=start + since, until_ms=start + until, bucket_ms=length)
        for since, until, length in ((0, 40_000, 3000), (1500, 7000, 1000), (1000, 9000, 10**6))
    ]
    leaves = await ledger.logs.leaves(ledger.log.origin, start=0, limit=100)
    effects = await ledger.effects.after(ledger.log.origin, 0, limit=100)
    findings = await shelf.findings(ledger)
    await shelf.close()
    roots = [checkpoint.parse(note.note).checkpoint for note in notes]
    return [list(map(list, fates)), roots, lists, list(leaves), list(effects), counts, findings]


@settings(max_examples=25, deadline=None)
@given(batches)
def test_memory_and_sqlite_tell_the_same(given_batches):
    with tempfile.TemporaryDirectory() as folder:
        stored = asyncio.run(told("sqlite", Path(folder), given_batches))
    assert stored == asyncio.run(told("memory", None, given_batches))
    assert stored[-1] == ("verified", [])
