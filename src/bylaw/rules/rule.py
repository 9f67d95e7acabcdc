"""A compiled rule."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from bylaw.rules.ast import Node
from bylaw.rules.budget import Budget
from bylaw.rules.explain import Explanation, explanation
from bylaw.rules.interpret import Evaluation, settled
from bylaw.rules.operators import not_a_truth
from bylaw.rules.place import position
from bylaw.rules.program import SATISFIED, Decide, compile_decision
from bylaw.rules.trace import Trace
from bylaw.rules.verdict import Failure, Verdict
from bylaw.rules.walk import Walk

LANG: Final = "cel/1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A checked and compiled expression.

    `evaluate(context, budget=None)` returns a `Verdict`; it never raises, needs no copy of the context
    and may run in any thread. `fields` are the paths of the context that the rule reads, `items[].price`
    for those of elements.
    """

    source: str
    fields: tuple[str, ...]
    node: Node = field(repr=False)
    types: bool = field(repr=False)
    evaluate: Decide = field(repr=False)
    lang: str = LANG

    def explain(self, context: dict[str, object], budget: Budget | None = None) -> Explanation:
        """Return the verdict about `context` with every part's value and the smallest cause.

        Parts that were not needed are evaluated too, as far as half of the steps that are left suffices.
        """
        allowance = Budget() if budget is None else budget
        trace = Trace(context=context, budget=allowance, types=self.types)
        try:
            _object(context, self.node)
            found = decided(self.node, trace)
        except Failure as failure:
            verdict = indeterminate(self.source, failure)
        else:
            verdict = SATISFIED if found else _violated(self.source, self.node)
        trace.complete()
        return explanation(self.source, verdict, trace.root)


def build(source: str, node: Node, *, fields: tuple[str, ...], types: bool) -> Rule:
    """Return the rule for a checked tree."""
    violated = _violated(source, node)
    evaluate = compile_decision(
        node, types=types, violated=violated, undecided=_walk(source, node, violated, types=types)
    )
    return Rule(source=source, fields=fields, node=node, types=types, evaluate=evaluate)


def _violated(source: str, node: Node) -> Verdict:
    return Verdict(status="violated", position=position(source, node.offset))


def _object(context: object, node: Node) -> dict[str, object]:
    if type(context) is dict:
        return context
    raise Failure("type_error", "the context is not a JSON object", offset=node.offset)


def _walk(
    source: str, node: Node, violated: Verdict, *, types: bool
) -> Callable[[object, Budget | None], Verdict]:
    def undecided(context: object, budget: Budget | None) -> Verdict:
        try:
            allowance = Budget() if budget is None else budget
            evaluation = Evaluation(context=_object(context, node), budget=allowance, types=types)
            found = decided(node, evaluation)
        except Failure as failure:
            return indeterminate(source, failure)
        return SATISFIED if found else violated

    return undecided


def decided(node: Node, walk: Walk) -> bool:
    """Return the boolean that `walk` gives for the whole rule `node`.

    Raises: Failure, also for whatever else goes wrong on the walk.
    """
    found = settled(walk, node)
    if found is True or found is False:
        return found
    failure = walk.blamed(not_a_truth("a rule", found), (node, found))
    failure.offset = node.offset
    if failure.code == "type_error":
        failure.code = "not_boolean"
    raise failure


def indeterminate(source: str, failure: Failure) -> Verdict:
    """Return the verdict that says why a rule has no value."""
    return Verdict(
        status="indeterminate",
        code=failure.code,
        path=failure.path,
        position=position(source, max(failure.offset, 0)),
        message=failure.message,
    )
