"""Word pieces: the ids of the reference implementation, recorded by golden/record.py."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw.search import weights
from bylaw.search.wordpiece import WordPiece

GOLDEN = json.loads((Path(__file__).parent / "golden" / "golden.json").read_text("utf-8"))
NO_LIMIT = 1 << 20
SMALL = WordPiece(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "re", "##fund", "##s", "no", "!", "北", "a"])


@pytest.fixture(scope="module")
def pieces() -> WordPiece:
    model = weights.folder()
    if model is None:
        pytest.skip("the weights are not installed")
    return WordPiece((model / weights.VOCABULARY).read_text("utf-8").removesuffix("\n").split("\n"))


def test_every_recorded_text_has_the_ids_of_the_reference(pieces):
    found = [pieces.ids(text, NO_LIMIT) for text in GOLDEN["texts"]]
    assert len(found) > 400
    assert [
        ascii(text)
        for text, has, wants in zip(GOLDEN["texts"], found, GOLDEN["ids"], strict=True)
        if has != wants
    ] == []


def test_words_are_cut_greedily_and_unknown_as_a_whole():
    assert SMALL.ids("Refunds no!", NO_LIMIT) == [2, 5, 6, 7, 8, 9, 3]
    assert SMALL.ids("refundx", NO_LIMIT) == [2, 1, 3]


def test_accents_case_and_control_characters_do_not_count():
    assert SMALL.ids("R\u00e9\u200bFUND\u0301S\x00", NO_LIMIT) == SMALL.ids("refunds", NO_LIMIT)


def test_chinese_characters_and_punctuation_stand_alone():
    assert SMALL.ids("a北a!a", NO_LIMIT) == [2, 11, 10, 11, 9, 11, 3]


def test_a_word_of_more_than_a_hundred_characters_is_unknown():
    assert SMALL.ids("a" * 101, NO_LIMIT) == [2, 1, 3]


def test_a_long_text_is_cut_and_keeps_its_marks():
    assert SMALL.ids("no " * 1_000, 8) == [2, 8, 8, 8, 8, 8, 8, 3]


def test_what_was_seen_before_is_cut_as_before():
    fresh = WordPiece(["[UNK]", "[CLS]", "[SEP]", *(f"w{n}" for n in range(3)), "##1"])
    text = " ".join(f"w{n}" for n in range(60_000))
    assert fresh.ids(text[:30_000], NO_LIMIT) == fresh.ids(text[:30_000], NO_LIMIT)


@given(st.text(st.characters(), max_size=200), st.integers(min_value=2, max_value=64))
def test_any_text_begins_and_ends_with_its_marks_within_the_limit(text, limit):
    found = SMALL.ids(text, limit)
    assert found[0] == 2
    assert found[-1] == 3
    assert 2 <= len(found) <= limit
    assert found[:-1] == SMALL.ids(text, NO_LIMIT)[: len(found) - 1]
