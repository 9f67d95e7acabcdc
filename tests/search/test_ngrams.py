"""Vectors without a model: near where letters are shared, in any language, and always the same."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from bylaw.search.ngrams import DIMENSIONS, NGrams, _rows

GRAMS = NGrams("the weights are away.")


async def likeness(one: str, other: str) -> float:
    rows = await GRAMS.embed([one, other])
    return float(rows[0] @ rows[1])


async def test_forms_of_a_word_are_near_and_other_words_are_not():
    assert await likeness("refund", "Refunds") > 0.5
    assert await likeness("refund", "opening hours") < 0.2


async def test_words_are_found_inside_of_scripts_without_spaces():
    asked = "返金を処理"
    assert await likeness(asked, "注文番号を確認してから返金を処理する") > 0.2
    assert await likeness(asked, "営業時間は九時から五時まで") < 0.1


async def test_the_same_vector_on_every_machine():
    row = (await GRAMS.embed(["refund"]))[0]
    places = np.flatnonzero(row)
    assert len(places) == 15
    assert places[:3].tolist() == [87, 193, 287]
    assert np.allclose(np.abs(row[places]), 1 / np.sqrt(15))


async def test_what_says_nothing_is_zero():
    assert not (await GRAMS.embed(["", " .,! "])).any()


async def test_it_says_why_there_is_no_model():
    assert GRAMS.note.endswith("the weights are away.")
    assert GRAMS.id == "n-grams-1024-1"
    assert GRAMS.dimensions == DIMENSIONS


@given(st.lists(st.text(st.characters(), max_size=60), max_size=5))
def test_rows_have_length_one_or_none_and_do_not_depend_on_one_another(texts):
    rows = _rows(texts)
    lengths = np.linalg.norm(rows, axis=1)
    assert np.all(np.isclose(lengths, 1, atol=1e-5) | (lengths == 0))
    assert all(np.array_equal(row, _rows([text])[0]) for row, text in zip(rows, texts, strict=True))
