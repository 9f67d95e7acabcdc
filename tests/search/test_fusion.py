"""Fusion: fixed weights, a stable order, and nothing lost that either side found."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw.search.fusion import fuse, joined, midst

IDS = st.sampled_from([f"p{place}" for place in range(15)])
SCORES = st.dictionaries(IDS, st.floats(min_value=-100, max_value=100), max_size=15)


def test_meaning_counts_85_and_words_15_of_100():
    found = fuse({"a": 0.9, "b": 0.5, "c": 0.1}, {"b": 8.0, "c": 2.0})
    assert found == pytest.approx({"a": 0.85, "b": 0.85 * 0.5 + 0.15, "c": 0.0})
    assert list(found) == ["a", "b", "c"]


def test_a_single_hit_of_words_is_a_full_one():
    assert fuse({}, {"a": 3.0}) == pytest.approx({"a": 0.15})


def test_ranks_alone_do_not_count():
    close, far = {"a": 0.90, "b": 0.89, "c": 0.0}, {"a": 0.90, "b": 0.10, "c": 0.0}
    words = {"b": 1.0, "c": 0.0}
    assert next(iter(fuse(close, words))) == "b"
    assert next(iter(fuse(far, words))) == "a"


@given(SCORES, SCORES)
def test_nothing_that_either_side_found_is_lost(meaning, words):
    found = fuse(meaning, words)
    assert found.keys() == meaning.keys() | words.keys()
    assert all(0 <= score <= 1 + 1e-9 for score in found.values())


@given(SCORES, SCORES)
def test_the_order_is_by_score_then_by_id_whatever_the_order_of_the_sides(meaning, words):
    found = fuse(meaning, words)
    turned = fuse(dict(reversed(meaning.items())), dict(reversed(words.items())))
    assert list(found.items()) == list(turned.items())
    assert list(found) == sorted(found, key=lambda each: (-found[each], each))


@given(SCORES, SCORES, st.floats(min_value=0.5, max_value=4), st.integers(min_value=-9, max_value=9))
def test_the_scale_of_a_side_does_not_count(meaning, words, factor, shift):
    moved = {each: score * factor + shift for each, score in words.items()}
    apart = max(words.values(), default=0) - min(words.values(), default=0)
    if apart == 0 or apart > 1e-3:
        assert fuse(meaning, moved) == pytest.approx(fuse(meaning, words), abs=1e-6)


@given(SCORES, SCORES, IDS)
def test_more_words_never_rank_a_document_lower(meaning, words, ident):
    if ident not in words:
        return
    before = list(fuse(meaning, words)).index(ident)
    after = list(fuse(meaning, {**words, ident: max(words.values())})).index(ident)
    assert after <= before


def test_the_joined_vector_gives_the_weighted_sum_of_both_fields():
    about, procedure, query = np.random.default_rng(1).standard_normal((3, 8)).astype(np.float32)
    wants = 0.65 * (about @ query) + 0.35 * (procedure @ query)
    assert joined(about, procedure) @ query == pytest.approx(wants, abs=1e-5)
    assert joined(about, None) is about


def test_the_midst_has_length_one_and_each_counts_the_same():
    rows = np.eye(4, dtype=np.float32)[:2]
    assert midst(rows) == pytest.approx([0.5**0.5, 0.5**0.5, 0, 0])
    assert midst(rows[:1]) == pytest.approx([1, 0, 0, 0])
    assert not midst(np.stack([rows[0], -rows[0]])).any()
