"""Checkpoints are signed notes that other tools read; only the one exact form is accepted."""

import base64
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw.core.errors import InvalidInput
from bylaw.receipts import checkpoint as checkpoints
from bylaw.receipts.checkpoint import Checkpoint
from bylaw.receipts.log import EMPTY_ROOT
from bylaw.receipts.signing import KeySet
from tests.receipts.book import ORIGIN, signer

OLD, NEW, STRANGER = signer(1), signer(2), signer(3)
KEYS = KeySet().with_active(OLD.public, 0).with_active(NEW.public, 0)
CHECKPOINT = Checkpoint(origin=ORIGIN, size=7, root=EMPTY_ROOT)
NOTE = checkpoints.sign(CHECKPOINT, [OLD])


def kids(note, keys=KEYS):
    return [key.kid for key in checkpoints.parse(note).signed_by(keys)]


def test_a_checkpoint_reads_back_with_its_signers():
    assert checkpoints.parse(NOTE).checkpoint == CHECKPOINT
    assert kids(NOTE) == [OLD.kid]
    assert kids(checkpoints.sign(CHECKPOINT, [NEW, OLD])) == [OLD.kid, NEW.kid]


def test_a_stranger_s_line_is_passed_over():
    assert kids(checkpoints.sign(CHECKPOINT, [STRANGER, NEW])) == [NEW.kid]
    assert kids(checkpoints.sign(CHECKPOINT, [STRANGER])) == []


def test_a_witness_s_line_under_its_own_name_is_passed_over():
    line = base64.b64encode(
        checkpoints.key_id("witness.org/w", NEW.public) + NEW.sign(CHECKPOINT.text().encode())
    )
    assert kids(NOTE + "— witness.org/w ".encode() + line + b"\n") == [OLD.kid]


def test_a_known_key_s_wrong_signature_spoils_the_note():
    lines = NOTE.decode().split("— ")
    other = checkpoints.sign(Checkpoint(origin=ORIGIN, size=8, root=EMPTY_ROOT), [OLD]).decode().split("— ")
    with pytest.raises(InvalidInput, match="wrong"):
        kids(f"{lines[0]}— {other[1]}".encode())


def test_extension_lines_are_signed_and_kept():
    extended = Checkpoint(origin=ORIGIN, size=7, root=EMPTY_ROOT, extensions=("later: 1",))
    note = checkpoints.sign(extended, [OLD])
    assert checkpoints.parse(note).checkpoint == extended
    with pytest.raises(InvalidInput, match="wrong"):
        kids(note.replace(b"later: 1", b"later: 2"))


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"\n",
        b"\n\n",
        NOTE[:-1],
        NOTE.replace(b"\n\n", b"\n"),
        NOTE.replace(b"\n7\n", b"\n07\n"),
        NOTE.replace(b"\n7\n", b"\n-7\n"),
        NOTE.replace(b"\n7\n", b"\n 7\n"),
        NOTE.replace(b"\n7\n", b"\n9999999999999999\n"),
        NOTE.replace(b"\n7\n", b"\n\xd9\xa7\n"),
        NOTE.replace(b"\n7\n", b"\r\n7\n"),
        NOTE.replace(b"\n7\n", b"\n7\n\xff\n"),
        NOTE.replace(b"47DEQpj8", b"47DEQpj9="),
        NOTE.replace(b"hSuFU=", b"hSuFV="),
        NOTE.replace(b"hSuFU=", b"hSu"),
        NOTE.replace(b"47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", b"AAAA"),
        NOTE.replace(ORIGIN.encode() + b"\n", b"\n"),
        NOTE.replace(ORIGIN.encode() + b"\n", b"a b\n"),
        NOTE.replace("— ".encode(), b"- "),
        NOTE.replace("— ".encode(), "—  ".encode()),
        NOTE.replace("— example".encode(), "— exa+mple".encode()),
        NOTE + "— x AAAA\n".encode(),
        NOTE + "— x A\n".encode(),
        NOTE + "— x AAAAAA==\n".encode() * checkpoints.MAX_SIGNATURES,
        b"a" * (checkpoints.MAX_NOTE_BYTES + 1),
    ],
)
def test_anything_but_the_exact_form_is_refused(note):
    with pytest.raises(InvalidInput) as caught:
        checkpoints.parse(note)
    assert caught.value.problems[0].code == "malformed"


@given(st.integers(0, len(NOTE) - 1), st.integers(0, 7))
def test_a_flipped_bit_never_leaves_a_signed_checkpoint(at, bit):
    changed = NOTE[:at] + bytes([NOTE[at] ^ (1 << bit)]) + NOTE[at + 1 :]
    with contextlib.suppress(InvalidInput):
        assert kids(changed) == []


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_without_a_crash(data):
    with pytest.raises(InvalidInput):
        checkpoints.parse(data)


def test_a_file_of_kept_checkpoints_reads_as_many():
    second = checkpoints.sign(Checkpoint(origin=ORIGIN, size=9, root=EMPTY_ROOT), [OLD, NEW])
    for joint in (b"", b"\n"):
        read = checkpoints.parse_all(NOTE + joint + second + joint)
        assert [each.checkpoint.size for each in read] == [7, 9]
        assert len(read[1].signatures) == 2
    assert checkpoints.parse_all(b"") == ()
    with pytest.raises(InvalidInput):
        checkpoints.parse_all(NOTE + b"garbage\n")


def test_names_of_logs_are_bounded():
    assert checkpoints.origin("example.org", "main", "w1") == ORIGIN
    for bad in ("", "a", "a b/c", "a+b/c", "a/", "/a", "A/b", "a/" + "b" * 300, "{a/b", "a/b\n"):
        assert not checkpoints.is_origin(bad)
    with pytest.raises(InvalidInput, match="cannot name a log"):
        checkpoints.origin("example.org", "main", "w 1")
