"""`bylaw rules`: what it prints and which exit code it gives."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from bylaw.cli.rules import rules_group
from bylaw.core.errors import InvalidInput


def run(*arguments: str, stdin: str = "") -> tuple[int, Result]:
    """Return the exit code, which commands return, and the whole result."""
    result = CliRunner().invoke(rules_group, arguments, input=stdin, standalone_mode=False)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        code = (
            2 if isinstance(result.exception, InvalidInput) else getattr(result.exception, "exit_code", None)
        )
        if code is None:
            raise result.exception
        return code, result
    return result.return_value, result


@pytest.mark.parametrize(
    ("context", "code", "words"),
    [
        ('{"amount": 10}', 0, "satisfied"),
        ('{"amount": 7000}', 1, "violated"),
        ("{}", 3, "indeterminate: `amount` is missing [missing] at line 1, column 1"),
    ],
)
def test_eval_prints_the_verdict_and_exits_with_it(context: str, code: int, words: str) -> None:
    ended, result = run("eval", "amount < 5000", "--context", context)
    assert (ended, result.output.strip()) == (code, words)
    ended, result = run("eval", "amount < 5000", "--context", "-", "--json", stdin=context)
    assert ended == code
    assert json.loads(result.output)["status"] == words.split(":", maxsplit=1)[0]


def test_a_rule_and_a_context_may_come_from_files(tmp_path: Path) -> None:
    (tmp_path / "rule.cel").write_text("amount\n  < 5000\n")
    (tmp_path / "context.json").write_text('{"amount": 1}')
    assert run("eval", "-f", str(tmp_path / "rule.cel"), "-c", f"@{tmp_path / 'context.json'}")[0] == 0
    assert run("check", "-f", "-", stdin="amount < 5000")[0] == 0


def test_check_says_what_a_rule_reads_or_what_is_wrong_with_it(tmp_path: Path) -> None:
    code, result = run("check", "amount < limit.max")
    assert (code, result.output) == (0, "valid (cel/1)\n  reads: amount, limit.max\n")
    assert run("check", "true")[1].output.endswith("reads: nothing\n")
    code, result = run("check", "tools.include('x')")
    assert code == 2
    assert result.stderr == (
        "line 1, column 7: there is no function include()\ntools.include('x')\n      ^\n"
        "hint: did you mean contains?\n"
    )
    schema = tmp_path / "schema.json"
    schema.write_text('{"properties": {"amount": {"type": "number"}}}')
    code, result = run("check", "amont < 5", "--schema", str(schema), "--json")
    found = json.loads(result.output)
    assert (code, found["valid"], found["column"], found["hint"]) == (2, False, 1, "did you mean amount?")
    assert found["code"] == "rule_syntax"
    assert json.loads(run("check", "amount < 5", "--json")[1].output)["fields"] == ["amount"]
    assert run("check", "tool_call.name == 'pay' && amount < 5", "--schema", str(schema))[0] == 0


def test_check_suggests_the_field_that_was_probably_meant(tmp_path: Path) -> None:
    ended, result = run("check", 'tool_cal.name == "x"')
    assert ended == 0
    assert "Did you mean tool_call?" in result.stderr
    ended, result = run("check", 'phase == "x" ||\n tool_call.nam == tool_cal.name', "--json")
    warnings = json.loads(result.stdout)["warnings"]
    assert [(each["code"], each["line"], each["column"]) for each in warnings] == [
        ("misspelt_field", 2, 19),
        ("misspelt_field", 2, 2),
    ]
    assert "Did you mean tool_call?" in warnings[0]["message"]
    ended, result = run("check", 'phase == "x" || tool_cal.name == "x"')
    assert result.stderr.startswith("warning  line 1, column 17: No request has a field tool_cal")
    schema = tmp_path / "schema.json"
    schema.write_text('{"type": "object", "properties": {"tool_cal": {"type": "object"}}}')
    assert "Did you mean" not in run("check", "has(tool_cal.name)", "--schema", str(schema))[1].output


def test_explain_draws_the_tree_or_writes_it_as_json() -> None:
    code, result = run("explain", "amount < 5000", "-c", '{"amount": 7000}')
    assert code == 1
    assert "because `amount` is 7000, and 7000 >= 5000" in result.output
    code, result = run("explain", "amount < 5000", "-c", '{"amount": 7000}', "--json")
    assert json.loads(result.output)["causes"][0]["path"] == "amount"


@pytest.mark.parametrize(
    "arguments",
    [
        ("eval",),
        ("eval", "a < 1", "-f", "x"),
        ("eval", "a < 1", "-c", "{"),
        ("eval", "a < 1", "-c", "[]"),
        ("eval", "a < 1", "-c", "@/does/not/exist"),
        ("eval", "a <"),
        ("explain", "a <"),
        ("check", "-f", "/does/not/exist"),
        ("check", "a < 1", "--schema", "/does/not/exist"),
    ],
)
def test_unusable_input_exits_with_2(arguments: tuple[str, ...]) -> None:
    assert run(*arguments)[0] == 2


def test_an_unusable_schema_exits_with_2(tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text('{"type": "text"}')
    assert run("check", "a < 1", "--schema", str(schema))[0] == 2
