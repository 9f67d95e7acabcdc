"""What is legal and probably not meant is said when a policy is saved; it refuses nothing."""

import dataclasses

import msgspec
import pytest

from bylaw.core.errors import InvalidInput
from bylaw.decisions.model import Request, ToolCall
from bylaw.policies.facts import CALL_FIELDS, FACTS, ROOTS
from bylaw.policies.parse import parse_content
from bylaw.policies.rules import Reading
from bylaw.policies.warnings import warnings_about, warnings_about_rule
from bylaw.rules import compile as compile_rule

AMOUNT = {"expr": "tool_call.arguments.amount < 5"}


def warned(*rules, conditions=None, path="", examples=(), declared=False):
    """Return the path, the code and the message of every warning about such a policy."""
    content = parse_content(
        {"name": "A", "rules": list(rules), "conditions": conditions, "examples": list(examples)}
    )
    found = warnings_about(content, path, fields_are_declared=declared)
    return [dataclasses.astuple(each) for each in found]


def test_a_condition_on_the_call_without_a_phase_is_named_with_the_phases_and_the_fix():
    ((path, code, message),) = warned(AMOUNT, conditions={"tool_call.name": "pay"}, path="policies.limit")
    assert (path, code) == ("policies.limit.conditions.tool_call.name", "other_phases")
    assert "input, output or decision" in message
    assert message.endswith("phase: tool_call.")


@pytest.mark.parametrize("phase", ["tool_call", ["tool_call", "tool_result"], {"in": ["tool_call"]}])
@pytest.mark.parametrize("key", ["phase", "phases"])
def test_a_condition_on_the_call_is_meant_where_the_phase_is_said(phase, key):
    assert warned(AMOUNT, conditions={"tool_call.name": "pay", key: phase}) == []


def test_a_phase_that_lacks_the_field_is_no_fix():
    ((path, code, message),) = warned(AMOUNT, conditions={"toolCall.name": "pay", "phase": "input"})
    assert (path, code) == ("conditions.toolCall.name", "other_phases")
    assert "of phase input has no tool_call" in message


@pytest.mark.parametrize(
    ("conditions", "fix"),
    [({"tool_result.status": "ok"}, "tool_result"), ({"agent_output": {"contains": "x"}}, "output")],
)
def test_every_field_that_only_some_phases_have_is_known(conditions, fix):
    (warning,) = warned({"text": "Reject rude replies."}, conditions=conditions)
    assert warning[2].endswith(f"phase: {fix}.")


def test_a_condition_that_a_request_without_the_field_fails_is_meant():
    assert warned(AMOUNT, conditions={"tool_call": {"exists": True}}) == []


def test_a_rule_on_the_call_without_a_phase_is_named():
    ((path, code, message),) = warned({"expr": "amount < 5"}, AMOUNT)
    assert (path, code) == ("rules[1].expr", "other_phases")
    assert "indeterminate" in message


@pytest.mark.parametrize(
    "expr",
    [
        "tool_call == null || tool_call.arguments.amount < 5",
        "!has(tool_call.arguments) || tool_call.arguments.amount < 5",
        'phase != "tool_call" || tool_call.arguments.amount < 5',
    ],
)
def test_a_rule_that_is_decided_without_the_call_is_meant(expr):
    assert warned({"expr": expr}) == []


@pytest.mark.parametrize(
    ("expr", "meant"),
    [
        ('tool_cal.name == "x"', "tool_call"),
        ('toolCall.name == "x"', "tool_call"),
        ("arguments.amount < 5", "tool_call.arguments"),
        ('topic == "x"', "topics"),
        ('tool_call.nme == "x"', "tool_call.name"),
        ("tool_call.amount < 5", "tool_call.arguments.amount"),
        ('items.all(i, usr_id == "x")', "user_id"),
    ],
)
def test_a_misspelt_field_of_a_rule_is_named_with_what_was_meant(expr, meant):
    ((path, code, message),) = warned({"expr": expr}, conditions={"phase": "tool_call"})
    assert (path, code) == ("rules[0].expr", "misspelt_field")
    assert f"Did you mean {meant}?" in message


@pytest.mark.parametrize(
    "expr", ["amount < 5000", 'vendor.status == "ok"', 'metadata.topic == "x"', "items.all(topic, topic > 1)"]
)
def test_a_key_of_metadata_is_a_field_like_any_other(expr):
    assert warned({"expr": expr}) == []


def test_an_example_shows_that_a_key_of_metadata_is_meant():
    shown = {"name": "shown", "expect": "pass", "request": {"metadata": {"topic": "x"}}}
    assert warned({"expr": 'topic == "x"'}, conditions={"topic": "x"}, examples=[shown]) == []


def test_where_the_fields_are_declared_saving_has_refused_the_misspelt_ones():
    assert warned({"expr": 'topic == "x"'}, declared=True) == []
    schema = {"type": "object", "properties": {"topics": {"type": "array"}}}
    with pytest.raises(InvalidInput, match="not usable") as refused:
        parse_content({"name": "A", "rules": [{"expr": 'topic == "x"'}]}, Reading(schema=schema))
    assert "topics" in refused.value.problems[0].message


def test_a_misspelt_field_of_a_condition_is_named():
    found = warned({"text": "Reject rude replies."}, conditions={"tol_call.name": "x", "min_amount": 3})
    assert [each[:2] for each in found] == [("conditions.tol_call.name", "misspelt_field")]


def test_a_condition_finds_its_field_in_every_spelling():
    assert warned({"text": "Reject rude replies."}, conditions={"userId": "u", "message": "x"}) == []


def test_a_condition_that_nobody_understands_is_named():
    found = warned({"text": "Reject rude replies."}, conditions={"amount": {"grater": 4}})
    assert [each[:2] for each in found] == [("conditions.amount", "unclear_condition")]


def test_a_rule_alone_is_warned_about_its_fields_only():
    assert [each.code for _, each in warnings_about_rule(compile_rule('tool_cal.name == "x"'))] == [
        "misspelt_field"
    ]
    assert warnings_about_rule(compile_rule('tool_call.name == "x"')) == ()


def test_the_known_fields_are_those_of_a_request():
    fields = {field.name for field in msgspec.structs.fields(Request)}
    steering = {
        "policy_id",
        "policy_rules",
        "approval_id",
        "outcome_of",
        "follows",
        "dry_run",
        "deadline_ms",
        "route",
        "routed",
    }
    assert set(ROOTS) == fields - steering
    assert set(FACTS) == set(ROOTS) - {"metadata", "tool_call"}
    assert set(CALL_FIELDS) == {field.name for field in msgspec.structs.fields(ToolCall)}
