"""Rules that were decided when something was asked: left out of its answer, and only those."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bylaw.decisions.followed import Followed, followed_of
from bylaw.decisions.request import read
from bylaw.evaluators.offline import OfflineEvaluator, asks_alone
from bylaw.evaluators.scripted import ScriptedEvaluator
from bylaw.receipts.model import AppliedPolicy, RuleResult
from tests.decisions.world import World, caller, policy
from tests.reference import decisions_evaluator as reference

ASKED = ("Reject any prompt that mentions 'rival'.", "The prompt must have at most 900 words.")
OTHERS = ("Reject any output that mentions 'rival'.", "be kind")
STATUSES = ["satisfied", "violated", "not_applicable", "indeterminate"]


def decided(world, followed, **request):
    return asyncio.run(world.engine().decide(read(request), caller(), followed=followed))


def applied(current, status="satisfied", *, version=None):
    """What a receipt says of a policy each of whose rules came to `status`."""
    rules = [
        RuleResult(basis="offline", id=rule.id, kind="nl", status=status)
        for rule in current.version.content.rules
    ]
    number = current.version.number if version is None else version
    return AppliedPolicy(
        digest=current.version.digest,
        id=current.policy.id,
        outcome="allow",
        rules=tuple(rules),
        version=number,
        via="place",
    )


def followed(*policies, status="satisfied", version=None):
    return followed_of("rcpt_asked", [applied(each, status, version=version) for each in policies])


@pytest.mark.parametrize(
    "text",
    [
        *ASKED,
        "Block any request that contains 'rush'.",
        "Reject any customer message that mentions 'lawsuit'. The prompt must mention 'order'.",
        "Flag any prompt that mentions 'rival'.",
        "The user's prompt must be valid JSON.",
    ],
)
def test_a_rule_about_what_is_asked_is_told_apart(text):
    assert asks_alone(text, "reject") or text.startswith("Flag")
    assert asks_alone(text, "flag")


@pytest.mark.parametrize(
    "text",
    [
        *OTHERS,
        "Reject any message that contains 'rival'.",
        "Reject any conversation that mentions 'rival'.",
        "Never mention 'rival'.",
        "Escalate if the customer mentions 'lawsuit'.",
        "Reject any prompt that mentions 'rival'. Never mention 'rival'.",
        "Reject any ticket that mentions 'rival'.",
        "",
    ],
)
def test_a_rule_that_an_answer_could_break_is_not(text):
    assert not asks_alone(text, "reject")


def test_it_is_recorded_by_whom_it_was_decided_and_holds_nothing():
    rivals = policy("rivals", f"nl:{ASKED[0]}", action="block")
    world = World(policies=[rivals], evaluator=OfflineEvaluator())
    held = decided(world, None, phase="output", agent_output="Hello.")
    assert held.outcome == "review"
    found = decided(world, followed(rivals), phase="output", agent_output="Hello.")
    (each,) = found.policies
    (rule,) = each.rules
    assert (found.outcome, each.status) == ("allow", "not_judged")
    assert (rule.status, rule.code) == ("not_applicable", "followed")
    assert "rcpt_asked" in rule.message


@pytest.mark.parametrize("status", ["violated", "flagged", "not_applicable", "indeterminate"])
def test_what_was_not_satisfied_is_judged_again(status):
    rivals = policy("rivals", f"nl:{ASKED[0]}", action="block")
    world = World(policies=[rivals], evaluator=OfflineEvaluator())
    found = decided(world, followed(rivals, status=status), phase="output", agent_output="Hello.")
    assert found.outcome == "review"


def test_another_version_is_judged_again():
    rivals = policy("rivals", f"nl:{ASKED[0]}", action="block")
    changed = policy("rivals", f"nl:{ASKED[0]}", action="block", topic=None, description="new", version=2)
    world = World(policies=[changed], evaluator=OfflineEvaluator())
    for known in (followed(rivals), followed(changed, version=1), followed(rivals, version=2)):
        assert decided(world, known, phase="output", agent_output="Hello.").outcome == "review"


def test_the_rules_of_the_request_are_always_judged():
    world = World(evaluator=OfflineEvaluator())
    known = Followed(receipt_id="rcpt_asked", satisfied=frozenset({("", 0, "", "x1")}))
    found = decided(world, known, phase="output", agent_output="Hello.", policy_rules=[ASKED[0]])
    assert found.outcome == "review"


some_rules = st.lists(
    st.sampled_from([*(f"{kind}:{text}" for kind in ("nl", "flag") for text in (*ASKED, *OTHERS)), "true"]),
    min_size=1,
    max_size=3,
)
some_policies = st.lists(
    st.tuples(some_rules, st.sampled_from(["log", "alert", "review", "block"])), min_size=1, max_size=4
)
some_answers = st.fixed_dictionaries({text: st.sampled_from(STATUSES) for text in (*ASKED, *OTHERS)})


@settings(max_examples=150, deadline=None)
@given(some_policies, some_answers, st.none() | some_answers, st.data())
def test_it_decides_as_the_reference_does(written, said, model_said, data):
    policies = [policy(f"p{n}", *rules, action=action) for n, (rules, action) in enumerate(written)]
    world = World(
        policies=policies,
        evaluator=ScriptedEvaluator(said),
        model=None if model_said is None else ScriptedEvaluator(model_said),
    )
    every = [(each, rule) for each in policies for rule in each.version.content.rules]
    chosen = [pair for pair in every if data.draw(st.booleans())]
    known = Followed(
        receipt_id="rcpt_asked",
        satisfied=frozenset(
            (each.policy.id, each.version.number, each.version.digest, rule.id) for each, rule in chosen
        ),
    )
    request = {"phase": "output", "agent_output": "Hello."}
    found = decided(world, known, **request)
    left = {(each.policy.id, rule.id) for each, rule in chosen if getattr(rule, "text", "") in ASKED}
    wanted = reference.decide(world, read(request), said, model_said, followed=frozenset(left))
    assert (found.outcome, found.compliant, found.risk) == (wanted.outcome, wanted.compliant, wanted.risk)
    assert {each.id: [rule.status for rule in each.rules] for each in found.policies} == {
        ident: statuses for ident, (_, _, _, _, statuses) in wanted.policies.items()
    }
