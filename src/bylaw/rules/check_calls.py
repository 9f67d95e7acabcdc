"""What can be known to be wrong with the call of a function."""

from typing import Final

from bylaw.core.errors import RuleSyntax
from bylaw.rules.ast import Call, Literal, Node
from bylaw.rules.budget import Budget
from bylaw.rules.library import REGISTRY, Key, Overloads
from bylaw.rules.library.function import Function
from bylaw.rules.library.patterns import SEARCHES
from bylaw.rules.limits import Limits
from bylaw.rules.place import refusal
from bylaw.rules.regex import compile_pattern
from bylaw.rules.schema import Shape, of
from bylaw.rules.suggest import forms, function_near
from bylaw.rules.values import TYPE_NAME
from bylaw.rules.verdict import Failure

# Conversions of a constant: a wrong one is wrong for every context.
_TRIED: Final = frozenset(
    {"timestamp", "duration", "int", "uint", "double", "bool", "ip", "cidr", "ip.isCanonical"}
)


def result(source: str, node: Call, shapes: tuple[Shape, ...], limits: Limits) -> Shape:
    """Return what is known about the result of `node`, whose parts have `shapes`.

    Raises: RuleSyntax.
    """
    method = node.target is not None
    overloads = REGISTRY.get(Key(node.function, method, len(shapes)))
    if overloads is None:
        raise _unknown(source, node)
    fitting = [each for each in overloads.variants if _fits(each, shapes)]
    if not fitting:
        raise _no_overload(source, node, overloads, shapes)
    parts = node.args if node.target is None else (node.target, *node.args)
    if node.function == "matches" or node.function in SEARCHES:
        _check_pattern(source, parts[1], limits)
    elif node.function in _TRIED:
        _try(source, parts, overloads)
    return of(*(each.result for each in fitting))


def _fits(function: Function, shapes: tuple[Shape, ...]) -> bool:
    return all(
        want is object or shape.may_be(want) for want, shape in zip(function.params, shapes, strict=True)
    )


def _unknown(source: str, node: Call) -> RuleSyntax:
    known = forms(node.function)
    if known:
        message = f"{node.function}() is not called like this"
        return refusal(source, node.offset, message, hint=f"there is {known}")
    hint = function_near(node.function, method=node.target is not None)
    return refusal(source, node.offset, f"there is no function {node.function}()", hint=hint)


def _no_overload(source: str, node: Call, overloads: Overloads, shapes: tuple[Shape, ...]) -> RuleSyntax:
    method = node.target is not None
    takes = " or ".join(_signature(each) for each in overloads.variants[:4])
    given = ", ".join(shape.words() for shape in shapes[method:])
    subject = f"{shapes[0].words()}.{node.function}({given})" if method else f"{node.function}({given})"
    return refusal(source, node.offset, f"there is no {subject}", hint=f"there is {takes}")


def _signature(function: Function) -> str:
    words = [TYPE_NAME.get(kind, "any") for kind in function.params]
    if function.method:
        return f"{words[0]}.{function.name}({', '.join(words[1:])})"
    return f"{function.name}({', '.join(words)})"


def _check_pattern(source: str, node: Node, limits: Limits) -> None:
    if not (isinstance(node, Literal) and isinstance(node.value, str)):
        raise refusal(
            source, node.offset, "a regular expression must be written in the rule, not computed from data"
        )
    if len(node.value) > limits.pattern:
        message = f"a regular expression is at most {limits.pattern} characters long"
        raise refusal(source, node.offset, message)
    try:
        compile_pattern(node.value)
    except Failure as failure:
        raise refusal(source, node.offset, failure.message, hint="patterns follow RE2") from None


def _try(source: str, parts: tuple[Node, ...], overloads: Overloads) -> None:
    values = [part.value for part in parts if isinstance(part, Literal)]
    if len(values) < len(parts):
        return
    try:
        overloads.call(Budget(), *values)
    except Failure as failure:
        raise refusal(source, parts[0].offset, failure.message) from None
