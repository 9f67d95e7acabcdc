"""The types of notices: each change of a policy has one, and webhooks choose among them."""

from typing import get_args

import msgspec
import pytest

from bylaw.core.errors import InvalidInput
from bylaw.notify.catalog import MOST_TYPES, TYPES, checked_types, wants
from bylaw.policies.entries import Change


def test_every_change_of_a_policy_is_told():
    assert {f"policy.{each}" for each in get_args(Change)} <= TYPES.keys()


@pytest.mark.parametrize("name", sorted(TYPES))
def test_every_example_has_the_shape_that_is_documented(name):
    example = TYPES[name].example
    told = msgspec.json.decode(msgspec.json.encode(example))
    assert msgspec.convert(told, type(example), strict=True) == example
    assert {"workspace_id", "repo_id", "links"} <= told.keys()


@pytest.mark.parametrize(
    ("types", "kind", "wanted"),
    [
        (("*",), "policy.created", True),
        (("policy.*",), "policy.created", True),
        (("policy.*",), "approval.spent", False),
        (("policy.created",), "policy.created", True),
        (("policy.created",), "policy.edited", False),
        (("alert.*", "policy.edited"), "policy.edited", True),
    ],
)
def test_a_type_or_a_wildcard_chooses(types, kind, wanted):
    assert wants(types, kind) is wanted


def test_types_are_kept_once_and_none_means_all():
    assert checked_types(["policy.*", "policy.*"]) == ("policy.*",)
    assert checked_types([]) == ("*",)


def test_an_unknown_type_is_named_with_the_one_it_resembles():
    with pytest.raises(InvalidInput) as refused:
        checked_types(["policy.*", "policy.creatd", "p*"])
    assert [each.path for each in refused.value.problems] == ["types[1]", "types[2]"]
    assert "did you mean 'policy.created'?" in refused.value.problems[0].message
    with pytest.raises(InvalidInput):
        checked_types(["policy.*"] * (MOST_TYPES + 1))
