"""What a caller is told of policies that lie where they may not look."""

import asyncio

import pytest
from msgspec import UNSET

from bylaw.core.errors import Conflict, NotFound
from bylaw.decisions.explain import explain
from bylaw.decisions.request import read
from tests.decisions.world import HERE, World, agent, caller, place, policy

FOREIGN = {"where": place("w2"), "name": "Secret of w2"}


def world(*rules, action="block", **content):
    return World(
        policies=[
            policy("own", "metadata.limit < 3", where=HERE, action="alert", name="Ours"),
            policy("foreign", *(rules or ("amount < 4711",)), action=action, **FOREIGN | content),
        ],
        agents=[agent("home", "foreign", where=place("w2"))],
    )


ASKED = {"agent_id": "home", "workspace_id": "w1", "metadata": {"limit": 5, "amount": 5000}}
LIMITED = caller("decisions:write", "policy:read", where=HERE)


def told(of, by=LIMITED, **request):
    engine = of.engine()
    decision = asyncio.run(engine.decide(read(ASKED | request), by))
    return engine.disclosed(decision, by)


@pytest.mark.parametrize("action", ["log", "alert", "review", "block"])
def test_of_a_policy_elsewhere_id_version_digest_and_outcome_are_told(action):
    decision = told(world(action=action))
    assert [each.id for each in decision.policies] == ["own"]
    (found,) = decision.elsewhere
    outcome = {"log": "allow", "alert": "flag"}.get(action, action)
    assert (found.id, found.version, found.outcome) == ("foreign", 1, outcome)
    assert found.digest.startswith("sha256:")
    assert (found.message in decision.reasons) is (outcome != "allow")
    assert decision.reasons[0] == "Ours: `metadata.limit < 3` does not hold."
    assert not any(secret in str(decision) for secret in ("4711", "Secret", "amount"))


@pytest.mark.parametrize(
    ("rules", "content"),
    [
        (["amount > missing.fact"], {}),
        (["nl:Be kind about 4711."], {}),
        (["true"], {"conditions": {"secret_key": "4711"}}),
        (["true"], {"mask": {"fields": ["agent_output"], "personal_data": ["card"]}}),
        ([{"type": "deterministic", "expr": "false", "message": "Because of 4711.", "attention": True}], {}),
    ],
)
def test_nothing_that_such_a_policy_says_is_told(rules, content):
    of = world(*rules, action="review", **content)
    said = str(told(of, phase="output", agent_output="4111111111111111USD"))
    assert "foreign" in said
    assert not any(secret in said for secret in ("4711", "Secret", "secret_key", "missing.fact"))


@pytest.mark.parametrize(
    "by",
    [
        caller(),
        caller("receipts:read"),
        caller("decisions:write", where=place("w2")),
    ],
    ids=["everywhere", "of receipts", "at home"],
)
def test_whoever_may_look_there_is_told_everything(by):
    engine = world().engine()
    decision = asyncio.run(engine.decide(read(ASKED), by))
    said = engine.disclosed(decision, by)
    assert "foreign" in [each.id for each in said.policies]
    assert (said.elsewhere is UNSET) or [each.id for each in said.elsewhere] == ["own"]


def test_a_decision_without_foreign_policies_is_the_same_object():
    engine = world().engine()
    decision = asyncio.run(engine.decide(read({"workspace_id": "w1", "user_intent": "x"}), LIMITED))
    assert engine.disclosed(decision, LIMITED) is decision


def test_a_policy_of_the_tenant_and_of_a_repo_inside_is_not_foreign():
    repo = place("w1", "r1")
    of = World(policies=[policy("wide", "false"), policy("narrow", "false", where=repo)])
    decision = told(of, workspace_id="w1", repo_id="r1", agent_id="x")
    assert [each.id for each in decision.policies] == ["narrow", "wide"]
    assert decision.elsewhere is UNSET


def test_a_policy_that_is_gone_since_is_foreign_to_whoever_is_limited():
    decision = asyncio.run(world().engine().decide(read(ASKED), LIMITED))
    later = World(policies=[])
    assert [each.id for each in later.engine().disclosed(decision, LIMITED).elsewhere] == ["foreign", "own"]
    assert later.engine().disclosed(decision, caller()) is decision


def test_a_sentence_that_an_own_policy_says_as_well_stays():
    same = {"name": "Same", "action": "alert"}
    of = World(
        policies=[policy("a", "false", where=HERE, **same), policy("b", "false", where=place("w2"), **same)],
        agents=[agent("home", where=place("w2"))],
    )
    assert "Same: `false` does not hold." in told(of).reasons


def test_an_explanation_says_no_more():
    found = asyncio.run(explain(world("amount < 4711").engine(), read(ASKED), LIMITED))
    assert [each.id for each in found.why] == ["own"]
    assert [each.policy_id for each in found.changes] == ["own"]
    assert [each.id for each in found.decision.elsewhere] == ["foreign"]
    assert "4711" not in str(found)
    full = asyncio.run(explain(world("amount < 4711").engine(), read(ASKED), caller("admin")))
    assert {each.policy_id for each in full.changes} == {"own", "foreign"}


def test_a_policy_elsewhere_is_not_found_whether_it_is_in_force_or_not():
    sleeping = World(policies=[], dormant=["asleep"], dormant_at=place("w2"))
    awake = World(policies=[policy("asleep", "true", where=place("w2"))])
    said = []
    for each in (sleeping, awake, World()):
        with pytest.raises(NotFound) as error:
            each.decide(LIMITED, workspace_id="w1", policy_id="asleep")
        said.append(error.value.message)
    assert len(set(said)) == 1
    with pytest.raises(Conflict):
        World(dormant=["asleep"], dormant_at=HERE).decide(LIMITED, workspace_id="w1", policy_id="asleep")
