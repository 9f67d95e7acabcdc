"""`bylaw rules`: check, evaluate and explain expressions."""

import json
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import Final

import click

from bylaw import rules
from bylaw.cli.folder import warn
from bylaw.cli.given import read_json
from bylaw.cli.lazy import LazyGroup
from bylaw.cli.options import json_option
from bylaw.core.errors import InvalidInput, RuleSyntax
from bylaw.policies.facts import context_of
from bylaw.policies.warnings import warnings_about_rule

EXIT: Final[dict[rules.Status, int]] = {"satisfied": 0, "violated": 1, "indeterminate": 3}
UNUSABLE: Final = 2

expression_argument = click.argument("expression", required=False)
file_option = click.option(
    "-f", "--file", "path", type=click.Path(path_type=Path), help="Read the rule from a file, or `-`."
)
context_option = click.option(
    "-c",
    "--context",
    default="{}",
    show_default=True,
    help="The context: a FILE, JSON, or `-` for standard input.",
)
schema_option = click.option(
    "--schema",
    type=click.Path(path_type=Path),
    help="A JSON Schema of the metadata, to check fields and types; the request's fields are known.",
)


@click.group(
    "rules",
    cls=LazyGroup,
    epilog="""\b
Examples:
  bylaw rules check 'amount < 5000'
  bylaw rules eval 'amount < 5000' --context '{"amount": 120}'
  bylaw rules explain 'amount < 5000' --context '{"amount": 7000}'

\b
Exit codes:
  0 valid or satisfied · 1 violated · 2 unusable rule, context or schema · 3 indeterminate
""",
)
def rules_group() -> None:
    """Check, evaluate and explain rules."""


@rules_group.command(
    epilog="""\b
Examples:
  bylaw rules check 'amount < 5000'
  bylaw rules check -f rule.cel --schema context.schema.json --json
"""
)
@expression_argument
@file_option
@schema_option
@json_option
def check(expression: str | None, path: Path | None, schema: Path | None, *, as_json: bool) -> int:
    """Check a rule as saving it would."""
    rule = _rule(expression, path, schema, as_json=as_json)
    if rule is None:
        return UNUSABLE
    warnings = () if schema is not None else warnings_about_rule(rule)
    if as_json:
        said = [{"code": each.code, "message": each.message, **asdict(at)} for at, each in warnings]
        fields = list(rule.fields)
        _write({"valid": True, "lang": rule.lang, "rule": rule.source, "fields": fields, "warnings": said})
    else:
        click.echo(f"valid ({rule.lang})")
        click.echo(f"  reads: {', '.join(rule.fields) or 'nothing'}")
        warn(replace(each, path=f"line {at.line}, column {at.column}") for at, each in warnings)
    return 0


@rules_group.command(
    "eval",
    epilog="""\b
Examples:
  bylaw rules eval 'amount < 5000' --context '{"amount": 120}'
  bylaw rules eval -f rule.cel --context request.json
  echo '{"amount": 7000}' | bylaw rules eval 'amount < 5000' --context - --json
""",
)
@expression_argument
@file_option
@context_option
@schema_option
@json_option
def evaluate(
    expression: str | None, path: Path | None, context: str, schema: Path | None, *, as_json: bool
) -> int:
    """Decide a rule over a context."""
    rule = _rule(expression, path, schema, as_json=as_json)
    if rule is None:
        return UNUSABLE
    verdict = rule.evaluate(_context(context))
    at = verdict.position
    if as_json:
        _write(_verdict(verdict))
    else:
        where = f" at line {at.line}, column {at.column}" if verdict.code else ""
        reason = f": {verdict.message} [{verdict.code}]{where}" if verdict.code else ""
        click.echo(_coloured(verdict.status) + reason)
    return EXIT[verdict.status]


@rules_group.command(
    epilog="""\b
Examples:
  bylaw rules explain 'items.all(i, i.price < 100)' --context '{"items": [{"price": 250}]}'
"""
)
@expression_argument
@file_option
@context_option
@schema_option
@json_option
def explain(
    expression: str | None, path: Path | None, context: str, schema: Path | None, *, as_json: bool
) -> int:
    """Show why a rule comes out as it does.

    First the smallest cause, then every part with its value.
    """
    rule = _rule(expression, path, schema, as_json=as_json)
    if rule is None:
        return UNUSABLE
    explanation = rule.explain(_context(context))
    if as_json:
        _write(explanation.to_dict())
    else:
        click.echo(explanation.tree())
    return EXIT[explanation.verdict.status]


def _rule(
    expression: str | None, path: Path | None, schema: Path | None, *, as_json: bool
) -> rules.Rule | None:
    """Return the compiled rule, or nothing after saying what is wrong with it."""
    source = _source(expression, path)
    declared = None if schema is None else context_of(_json(_read(schema), str(schema)))
    try:
        return rules.compile(source, schema=declared)
    except RuleSyntax as error:
        if as_json:
            _write(
                {
                    "valid": False,
                    "code": error.code,
                    "message": error.message,
                    "line": error.line,
                    "column": error.column,
                    "caret": error.caret,
                    "hint": error.hint,
                }
            )
        else:
            hint = f"\nhint: {error.hint}" if error.hint else ""
            click.echo(f"{error.message}\n{error.caret}{hint}", err=True)
        return None
    except InvalidInput as error:
        raise click.UsageError(error.message) from error


def _source(expression: str | None, path: Path | None) -> str:
    if (expression is None) == (path is None):
        raise click.UsageError("give the rule as an argument or with --file, one of the two")
    return _read(path).strip() if path is not None else str(expression)


def _context(given: str) -> dict[str, object]:
    found = read_json(given, "--context")
    if not isinstance(found, dict):
        raise click.UsageError("the context is not a JSON object")
    return found


def _read(path: Path) -> str:
    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8")
    except OSError as error:
        raise click.UsageError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise click.UsageError(f"cannot read {path}: byte {error.start} is not UTF-8") from None


def _json(text: str, name: str) -> object:
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise click.UsageError(f"{name} is not JSON: {error}") from None


def _verdict(verdict: rules.Verdict) -> dict[str, object]:
    return {
        "status": verdict.status,
        "code": verdict.code,
        "path": verdict.path,
        "message": verdict.message,
        "offset": verdict.position.offset,
        "line": verdict.position.line,
        "column": verdict.position.column,
    }


def _coloured(status: rules.Status) -> str:
    return click.style(
        status, fg={"satisfied": "green", "violated": "red", "indeterminate": "yellow"}[status]
    )


def _write(value: object) -> None:
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))
