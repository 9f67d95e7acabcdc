"""A compiled rule."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from bylaw.rules.ast import Node
from bylaw.rules.budget import Budget
from bylaw.rules.compile import SATISFIED, Decide, compile_decision
from bylaw.rules.interpret import Evaluation
from bylaw.rules.operators import no_overload
from bylaw.rules.place import position
from bylaw.rules.verdict import Failure, Verdict

LANG: Final = "cel/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A checked and compiled expression.

    `evaluate(context, budget=None)` returns a `Verdict`; it never raises, needs no copy of the context and may
    run in any thread. `fields` are the paths of the context that the rule reads, `items[].price` for those of
    elements.
    """

    source: str
    fields: tuple[str, ...]
    node: Node = field(repr=False)
    types: bool = field(repr=False)
    evaluate: Decide = field(repr=False)
    lang: str = LANG


def build(source: str, node: Node, *, fields: tuple[str, ...], types: bool) -> Rule:
    """Return the rule for a checked tree."""
    line, column = position(source, node.offset)
    violated = Verdict(status="violated", offset=node.offset, line=line, column=column)
    evaluate = compile_decision(
        node, types=types, violated=violated, undecided=_walk(source, node, violated, types=types)
    )
    return Rule(source=source, fields=fields, node=node, types=types, evaluate=evaluate)


def _walk(
    source: str, node: Node, violated: Verdict, *, types: bool
) -> Callable[[object, Budget | None], Verdict]:
    def undecided(context: object, budget: Budget | None) -> Verdict:
        try:
            found = outcome(node, context, Budget() if budget is None else budget, types=types)
        except Failure as failure:
            return indeterminate(source, failure)
        return SATISFIED if found else violated

    return undecided


def outcome(node: Node, context: object, budget: Budget, *, types: bool) -> bool:
    """Return whether `node` is true, by walking it.

    Raises: Failure, whatever goes wrong.
    """
    if not isinstance(context, dict):
        raise Failure("type_error", "the context is not a JSON object", offset=node.offset)
    evaluation = Evaluation(context=context, budget=budget, types=types)
    return decided(node, lambda: evaluation.value(node))


def decided(node: Node, value: Callable[[], object]) -> bool:
    """Return the boolean that `value` gives for the whole rule `node`.

    Raises: Failure, also for whatever else goes wrong in `value`.
    """
    try:
        found = value()
    except (RecursionError, MemoryError):
        raise Failure("budget", "the rule needs more memory than one evaluation may take", offset=0) from None
    except (TypeError, ValueError, LookupError, ArithmeticError) as error:
        raise Failure("type_error", f"the rule met a value it cannot use: {error}", offset=0) from None
    if found is True or found is False:
        return found
    failure = no_overload("a rule", found)
    code = "null_value" if found is None else "not_boolean"
    raise Failure(code, failure.message, offset=node.offset)


def indeterminate(source: str, failure: Failure) -> Verdict:
    """Return the verdict that says why a rule has no value."""
    offset = max(failure.offset, 0)
    line, column = position(source, offset)
    return Verdict(
        status="indeterminate",
        code=failure.code,
        path=failure.path,
        offset=offset,
        line=line,
        column=column,
        message=failure.message,
    )
