"""The published keys are the sum of what the logs say, in whatever order they are read."""

import random

from hypothesis import given
from hypothesis import strategies as st

from bylaw.receipts import key_changes
from bylaw.receipts.issue import key_changed
from bylaw.receipts.signing import KeySet
from tests.receipts.book import signer

KEYS = [signer(number).public for number in range(1, 5)]
MOMENTS = st.integers(0, 10**12)


@st.composite
def key_sets(draw):
    """Key sets as rotations and revocations make them."""
    found, now = KeySet(), 0
    for public in KEYS[: draw(st.integers(0, len(KEYS)))]:
        now += 1 + draw(st.integers(0, 1000))
        if found.keys:
            found = found.with_retired(found.keys[-1].kid, now)
        found = found.with_active(public, now)
    for key in found.keys:
        if draw(st.booleans()):
            found = found.with_revoked(key.kid, draw(st.integers(key.since_ms, now + 1000)))
    return found


CHANGES = st.lists(
    st.builds(
        key_changed, st.sampled_from(KEYS), st.sampled_from(["activated", "retired", "revoked"]), MOMENTS
    )
)


@given(key_sets())
def test_the_changes_that_lead_to_a_key_set_lead_to_it_again(keys):
    assert key_changes.published(key_changes.changes_of(keys)) == keys


@given(CHANGES, st.randoms(use_true_random=False))
def test_neither_order_nor_repetition_matters(changes, dice: random.Random):
    mixed = [*changes, *changes]
    dice.shuffle(mixed)
    assert key_changes.published(mixed) == key_changes.published(changes)


@given(key_sets(), CHANGES)
def test_what_is_unsaid_is_said_once(keys, said):
    missing = key_changes.unsaid(keys, said)
    assert key_changes.unsaid(keys, [*said, *missing]) == []
    assert len(missing) <= len(key_changes.changes_of(keys))


@given(CHANGES, MOMENTS)
def test_no_later_word_takes_a_revocation_back(changes, moment):
    revoked = key_changed(KEYS[0], "revoked", moment)
    begun = key_changed(KEYS[0], "activated", 0)
    key = key_changes.published([begun, revoked, *changes]).get(revoked.key)
    assert key is not None
    assert key.revoked_by(moment)
