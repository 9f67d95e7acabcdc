"""Masks in policies: how they are read, stored, compared, and refused."""

import json

import pytest

from bylaw.core.errors import InvalidInput
from bylaw.policies.content import content_digest, document, restore_content
from bylaw.policies.diff import diff_contents
from bylaw.policies.model import Mask
from bylaw.policies.parse import parse_content
from bylaw.policies.warnings import warnings_about

RULED = {"name": "Orders", "rules": [{"expr": "total < 5"}]}
MASK = {"fields": ["tool_result.orders.*.email", "user_intent"], "personal_data": ["email", "iban"]}


def masked(**mask):
    return parse_content({**RULED, "mask": mask})


def test_a_mask_is_part_of_the_content_and_of_its_digest():
    content = parse_content({**RULED, "mask": MASK})
    assert content.mask == Mask(fields=tuple(MASK["fields"]), personal_data=("email", "iban"))
    assert content_digest(content) != content_digest(parse_content(RULED))
    stored = json.loads(json.dumps(document(content)))
    assert stored["mask"] == MASK
    assert restore_content(stored) == content
    assert parse_content(document(content)) == content


def test_without_a_mask_nothing_is_said_of_it():
    content = parse_content({**RULED, "mask": None})
    assert "mask" not in document(content)
    assert content_digest(content) == content_digest(parse_content(RULED))


def test_a_mask_alone_is_a_policy():
    content = parse_content({"name": "Orders", "mask": MASK})
    assert content.rules == ()
    assert parse_content(document(content)) == content
    with pytest.raises(InvalidInput):
        parse_content({"name": "Orders", "mask": None})


def test_what_is_named_twice_counts_once():
    assert masked(fields=["user_intent"] * 2, personal_data=["card"] * 2) == masked(
        fields=["user_intent"], personal_data=["card"]
    )


@pytest.mark.parametrize(
    ("mask", "path", "code"),
    [
        ("tool_result", "mask", "wrong_type"),
        ({}, "mask", "required"),
        ({"fields": []}, "mask", "required"),
        ({"field": ["tool_result"]}, "mask.field", "unknown_field"),
        ({"fields": "tool_result"}, "mask.fields", "wrong_type"),
        ({"fields": [""]}, "mask.fields[0]", "required"),
        ({"fields": [1]}, "mask.fields[0]", "wrong_type"),
        ({"fields": ["tool_results.x"]}, "mask.fields[0]", "unknown_value"),
        ({"fields": ["metadata.x"]}, "mask.fields[0]", "unknown_value"),
        ({"fields": ["tool_result", "tool_result..x"]}, "mask.fields[1]", "bad_path"),
        ({"fields": ["tool_result" + ".x" * 33]}, "mask.fields[0]", "bad_path"),
        ({"fields": ["agent_output.x"]}, "mask.fields[0]", "bad_path"),
        ({"fields": ["messages.content"]}, "mask.fields[0]", "bad_path"),
        ({"fields": ["user_intent"] * 101}, "mask.fields", "too_many"),
        ({"personal_data": ["mail"]}, "mask.personal_data[0]", "unknown_value"),
    ],
)
def test_a_mask_that_could_not_work_is_refused_by_its_path(mask, path, code):
    with pytest.raises(InvalidInput) as caught:
        parse_content({**RULED, "mask": mask})
    assert (path, code) in {(problem.path, problem.code) for problem in caught.value.problems}


@pytest.mark.parametrize(
    ("old", "new", "direction"),
    [
        (None, MASK, "narrows"),
        (MASK, None, "widens"),
        (MASK, {**MASK, "personal_data": ["email"]}, "widens"),
        (MASK, {**MASK, "personal_data": ["email", "iban", "card"]}, "narrows"),
        (MASK, {**MASK, "personal_data": ["email", "card"]}, "unclear"),
    ],
)
def test_the_more_a_mask_names_the_less_is_allowed(old, new, direction):
    before, after = (parse_content({**RULED, "mask": mask}) for mask in (old, new))
    diff = diff_contents(before, after)
    assert [(field.field, field.old, field.new) for field in diff.fields] == [("mask", old, new)]
    assert diff.direction == direction
    assert diff_contents(after, after).fields == ()


@pytest.mark.parametrize(
    ("phase", "mask", "idle"),
    [
        (None, MASK, []),
        ("tool_result", {"fields": ["tool_result.a"], "personal_data": ["email"]}, []),
        ("tool_result", MASK, ["mask.fields[1]"]),
        (["input", "tool_result"], MASK, []),
        ("tool_call", {"personal_data": ["email"]}, ["mask.personal_data"]),
        ("tool_call", MASK, ["mask.fields[0]", "mask.fields[1]", "mask.personal_data"]),
    ],
)
def test_a_mask_of_what_nobody_is_shown_is_warned_of(phase, mask, idle):
    conditions = None if phase is None else {"phase": phase}
    content = parse_content({"name": "Orders", "mask": mask, "conditions": conditions})
    assert [(each.path, each.code) for each in warnings_about(content)] == [
        (path, "idle_mask") for path in idle
    ]
