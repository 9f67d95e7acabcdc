import asyncio

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw.core.canonical_json import digest
from bylaw.core.clock import ManualClock
from bylaw.core.errors import DeadlineExceeded, InvalidInput, Unavailable
from bylaw.core.ids import Ids
from bylaw.decisions.engine import Engine
from bylaw.decisions.extra import MAX_EXTRA_TEXT
from bylaw.decisions.judge import DECISION_STEPS
from bylaw.decisions.model import Decision
from bylaw.decisions.request import read
from bylaw.decisions.snapshot import Snapshots
from bylaw.evaluators.offline import OfflineEvaluator
from bylaw.evaluators.panel import Panel
from bylaw.evaluators.scripted import ScriptedEvaluator
from tests.decisions.world import HERE, World, agent, caller, place, policy


def rule_of(decision, policy_id="p", position=0):
    found = next(each for each in decision.policies if each.id == policy_id)
    return found.rules[position]


def test_a_decision_says_everything_about_itself():
    decision = World(policies=[policy("p", "true", risk="HIGH")]).decide(workspace_id="w1", repo_id="r1")
    assert decision.receipt_id.startswith("rcpt_")
    assert (decision.decided_at, decision.snapshot_revision) == ("2026-01-01T00:00:00.000Z", 1)
    assert (decision.workspace_id, decision.repo_id, decision.risk) == ("w1", "r1", "LOW")
    assert decision.reasons == ("No rule speaks against it.",)
    assert msgspec.json.decode(msgspec.json.encode(decision), type=Decision) == decision


def test_a_dry_run_has_no_receipt():
    decision = World(policies=[policy("p", "false", action="review")]).decide(
        dry_run=True, phase="tool_call", tool_call={"name": "pay"}
    )
    assert (decision.receipt_id, decision.dry_run, decision.outcome) == (None, True, "review")
    assert [each.id for each in decision.obligations] == ["", ""]


def test_the_digest_covers_every_version_and_rule_that_applied():
    policies = [
        policy("b", "true"),
        policy("a", "false", version=3),
        policy("c", "true", conditions={"x": 1}),
    ]
    decision = World(policies=policies).decide(metadata={"x": 2}, policy_rules=["1 < 2"])
    versions = [{"digest": each.digest, "id": each.id, "version": each.version} for each in decision.policies]
    assert [each["id"] for each in versions] == ["a", "b"]
    assert decision.extra_rules_digest == digest(
        [{"effect": "reject", "id": "x1", "kind": "deterministic", "text": "1 < 2"}]
    )
    said = {"extra_rules_digest": decision.extra_rules_digest, "policies": versions}
    assert decision.effective_rules_digest == digest(said)


@given(st.text(min_size=1, max_size=20))
def test_the_digest_is_canonical_for_any_id(ident):
    decision = World(policies=[policy(ident, "true", name="n")]).decide()
    (applied,) = decision.policies
    said = {"digest": applied.digest, "id": ident, "version": 1}
    assert decision.effective_rules_digest == digest({"extra_rules_digest": "", "policies": [said]})


def test_an_indeterminate_rule_names_the_missing_path():
    rule = rule_of(World(policies=[policy("p", "vendor.risk < 5")]).decide(metadata={"vendor": {}}))
    assert (rule.status, rule.code, rule.path) == ("indeterminate", "missing", "vendor.risk")
    assert rule.message.startswith("`vendor.risk < 5` cannot be decided: ")


LONG = "flights[0].prices.economy < 5 && " + " && ".join(f"'{letter * 20}' != ''" for letter in "abcdefgh")


def test_a_sentence_calls_a_rule_by_the_id_that_its_author_chose():
    rules = [{"id": "price", "expr": LONG}, {"id": "tone", "text": "be kind " * 50}]
    price, tone = World(policies=[policy("p", *rules)]).decide().policies[0].rules
    assert price.message == "`price` cannot be decided: `flights` is missing."
    assert tone.message.startswith("`tone` is not decided: ")


@pytest.mark.parametrize("rule", [LONG, f"false && {LONG}", "nl:" + "be kind, " * 50 + "always"])
def test_a_sentence_cuts_a_long_rule_that_only_has_a_number(rule):
    said = rule_of(World(policies=[policy("p", rule)]).decide()).message
    assert said.startswith(f"`{rule.removeprefix('nl:')[:119]}…` ")


def test_metadata_is_reachable_in_full_under_a_field_that_hides_it():
    world = World(policies=[policy("p", "model == 'a' && metadata.model == 'b'")])
    assert world.decide(model="a", metadata={"model": "b"}).outcome == "allow"


def test_a_verdict_is_recorded_with_everything_about_it():
    said = {"status": "violated", "rationale": "It insults.", "evidence": ["you fool"], "confidence": 0.75}
    world = World(policies=[policy("p", "nl:be kind")], evaluator=ScriptedEvaluator({"be kind": said}))
    decision = world.decide(agent_output="Oh you fool.")
    rule = rule_of(decision)
    assert (rule.status, rule.basis, rule.message) == ("violated", "model", "be kind")
    assert (rule.rationale, rule.evidence, rule.confidence) == ("It insults.", ("you fool",), 0.75)
    assert rule.judgement is decision.evaluators[0]
    assert (rule.judgement.evaluator, rule.judgement.model) == ("scripted", "script")


def test_an_invented_quote_voids_the_verdict():
    said = {"status": "violated", "evidence": ["you idiot"]}
    world = World(policies=[policy("p", "nl:be kind")], evaluator=ScriptedEvaluator({"be kind": said}))
    rule = rule_of(world.decide(agent_output="Oh you fool."))
    assert (rule.status, rule.code) == ("indeterminate", "evidence_not_found")


def test_an_evaluator_sees_what_is_said_and_done_but_not_who_and_where():
    world = World(policies=[policy("p", "nl:x")])
    world.decide(
        agent_id="a",
        user_id="u",
        workspace_id="w1",
        agent_output="hi",
        tool_call={"name": "pay"},
        metadata={"k": 1},
    )
    (batch,) = world.evaluator.batches
    assert batch.facts == {
        "phase": "tool_call",
        "agent_output": "hi",
        "metadata": {"k": 1},
        "tool_call": {"name": "pay", "arguments": {}},
    }
    assert [question.id for question in batch.questions] == ["p/r1"]


@pytest.mark.parametrize("action", ["log", "alert", "review", "block"])
def test_a_failing_evaluator_is_never_a_pass_for_a_policy_that_acts(action, caplog):
    evaluator = ScriptedEvaluator({"x": OSError("down")})
    decision = World(policies=[policy("p", "nl:x", action=action)], evaluator=evaluator).decide()
    rule = rule_of(decision)
    assert (rule.status, rule.code) == ("indeterminate", "evaluator_failed")
    assert not decision.compliant
    assert decision.outcome == {"log": "allow", "alert": "flag"}.get(action, "review")
    assert "evaluator scripted failed" in caplog.text


def test_a_late_evaluator_is_indeterminate():
    evaluator = ScriptedEvaluator({"x": "satisfied"}, release=asyncio.Event())
    world = World(policies=[policy("p", "nl:x")], evaluator=evaluator)
    engine = world.engine(timeout_ms=1)
    decision = asyncio.run(engine.decide(read({}), caller()))
    assert (rule_of(decision).code, decision.outcome) == ("deadline", "review")


class Ticks:
    """A clock of nanoseconds that moves by `step_ms` whenever it is read."""

    def __init__(self, step_ms: int) -> None:
        self.now, self.step = 0, step_ms * 1_000_000

    def __call__(self) -> int:
        self.now += self.step
        return self.now


def test_a_deadline_that_leaves_nothing_for_the_evaluator_does_not_ask_it():
    world = World(policies=[policy("p", "nl:x")])
    engine = world.engine(ticks=Ticks(10))
    with pytest.raises(DeadlineExceeded):
        asyncio.run(engine.decide(read({"deadline_ms": 10}), caller()))
    assert world.evaluator.batches == []


def test_an_evaluator_gets_what_is_left_of_the_deadline_less_a_reserve():
    world = World(policies=[policy("p", "nl:x")])
    decision = asyncio.run(world.engine(ticks=Ticks(10)).decide(read({"deadline_ms": 1000}), caller()))
    assert world.evaluator.batches[0].timeout_ms == 1000 - 10 - 100 - 10
    assert decision.duration_us == 60_000


def test_a_decision_that_is_over_its_deadline_is_not_given():
    world = World(policies=[policy("p", "true")])
    with pytest.raises(DeadlineExceeded):
        asyncio.run(world.engine(ticks=Ticks(20)).decide(read({"deadline_ms": 20}), caller()))


def test_rules_that_use_up_the_decision_leave_the_rest_undecided_and_no_weaker():
    heavy = "items.all(a, items.all(b, items.all(c, c + a + b > 0)))"
    count = DECISION_STEPS // 100_000 + 2
    policies = [policy(f"a{number:02}", heavy, action="log") for number in range(count)]
    world = World(policies=[*policies, policy("z", "amount < 5", action="block")])
    decision = world.decide(metadata={"items": list(range(1, 200)), "amount": 9})
    last = decision.policies[-1]
    assert (last.rules[0].status, last.rules[0].code) == ("indeterminate", "decision_budget")
    assert (last.outcome, decision.outcome) == ("block", "block")


def test_a_rule_that_gets_no_further_with_what_is_left_counts_as_violated():
    heavy = "items.all(a, items.all(b, items.all(c, c + a + b > 0)))"
    world = World(policies=[policy("a", heavy, action="log"), policy("b", heavy, action="block")])
    decision = world.decide(metadata={"items": list(range(1, 200))})
    assert (rule_of(decision, "a").code, rule_of(decision, "b").code) == ("budget", "decision_budget")
    assert decision.outcome == "block"


@pytest.mark.parametrize(
    "rule",
    [
        "a < 5 || " * 20 + "a < 4567",
        {"type": "nl", "text": "x" * 188},
        {"type": "nl", "text": "x", "message": "m" * 187},
    ],
)
def test_the_rules_of_a_request_have_a_bounded_size_together(rule):
    fits = MAX_EXTRA_TEXT // 188
    assert len(World().decide(policy_rules=[rule] * fits).extra_rules) == fits
    with pytest.raises(InvalidInput) as caught:
        World().decide(policy_rules=[rule] * (fits + 1))
    assert [problem.path for problem in caught.value.problems] == ["policy_rules"]


@pytest.mark.parametrize(
    ("conditions", "request_"),
    [
        ({"keywords": [f"k{number}" for number in range(1_000)]}, {"user_intent": "lorem ipsum " * 10_000}),
        ({"keywords": ["a"]}, {"user_intent": "a" * 100_000}),
        ({"tag": {"in": list(range(100))}}, {"metadata": {"tag": ["x"] * 10_000}}),
        ({"tag": {"eq": 1}}, {"metadata": {"tag": ["x"] * 1_000_000}}),
        ({"tag": {"contains": 1}}, {"metadata": {"tag": ["x"] * 1_000_000}}),
    ],
)
def test_conditions_that_search_too_much_leave_their_policy_applied(conditions, request_):
    decision = World(policies=[policy("p", "1 > 2", conditions=conditions)]).decide(**request_)
    assert decision.policies[0].conditions.state == "undetermined"
    assert decision.outcome == "block"


def test_a_tenant_without_a_snapshot_is_unavailable():
    clock = ManualClock()
    engine = Engine(
        snapshots=Snapshots(), panel=Panel(offline=OfflineEvaluator()), clock=clock, ids=Ids(clock)
    )
    with pytest.raises(Unavailable):
        asyncio.run(engine.decide(read({}), caller()))


def test_the_deterministic_path_never_waits():
    """The whole decision is one step of its coroutine: nothing else runs in between."""
    engine = World(policies=[policy("p", "true")]).engine()
    with pytest.raises(StopIteration) as finished:
        engine.decide(read({}), caller()).send(None)
    assert finished.value.value.outcome == "allow"


FOUND = st.fixed_dictionaries({key: st.booleans() for key in "ab"} | {"c": st.sampled_from([True, False, 1])})
WAYS = st.sampled_from(
    [
        {},
        {"workspace_id": "w1"},
        {"agent_id": "bound"},
        {"agent_id": "lost"},
        {"agent_id": "anyone", "workspace_id": "w1"},
        {"policy_id": "named"},
        {"topics": ["money"]},
        {"policy_rules": ["a"]},
    ]
)


@given(st.lists(st.tuples(FOUND, WAYS), min_size=2, max_size=12), st.booleans())
def test_what_was_found_before_changes_no_later_decision(requests, conditional):
    policies = [
        policy("p", "a", "b", action="review"),
        policy("q", "b", "c", where=place("w1"), risk="HIGH"),
        policy("money", "c", topic="money"),
        policy("bound", "a", reach="bound"),
        policy("named", "b", reach="bound"),
    ]
    if conditional:
        policies.append(policy("only", "a", conditions={"b": True}))
    agents = [agent("bound", "bound"), agent("lost", "gone", where=HERE, require_policy=True)]

    world = World(policies=policies, agents=agents, dormant=["gone"])
    by = caller("decisions:write", "policy:write")
    engine = world.engine()
    for found, way in requests:
        request = way | {"metadata": found}
        decision = asyncio.run(engine.decide(read({"dry_run": True} | request), by))
        assert decision == world.decide(by, dry_run=True, **request)
