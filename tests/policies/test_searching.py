"""What a query looks for, and what it is worth where it is found."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw.policies.model import Content, NaturalRule
from bylaw.policies.searching import MAX_PIECE, MAX_WORDS, is_indexed, pieces_of, score, words_of


def said(text, topic=None):
    return Content(name="n", topic=topic, rules=(NaturalRule(id="r1", text=text),))


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ("", []),
        (" \t\n", []),
        ("when to escalate", ["escalate"]),
        ("To be or not to be", ["to", "be", "or", "not"]),
        ("Refund REFUND refund", ["refund"]),
        ("  %§ ", ["%§"]),
        ("don't re-open ORDER_7", ["don't", "re", "open", "order", "7"]),
        ("価格", ["価格"]),
    ],
)
def test_a_query_looks_for_its_rare_words_once(query, words):
    assert [word.text for word in words_of(query)] == words


@pytest.mark.parametrize(
    "kin",
    [
        ("escalate", "escalates", "escalated", "escalating", "escalation", "escalations"),
        ("verify", "verifies", "verified", "verification"),
        ("refund", "refunds", "refunded", "refunding"),
        ("price", "prices", "priced", "pricing"),
    ],
)
def test_words_of_one_kin_find_each_other(kin):
    for asked in kin:
        for word in kin:
            assert score(said(f"Please {word} this."), words_of(asked)) > 0, (asked, word)


def test_a_literal_word_is_worth_more_than_its_kin_and_the_topic_more_still():
    words = words_of("escalate")
    worth = [score(said(*each), words) for each in (("None.",), ("Escalation.",), ("Escalate.",))]
    assert worth == sorted(set(worth))
    assert score(said("None.", "escalation"), words) > worth[-1]


@given(st.text(min_size=1).filter(str.strip), st.text(), st.text())
def test_what_stands_in_a_rule_is_found(query, before, after):
    assert score(said(before + query + after), words_of(query)) > 0


@given(st.text(max_size=300))
def test_a_query_has_a_bounded_number_of_words(query):
    words = words_of(query)
    assert len(words) <= MAX_WORDS
    assert all(word.text.startswith(word.stem) and word.stem for word in words)


_SAID = st.text("ab'\u2019 -7ßé退", max_size=4 * MAX_PIECE) | st.text()


@given(_SAID, st.data())
def test_a_word_stands_in_a_text_when_it_stands_in_one_of_its_pieces(text, data):
    text = text.casefold()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + MAX_PIECE + 3)))
    for query in (text[start:end], data.draw(_SAID)):
        for word in filter(is_indexed, words_of(query)):
            for part in (word.text, word.stem):
                assert (part in text) == any(part in piece for piece in pieces_of(text))


def test_a_word_that_no_piece_holds_is_not_looked_for_in_pieces():
    long = "x" * (MAX_PIECE + 1)
    assert [is_indexed(words_of(query)[0]) for query in ("%§", long, long[1:])] == [False, False, True]
    assert max(map(len, pieces_of(long * 9))) == 2 * MAX_PIECE
