"""A changed receipt never verifies, wherever the change is made."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw.receipts import bundle as bundles
from bylaw.receipts import dsse
from bylaw.receipts.audit import audit
from bylaw.receipts.checkpoint import parse_all
from bylaw.receipts.verify import Trust, verify
from tests.receipts.book import Book, exported
from tests.receipts.golden.make import valid

BOOK, BUNDLE = valid()
FILE = bundles.write(BUNDLE)
EXPORT = dsse.export(BOOK.leaves[3].entry.id, BOOK.leaves[3].entry.receipt, BOOK.signer)
BY_KEYS = Trust(keys=BOOK.keys)
BY_KEPT = Trust(kept=parse_all(BOOK.checkpoints[-1].note))


def flipped(data, at, bit):
    return data[:at] + bytes([data[at] ^ (1 << bit)]) + data[at + 1 :]


def meaning(data):
    """What a bundle says of its receipt: all but the embedded keys, whose own times may read differently."""
    value = json.loads(data)
    del value["keys"]
    return value


@given(st.integers(0, len(FILE) - 1), st.integers(0, 7))
def test_a_bundle_with_a_flipped_bit_verifies_only_if_it_says_the_same(at, bit):
    changed = flipped(FILE, at, bit)
    for trust in (BY_KEYS, BY_KEPT):
        if verify(changed, trust).status == "verified":
            assert meaning(changed) == meaning(FILE)


@given(st.integers(0, len(EXPORT) - 1), st.integers(0, 7))
def test_an_export_with_a_flipped_bit_never_verifies(at, bit):
    assert verify(flipped(EXPORT, at, bit), BY_KEYS).status != "verified"


@given(st.binary(max_size=300) | st.text(max_size=100).map(str.encode))
def test_any_bytes_are_an_outcome_and_no_crash(data):
    assert verify(data, BY_KEYS).status in {"invalid", "refused"}
    assert verify(b'{"payloadType":' + data, BY_KEYS).status == "invalid"


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ),
    st.data(),
)
def test_any_value_in_the_place_of_another_is_an_outcome_and_no_crash(value, data):
    bundle = json.loads(FILE)
    member = data.draw(st.sampled_from(sorted(bundle)))
    if bundle[member] != value:
        bundle[member] = value
        status = verify(json.dumps(bundle).encode(), BY_KEYS).status
        assert status in {"invalid", "refused"} or member in {
            "keys",
            "parts",
            "policies",
            "signature",
            "consistency",
        }


@pytest.mark.parametrize(
    "data",
    [
        b"[" * 1_000_000,
        b'{"format":' * 100_000,
        b'{"format":"bylaw.bundle/1","keys":' + b"[" * 5000 + b"]" * 5000 + b"}",
        b'{"format":"bylaw.bundle/1","format":"bylaw.bundle/2"}',
        b" " * (bundles.MAX_BUNDLE_BYTES + 1),
        FILE.replace(b'"hashes": [', b'"hashes": [' + b'"",' * 100),
        FILE.replace(b'"parts": [', b'"parts": [' + b'{"name":"x","salt":"","content":""},' * 300),
        b'{"payloadType":"' + b"x" * (dsse.MAX_ENVELOPE_BYTES + 1) + b'"}',
    ],
)
def test_hostile_files_are_refused(data):
    assert verify(data, BY_KEYS).status in {"invalid", "refused"}


LOG = Book().fill(2, 1, 3)


async def test_a_log_with_a_flipped_bit_never_verifies():
    lines = await exported(LOG)
    text = b"".join(lines)
    start = len(lines[0])  # the header's keys are not used when keys come from outside

    @given(st.integers(start, len(text) - 1), st.integers(0, 7))
    def check(at, bit):
        changed = flipped(text, at, bit)
        found = audit(changed.splitlines(keepends=True), Trust(keys=LOG.keys))
        if found.status == "verified":
            assert [*map(json.loads, changed.splitlines())] == [*map(json.loads, text.splitlines())]

    check()


async def test_lines_of_a_log_in_another_order_or_number_never_verify():
    lines = await exported(LOG)

    @given(st.lists(st.sampled_from(lines[1:]), max_size=12))
    def check(others):
        if others != lines[1:]:
            assert audit([lines[0], *others], Trust(keys=LOG.keys)).status == "invalid"

    check()


@given(st.lists(st.binary(max_size=80), max_size=5))
def test_any_lines_are_an_outcome_and_no_crash(lines):
    assert audit(lines, BY_KEYS).status == "invalid"
