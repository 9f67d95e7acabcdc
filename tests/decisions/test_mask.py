"""What policies withhold of a request from those who are shown it."""

import asyncio
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec import UNSET

from bylaw.decisions import mask as masks
from bylaw.decisions.effects import AlertEffect, AttentionEffect, effects_of
from bylaw.decisions.explain import explain
from bylaw.decisions.request import read
from bylaw.evaluators.offline import OfflineEvaluator
from bylaw.evaluators.scripted import ScriptedEvaluator
from bylaw.policies.mask import SHOWN
from tests.decisions.world import World, caller, policy
from tests.reference.masks import MASKED

EVERY_KIND = ["email", "iban", "card", "phone"]
ORDERS = {"orders": [{"id": 1, "email": "kim@example.org"}, {"id": 2}], "total": 2}


def decide(*policies, **request):
    return World(policies=policies).decide(**{"phase": "tool_result", **request})


def shown(mask, result, **content):
    """What is shown of a tool result, the result itself when nothing is withheld."""
    decision = decide(policy("p", mask=mask, **content), tool_result=result)
    return result if decision.masked is UNSET else decision.masked["tool_result"]


def test_a_field_is_withheld_and_the_rest_is_not():
    mask = {"fields": ["tool_result.orders.*.email", "tool_result.absent.name"]}
    decision = decide(policy("p", mask=mask), tool_result=ORDERS)
    assert decision.masked == {"tool_result": {"orders": [{"id": 1, "email": MASKED}, {"id": 2}], "total": 2}}
    assert (decision.outcome, decision.policies[0].status) == ("allow", "satisfied")
    (found,) = decision.policies[0].mask.redactions
    assert (found.path, found.kind, found.count) == ("tool_result.orders.*.email", "field", 1)


def test_personal_data_is_withheld_wherever_it_stands():
    result = {
        "note": "Ask kim@example.org or +49 30 1234567.",
        "paid": ["4111 1111 1111 1111 12/27", 4111111111111111, "DE89 3704 0044 0532 0130 00 EUR"],
        "by": {"kim@example.org": 1, "li@example.org": 2},
        "id": 12,
        "at": 1731234567890,
    }
    assert shown({"personal_data": EVERY_KIND}, result) == {
        "note": "Ask [email] or [phone].",
        "paid": ["[card] 12/27", "[card]", "[iban] EUR"],
        "by": {"[email]": 1, "[email] 2": 2},
        "id": 12,
        "at": 1731234567890,
    }


def test_only_what_is_named_is_withheld():
    result = {"note": "Ask kim@example.org or +49 30 1234567."}
    assert shown({"personal_data": ["phone"]}, result) == {"note": "Ask kim@example.org or [phone]."}


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        ("jürgen@müller.example!", "[email]!"),
        ("write a.b+c@x-y.co.uk-now", "write [email]-now"),
        ("@home, 5 @ 3, z.y", "@home, 5 @ 3, z.y"),
        ("_kim@example.org_, card_4111111111111111", "[email]_, card_[card]"),
        ("de89-3704-0044-0532-0130-00 by law\u00adsuit", "[iban] by lawsuit"),
        ("4\u00ad111\xa01111\u20131111.1111", "[card]"),
        ("2024-05-15 15:00:00, HAT001, 1,204.50", "2024-05-15 15:00:00, HAT001, 1,204.50"),
        ("order 1234 4111 1111 1111 1111", "order 1234 [card]"),
        ("4111111111111112 and 0000000000000000", "4111111111111112 and 0000000000000000"),
        ("BE68 5390 0754 7034 PAID 100", "[iban] PAID 100"),
        ("GB82 WEST 1234 5698 7654 33", "GB82 WEST 1234 5698 7654 33"),
        ("+1 (212) 555-0100, 212-555-0100", "[phone], [phone]"),
    ],
)
def test_personal_data_is_what_its_shape_and_checksum_say(text, seen):
    assert shown({"personal_data": EVERY_KIND}, text) == seen


@pytest.mark.parametrize("number", [4111111111111111, 4111111111111111.0, -4111111111111111])
def test_a_number_with_the_digits_of_a_card_is_withheld(number):
    assert shown({"personal_data": ["card"]}, {"paid": number}) == {"paid": "[card]"}


@pytest.mark.parametrize("number", [True, 5, 1e300, -1e18, 0.5, 2**70, 4111111111111112])
def test_other_numbers_are_shown(number):
    assert shown({"personal_data": ["card"]}, {"paid": number}) == {"paid": number}


DOUBTFUL = [
    ("email", "kim@example.org1"),
    ("iban", "IBANDE89370400440532013000"),
    ("card", "4111111111111111USD"),
    ("phone", "(+) 49/30/1234567"),
]


@pytest.mark.parametrize(("kind", "text"), DOUBTFUL)
def test_a_text_that_is_only_like_personal_data_is_withheld_whole_and_the_policy_is_undecided(kind, text):
    result = {"note": f"see {text}", "total": 3}
    decision = decide(policy("p", mask={"personal_data": [kind]}), tool_result=result)
    found = decision.policies[0]
    assert (decision.outcome, found.status) == ("review", "indeterminate")
    assert (found.mask.code, found.mask.path) == ("mask_doubt", "tool_result")
    assert decision.masked == {"tool_result": {"note": MASKED, "total": 3}}
    assert [(each.kind, each.count) for each in found.mask.redactions] == [(kind, 1)]
    assert text not in str(decision.reasons)
    closed = decide(policy("p", mask={"personal_data": [kind]}, on_indeterminate="block"), tool_result=result)
    assert (closed.outcome, closed.masked) == ("block", UNSET)


SPELLED = [
    ("email", "write to maria dot lopez at example dot com"),
    ("email", "maria dot lopez at example.com"),
    ("email", "Maria [at] example [dot] org, please"),
    ("email", "maria(at)example.org"),
    ("email", "maria @ example dot net"),
    ("phone", "call five five five, oh one two three four"),
    ("card", "four one one one double one 11 one one one one one one one one one"),
]
NOT_SPELLED = [
    "At this point in time, it is at the dot com store. Look at example.com.",
    "They met at noon (at work), at five past two.",
    "One two three, and one or two more.",
    "It ships at four. Ten of them: 1 2 3 4 5 6 7 8.",
]


@pytest.mark.parametrize(("kind", "text"), SPELLED)
def test_a_text_that_spells_personal_data_out_is_withheld_whole(kind, text):
    decision = decide(policy("p", mask={"personal_data": [kind]}), tool_result={"note": text, "total": 3})
    assert decision.masked == {"tool_result": {"note": MASKED, "total": 3}}
    assert (decision.outcome, decision.policies[0].mask.code) == ("review", "mask_doubt")


@pytest.mark.parametrize("text", NOT_SPELLED)
def test_a_text_that_spells_nothing_out_is_shown(text):
    decision = decide(policy("p", mask={"personal_data": ["email", "card"]}), tool_result={"note": text})
    assert decision.masked is UNSET
    assert decision.outcome == "allow"


def test_a_doubt_about_one_kind_leaves_other_masks_decided():
    one, two = policy("a", mask={"personal_data": ["email"]}), policy("b", mask={"personal_data": ["card"]})
    decision = decide(one, two, tool_result="kim@example.org paid 4111111111111111USD")
    assert [each.status for each in decision.policies] == ["satisfied", "indeterminate"]
    assert decision.masked == {"tool_result": MASKED}


TOLD = "The output must not contain emails."


def quoting(*, action="alert", mask=None, evidence=("kim@example.org", "write"), rationale="It has kim@."):
    """A decision of a policy whose rule an evaluator found broken, quoting what it found."""
    said = {"status": "violated", "evidence": list(evidence), "rationale": rationale}
    asking = policy("p", f"nl:{TOLD}", action=action, mask=mask)
    world = World(policies=[asking], evaluator=ScriptedEvaluator({TOLD: said}))
    return world.decide(
        phase="output", agent_output="write kim@example.org", metadata={"by": "kim@example.org"}
    )


@pytest.mark.parametrize("action", ["log", "alert", "review", "block"])
def test_quotes_of_what_is_masked_are_masked_as_well(action):
    decision = quoting(action=action, mask={"personal_data": ["email"]})
    (rule,) = decision.policies[0].rules
    assert (rule.evidence, rule.rationale) == ((MASKED, "write"), MASKED)
    assert "kim" not in str(decision)


def test_quotes_stay_where_nothing_is_masked():
    (rule,) = quoting(mask={"fields": ["tool_result.ssn"]}).policies[0].rules
    assert (rule.evidence, rule.rationale) == (("kim@example.org", "write"), "It has kim@.")


def test_what_the_offline_evaluator_says_is_masked_by_its_quotes_alone():
    asking = policy("p", f"nl:{TOLD}", action="alert", mask={"personal_data": ["email"]})
    world = World(policies=[asking], evaluator=OfflineEvaluator())
    (rule,) = world.decide(phase="output", agent_output="write kim@example.org").policies[0].rules
    assert (rule.status, rule.evidence, rule.rationale) == (
        "violated",
        (MASKED,),
        "It stands in the agent's answer.",
    )


def test_no_reason_and_no_effect_holds_a_value():
    rule = "int(tool_result.ssn) > 0"
    request = {"phase": "tool_result", "tool_result": {"ssn": "078-05-1120"}}
    for action in ("alert", "review"):
        decision = World(policies=[policy("p", rule, action=action)]).decide(**request)
        rows = effects_of(decision, read(request), caller())
        assert "`tool_result.ssn` is string" in decision.reasons[0]
        assert rows
        assert "078-05" not in str(decision) + str(rows)


@pytest.mark.parametrize(
    ("phase", "parts"),
    [
        ("input", {"user_intent", "messages"}),
        ("tool_call", set()),
        ("tool_result", {"tool_result"}),
        ("output", {"agent_output"}),
        ("decision", {"user_intent", "messages", "tool_result", "agent_output"}),
    ],
)
def test_the_phase_says_what_is_shown(phase, parts):
    said = "kim@example.org"
    request = {
        "user_intent": said, "agent_output": said, "tool_result": said, "rationale": said,
        "messages": [{"role": "user", "content": said}], "metadata": {"by": said},
        "tool_call": {"name": "mail", "arguments": {"to": said}},
    }  # fmt: skip
    decision = decide(policy("p", mask={"personal_data": ["email"]}), phase=phase, **request)
    assert set(decision.masked or {}) == parts == set(SHOWN[phase])
    assert "kim" not in json.dumps(decision.masked or {})


@pytest.mark.parametrize(("result", "place"), [("text", ""), (3, ""), ([], ""), ({"orders": {}}, ".orders")])
def test_what_is_not_of_the_shape_of_a_path_is_withheld_whole_and_held_for_review(result, place):
    mask = {"fields": ["tool_result.orders.*.email"]}
    decision = decide(policy("p", mask=mask), tool_result=result)
    found = decision.policies[0]
    assert (decision.outcome, found.status) == ("review", "indeterminate")
    assert (found.mask.code, found.mask.path) == ("mask_shape", f"tool_result{place}")
    assert decision.masked == {"tool_result": {"orders": MASKED} if place else MASKED}
    assert decision.reasons == (f"p: {found.mask.message}",)
    assert decision.risk == "MEDIUM"


@pytest.mark.parametrize("result", [{}, {"orders": None}, {"orders": []}, {"orders": [None, {"id": 1}]}])
def test_where_there_is_nothing_to_withhold_nothing_is(result):
    decision = decide(policy("p", mask={"fields": ["tool_result.orders.*.email"]}), tool_result=result)
    assert (decision.outcome, decision.masked, decision.policies[0].mask) == ("allow", UNSET, None)


def test_one_item_of_another_shape_does_not_withhold_its_neighbours():
    result = {"orders": ["odd", {"id": 1, "email": "kim@example.org"}]}
    mask = {"fields": ["tool_result.orders.*.email"]}
    assert shown(mask, result) == {"orders": [MASKED, {"id": 1, "email": MASKED}]}


def test_a_mask_that_fails_means_what_the_policy_says_of_the_undecided():
    mask = {"fields": ["tool_result.a"]}
    for said, outcome in (("allow", "allow"), ("flag", "flag"), ("block", "block")):
        decision = decide(policy("p", mask=mask, on_indeterminate=said), tool_result="odd")
        assert decision.outcome == outcome
        assert (decision.masked is UNSET) is (outcome == "block")
        redactions = decision.policies[0].mask.redactions
        assert (redactions == ()) is (outcome == "block")


def test_a_block_shows_nothing():
    decision = decide(policy("a", mask={"fields": ["tool_result"]}), policy("b", "false"), tool_result=ORDERS)
    assert (decision.outcome, decision.masked, decision.policies[0].mask) == ("block", UNSET, None)


def test_masks_of_several_policies_add_up():
    one = policy("a", mask={"fields": ["tool_result.orders.*.email"]})
    two = policy("b", mask={"fields": ["tool_result.total"], "personal_data": ["email"]})
    decision = decide(one, two, tool_result={**ORDERS, "note": "kim@example.org"})
    assert decision.masked["tool_result"] == {
        "orders": [{"id": 1, "email": MASKED}, {"id": 2}],
        "total": MASKED,
        "note": "[email]",
    }
    assert [[each.path for each in found.mask.redactions] for found in decision.policies] == [
        ["tool_result.orders.*.email"],
        ["tool_result.total", "tool_result"],
    ]


def test_undetermined_conditions_withhold_all_the_same():
    mask = {"fields": ["tool_result.total"]}
    decision = decide(policy("p", mask=mask, conditions={"region": "eu"}), tool_result=ORDERS)
    assert decision.policies[0].conditions.state == "undetermined"
    assert decision.masked["tool_result"]["total"] == MASKED
    elsewhere = decide(
        policy("p", mask=mask, conditions={"region": "eu"}), tool_result=ORDERS, metadata={"region": "us"}
    )
    assert elsewhere.masked is UNSET


def test_people_are_told_of_a_mask_that_fails():
    request = {"phase": "tool_result", "tool_result": "odd"}
    decision = World(policies=[policy("p", mask={"fields": ["tool_result.a"]})]).decide(**request)
    rows = effects_of(decision, read(request), caller())
    assert [type(row) for row in rows] == [AlertEffect, AttentionEffect]
    assert "tool_result.a" in rows[0].message


words = st.sampled_from(
    ["kim@example.org", "4111 1111 1111 1111", "+49 30 1234567", "DE89370400440532013000", "hello", ".", "-"]
)
texts = st.lists(words | st.text(alphabet="a1@.-+ 4I", max_size=6), max_size=5).map(" ".join)
results = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 10**16) | texts,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc") | texts, inner, max_size=3)
    ),
    max_leaves=10,
)
paths = st.lists(st.sampled_from(["a", "b", "*"]), max_size=3).map(
    lambda steps: ".".join(["tool_result", *steps])
)
some_masks = st.one_of(
    st.fixed_dictionaries({"fields": st.lists(paths, min_size=1, max_size=3)}),
    st.fixed_dictionaries({"personal_data": st.lists(st.sampled_from(EVERY_KIND), min_size=1)}),
)


@settings(max_examples=200, deadline=None)
@given(some_masks, results)
def test_masking_again_changes_nothing(mask, result):
    once = shown(mask, result)
    assert shown(mask, once) == once


@settings(max_examples=200, deadline=None)
@given(st.lists(some_masks, min_size=1, max_size=3), results, st.randoms(use_true_random=False))
def test_masks_together_withhold_what_each_does_in_any_order(made, result, random):
    policies = [policy(f"p{number}", mask=mask) for number, mask in enumerate(made)]
    masked = decide(*policies, tool_result=result).masked
    together = masked["tool_result"] if masked else result
    random.shuffle(policies)
    assert decide(*policies, tool_result=result).masked == masked
    one_by_one = result
    for mask in made:
        assert shown(mask, together) == together
        one_by_one = shown(mask, one_by_one)
    if not any("personal_data" in mask for mask in made):
        assert one_by_one == together


@settings(max_examples=200, deadline=None)
@given(results)
def test_no_personal_data_is_left(result):
    kept = json.dumps(shown({"personal_data": EVERY_KIND}, result))
    assert not any(secret in kept for secret in ("kim@", "4111 1111 1111 1111", "DE89370400440532013000"))


LARGE = 1_000_000
HOSTILE = {
    "digits": "1 " * (LARGE // 2),
    "look-alikes": "AB12 " * (LARGE // 5),
    "addresses": "kim@example.org " * (LARGE // 16),
    "a long list": [{"a": "kim@example.org"}] * 100_000,
    "many keys": {f"k{number}@example.org": number for number in range(30_000)},
    "numbers": [0] * 400_000,
    "what nobody sees": "1\u00ad" * (LARGE // 2),
}


@pytest.mark.parametrize("what", HOSTILE)
async def test_a_large_result_is_masked_or_withheld_and_others_have_their_turn(what):
    mask = {"personal_data": EVERY_KIND, "fields": ["tool_result.*.b"] if what == "a long list" else []}
    engine = World(policies=[policy("p", mask=mask)]).engine()
    request = read({"phase": "tool_result", "tool_result": HOSTILE[what]})
    deciding = asyncio.ensure_future(engine.decide(request, caller()))
    turns = 0
    while not deciding.done():
        await asyncio.sleep(0)
        turns += 1
    decision = deciding.result()
    withheld = decision.policies[0].mask is not None and decision.policies[0].mask.code == "mask_budget"
    assert 10 < turns <= 2 + masks.MASK_STEPS // 1_000
    if withheld:
        assert (decision.outcome, decision.masked) == ("review", {"tool_result": MASKED})
    else:
        assert "@" not in json.dumps(decision.masked["tool_result"] if decision.masked else 0)


def test_more_than_a_decision_has_steps_for_is_withheld_whole(monkeypatch):
    monkeypatch.setattr(masks, "MASK_STEPS", 10)
    mask = {"fields": ["user_intent"], "personal_data": ["email"]}
    request = {"phase": "input", "user_intent": "x", "messages": [{"content": "y"}] * 9}
    decision = decide(policy("p", mask=mask), **request)
    found = decision.policies[0].mask
    assert (decision.outcome, found.code) == ("review", "mask_budget")
    assert decision.masked == {"user_intent": MASKED, "messages": MASKED}
    assert {each.path for each in found.redactions} == {"user_intent", "messages"}


def test_no_depth_is_too_deep():
    result: object = "kim@example.org"
    for _ in range(30_000):
        result = [result]
    seen = shown({"personal_data": ["email"]}, result)
    while isinstance(seen, list):
        (seen,) = seen
    assert seen == "[email]"


async def test_explaining_a_large_masked_request_decides_again_only_so_often():
    limits = [f"amount < {number}" for number in range(1, 9)]
    engine = World(
        policies=[policy("p", *limits, mask={"personal_data": ["email"]}, action="review")]
    ).engine()
    found = {}
    for length in (1, LARGE):
        request = {"phase": "tool_result", "tool_result": "x" * length, "metadata": {"amount": 9}}
        found[length] = await explain(engine, read(request), caller())
    assert len(found[1].changes) == len(limits)
    assert len(found[LARGE].changes) == 1
