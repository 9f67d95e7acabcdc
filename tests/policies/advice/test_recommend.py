import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw.policies.advice.recommend import MOST_READ, Shelf
from bylaw.policies.advice.words import content_stems, stem
from bylaw.policies.packs.shipped import shipped_packs
from tests.policies.advice.needs import HELD_OUT, NEEDS, STRANGE

SHELF = Shelf(shipped_packs())


def hits(needs, most):
    """Return the share of needs whose pack is among the first `most` answers."""
    found = [
        pack in {each.pack for each in SHELF.recommend(need, level="workspace", most=most)}
        for need, pack in needs
    ]
    return sum(found) / len(found)


def test_the_pack_that_is_meant_is_among_the_first_three():
    assert len(NEEDS) >= 40
    assert hits(NEEDS, 3) >= 0.94
    assert hits(NEEDS, 1) >= 0.85


def test_needs_in_words_that_were_not_seen_before_are_mostly_met():
    assert hits(HELD_OUT, 3) >= 0.85
    assert hits(HELD_OUT, 1) >= 0.6


@pytest.mark.parametrize("prompt", STRANGE)
def test_a_prompt_about_nothing_that_is_shipped_gets_no_answer(prompt):
    assert SHELF.recommend(prompt, level="tenant") == ()


def test_a_recommendation_says_what_how_and_why():
    (first, *_) = SHELF.recommend("Prevent force pushes to main.", level="repo")
    assert (first.pack, first.slug, first.name) == (
        "destructive-tools", "destructive-tools/git", "History is not rewritten",
    )  # fmt: skip
    assert (first.risk, first.action) == ("HIGH", "block")
    assert first.content.startswith("Block force pushes")
    assert first.why == ("force", "pushes")


def test_the_level_asked_moves_packs_that_are_meant_for_it():
    need = "Limit costs of the shell."
    at = {level: SHELF.recommend(need, level=level, most=20) for level in ("tenant", "repo")}
    score = {level: {each.slug: each.score for each in found} for level, found in at.items()}
    assert score["tenant"]["spending/model-cost"] > score["repo"]["spending/model-cost"]


def test_no_more_are_given_than_asked_for():
    need = "refunds discounts invoices e-mail secrets production hiring children"
    assert [len(SHELF.recommend(need, level="tenant", most=most)) for most in (0, 1, 4)] == [0, 1, 4]


def test_an_empty_shelf_has_nothing():
    assert Shelf(()).recommend("refunds", level="tenant") == ()


def test_only_the_beginning_of_a_long_prompt_is_read():
    assert SHELF.recommend(" " * MOST_READ + "refunds", level="tenant") == ()


@given(st.text(max_size=300))
def test_any_prompt_gets_the_same_ranked_answer_each_time(prompt):
    found = SHELF.recommend(prompt, level="workspace")
    assert found == SHELF.recommend(prompt, level="workspace")
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)
    assert all(each.content and each.why for each in found)


@pytest.mark.parametrize(
    "words",
    [
        ("approve", "approval", "approved", "approving", "approves"),
        ("refund", "refunds", "refunding", "refunded"),
        ("policy", "policies"),
        ("delete", "deletion", "deleting", "deletes"),
        ("employee", "employees"),
        ("customer", "customers", "customer's"),
        ("discuss", "discusses", "discussing"),
        ("bus",),
    ],
)
def test_forms_of_a_word_share_their_stem(words):
    assert len({stem(word) for word in words}) == 1


def test_different_words_keep_different_stems():
    assert (
        len({stem(word) for word in ("person", "personal", "import", "important", "order", "ordinary")}) == 6
    )


def test_little_words_carry_no_meaning():
    assert list(content_stems("The 7 orders of it, and a don't")) == ["7", stem("orders")]
