"""The packs that come with Bylaw: usable as they are, tried by cases, and worded as the review advises."""

import asyncio
import json
from dataclasses import replace

import jsonschema
import pytest

from bylaw.backtest.cases import run_cases
from bylaw.backtest.local import LocalPolicies
from bylaw.decisions.request import read
from bylaw.policies.advice.review import review
from bylaw.policies.packs.load import load_folder
from bylaw.policies.packs.model import pack_schema
from bylaw.policies.packs.shipped import FOLDER, STARTER, shipped_packs

PACKS = [path for path in sorted(FOLDER.iterdir()) if path.is_dir()]
POLICIES = [policy for pack in shipped_packs() for policy in pack.policies]


def test_the_starter_is_shipped_and_not_among_those_to_recommend():
    assert {pack.name for pack in shipped_packs()} | {STARTER} == {path.name for path in PACKS}
    assert STARTER not in {pack.name for pack in shipped_packs()}


@pytest.mark.parametrize("path", PACKS, ids=lambda path: path.name)
def test_a_pack_is_usable_without_warnings(path):
    folder = load_folder(path)
    assert folder.warnings == ()
    for document in folder.documents:
        jsonschema.Draft202012Validator(pack_schema()).validate(document.value)


@pytest.mark.parametrize("path", PACKS, ids=lambda path: path.name)
def test_every_case_is_as_expected_and_every_rule_is_seen_to_hold_and_not_to(path):
    folder = load_folder(path)
    run = asyncio.run(run_cases(LocalPolicies(folder), folder.cases))
    assert {result.name: result.misses for result in run.results if result.misses} == {}
    assert [f"{each.policy}/{each.rule}" for each in run.coverage if not each.is_tried] == []


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.slug)
def test_the_examples_of_a_policy_come_out_as_they_say(policy):
    expectations = [example.expect for example in policy.content.examples]
    assert sorted(expectations) == ["pass", "violate"]
    folder = load_folder(FOLDER / policy.slug.partition("/")[0])
    alone = replace(folder, packs=(replace(folder.packs[0], policies=(policy,)),))
    policies = LocalPolicies(alone)
    for example in policy.content.examples:
        request = read(json.loads(json.dumps({"dry_run": True, **example.request})))
        decision = asyncio.run(policies.engine().decide(request, policies.caller))
        (result,) = decision.policies
        assert (result.status == "satisfied") == (example.expect == "pass"), decision.reasons


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.slug)
def test_a_shipped_policy_is_worded_as_the_review_advises(policy):
    advice = review(policy.content.description)
    assert advice.score >= 95, advice.issues
    for rule in policy.content.rules:
        text = getattr(rule, "text", None)
        assert text is None or review(text).severity in {"none", "low"}


def test_topics_that_a_caller_names_never_switch_a_shipped_guard_off():
    """A policy with a topic is left out when a request names others; only the one about hiring may be."""
    assert [policy.slug for policy in POLICIES if policy.content.topic] == ["hiring/protected"]
