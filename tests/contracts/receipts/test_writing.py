"""What every writer of receipts promises."""

import asyncio
from itertools import pairwise

import pytest

from bylaw.core.errors import InvalidInput, Unavailable
from bylaw.core.ids import ReceiptId
from bylaw.receipts import checkpoint, key_changes, proof
from bylaw.receipts.issue import key_changed
from bylaw.receipts.log import leaf_hash
from bylaw.receipts.ports import Effect, Idempotency, Recorded, Repeated
from tests.contracts.receipts.shelf import OTHER
from tests.receipts.book import TENANT, decision, signer


def promise(key="k1", digest="sha256:1", scope="decisions"):
    return Idempotency(scope=scope, key=key, digest=digest)


async def test_an_entry_is_the_next_leaf_of_the_log(shelf, ledger):
    first, second = [await ledger.log.append([shelf.issue(ledger)]) for _ in range(2)]
    assert first == [Recorded(origin=ledger.log.origin, index=0)]
    assert second == [Recorded(origin=ledger.log.origin, index=1)]


async def test_nothing_appended_is_nothing_recorded(ledger):
    assert await ledger.log.append([]) == ()
    assert await ledger.logs.latest() in ([], ())


async def test_the_answers_come_in_the_order_of_the_entries(shelf, ledger):
    entries = [shelf.issue(ledger) for _ in range(30)]
    fates = await ledger.log.append(entries)
    stored = [await ledger.logs.find(entry.id) for entry in entries]
    assert [fate.index for fate in fates] == list(range(30)) == [receipt.index for receipt in stored]
    assert [receipt.receipt for receipt in stored] == [entry.receipt for entry in entries]


async def test_concurrent_callers_share_commits_and_each_gets_their_own_leaf(shelf, ledger):
    entries = [shelf.issue(ledger) for _ in range(300)]
    fates = await asyncio.gather(*(ledger.log.append([entry]) for entry in entries))
    assert [fate.index for (fate,) in fates] == list(range(300))
    notes = await ledger.logs.checkpoints(ledger.log.origin, above=0, limit=1000)
    assert len(notes) < 10
    assert notes[-1].size == 300


async def test_the_log_that_was_written_audits_clean(shelf, ledger):
    for size in (1, 2, 253, 1, 300):
        await shelf.record(ledger, size)
    assert await shelf.findings(ledger) == ("verified", [])


async def test_proofs_are_made_from_the_stored_tiles(shelf, ledger):
    entries = [entry for size in (255, 2, 300) for entry in await shelf.record(ledger, size)]
    (latest,) = await ledger.logs.latest()
    root = checkpoint.parse(latest.note).checkpoint.root
    for index in (0, 254, 255, 256, 511, 512, 556):
        wanted = proof.tiles_of_inclusion(index, latest.size)
        tiles = await ledger.logs.tiles(latest.origin, wanted, size=latest.size)
        path = proof.inclusion(index, latest.size, tiles)
        leaf = leaf_hash(entries[index].receipt)
        assert proof.root_by_inclusion(leaf, index, latest.size, path) == root


async def test_every_checkpoint_extends_the_one_before(shelf, ledger):
    for size in (3, 254, 260):
        await shelf.record(ledger, size)
    notes = await ledger.logs.checkpoints(ledger.log.origin, above=0, limit=10)
    assert [note.size for note in notes] == [3, 257, 517]
    for old, new in pairwise(checkpoint.parse(note.note).checkpoint for note in notes):
        wanted = proof.tiles_of_consistency(old.size, new.size)
        tiles = await ledger.logs.tiles(ledger.log.origin, wanted, size=new.size)
        path = proof.consistency(old.size, new.size, tiles)
        assert proof.extends((old.size, old.root), (new.size, new.root), path)


async def test_a_key_that_comes_again_gives_the_first_receipt(shelf, ledger):
    first, again = [shelf.issue(ledger, idempotency=promise()) for _ in range(2)]
    await ledger.log.append([first])
    assert await ledger.log.append([again]) == [Repeated(id=first.id, digest="sha256:1")]
    (latest,) = await ledger.logs.latest()
    assert latest.size == 1


async def test_a_key_with_another_request_shows_the_digest_of_the_first(shelf, ledger):
    first = shelf.issue(ledger, idempotency=promise())
    await ledger.log.append([first])
    other = shelf.issue(ledger, idempotency=promise(digest="sha256:2"))
    assert await ledger.log.append([other]) == [Repeated(id=first.id, digest="sha256:1")]


async def test_of_one_key_in_one_batch_the_first_counts(shelf, ledger):
    race = [shelf.issue(ledger, idempotency=promise()) for _ in range(5)]
    fates = await asyncio.gather(*(ledger.log.append([entry]) for entry in race))
    assert [fate for (fate,) in fates] == [
        Recorded(origin=ledger.log.origin, index=0),
        *[Repeated(id=race[0].id, digest="sha256:1")] * 4,
    ]


async def test_repeated_and_new_entries_share_a_batch(shelf, ledger):
    first = shelf.issue(ledger, idempotency=promise())
    await ledger.log.append([first])
    batch = [shelf.issue(ledger), shelf.issue(ledger, idempotency=promise()), shelf.issue(ledger)]
    assert await ledger.log.append(batch) == [
        Recorded(origin=ledger.log.origin, index=1),
        Repeated(id=first.id, digest="sha256:1"),
        Recorded(origin=ledger.log.origin, index=2),
    ]
    assert await shelf.findings(ledger) == ("verified", [])


async def test_scopes_and_tenants_have_their_own_keys(shelf, ledger):
    entries = [
        shelf.issue(ledger, idempotency=promise()),
        shelf.issue(ledger, idempotency=promise(scope="approvals")),
        shelf.issue(ledger, idempotency=promise(), tenant=OTHER),
        shelf.issue(ledger, idempotency=promise(), tenant=None),
    ]
    assert all(isinstance(fate, Recorded) for fate in await ledger.log.append(entries))


async def test_an_id_that_comes_again_is_recorded_once(shelf, ledger):
    named = ReceiptId("rcpt_01JD0000000000000000000000")
    once, again = [shelf.issue(ledger, ident=named) for _ in range(2)]
    await ledger.log.append([once])
    fates = await ledger.log.append([shelf.issue(ledger), again, again])
    assert fates == [Recorded(origin=ledger.log.origin, index=1), *[Repeated(id=named, digest="")] * 2]
    assert (await ledger.logs.find(named)).receipt == once.receipt
    assert await shelf.findings(ledger) == ("verified", [])


@pytest.mark.parametrize("word", ["a" * 513, "nul\0", "é" * 257, "\ud800"])
async def test_a_word_that_cannot_be_stored_fails_its_own_caller_only(shelf, ledger, word):
    bad = shelf.issue(ledger, idempotency=promise(key=word))
    good, refused = await asyncio.gather(
        ledger.log.append([shelf.issue(ledger)]), ledger.log.append([bad]), return_exceptions=True
    )
    assert good == [Recorded(origin=ledger.log.origin, index=0)]
    assert isinstance(refused, InvalidInput)
    assert refused.problems[0].path == "idempotency key"


async def test_the_longest_words_are_stored(shelf, ledger):
    claim = decision(agent="é" * 256)
    entry = shelf.issue(ledger, claim=claim, idempotency=promise(key="k" * 512, scope="s" * 512))
    assert isinstance((await ledger.log.append([entry]))[0], Recorded)


async def test_effects_commit_with_their_receipt_in_the_order_of_the_log(shelf, ledger):
    origin = ledger.log.origin
    assert await ledger.effects.ends() == {}
    effects = [Effect(kind="violation", payload=b"%d" % number) for number in range(5)]
    first = shelf.issue(ledger, effects=effects[:2])
    second = shelf.issue(ledger, effects=effects[2:], tenant=OTHER)
    await ledger.log.append([first, shelf.issue(ledger)])
    await ledger.log.append([second])
    found = await ledger.effects.after(origin, 0, limit=10)
    assert [(item.position, item.effect, item.receipt, item.tenant) for item in found] == [
        *((at, effect, first.id, TENANT) for at, effect in enumerate(effects[:2], 1)),
        *((at, effect, second.id, OTHER) for at, effect in enumerate(effects[2:], 3)),
    ]
    assert await ledger.effects.ends() == {origin: 5}
    assert [item.position for item in await ledger.effects.after(origin, 3, limit=1)] == [4]
    assert list(await ledger.effects.after("bylaw.test/main/none", 0, limit=1)) == []


async def test_a_repeated_entry_has_no_second_effects(shelf, ledger):
    effects = [Effect(kind="violation", payload=b"1")]
    for _ in range(2):
        await ledger.log.append([shelf.issue(ledger, idempotency=promise(), effects=effects)])
    assert await ledger.effects.ends() == {ledger.log.origin: 1}


async def test_after_a_change_of_key_one_checkpoint_carries_both(shelf, ledger):
    old, new = shelf.signer, signer(2)
    await shelf.record(ledger)
    shelf.keys = shelf.keys.with_retired(old.kid, shelf.clock.now_ms())
    shelf.keys = shelf.keys.with_active(new.public, shelf.clock.now_ms())
    shelf.signer = new
    ledger.log.rotate(new)
    await shelf.record(ledger)
    await shelf.record(ledger)
    notes = await ledger.logs.checkpoints(ledger.log.origin, above=0, limit=10)
    signed = [[key.kid for key in checkpoint.parse(note.note).signed_by(shelf.keys)] for note in notes]
    assert signed == [[old.kid], [old.kid, new.kid], [new.kid]]


async def test_what_was_accepted_before_the_close_is_recorded(shelf, ledger):
    waiting = [asyncio.ensure_future(ledger.log.append([shelf.issue(ledger)])) for _ in range(20)]
    await asyncio.sleep(0)
    await ledger.log.close()
    fates = [(await future)[0] for future in waiting]
    assert [fate.index for fate in fates] == list(range(20))
    with pytest.raises(Unavailable):
        await ledger.log.append([shelf.issue(ledger)])


async def test_entries_about_keys_are_found_among_all_others(shelf, ledger):
    await shelf.record(ledger, 3)
    claim = key_changed(shelf.signer.public, "activated", 5)
    entries = await shelf.record(ledger, claim=claim, tenant=None, contents={})
    await shelf.record(ledger, 2)
    found = await ledger.logs.key_entries()
    assert [(each.id, each.origin, each.index) for each in found] == [(entries[0].id, ledger.log.origin, 3)]
    assert key_changes.claims(found) == [claim]


@pytest.mark.durable
async def test_a_handover_whose_first_commit_fails_is_still_signed_by_both(shelf, monkeypatch):
    ledger = await shelf.open()
    await shelf.record(ledger)
    old, new = shelf.signer, signer(2)
    shelf.keys = shelf.keys.with_active(new.public, shelf.clock.now_ms())
    shelf.signer = new
    ledger.log.rotate(new)
    with monkeypatch.context() as patched:  # a full disk, say
        name = "_insert" if shelf.kind == "sqlite" else "_commit"
        patched.setattr(ledger.log._writer, name, fail)
        with pytest.raises(Unavailable):
            await shelf.record(ledger)
    await shelf.record(ledger, 2)
    await shelf.record(ledger)
    notes = await ledger.logs.checkpoints(ledger.log.origin, above=1, limit=10)
    signed = [[key.kid for key in checkpoint.parse(note.note).signed_by(shelf.keys)] for note in notes]
    assert signed == [[old.kid, new.kid], [new.kid]]
    with monkeypatch.context() as patched:  # and once more, when only the new key has signed last
        patched.setattr(ledger.log._writer, name, fail)
        with pytest.raises(Unavailable):
            await shelf.record(ledger)
    await shelf.record(ledger)
    assert await shelf.findings(ledger) == ("verified", [])


def fail(*_):
    raise OSError
