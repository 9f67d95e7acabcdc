import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw.decisions.effects import EffectRow, effects_of, holding
from bylaw.decisions.model import Judgement, RuleResult
from bylaw.decisions.request import call_digest, read
from bylaw.evaluators.scripted import ScriptedEvaluator
from tests.decisions.world import World, caller, policy

CALL = {"phase": "tool_call", "tool_call": {"name": "pay", "arguments": {"amount": 9}}}


def left(world, by=None, **request):
    decision = world.decide(by, **request)
    rows = effects_of(decision, read(request), caller() if by is None else by, approval_lasts_ms=1000)
    return decision, rows


def kinds(rows):
    return [type(row).__name__.removesuffix("Effect").lower() for row in rows]


@pytest.mark.parametrize(
    ("action", "wanted"),
    [
        ("log", ["violation"]),
        ("alert", ["violation", "alert"]),
        ("review", ["violation", "alert", "attention"]),
        ("block", ["violation", "alert"]),
    ],
)
def test_a_violation_leaves_what_its_action_says(action, wanted):
    _, rows = left(World(policies=[policy("p", "false", "1 > 2", action=action)]))
    assert kinds(rows) == wanted
    assert rows[0].block is (action == "block")
    assert rows[0].explanation == "`false` does not hold. `1 > 2` does not hold."


def test_what_is_satisfied_or_a_dry_run_leaves_nothing():
    world = World(policies=[policy("p", "true"), policy("q", "amount < 5", action="log")])
    assert left(world, metadata={"amount": 4})[1] == ()
    assert left(world, metadata={"amount": 6}, dry_run=True)[1] == ()


def test_one_row_a_policy_however_many_rules():
    _, rows = left(World(policies=[policy("p", "false"), policy("q", "false", "1 > 2"), policy("r", "true")]))
    assert [(row.policy.id, kind) for row, kind in zip(rows, kinds(rows), strict=True)] == [
        ("p", "violation"), ("p", "alert"), ("q", "violation"), ("q", "alert"),
    ]  # fmt: skip


def test_what_cannot_be_decided_alerts_and_asks_and_is_no_violation():
    _, rows = left(World(policies=[policy("p", "amount < 5")]))
    assert kinds(rows) == ["alert", "attention"]
    assert "cannot be decided" in rows[0].message


def test_no_row_holds_what_an_evaluator_said_about_the_facts():
    decision, _ = left(World(policies=[policy("p", "false", action="review")]))
    (applied,) = decision.policies
    rules = [
        msgspec.structs.replace(each, rationale="canary", evidence=("canary",)) for each in applied.rules
    ]
    quoting = msgspec.structs.replace(applied, rules=tuple(rules))
    rows = effects_of(msgspec.structs.replace(decision, policies=(quoting,)), read({}), caller())
    assert kinds(rows) == ["violation", "alert", "attention"]
    assert b"canary" not in msgspec.json.encode(rows)


def test_a_held_tool_call_waits_for_an_approval_of_the_exact_call():
    world = World(policies=[policy("p", "false", action="review"), policy("q", "false", action="alert")])
    decision, rows = left(world, agent_id="bot", workspace_id="w1", **CALL)
    assert kinds(rows) == ["violation", "alert", "violation", "alert", "approval", "attention"]
    approval, attention = rows[-2:]
    assert (approval.tool, approval.call_digest) == ("pay", call_digest(read(CALL).tool_call))
    assert [each.id for each in approval.policies] == ["p"]
    assert approval.expires_ms == approval.occasion.at_ms + 1000
    assert (attention.type, attention.policy.id) == ("approval", "p")
    assert [each.id for each in decision.obligations] == [approval.id, attention.id]


def test_nothing_waits_for_an_approval_of_a_block():
    world = World(policies=[policy("p", "false", action="review"), policy("q", "false", action="block")])
    _, rows = left(world, **CALL)
    assert "approval" not in kinds(rows)
    assert [row.type for row in rows if hasattr(row, "type")] == ["policy_review"]


def test_a_rule_can_ask_for_attention_under_any_action():
    rule = {"type": "nl", "text": "x", "effect": "flag", "attention": True}
    world = World(policies=[policy("p", rule, action="log")], evaluator=ScriptedEvaluator({"x": "violated"}))
    decision, rows = left(world)
    assert (decision.outcome, kinds(rows), rows[-1].type) == ("flag", ["alert", "attention"], "escalation")


def test_undecided_rules_of_the_request_hold_the_call_as_one_policy():
    decision, rows = left(World(), policy_rules=["amount < 5"], **CALL)
    assert kinds(rows) == ["approval", "attention"]
    assert [(each.id, each.digest) for each in holding(decision)] == [("", decision.extra_rules_digest)]


def test_the_occasion_says_who_where_and_when():
    _, rows = left(
        World(policies=[policy("p", "false", risk="LOW", version=3)]),
        agent_id="bot", user_id="u", conversation_id="c", repo_id="r1", model="m", provider="o", host="h",
    )  # fmt: skip
    occasion, found = rows[0].occasion, rows[0].policy
    assert (occasion.tenant_id, occasion.agent_id, occasion.user_id, occasion.key_id) == (
        "acme",
        "bot",
        "u",
        "key_1",
    )
    assert (occasion.workspace_id, occasion.repo_id, occasion.conversation_id) == ("w1", "r1", "c")
    assert (occasion.model, occasion.provider, occasion.host, occasion.phase) == ("m", "o", "h", "decision")
    assert (occasion.place.workspace_id, occasion.place.repo_id) == ("w1", "r1")
    assert (found.id, found.version, found.risk, found.action) == ("p", 3, "LOW", "block")


def test_the_same_decision_leaves_the_same_rows_with_ids_of_its_receipt():
    world = World(policies=[policy("p", "false", action="review")])
    decision, rows = left(world, **CALL)
    assert rows == left(world, **CALL)[1]
    tail = decision.receipt_id.removeprefix("rcpt_")
    assert [row.id for row in rows] == [f"vio_{tail}_0", f"alr_{tail}_0", f"apr_{tail}", f"att_{tail}_0"]


def test_rows_survive_the_wire():
    _, rows = left(World(policies=[policy("p", "false", action="review")]), **CALL)
    for row in rows:
        assert msgspec.json.decode(msgspec.json.encode(row), type=EffectRow) == row


def judgement(**given):
    return Judgement(**({"evaluator": "model", "tokens_in": 100, "tokens_out": 21} | given))


def spent(judgements, *owned):
    """What is left of what `judgements` cost; `owned` are policies (empty: the request) with their rules."""
    results = {
        ident: tuple(RuleResult(id=f"r{n}", kind="nl", status="satisfied", judgement=by) for n, by in found)
        for ident, found in ((ident, [*enumerate(given)]) for ident, given in owned)
    }
    extra = results.pop("", ())
    world = World(policies=[policy(ident, "true") for ident in results])
    decision = world.decide()
    applied = [msgspec.structs.replace(each, rules=results[each.id]) for each in decision.policies]
    decision = msgspec.structs.replace(
        decision, policies=tuple(applied), extra_rules=extra, evaluators=tuple(judgements)
    )
    rows = effects_of(decision, read({}), caller())
    assert {*kinds(rows)} <= {"evaluation"}
    assert len({each.id for each in rows}) == len(rows)
    return {each.policy_id: (each.tokens_in, each.tokens_out) for each in rows}


def test_each_rule_of_a_call_has_the_same_share_of_it():
    one = judgement()
    assert spent([one], ("p", [one]), ("q", [one, one]), ("", [one])) == {
        "p": (25, 6), "q": (50, 10), "": (25, 5),
    }  # fmt: skip


def test_calls_are_shared_by_those_that_they_were_about():
    first, second = judgement(), judgement(tokens_in=9, tokens_out=0)
    found = spent([first, second], ("p", [first]), ("q", [second]), ("r", [None]))
    assert found == {"p": (100, 21), "q": (9, 0)}


def test_equal_calls_cost_what_both_cost_and_kept_verdicts_nothing():
    one, kept = judgement(), judgement(cached=True)
    assert spent([one, one, kept], ("p", [one]), ("q", [one]), ("r", [kept])) == {
        "p": (100, 21), "q": (100, 21),
    }  # fmt: skip
    assert spent([judgement()], ("p", [None])) == {"": (100, 21)}


@given(
    st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 500)), min_size=1, max_size=3, unique=True),
    st.lists(st.lists(st.integers(0, 2), max_size=4), min_size=1, max_size=4),
)
def test_all_shares_together_are_what_was_spent(costs, asked):
    calls = [judgement(tokens_in=tokens_in, tokens_out=tokens_out) for tokens_in, tokens_out in costs]
    owned = [(f"p{n}", [calls[i % len(calls)] for i in each]) for n, each in enumerate(asked)]
    found = spent(calls, *owned)
    assert sum(each[0] for each in found.values()) == sum(each.tokens_in for each in calls)
    assert sum(each[1] for each in found.values()) == sum(each.tokens_out for each in calls)
