"""Asking several times over: a strict majority counts, and what one vote saw is there for all."""

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw.evaluators.model.votes import agreed
from bylaw.evaluators.protocol import Answer
from tests.evaluators.model.judging import RIVAL, evaluator_of, judged, outcome
from tests.model_server.minds import case_of, honest, judge
from tests.model_server.server import failure, serving

STATUSES = ("satisfied", "violated", "not_applicable", "indeterminate")
NEVER = "Reject any answer that says 'gold'."


def votes_of(*statuses):
    return [
        Answer(id="r", status=each, code="abstained" if each == "indeterminate" else "") for each in statuses
    ]


@given(st.lists(st.sampled_from(STATUSES), min_size=2, max_size=9))
def test_only_a_strict_majority_decides(statuses):
    found = agreed(votes_of(*statuses))
    winners = [each for each in set(statuses) if 2 * statuses.count(each) > len(statuses)]
    assert found.status == (winners[0] if winners else "indeterminate")
    assert (found.code == "disagreement") == (not winners)
    if winners and winners != ["indeterminate"]:
        assert found.confidence == statuses.count(winners[0]) / len(statuses)


@given(st.permutations(["satisfied", "satisfied", "violated", "indeterminate", "satisfied"]))
def test_the_order_of_votes_does_not_matter(statuses):
    assert agreed(votes_of(*statuses)).status == "satisfied"


def test_one_vote_stands_as_it_is_without_confidence():
    (vote,) = votes_of("satisfied")
    assert agreed([vote]) is vote


@pytest.mark.parametrize("code", ["manipulated", "too_long", "unread"])
def test_what_takes_a_pass_from_one_vote_takes_it_from_all(code):
    votes = [*votes_of("satisfied", "satisfied"), Answer(id="r", status="indeterminate", code=code)]
    assert (agreed(votes).status, agreed(votes).code) == ("indeterminate", code)
    found = [*votes_of("violated", "violated"), Answer(id="r", status="indeterminate", code=code)]
    assert agreed(found).status == "violated"


async def test_samples_are_asked_with_the_rules_in_another_order_and_some_warmth():
    rules = [f"The agent must not say 'word{number}'." for number in range(5)]
    async with serving(judge()) as server:
        found = await judged(evaluator_of(server, samples=3), RIVAL, *rules)
    assert {outcome(each) for text, each in found.items() if text != RIVAL} == {"satisfied"}
    assert (outcome(found[RIVAL]), found[RIVAL].confidence) == ("violated", 1.0)
    orders = [[*case_of(each).rules] for each in server.asked]
    assert len({tuple(each) for each in orders}) == 3
    assert all(sorted(each) == sorted(orders[0]) for each in orders)
    assert {each.body["temperature"] for each in server.asked} == {0.3}


async def test_a_model_of_two_minds_is_believed_by_majority():
    counter = itertools.count()

    def mind(case, ident):
        found = honest(case, ident)
        if case.rules[ident]["text"] == NEVER and next(counter) == 0:
            return found | {"verdict": "indeterminate"}
        return found

    async with serving(judge(mind)) as server:
        found = await judged(evaluator_of(server, samples=3), NEVER)
    assert (outcome(found[NEVER]), found[NEVER].confidence) == ("satisfied", 2 / 3)


async def test_without_a_majority_nothing_is_decided():
    verdicts = iter(["compliant", "not_applicable", "indeterminate"])

    def mind(case, ident):
        found = honest(case, ident)
        if case.rules[ident]["text"] == NEVER:
            verdict = next(verdicts)
            return found | {"verdict": verdict, "applies": verdict != "not_applicable"}
        return found

    async with serving(judge(mind)) as server:
        found = await judged(evaluator_of(server, samples=3), NEVER)
    assert outcome(found[NEVER]) == ("indeterminate", "disagreement")


async def test_a_sample_that_fails_is_a_vote_for_nothing():
    async with serving(judge()) as server:
        server.plays.append(failure(401))
        found = await judged(evaluator_of(server, samples=3), NEVER)
        assert (outcome(found[NEVER]), found[NEVER].confidence) == ("satisfied", 2 / 3)
        server.plays += [failure(401)] * 2
        found = await judged(evaluator_of(server, samples=3), NEVER)
    assert outcome(found[NEVER]) == ("indeterminate", "model_refused")
