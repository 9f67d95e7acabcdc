"""A group commit is computed once and resumes from what is stored; issuing commits to what is beside it."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw.core.clock import rfc3339
from bylaw.core.errors import Corrupt
from bylaw.core.ids import ReceiptId
from bylaw.receipts import checkpoint as checkpoints
from bylaw.receipts import model, proof
from bylaw.receipts.append import Appender
from bylaw.receipts.issue import cross_anchor, key_changed
from bylaw.receipts.ports import Effect, Idempotency, StoredCheckpoint
from tests.receipts.book import CONTENTS, ORIGIN, TENANT, Book, decision, signer
from tests.reference import merkle


@given(st.lists(st.integers(1, 9), min_size=1, max_size=8))
def test_every_commit_signs_the_root_of_all_leaves(sizes):
    book = Book().fill(*sizes)
    stored = [leaf.entry.receipt for leaf in book.leaves]
    assert [leaf.index for leaf in book.leaves] == list(range(sum(sizes)))
    for held in book.checkpoints:
        signed = checkpoints.parse(held.note)
        assert signed.checkpoint.root == merkle.tree_hash(stored[: held.size])
        assert [key.kid for key in signed.signed_by(book.keys)] == [book.signer.kid]


def test_what_was_rolled_back_leaves_no_trace():
    book = Book().fill(3)
    lost, kept = book.issue(), book.issue()
    book.appender.stage([lost])
    book.appender.rollback()
    book.appender.commit()
    assert book.appender.size == 3
    book.record(kept)
    assert book.leaves[3].entry is kept
    assert checkpoints.parse(book.checkpoints[-1].note).checkpoint.root == merkle.tree_hash(
        [leaf.entry.receipt for leaf in book.leaves]
    )


def test_a_log_resumes_from_its_stored_hashes():
    book = Book().fill(300, 7)
    latest = book.checkpoints[-1]
    tiles = book.tiles(proof.tiles_of_frontier(latest.size), latest.size)
    book.appender = Appender.resume(ORIGIN, book.signer, latest=latest, tiles=tiles)
    assert book.appender.size == 307
    book.fill(250)
    assert checkpoints.parse(book.checkpoints[-1].note).checkpoint.root == merkle.tree_hash(
        [leaf.entry.receipt for leaf in book.leaves]
    )
    assert Appender.resume(ORIGIN, book.signer, latest=None, tiles={}).size == 0


def test_a_log_does_not_resume_from_other_hashes_than_it_signed():
    book = Book().fill(5)
    latest = book.checkpoints[-1]
    wanted = proof.tiles_of_frontier(5)
    good = book.tiles(wanted, 5)
    wrong = {tile: hashes[:-1] + bytes([hashes[-1] ^ 1]) for tile, hashes in good.items()}
    resized = StoredCheckpoint(origin=ORIGIN, size=4, note=latest.note)
    for origin, held, tiles in [(ORIGIN, latest, wrong), ("a/b/c", latest, good), (ORIGIN, resized, good)]:
        with pytest.raises(Corrupt, match="audit"):
            Appender.resume(origin, book.signer, latest=held, tiles=tiles)
    with pytest.raises(Corrupt):
        Appender.resume(ORIGIN, book.signer, latest=latest, tiles={})


def test_a_new_key_s_first_checkpoint_carries_both_signatures():
    book = Book().fill(1)
    old = book.signer
    book.rotate(2)
    book.fill(1, 1)
    signed = [
        [key.kid for key in checkpoints.parse(held.note).signed_by(book.keys)] for held in book.checkpoints
    ]
    assert signed == [[old.kid], [old.kid, book.signer.kid], [book.signer.kid]]
    assert [model.decode(leaf.entry.receipt).kid for leaf in book.leaves] == [
        old.kid,
        book.signer.kid,
        book.signer.kid,
    ]


def test_the_outgoing_key_signs_until_a_commit_succeeds():
    book = Book().fill(1)
    book.rotate(2)
    book.appender.stage([book.issue()])
    book.appender.rollback()
    book.fill(1)
    assert len(checkpoints.parse(book.checkpoints[-1].note).signatures) == 2


def test_an_entry_says_what_its_receipt_says():
    book = Book()
    effect = Effect(kind="alert", payload=b"{}")
    promise = Idempotency(scope="k1", key="abc", digest="sha256:0")
    entry = book.issue(claim=decision("block"), effects=[effect], idempotency=promise)
    receipt = model.decode(entry.receipt)
    assert (entry.id, entry.tenant, entry.kind) == (receipt.id, receipt.tenant, receipt.kind)
    assert (entry.agent, entry.outcome, entry.policies) == ("agent-7", "block", ("pol_refunds",))
    assert entry.issued_ms == receipt.issued_ms == book.clock.now_ms()
    assert receipt.issued_at == rfc3339(entry.issued_ms)
    assert (entry.effects, entry.idempotency, entry.signature) == ((effect,), promise, None)
    assert receipt.log == ORIGIN


def test_a_receipt_commits_to_each_part_under_its_own_salt():
    entry = Book().issue()
    receipt = model.decode(entry.receipt)
    assert [part.name for part in entry.parts] == sorted(CONTENTS)
    assert {part.name: part.content for part in entry.parts} == CONTENTS
    assert list(receipt.commitments) == [
        model.commit(part.name, part.salt, part.content) for part in entry.parts
    ]
    assert len({part.salt for part in entry.parts}) == 2
    for content in CONTENTS.values():
        assert content not in entry.receipt


def test_the_same_entry_can_be_issued_again_under_its_id():
    book = Book()
    assert book.issue(ident=ReceiptId("rcpt_1")).id == "rcpt_1"


def test_a_receipt_s_own_signature_is_over_its_exact_bytes():
    book = Book()
    entry = book.issuer.signed(book.issue())
    assert book.keys.keys[0].verifies(entry.receipt, entry.signature)
    assert msgspec.structs.replace(entry, signature=None).receipt == entry.receipt


def test_an_issuer_follows_its_log_to_another_name():
    book = Book()
    book.issuer.follow("example.org/main/w9")
    assert model.decode(book.issue().receipt).log == "example.org/main/w9"


def test_outcomes_keys_and_anchors_are_entries_too():
    first, second = Book(), Book("example.org/main/w2", seed=2)
    first.fill(1)
    outcome = model.OutcomeClaim(agent="agent-7", outcome_of=first.leaves[0].entry.id, status="refunded")
    entry = first.issue(claim=outcome, contents={})
    assert (entry.kind, entry.outcome, entry.agent, entry.parts) == ("outcome", "refunded", "agent-7", ())
    key = first.issue(claim=key_changed(signer(3).public, "activated", 5), tenant=None)
    assert (key.kind, key.tenant, key.agent) == ("key", None, None)
    assert model.decode(key.receipt).tenant == ""
    assert model.decode(key.receipt).claim.key == signer(3).kid
    latest = [first.checkpoints[-1], StoredCheckpoint(origin=second.origin, size=0, note=b"x")]
    assert cross_anchor(second.origin, latest).checkpoints == (first.checkpoints[-1].note.decode(),)
    assert cross_anchor(first.origin, latest[:1]) is None
    assert second.issue(tenant=TENANT).tenant == TENANT
