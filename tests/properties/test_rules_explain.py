"""An explanation says what the verdict says, points into the rule, and stays small."""

import json

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bylaw import rules
from bylaw.core.errors import RuleSyntax
from tests.reference.rules_generator import Contexts, Rules, Scripted, Seeded
from tests.rules.hostile import HOSTILE, Hostile

scripts = st.binary(min_size=0, max_size=400)
LARGEST_BYTES = 400_000


@settings(max_examples=400, deadline=None)
@example(rule_script=b"\x00\x01q\x00\x00\x00\x00\r\x00\x01", context_script=b"")  # true ? ('' + '') : true
@given(rule_script=scripts, context_script=scripts)
def test_explaining_comes_to_the_verdict_of_deciding(rule_script: bytes, context_script: bytes) -> None:
    source = Rules(Scripted(rule_script)).rule()
    context = Contexts(Scripted(context_script)).context()
    try:
        rule = rules.compile(source)
    except RuleSyntax:
        return
    verdict, explanation = rule.evaluate(context), rule.explain(context)
    assert explanation.verdict == verdict
    assert (explanation.causes == ()) == (verdict.status == "satisfied")
    for cause in explanation.causes:
        assert 0 <= cause.offset < len(source)
        assert cause.message
    if verdict.status == "indeterminate":
        assert [cause.offset for cause in explanation.causes] == [verdict.position.offset]


@pytest.mark.slow
def test_seeded_rules_are_explained_as_they_are_decided() -> None:
    for seed in range(3000):
        chooser = Seeded(seed)
        source, context = Rules(chooser).rule(5), Contexts(chooser).context()
        try:
            rule = rules.compile(source)
        except RuleSyntax:
            continue
        explanation = rule.explain(context)
        assert explanation.verdict == rule.evaluate(context), source
        json.dumps(explanation.to_dict())
        assert explanation.tree()


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda hostile: hostile.name)
def test_the_explanation_of_hostile_input_is_small(hostile: Hostile) -> None:
    try:
        rule = rules.compile(hostile.rule)
    except RuleSyntax:
        return
    context = hostile.context()
    explanation = rule.explain(context)
    assert (explanation.verdict.code or explanation.verdict.status) in hostile.ends
    assert len(json.dumps(explanation.to_dict())) < LARGEST_BYTES
    assert len(explanation.tree()) < LARGEST_BYTES
