import re
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw.policies.advice import action, ambiguity, clarity
from bylaw.policies.advice.checks import Kind
from bylaw.policies.advice.reading import MOST_READ
from bylaw.policies.advice.review import COSTS, MOST_ISSUES, review
from bylaw.policies.advice.words import listed
from tests.architecture.source import ROOT
from tests.policies.advice.labelled import LATER, TUNED

RANKS = ["none", "low", "medium", "high"]


def codes(text):
    return {issue.code for issue in review(text).issues}


@pytest.mark.parametrize(("text", "expected"), TUNED, ids=lambda value: value[:40])
def test_each_labelled_wording_gets_its_issues_and_no_others(text, expected):
    assert codes(text) == set(expected.split())


def test_wordings_of_later_get_most_of_their_issues_and_few_others():
    right, wrong, missed = Counter(), Counter(), Counter()
    for text, expected in LATER:
        found, wanted = codes(text), set(expected.split())
        right.update(found & wanted)
        wrong.update(found - wanted)
        missed.update(wanted - found)
    precision = right.total() / (right.total() + wrong.total())
    recall = right.total() / (right.total() + missed.total())
    assert precision >= 0.9, wrong
    assert recall >= 0.9, missed


@pytest.mark.parametrize("text", [text for text, expected in TUNED + LATER if not expected])
def test_a_good_rule_scores_high(text):
    advice = review(text)
    assert advice.score >= 95
    assert advice.severity in {"none", "low"}


# Rules as people write them for discounts, returns, escalation, pricing, verification and invoices.
GOOD = [
    "Do not grant more than 10% off unless an attention item asks a manager for approval.",
    "Accept returns in 30 days. Ask for the order number. If an item is\ndamaged, ask for a photo.",
    "If the customer mentions a lawyer, a court or litigation, flag the conversation for a person and stop.",
    "Do not tell end customers wholesale prices. If they ask for them, refer them to their account manager.",
    "Ask for the order number before looking up an order. Do not search by name or e-mail alone.",
    "Reject an approval that names a vendor who is not in the result of the lookup.",
    "Flag as high-risk if the invoice says 'rush' or 'urgent'.",
]


@pytest.mark.parametrize("text", GOOD)
def test_specific_actionable_testable_rules_have_no_high_issue(text):
    assert review(text).score >= 90
    assert review(text).severity != "high"


@pytest.mark.parametrize(
    "text",
    ["Be helpful, and try to solve problems.", "Be nice to people and do your best.", "Use common sense."],
)
def test_a_vague_wish_scores_low(text):
    assert review(text).score <= 50
    assert review(text).severity == "high"


def test_an_issue_stands_where_its_words_are():
    text = "Give  a reasonable\nrefund, and answer as soon\nas possible."
    places = {issue.code: text[issue.start : issue.end] for issue in review(text).issues}
    assert places == {"vague_word": "reasonable", "open_limit": "as soon\nas possible"}


def test_the_score_is_what_the_issues_leave_of_a_hundred():
    scores = [review("Ask a reasonable question." + " Be nice." * times).score for times in range(4)]
    assert scores == [85, 50, 10, 5]
    assert COSTS == {"none": 0, "low": 5, "medium": 15, "high": 35}


def test_quoted_words_are_data_and_not_vague():
    assert codes("Flag answers that contain 'appropriate', “soon” or `try to`.") == set()


def test_a_vague_word_with_its_meaning_beside_it_is_not_vague():
    assert codes("Reject unusual (more than 5 a day) orders.") == set()
    assert codes("Reject suspicious orders (more than three countries in 1 day).") == set()


def test_another_language_is_said_and_never_scored_down():
    for text in (
        "Gib niemals mehr Rabatt als nötig, und sei immer nett.",
        "常に丁寧に、適切に対応すること。",
        "Никогда.",
    ):
        advice = review(text)
        assert (advice.score, advice.severity) == (100, "none")
        assert [issue.code for issue in advice.issues] == ["other_language"]
        assert "English" in advice.advice


def test_nothing_scores_nothing():
    assert (review("").score, review("").severity) == (0, "high")
    assert review("…").score == 0


def test_a_huge_text_is_read_in_part_and_told_so():
    advice = review("Always reply soon. " * 60_000)
    assert advice.score < 50
    assert len(advice.issues) == MOST_ISSUES
    last = review("Ask for the order number. " + " " * MOST_READ).issues
    assert [(issue.code, issue.start) for issue in last] == [("not_read", MOST_READ)]


def test_a_long_sentence_and_a_long_text_are_worse_the_longer_they_are():
    sentence = "Ask " + "the customer of the shop " * 10 + "for the order number."
    assert [issue.severity for issue in review(sentence).issues] == ["medium"]
    advice = review(" ".join(["Ask the customer for the order number and the booking code again."] * 60))
    assert {"long_text", "repetition", "several_rules"} <= {issue.code for issue in advice.issues}
    assert advice.severity == "high"


def test_the_advice_says_where_to_begin():
    assert "nothing to mend" in review("Ask for the order number before looking up an order.").advice
    assert "clear but for details" in review("Reject discounts above 10.").advice
    assert "differ on some cases" in review("Answer soon.").advice
    assert "cannot be applied consistently" in review("Be helpful.").advice


PIECES = [
    *listed("never always must not unless except without be helpful reasonable large refund 10 % EUR . , ; :")
]
PIECES += [
    *listed("it the above and or if ask reject flag approve é ß İ 中 1. customer order \" ' - “ ”"),
    "\n",
    "\u200d",
]
WORDS = st.lists(st.sampled_from(sorted(PIECES)), max_size=80).map(" ".join)


@given(st.one_of(st.text(max_size=400), WORDS))
def test_any_text_is_reviewed_the_same_each_time_and_within_its_bounds(text):
    advice = review(text)
    assert advice == review(text)
    assert 0 <= advice.score <= 100
    assert advice.advice
    assert advice.severity == max(
        (issue.severity for issue in advice.issues), key=RANKS.index, default="none"
    )
    for issue in advice.issues:
        assert 0 <= issue.start <= issue.end <= len(text)
        assert issue.suggestion
        assert issue.description
        assert issue.type in {"ambiguity", "verbosity", "clarity", "scope", "actionability"}


def test_the_docs_name_every_check_and_no_other():
    text = (ROOT / "docs" / "explanation" / "advice.md").read_text(encoding="utf-8")
    (table,) = re.findall(r"\| type \| checks \|.*?\n\n", text, re.DOTALL)
    kinds = [each for module in (action, ambiguity, clarity) for each in vars(module).values()]
    known = {kind.code: kind.type for kind in kinds if isinstance(kind, Kind)}
    named = {
        code: row.split("|")[1].strip() for row in table.splitlines() for code in re.findall("`(.+?)`", row)
    }
    assert named == known
