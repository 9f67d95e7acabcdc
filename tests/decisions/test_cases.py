"""Golden cases: tests/cases/*.yaml, each a small world, a request, and what is wanted of the decision."""

from pathlib import Path

import pytest
import yaml

from bylaw.core import errors
from bylaw.evaluators.scripted import ScriptedEvaluator
from tests.decisions.world import World, agent, caller, place, policy

FOLDER = Path(__file__).resolve().parents[1] / "cases"
CASES = [
    pytest.param(case, id=f"{path.stem}: {case['description']}")
    for path in sorted(FOLDER.glob("*.yaml"))
    for case in yaml.safe_load(path.read_text(encoding="utf-8"))
]


def world_of(case) -> World:
    policies = [
        policy(
            ident,
            *content["rules"],
            where=place(*content.get("place", ())),
            **{key: value for key, value in content.items() if key not in {"rules", "place"}},
        )
        for ident, content in case.get("policies", {}).items()
    ]
    agents = [
        agent(
            ident,
            known.get("policy"),
            where=place(*known.get("place", ())),
            require_policy=known.get("require_policy", False),
        )
        for ident, known in case.get("agents", {}).items()
    ]
    return World(
        policies=policies,
        agents=agents,
        dormant=case.get("dormant", ()),
        requiring=frozenset(case.get("requiring", ())),
        evaluator=ScriptedEvaluator(case.get("answers")),
    )


def seen(decision, evaluator):
    return {
        "outcome": decision.outcome,
        "compliant": decision.compliant,
        "posture": decision.posture,
        "risk": decision.risk,
        "reasons": list(decision.reasons),
        "policies": {each.id: each.status for each in decision.policies},
        "via": {each.id: each.via for each in decision.policies},
        "extra": [rule.status for rule in decision.extra_rules],
        "workspace": decision.workspace_id,
        "asked": sum(len(batch.questions) for batch in evaluator.batches),
    }


@pytest.mark.parametrize("case", CASES)
def test_case(case):
    assert set(case) <= {
        "description",
        "policies",
        "agents",
        "dormant",
        "requiring",
        "answers",
        "scopes",
        "request",
        "wanted",
    }
    world, wanted = world_of(case), case["wanted"]
    by = caller(*case.get("scopes", ()))
    if "error" in wanted:
        with pytest.raises(getattr(errors, wanted["error"])) as caught:
            world.decide(by, **case["request"])
        assert [problem.path for problem in getattr(caught.value, "problems", ())] == (
            [wanted["path"]] if "path" in wanted else []
        )
        return
    decision = world.decide(by, **case["request"])
    found = seen(decision, world.evaluator)
    assert {key: found[key] for key in wanted} == wanted
