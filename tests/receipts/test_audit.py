"""What an audit says beyond the golden vectors."""

import pytest

from bylaw.core.errors import Corrupt, NotFound
from bylaw.receipts import checkpoint as checkpoints
from bylaw.receipts import export
from bylaw.receipts.audit import MAX_FINDINGS, Auditor, audit
from bylaw.receipts.issue import cross_anchor, key_changed
from bylaw.receipts.ports import StoredCheckpoint
from bylaw.receipts.signing import KeySet
from bylaw.receipts.verify import Trust
from tests.receipts.book import Book, Shelf, exported, signer

HOUR = 3_600_000


async def codes(*books, trust=None, keys=None):
    lines = await exported(*books, keys=keys)
    found = audit(lines, Trust(keys=joined(*books)) if trust is None else trust)
    return [finding.code for finding in found.findings]


def joined(*books):
    return KeySet(tuple(key for book in books for key in book.keys.keys))


async def test_a_long_log_with_two_writers_and_a_key_change_verifies():
    first, second = Book().fill(300, 20), Book("example.org/main/w2", seed=5).fill(4)
    first.record(first.issue(claim=cross_anchor(first.origin, second.checkpoints[-1:]), tenant=None))
    old = first.signer
    first.rotate(8)
    first.record(first.issue(claim=key_changed(old.public, "retired", first.clock.now_ms()), tenant=None))
    first.clock.advance(HOUR)
    first.fill(700)
    second.record(second.issue(claim=cross_anchor(second.origin, first.checkpoints[-1:]), tenant=None))
    lines = await exported(first, second)
    found = audit(lines, Trust(keys=joined(first, second)))
    assert (found.status, found.findings) == ("verified", ())
    assert [(log.origin, log.size, log.checkpoints) for log in found.logs] == [
        (first.origin, 1022, 5),
        (second.origin, 5, 2),
    ]
    signed = checkpoints.parse(first.checkpoints[-1].note).checkpoint
    assert found.logs[0].root == signed.root


async def test_a_kept_checkpoint_of_any_size_is_compared():
    book = Book().fill(3, 3)
    between = Book().fill(4)  # the same log, by the same dice, when it was four leaves long
    kept = checkpoints.parse_all(between.checkpoints[-1].note)
    assert await codes(book, trust=Trust(kept=kept)) == []
    other = Book().fill(2)
    other.record(other.issue(contents={}), other.issue())
    kept = checkpoints.parse_all(other.checkpoints[-1].note)
    assert await codes(book, trust=Trust(kept=kept)) == ["split_view"]


async def test_a_retired_key_that_goes_on_is_found():
    book = Book().fill(2)
    retired = book.keys.with_retired(book.signer.kid, book.clock.now_ms())
    book.clock.advance(HOUR)
    book.fill(1)
    assert await codes(book, trust=Trust(keys=retired)) == ["key_out_of_time"]


async def test_a_key_that_spoke_before_its_time_is_found():
    book = Book().fill(2)
    late = KeySet().with_active(book.signer.public, book.clock.now_ms() + HOUR)
    assert await codes(book, trust=Trust(keys=late)) == ["key_out_of_time"] * 2


async def test_a_revocation_in_one_log_counts_in_the_others():
    first, second = Book(), Book("example.org/main/w2")
    first.clock.advance(HOUR)
    first.fill(2)
    other = signer(7)
    second.record(
        second.issue(claim=key_changed(first.signer.public, "revoked", first.clock.now_ms()), tenant=None),
        second.issue(claim=key_changed(other.public, "revoked", 0), tenant=None),
    )
    assert "key_out_of_time" in await codes(first, second, trust=Trust(keys=first.keys))


async def test_a_receipt_of_another_log_and_a_repeated_one_are_found():
    book, stray = Book(), Book("example.org/main/w2")
    once = book.issue()
    stray.issue()  # the dice are the same, so its first id is taken
    book.record(once, once, stray.issue())
    assert await codes(book) == ["repeated_id", "foreign_leaf"]


async def test_a_leaf_that_is_no_receipt_is_found():
    book = Book()
    good = book.issue()
    book.record(
        good, type(good)(id="x", log=good.log, tenant=None, kind="decision", issued_ms=0, receipt=b"{}")
    )
    assert await codes(book) == ["unreadable_leaf"]


async def test_anchors_that_nobody_signed_are_found():
    book, other = Book(), Book("example.org/main/w2", seed=3).fill(1)
    stranger = checkpoints.sign(checkpoints.parse(other.checkpoints[0].note).checkpoint, [signer(9)])
    for note, found in [(b"nonsense", ["bad_signature"]), (stranger, ["unknown_key"])]:
        anchoring = Book()
        held = StoredCheckpoint(origin=other.origin, size=1, note=note)
        anchoring.record(anchoring.issue(claim=cross_anchor(book.origin, [held]), tenant=None))
        assert await codes(anchoring, other) == found


async def test_an_anchor_whose_checkpoint_is_not_here_is_found():
    whole, anchoring = Book("example.org/main/w2", seed=3).fill(2, 2), Book()
    anchoring.record(
        anchoring.issue(claim=cross_anchor(anchoring.origin, whole.checkpoints[:1]), tenant=None)
    )
    del whole.checkpoints[0]
    assert await codes(anchoring, whole) == ["missing_link"]


async def test_a_checkpoint_with_a_wrong_signature_is_found():
    book = Book().fill(1, 1)
    first, second = (held.note.decode().split("— ") for held in book.checkpoints)
    note = f"{first[0]}— {second[1]}".encode()
    book.checkpoints[0] = StoredCheckpoint(origin=book.origin, size=1, note=note)
    assert await codes(book) == ["bad_signature"]


async def test_findings_are_counted_and_the_first_are_kept():
    book = Book().fill(3)
    lines = await exported(book)
    found = audit([lines[0], *[b"nonsense"] * (MAX_FINDINGS + 10)], Trust())
    assert (len(found.findings), found.found) == (MAX_FINDINGS, MAX_FINDINGS + 11)


async def test_a_line_out_of_place_or_too_long_is_found():
    lines = await exported(Book().fill(1))
    for changed in ([lines[1], *lines], [*lines, lines[1]], [lines[0], *lines]):
        assert audit(changed, Trust()).status == "invalid"
    long = audit([*lines[:-1], b" " * (export.MAX_LINE_BYTES + 1), lines[-1]], Trust())
    assert [finding.code for finding in long.findings] == ["malformed"]


async def test_a_refused_file_is_read_no_further():
    auditor = Auditor(Trust())
    auditor.feed(b'{"line":"header","format":"bylaw.log/9","keys":{"keys":[]}}')
    auditor.feed(b"nonsense")
    found = auditor.finish()
    assert (found.status, found.found) == ("refused", 1)


async def test_an_export_of_a_log_with_a_hole_is_refused():
    book = Book().fill(3)
    del book.leaves[2]
    with pytest.raises(Corrupt, match="ends at leaf 2"):
        await exported(book)


async def test_a_log_of_many_pages_is_exported_whole():
    book = Book().fill(*[2] * 600)
    lines = await exported(book)
    assert len(lines) == 1200 + 600 + 2
    assert audit(lines, Trust(keys=book.keys)).status == "verified"


async def test_the_shelf_finds_as_a_store_must():
    book = Book().fill(2)
    shelf = Shelf(book)
    ident = book.leaves[1].entry.id
    assert (await shelf.find(ident)).index == 1
    with pytest.raises(NotFound):
        await shelf.find("rcpt_none")
    assert (await shelf.checkpoint(book.origin, covering=1)).size == 2
