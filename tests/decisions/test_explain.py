import asyncio

from bylaw.decisions.explain import explain
from bylaw.decisions.request import read
from bylaw.decisions.select import CONDITION_STEPS
from bylaw.evaluators.offline import OfflineEvaluator
from bylaw.evaluators.scripted import ScriptedEvaluator
from tests.decisions.world import World, agent, caller, place, policy


def explained(world, by=None, **request):
    by = caller("decisions:write", "policy:read") if by is None else by
    return asyncio.run(explain(world.engine(), read(request), by))


def test_why_shows_every_clause_with_its_value():
    world = World(policies=[policy("p", "amount < 5000 && vendor == 'ok'", conditions={"tier": "gold"})])
    found = explained(world, metadata={"amount": 6000, "vendor": "ok", "tier": "gold"})
    (why,) = found.why
    assert [(key.key, key.found, key.state) for key in why.conditions] == [("tier", "gold", "applies")]
    (rule,) = why.rules
    assert rule.explanation["status"] == "violated"
    (cause,) = rule.explanation["causes"]
    assert (cause["path"], cause["seen"], cause["needs"], cause["than"]) == ("amount", "6000", "<", "5000")
    assert (found.decision.receipt_id, found.decision.outcome) == (None, "block")


def test_why_looks_at_as_much_as_the_decision_did():
    many = ["x"] * 4 * CONDITION_STEPS
    conditions = {"a": {"contains": "y"}, "b": {"contains": "x"}}
    world = World(policies=[policy("p", "true", conditions=conditions)])
    found = explained(world, metadata={"a": [*many[: len(many) // 2], "y"], "b": many})
    (why,) = found.why
    assert [(key.key, key.state) for key in why.conditions] == [("a", "applies"), ("b", "undetermined")]
    assert found.decision.policies[0].conditions.unclear == ("b",)


def test_why_not_names_the_nearest_miss_first():
    world = World(
        policies=[
            policy("far", "true", where=place("w2")),
            policy("unbound", "true", reach="bound"),
            policy("other-topic", "true", topic="pricing"),
            policy("gold", "true", conditions={"tier": "gold"}),
            policy("applies", "true"),
        ],
        agents=[agent("bot", "gone")],
        dormant=["gone"],
    )
    found = explained(world, agent_id="bot", topics=["returns"], metadata={"tier": "lead"})
    assert [(each.id, each.reason) for each in found.why_not] == [
        ("gold", "conditions"),
        ("other-topic", "topic"),
        ("unbound", "binding"),
        ("far", "place"),
        ("gone", "not_in_force"),
    ]
    assert found.why_not[0].keys[0].found == "lead"


def test_why_not_tells_nothing_of_policies_that_the_caller_may_not_read():
    world = World(policies=[policy("far", "true", where=place("w2")), policy("near", "true", reach="bound")])
    by = caller("decisions:write", "policy:read", where=place("w1"))
    found = explained(world, by, workspace_id="w1")
    assert [each.id for each in found.why_not] == ["near"]


def test_what_is_left_out_is_counted():
    world = World(policies=[policy(f"p{n:03}", "true", where=place("w2")) for n in range(130)])
    found = explained(world, workspace_id="w1")
    assert (len(found.why_not), found.why_not_left) == (100, 30)


def changes_of(world, **request):
    return {each.path: (each.then, each.outcome) for each in explained(world, **request).changes}


def test_changes_are_the_nearest_values_that_satisfy_the_rule():
    rules = [
        "a < 5", "b <= 5", "c == 'x'", "d > 5.5 || d >= 2", "5 > e", "f in ['p', 'q']",
        "tools_used.contains('t')", "deep.list[1] == 2", "tool_call.arguments.n < 1", "flag",
    ]  # fmt: skip
    world = World(policies=[policy("p", *rules)])
    found = changes_of(
        world,
        tools_used=["s"],
        tool_call={"name": "pay", "arguments": {"n": 3}},
        metadata={
            "a": 9,
            "b": 9,
            "c": "y",
            "d": 1,
            "e": 9,
            "f": "z",
            "deep": {"list": [1, 1]},
            "flag": False,
        },
    )
    assert {path: then for path, (then, _) in found.items()} == {
        "metadata.a": 4,
        "metadata.b": 5,
        "metadata.c": "x",
        "metadata.d": 2,
        "metadata.e": 4,
        "metadata.f": "p",
        "tools_used": ["s", "t"],
        "metadata.deep.list.1": 2,
        "tool_call.arguments.n": 0,
        "metadata.flag": True,
    }


def test_a_change_says_what_the_whole_decision_would_be():
    world = World(policies=[policy("p", "a < 5"), policy("q", "b < 5", action="review")])
    assert changes_of(world, metadata={"a": 5, "b": 1}) == {"metadata.a": (4, "allow")}
    assert changes_of(world, metadata={"a": 5, "b": 9}) == {
        "metadata.a": (4, "review"),
        "metadata.b": (4, "block"),
    }


def test_a_change_that_does_not_satisfy_the_rule_is_not_offered():
    world = World(policies=[policy("p", "a < 5 && b < 5", "a > 10")])
    found = explained(world, metadata={"a": 6, "b": 6})
    assert [(each.path, each.rule_id) for each in found.changes] == [("metadata.a", "r2")]


def test_rules_of_the_request_are_explained_too():
    found = explained(World(), metadata={"a": 6}, policy_rules=["a < 5"])
    assert [each.id for each in found.why] == [""]
    assert [(each.policy_id, each.rule_id, each.outcome) for each in found.changes] == [("", "x1", "allow")]


def test_where_an_evaluator_would_be_asked_again_the_outcome_is_not_promised():
    world = World(policies=[policy("p", "a < 5", "nl:x")], evaluator=ScriptedEvaluator({"x": "satisfied"}))
    (change,) = explained(world, metadata={"a": 6}).changes
    assert change.outcome is None


def test_a_path_that_is_not_sent_is_looked_for_in_metadata_only():
    world = World(
        policies=[policy("p", "vendor.ok == true || 1 > 2", "list[5] == 1 || 1 > 2", "s > 'b'", "n < 1.5")]
    )
    found = explained(world, metadata={"vendor": {"ok": 1}, "list": [1], "s": "a", "n": 2})
    assert [each.path for each in found.changes] == ["metadata.vendor.ok"]


def test_a_change_that_is_no_longer_a_request_is_not_offered():
    world = World(policies=[policy("p", "phase == 'elsewhere'")])
    assert explained(world, phase="output").changes == ()


def test_a_flag_is_turned_over_and_what_is_absent_is_not_made_up():
    world = World(policies=[policy("p", "off != true", "has(ticket)")])
    assert changes_of(world, metadata={"off": True}) == {"metadata.off": (False, "block")}
    assert changes_of(world) == {}


def test_no_more_changes_are_offered_than_anybody_reads():
    world = World(policies=[policy("p", *[f"n{number} < 5" for number in range(30)])])
    found = explained(world, metadata={f"n{number}": 9 for number in range(30)})
    assert len(found.changes) == 20


def test_rules_that_cost_much_are_explained_as_far_as_the_steps_of_one_rule_go():
    loop = "[1,2,3,4,5,6,7,8,9,10].all({}, {})"
    costly = "true"
    for name in "abcd":
        costly = loop.format(name, costly)
    found = explained(World(), policy_rules=["metadata.x < 1", *[costly] * 30], metadata={"x": 1})
    (why,) = found.why
    assert 2 <= len(why.rules) < 12
    assert found.rules_left == 31 - len(why.rules)
    assert {rule.explanation["status"] for rule in why.rules} == {"violated", "satisfied"}
    assert [(change.path, change.then) for change in found.changes] == [("metadata.x", 0)]


def test_a_rule_in_words_says_who_judged_it_and_what_is_looked_for():
    world = World(
        policies=[policy("p", "nl:Never mention 'urgent'.", "nl:Be kind.")],
        evaluator=OfflineEvaluator(),
        model=ScriptedEvaluator({"Be kind.": {"status": "satisfied", "basis": "model"}}),
    )
    found = explained(world, phase="output", agent_output="hello", policy_rules=["Be brief."])
    first, second = found.why[0].judged
    assert (first.status, first.by, first.basis) == ("satisfied", "offline", "pattern")
    assert "'urgent'" in first.how
    assert (second.status, second.by, second.basis, bool(second.why)) == (
        "satisfied",
        "scripted",
        "model",
        True,
    )
    (own,) = found.why[1].judged
    assert (own.status, own.by, own.basis, own.code) == ("indeterminate", "scripted", "", "abstained")
