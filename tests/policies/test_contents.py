import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bylaw.core.errors import InvalidInput
from bylaw.policies.content import content_digest, document, restore_content
from bylaw.policies.model import DeterministicRule, NaturalRule, search_text, topic_key
from bylaw.policies.parse import MAX_CONDITIONS_BYTES, MAX_TOPIC, parse_content
from bylaw.policies.rules import MAX_RULES, Reading, read_rules

POLICY = {"name": "Invoices", "rules": [{"expr": "amount < 5000"}, {"text": "Flag new vendors."}]}

words = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=20
).filter(str.strip)
rules = st.one_of(
    st.fixed_dictionaries({"expr": st.sampled_from(["a < 1", "b == 'x'", "c in [1, 2]"])}),
    st.fixed_dictionaries({"text": words}, optional={"effect": st.sampled_from(["flag", "reject"])}),
)
contents = st.fixed_dictionaries(
    {"name": words, "rules": st.lists(rules, min_size=1, max_size=4)},
    optional={
        "description": words,
        "topic": words,
        "action": st.sampled_from(["log", "alert", "review", "block"]),
        "risk": st.sampled_from(["LOW", "MEDIUM", "HIGH"]),
        "on_indeterminate": st.sampled_from(["allow", "flag", "review", "block", None]),
        "conditions": st.dictionaries(words, st.integers(-99, 99) | words, max_size=3) | st.none(),
        "mask": st.sampled_from([None, {"fields": ["tool_result.a"]}, {"personal_data": ["card", "email"]}]),
    },
)


def parse_rules(data, **reading):
    how = Reading(**reading)
    found = read_rules(data, "rules", how)
    how.reader.finish("no")
    return found


def problems(data, **reading):
    with pytest.raises(InvalidInput) as caught:
        parse_content(data, Reading(**reading))
    return {problem.path: problem for problem in caught.value.problems}


def test_a_content_has_the_documented_defaults():
    content = parse_content(POLICY)
    assert (content.risk, content.action, content.on_indeterminate, content.topic) == (
        "MEDIUM",
        "block",
        None,
        None,
    )
    assert content.rules == (
        DeterministicRule(id="r1", expr="amount < 5000"),
        NaturalRule(id="r2", text="Flag new vendors.", effect="flag"),
    )


def test_the_digest_of_a_content_stays_for_ever():
    assert content_digest(parse_content(POLICY)) == (
        "sha256:e8a64de2da6827904e9c5dd033a18dbb940f76425f1db9207647f2b9633f62b1"
    )


@given(contents)
def test_a_stored_content_comes_back_with_the_same_digest(data):
    content = parse_content(data)
    stored = json.loads(json.dumps(document(content)))
    assert restore_content(stored) == content
    assert content_digest(restore_content(stored)) == content_digest(content)
    assert parse_content(document(content)) == content


@given(contents)
def test_the_order_of_keys_does_not_change_the_digest(data):
    backwards = dict(reversed(list(data.items())))
    assert content_digest(parse_content(backwards)) == content_digest(parse_content(data))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["name", "rules", "expr", "text", "id", "request", "x"]), inner, max_size=4
            )
        ),
        max_leaves=12,
    )
)
def test_whatever_is_sent_is_a_content_or_named_problems(data):
    try:
        named = (content_digest(parse_content(data)),)
    except InvalidInput as error:
        named = tuple(f"{problem.path}{problem.code}{problem.message}" for problem in error.problems)
    assert named
    assert all(named)


def test_every_bad_field_is_named_by_its_path():
    found = problems(
        {
            "nme": 1,
            "name": "x",
            "rules": [{"expr": "amount <"}, {"text": 3, "expr": "a"}, "x", {"type": "cel", "text": "t"}],
            "action": "blok",
            "risk": None,
            "conditions": [1],
            "topic": "",
            "on_indeterminate": "deny",
            "examples": [{"expect": "fail"}],
        }
    )
    assert set(found) == {
        "nme",
        "rules[0].expr",
        "rules[1]",
        "rules[1].text",
        "rules[2]",
        "rules[3].type",
        "action",
        "risk",
        "conditions",
        "topic",
        "on_indeterminate",
        "examples[0].expect",
        "examples[0].name",
        "examples[0].request",
    }
    assert "did you mean 'name'" in found["nme"].message
    assert "did you mean 'block'" in found["action"].message


def test_a_bad_expression_shows_line_column_and_caret():
    found = problems({"name": "x", "rules": [{"expr": "amount < 5000 &&\n  status = 'ok'"}]})
    problem = found["rules[0].expr"]
    assert problem.code == "rule_syntax"
    assert "line 2, column 10" in problem.message
    assert "\n         ^" in problem.message


@pytest.mark.parametrize("data", [None, [], "x", 3, {}])
def test_what_is_no_policy_is_refused(data):
    assert problems(data)


def test_a_content_is_bounded():
    many = [{"text": "t"}] * (MAX_RULES + 1)
    deep: dict = {}
    for _ in range(40):
        deep = {"a": deep}
    found = problems(
        {
            "name": "n" * 201,
            "description": "d" * 8001,
            "topic": "t" * (MAX_TOPIC + 1),
            "rules": many,
            "conditions": {"a": "x" * MAX_CONDITIONS_BYTES},
            "examples": [{"name": "e", "expect": "pass", "request": deep}],
        }
    )
    assert {path: problem.code for path, problem in found.items()} == {
        "name": "too_long",
        "description": "too_long",
        "topic": "too_long",
        "rules": "too_many",
        "conditions": "too_large",
        "examples[0].request": "too_deep",
    }


@pytest.mark.parametrize("value", [2**60, float("nan"), float("inf"), "\ud800", {1: 2}, object()])
def test_conditions_are_json_or_refused(value):
    assert problems({**POLICY, "conditions": {"x": value}})["conditions"].code == "not_json"


def test_text_that_is_no_text_is_refused():
    assert problems({**POLICY, "name": "a\0b"})["name"].code == "bad_text"
    assert problems({**POLICY, "description": "\ud800"})["description"].code == "bad_text"


def test_conditions_are_kept_untouched():
    odd = {"min_order_value": 500.50, "accountTypes": ["a"], "nonsense": {"$where": [None, {}]}}
    assert parse_content({**POLICY, "conditions": odd}).conditions == odd
    assert parse_content({**POLICY, "conditions": {}}).conditions == {}


def test_a_rule_may_not_mix_the_two_kinds():
    found = problems({"name": "x", "rules": [{"type": "deterministic", "expr": "a", "effect": "flag"}]})
    assert found["rules[0].effect"].code == "unknown_field"
    assert problems({"name": "x", "rules": [{"type": "nl", "text": "t", "lang": "cel/1"}]})["rules[0].lang"]
    assert problems({"name": "x", "rules": [{"expr": "a", "lang": "rego"}]})["rules[0].lang"]
    assert problems({"name": "x", "rules": [{"expr": "a", "attention": "yes"}]})["rules[0].attention"]


def test_given_ids_are_kept_and_must_differ():
    content = parse_content({"name": "x", "rules": [{"id": "limit", "expr": "a < 1"}, {"expr": "b < 1"}]})
    assert [rule.id for rule in content.rules] == ["limit", "r1"]
    assert problems({"name": "x", "rules": [{"id": "a", "text": "t"}, {"id": "a", "text": "u"}]})[
        "rules[1].id"
    ]
    assert problems({"name": "x", "rules": [{"id": "a b", "text": "t"}]})["rules[0].id"].code == "bad_id"


def test_an_unchanged_rule_keeps_its_id_and_its_settled_effect():
    first = parse_rules(
        [{"expr": "a < 1"}, {"text": "Flag it.", "effect": "reject", "message": "m"}, {"expr": "c < 1"}]
    )
    again = parse_rules(
        [{"text": "Flag it."}, {"expr": "c < 1", "message": "new"}, {"expr": "d < 1"}],
        before=first,
    )
    assert [rule.id for rule in again] == ["r2", "r3", "r4"]
    assert (again[0].effect, again[0].message) == ("reject", "")
    assert (again[1].message, first[2].message) == ("new", "")


def test_ids_that_are_made_never_meet_a_given_one():
    made = parse_rules([{"expr": "a < 1"}, {"id": "r1", "expr": "b < 1"}, {"id": "r7", "expr": "c < 1"}])
    assert [rule.id for rule in made] == ["r8", "r1", "r7"]


@given(st.lists(rules, min_size=1, max_size=5), st.lists(rules, min_size=1, max_size=5))
def test_ids_are_unique_and_a_kept_id_means_the_same_rule(old, new):
    first = parse_rules(old)
    second = parse_rules(new, before=first)
    ids = [rule.id for rule in second]
    assert len(set(ids)) == len(ids)
    before = {rule.id: rule for rule in first}
    for rule in second:
        if rule.id in before:
            assert type(rule) is type(before[rule.id])
            assert getattr(rule, "expr", getattr(rule, "text", "")) == getattr(
                before[rule.id], "expr", getattr(before[rule.id], "text", "")
            )


@given(st.lists(rules, min_size=1, max_size=5))
def test_saving_the_same_rules_again_changes_nothing(items):
    first = parse_rules(items)
    assert parse_rules(items, before=first) == first


def test_topics_compare_without_case_and_separators():
    assert (
        topic_key("Order-Verification")
        == topic_key("order_verification")
        == topic_key(" order  verification ")
    )
    assert topic_key("returns") != topic_key("return")


def test_text_is_searched_in_everything_a_person_wrote():
    text = search_text(parse_content({**POLICY, "topic": "Pricing", "description": "ABC"}))
    for part in ("invoices", "abc", "pricing", "amount < 5000", "flag new vendors"):
        assert part in text


def test_expressions_are_checked_against_the_workspaces_context_schema():
    schema = {"type": "object", "properties": {"amount": {"type": "number"}}}
    good = {"name": "x", "rules": [{"expr": "amount < 5"}]}
    assert parse_content(good, Reading(schema=schema)).rules[0].id == "r1"
    found = problems({"name": "x", "rules": [{"expr": "amonut < 5"}]}, schema=schema)
    assert "amount" in found["rules[0].expr"].message
    assert "bad_schema" in {one.code for one in problems(good, schema={"type": "nonsense"}).values()}


CLOSED = {"type": "object", "properties": {"amount": {"type": "number"}}, "additionalProperties": False}


@pytest.mark.parametrize(
    "expr",
    [
        "metadata.amount < 5 && amount < 5",
        "tool_call.name == 'pay' && tool_call.arguments.amount < 5",
        "phase == 'tool_call' && has(user_intent) && agent_id != null",
        "messages.all(m, m.content != '') && tools_used.contains('x')",
        "tool_result.x == 1",
    ],
)
def test_the_fields_of_a_request_are_known_beside_declared_metadata(expr):
    content = {"name": "x", "rules": [{"expr": expr}]}
    for schema in (CLOSED, {"anyOf": [CLOSED]}, {"oneOf": [CLOSED, CLOSED]}, {"type": "object"}):
        assert parse_content(content, Reading(schema=schema)).rules


@pytest.mark.parametrize(
    "expr", ["amonut < 5", "metadata.amonut < 5", "tool_cal.name == 'pay'", "tool_call.nmae == 'pay'"]
)
def test_declared_metadata_finds_what_is_misspelt(expr):
    for schema in (CLOSED, {"anyOf": [CLOSED]}):
        assert "rules[0].expr" in problems({"name": "x", "rules": [{"expr": expr}]}, schema=schema)


def test_a_declared_field_of_the_request_is_checked_as_declared():
    schema = {"properties": {"tool_call": {"properties": {"name": {"type": "string"}}}}}
    content = {"name": "x", "rules": [{"expr": "tool_call.name == 5"}]}
    assert "rules[0].expr" in problems(content, schema=schema)


@pytest.mark.parametrize("schema", [{"properties": 5}, {"anyOf": 5}, {"anyOf": [5]}, 5])
def test_what_is_no_schema_is_named(schema):
    found = problems({"name": "x", "rules": [{"expr": "true"}]}, schema=schema)
    assert found["context_schema"].code == "bad_schema"


def test_unknown_functions_are_refused_with_a_suggestion():
    found = problems({"name": "x", "rules": [{"expr": "tools_used.include('a')"}]})
    assert "contains" in found["rules[0].expr"].message
