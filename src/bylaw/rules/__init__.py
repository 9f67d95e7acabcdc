"""The rule language: CEL over JSON, compiled to Python code, that explains itself.

`compile(expr)` checks and compiles an expression once; the `Rule` then decides any number of contexts.
Where it differs from CEL: docs/explanation/rules-differences.md. `cel` evaluates plain CEL expressions.
"""

import json
from functools import lru_cache

from bylaw.core.errors import InvalidInput, Problem
from bylaw.rules import cel
from bylaw.rules.ast import Call, descendants
from bylaw.rules.budget import Budget
from bylaw.rules.check import check
from bylaw.rules.limits import Limits
from bylaw.rules.names import DOTTED_TYPES
from bylaw.rules.parse import parse
from bylaw.rules.paths import read_by
from bylaw.rules.place import Position
from bylaw.rules.rule import LANG, Rule, build
from bylaw.rules.schema import ANY, read
from bylaw.rules.verdict import Code, Failure, Status, Verdict

__all__ = [
    "LANG",
    "Budget",
    "Code",
    "Failure",
    "Limits",
    "Position",
    "Rule",
    "Status",
    "Verdict",
    "cel",
    "compile",
]


def compile(expr: str, *, schema: object = None) -> Rule:  # noqa: A001 - rules.compile reads as what it is
    """Return the rule that `expr` says; `schema` is a JSON Schema of the context, see `bylaw.rules.schema`.

    Rules are kept by language, text and schema, so the same text compiles once.
    Raises: RuleSyntax with line, column, caret and hint; InvalidInput for an unusable schema.
    """
    return _compiled(LANG, expr, "" if schema is None else _text(schema))


def _text(schema: object) -> str:
    """Return one text per meaning of a schema, so that rules can be kept by it."""
    read(schema)
    try:
        return json.dumps(schema, sort_keys=True)
    except (TypeError, ValueError) as error:
        problem = Problem(path="schema", code="invalid_schema", message=str(error))
        raise InvalidInput(f"The context schema is not JSON: {error}.", problem) from None


@lru_cache(maxsize=4_096)
def _compiled(_lang: str, expr: str, schema: str) -> Rule:
    context = read(json.loads(schema)) if schema else ANY
    node = parse(expr)
    types = any(isinstance(each, Call) and each.function == "type" for each in descendants(node))
    if types:
        node = parse(expr, names=DOTTED_TYPES)
    check(node, expr, context=context, types=types)
    return build(expr, node, fields=read_by(node, types=types), types=types)
