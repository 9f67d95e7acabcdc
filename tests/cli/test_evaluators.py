import json

import pytest
from click.testing import CliRunner

from bylaw.cli.evaluators import evaluators

LAWSUIT = "Reject any output that mentions 'lawsuit'."


def run(*words: str, env: dict | None = None):
    return CliRunner(env=env).invoke(evaluators, words, standalone_mode=False)


@pytest.fixture
def cases(tmp_path):
    file = tmp_path / "cases.jsonl"
    written = [
        {"rule": LAWSUIT, "context": {"phase": "output", "agent_output": said}, "expected": expected}
        for said, expected in (("a lawsuit", "violated"), ("hello", "satisfied"), ("we sue", "violated"))
    ]
    file.write_text("\n".join(map(json.dumps, written)))
    return str(file)


def test_a_score_says_how_often_it_is_right_and_how_sure_that_is(cases):
    found = run("score", "--cases", cases)
    assert found.return_value == 0
    assert "precision    100.0%  1 of 1, 95 % interval" in found.output
    assert "missed        50.0%  1 of 2" in found.output


def test_a_score_below_what_is_wanted_fails(cases):
    assert run("score", "--cases", cases, "--min-precision", "1", "--min-recall", "0.5").return_value == 0
    assert run("score", "--cases", cases, "--min-recall", "0.6").return_value == 1
    assert run("score").return_value == 2


def test_a_score_is_json_on_request(cases):
    found = json.loads(run("score", "--cases", cases, "--json").output)
    assert found["whole"]["confusion"]["violated"] == {"satisfied": 1, "violated": 1, "indeterminate": 0}


def test_a_model_that_nobody_named_is_not_scored(cases):
    found = run("score", "--cases", cases, "--evaluator", "model")
    assert "BYLAW_JUDGE_MODEL" in str(found.exception)


def test_an_explanation_says_what_is_looked_for_and_what_stays_open():
    told = run("explain", "Be kind to customers.").output
    assert "judged by  nobody here" in told
    assert "undecided  every case" in told
    named = {"BYLAW_JUDGE_MODEL": "m", "BYLAW_OUTGOING": "public"}
    assert "judged by  model" in run("explain", "Be kind to customers.", env=named).output
    assert json.loads(run("explain", LAWSUIT, "--json").output)["left"] == "nothing"


@pytest.mark.parametrize(
    ("rule", "code", "word"),
    [
        (LAWSUIT, 1, "violated (pattern)"),
        ("Never mention 'joy'.", 0, "satisfied (pattern)"),
        ("Be kind.", 3, "indeterminate (abstained)"),
    ],
)
def test_a_rule_is_tried_without_a_server(rule, code, word):
    found = run("try", rule, "--context", '{"phase": "output", "agent_output": "a lawsuit"}')
    assert (found.return_value, word in found.output) == (code, True)
