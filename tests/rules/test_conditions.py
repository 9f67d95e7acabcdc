import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw.rules import Budget
from bylaw.rules.conditions import Applicability, compile_conditions
from bylaw.rules.spelling import fold


def evaluate(conditions, facts, text: str = "") -> Applicability:
    return compile_conditions(conditions).evaluate(facts, lambda: fold(text))


def state(conditions, facts, text: str = "") -> str:
    return evaluate(conditions, facts, text).state


YES, NO, OPEN = "applies", "does_not_apply", "undetermined"

CASES = [
    # (conditions, facts, state)
    (None, {}, YES),
    ({}, {}, YES),
    ({"tier": "gold"}, {"tier": "gold"}, YES),
    ({"tier": "gold"}, {"tier": "Gold"}, NO),
    ({"tier": "gold"}, {"tier": ["silver", "gold"]}, YES),
    ({"tier": "gold"}, {}, OPEN),
    ({"tier": "gold"}, {"tier": None}, OPEN),
    ({"tier": "gold"}, {"tier": {"name": "gold"}}, OPEN),
    ({"tier": None}, {"tier": None}, YES),
    ({"vip": True}, {"vip": True}, YES),
    ({"vip": True}, {"vip": 1}, NO),
    ({"count": 1}, {"count": 1.0}, YES),
    ({"count": 2**60}, {"count": 2**60 + 1}, NO),
    ({"min_order_value": 500}, {"order_value": 500}, YES),
    ({"min_order_value": 500}, {"order_value": 499.99}, NO),
    ({"minOrderValue": 500}, {"order_value": 500}, YES),
    ({"min_order_value": 500}, {"orderValue": 499}, NO),
    ({"max_order_value": 500}, {"orderValue": 501}, NO),
    ({"max_order_value": 500}, {"orderValue": "501"}, OPEN),
    ({"max_order_value": "2000"}, {"orderValue": 5}, OPEN),
    ({"max_order_value": 500}, {"orderValue": True}, OPEN),
    ({"minutes": 5}, {"minutes": 5}, YES),
    ({"accountTypes": ["end_customer", "dealer"]}, {"account_type": "dealer"}, YES),
    ({"accountTypes": ["end_customer"]}, {"accountTypes": ["dealer"]}, NO),
    ({"category": "a"}, {"categories": ["b", "a"]}, YES),
    ({"boxes": "a"}, {"box": "a"}, YES),
    ({"addresses": ["x"]}, {"address": "x"}, YES),
    ({"status": "open"}, {"status": "open"}, YES),
    ({"statuses": ["open"]}, {"status": "open"}, YES),
    ({"status": "open"}, {"statuses": ["open", "new"]}, YES),
    ({"orderStatuses": ["open"]}, {"order_status": "shut"}, NO),
    ({"orderStatus": "open"}, {"orderStatuses": ["open"]}, YES),
    ({"categories": ["a"]}, {"category": "a"}, YES),
    ({"movies": ["a"]}, {"movie": "a"}, YES),
    ({"movie": "a"}, {"movies": ["a"]}, YES),
    ({"cases": ["a"]}, {"case": "a"}, YES),
    ({"caches": ["a"]}, {"cache": "a"}, YES),
    ({"databases": ["a"]}, {"database": "a"}, YES),
    ({"branches": ["a"]}, {"branch": "a"}, YES),
    ({"branch": "a"}, {"branches": ["a"]}, YES),
    ({"taxes": ["a"]}, {"tax": "a"}, YES),
    ({"min_order_taxes": 5}, {"orderTax": 6}, YES),
    ({"vendor.statuses": ["a"]}, {"vendor": {"status": "a"}}, YES),
    ({"class": "a"}, {"classes": ["a"]}, YES),
    ({"agentId": "a"}, {"agent_id": "a", "agentId": "b"}, YES),
    ({"tool_call.name": "pay"}, {"tool_call": {"name": "pay"}, "tool_call.name": "look"}, YES),
    ({"toolCall.name": "pay"}, {"tool_call": {"name": "pay"}, "toolCall": {"name": "look"}}, YES),
    ({"vendor.tier": "gold"}, {"vendor.tier": "gold", "vendor": {}}, YES),
    ({"accountTypes": []}, {"account_type": "dealer"}, OPEN),
    ({"accountTypes": [{"a": 1}]}, {"account_type": "dealer"}, OPEN),
    ({"accountTypes": ["a", None]}, {"account_type": None}, YES),
    ({"value": {"gt": 5}}, {"value": 5}, NO),
    ({"value": {"gt": 5, "lte": 9}}, {"value": 9}, YES),
    ({"value": {"between": [5, 9]}}, {"value": 9}, YES),
    ({"value": {"between": [5, 9]}}, {"value": 9.5}, NO),
    ({"value": {"between": [5]}}, {"value": 9}, OPEN),
    ({"value": {"lt": float("nan")}}, {"value": 9}, OPEN),
    ({"value": {"ne": "x"}}, {"value": "y"}, YES),
    ({"value": {"ne": "x"}}, {}, OPEN),
    ({"value": {"in": ["x", "y"]}}, {"value": "y"}, YES),
    ({"value": {"not_in": ["x", "y"]}}, {"value": "y"}, NO),
    ({"value": {"not_in": ["x", "y"]}}, {}, OPEN),
    ({"value": {"notIn": ["x", "y"]}}, {"value": "z"}, YES),
    ({"value": {"notIn": ["x", "y"], "not_in": ["z"]}}, {"value": "z"}, NO),
    ({"value": {"NotIn": ["x", "y"]}}, {"value": "y"}, NO),
    ({"value": {"contains": "ell"}}, {"value": "hello"}, YES),
    ({"value": {"contains": "ell"}}, {"value": ["ell"]}, YES),
    ({"value": {"contains": 5}}, {"value": "5"}, OPEN),
    ({"value": {"exists": True}}, {}, NO),
    ({"value": {"exists": False}}, {}, YES),
    ({"value": {"exists": True}}, {"value": None}, NO),
    ({"value": {"exists": True, "gt": 5}}, {}, NO),
    ({"value": {"exists": "yes"}}, {}, OPEN),
    ({"value": {"roughly": 5}}, {"value": 5}, OPEN),
    ({"value": {}}, {"value": {}}, OPEN),
    ({"tool_call.name": "refund"}, {"tool_call": {"name": "refund"}}, YES),
    ({"toolCall.arguments.amount": {"gt": 5}}, {"tool_call": {"arguments": {"amount": 6}}}, YES),
    ({"tool_call.name": "refund"}, {"tool_call.name": "refund"}, YES),
    ({"tool_call.name.x": "refund"}, {"tool_call": {"name": "refund"}}, OPEN),
    ({"tier": "gold", "value": 5}, {"tier": "silver"}, NO),
    ({"tier": "gold", "value": 5}, {"tier": "gold"}, OPEN),
]


@pytest.mark.parametrize(("conditions", "facts", "wanted"), CASES)
def test_conditions_hold_or_not_or_stay_open(conditions, facts, wanted):
    assert state(conditions, facts) == wanted


@pytest.mark.parametrize(
    ("keywords", "text", "wanted"),
    [
        (["refund"], "I want a REFUND!", YES),
        (["refund"], "refunds", NO),
        (["money back"], "my money\n  back, please", YES),
        (["Straße"], "in der STRASSE", YES),
        (["c++"], "I write C++ daily", YES),
        (["fund", "back"], "a refund, fund", YES),
        ("refund", "a refund", YES),
        (["refund"], "", OPEN),
        ([], "refund", OPEN),
        ([5], "5", OPEN),
        ([" "], "a b", OPEN),
        ({"any": ["refund"]}, "refund", OPEN),
    ],
)
def test_keywords_are_phrases_of_the_text(keywords, text, wanted):
    assert state({"keywords": keywords}, {}, text) == wanted
    assert state({"keyword": keywords}, {}, text) == wanted


def test_what_is_missing_and_what_is_unclear_are_named():
    found = evaluate({"keywords": ["a"], "min_order_value": 5, "tier": {"odd": 1}}, {"tier": "gold"})
    assert found == Applicability(state=OPEN, missing=("text", "order_value"), unclear=("tier",))


@pytest.mark.parametrize(
    ("asked", "known"),
    [
        ("categories", "category"),
        ("category", "categories"),
        ("addresses", "address"),
        ("vendorIds", "vendor_id"),
    ],
)
def test_one_and_many_are_one_key(asked, known):
    assert state({asked: "a"}, {known: "a"}) == YES


def test_an_exact_spelling_goes_before_a_tolerant_one():
    assert state({"type": "a"}, {"types": "b", "type": "a"}) == YES


def test_explain_says_what_each_key_asked_and_found():
    tier, value = compile_conditions({"tier": "gold", "value": {"gt": 5}}).explain(
        {"tier": "lead"}, lambda: ""
    )
    assert (tier.key, tier.wanted, tier.found, tier.state) == ("tier", "gold", "lead", NO)
    assert (value.present, value.found, value.state) == (False, None, OPEN)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
names = st.sampled_from(["a", "min_a", "maxA", "as", "keywords", "b.c", "", ".", "min_", "max", "exists"])
operators = st.dictionaries(
    st.sampled_from(["gt", "gte", "lt", "lte", "eq", "ne", "in", "not_in", "contains", "exists", "between"]),
    json_values,
    min_size=1,
    max_size=3,
)


@given(
    st.dictionaries(names | st.text(max_size=5), operators | json_values, max_size=4),
    st.dictionaries(names | st.text(max_size=5), json_values, max_size=5),
    st.text(max_size=20),
)
def test_any_json_compiles_and_never_raises(conditions, facts, text):
    compiled = compile_conditions(conditions)
    whole = compiled.evaluate(facts, lambda: fold(text))
    keys = [key.state for key in compiled.explain(facts, lambda: fold(text))]
    assert whole.state == (NO if NO in keys else OPEN if OPEN in keys else YES)


@given(st.dictionaries(names, operators | json_values, max_size=4), st.dictionaries(names, json_values))
def test_an_added_key_decides_only_what_was_not_denied(conditions, facts):
    before = state(conditions, facts)
    assert state({**conditions, "zz_new": "x"}, facts) == (NO if before == NO else OPEN)


@given(st.dictionaries(names, st.sampled_from(["x", "y", 1, True, None, ["x", "y"], [1, "y"]]), max_size=3),
       st.dictionaries(names, st.sampled_from(["x", "y", 1, True, None, ["x"], {}]), max_size=3))  # fmt: skip
def test_what_an_index_would_leave_out_does_not_apply(conditions, facts):
    compiled = compile_conditions(conditions)
    if compiled.any_of is None:
        return
    fact = compiled.any_of.path.find(facts)
    items = fact if isinstance(fact, list) else [fact]
    if isinstance(fact, (str, int, list)) and not any(item in compiled.any_of.values for item in items):
        assert compiled.evaluate(facts, lambda: "x").state == NO


def test_explaining_takes_the_steps_that_deciding_takes():
    conditions = compile_conditions({"a": "x", "b": "x"})
    facts = {"a": ["y"] * 3_000 + ["x"], "b": ["y"] * 3_000 + ["x"]}
    for steps in (500, 1_000, 2_000):
        decided, explained = Budget(steps), Budget(steps)
        verdict = conditions.evaluate(facts, str, decided)
        states = [each.state for each in conditions.explain(facts, str, explained)]
        assert decided.left == explained.left
        assert (verdict.state == "applies") == (states == ["applies", "applies"])
    assert verdict.state == "applies"
