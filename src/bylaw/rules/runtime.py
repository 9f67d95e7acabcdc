"""What compiled rules may call: the only names their code can reach.

Compiled code never decides a doubtful case. It raises one of `UNDECIDED`, and the walk over the tree
(`interpret`) finds out what is true and why.
"""

from collections.abc import Iterable
from typing import Final, Never

from bylaw.rules.ast import Node
from bylaw.rules.budget import Budget, exhausted
from bylaw.rules.equality import NUMBERS, equal, foreign, plain
from bylaw.rules.interpret import Evaluation
from bylaw.rules.operators import (
    add,
    divide,
    greater,
    greater_or_equal,
    index,
    less,
    less_or_equal,
    modulo,
    multiply,
    negate,
    subtract,
    within,
)
from bylaw.rules.times import parse_timestamp
from bylaw.rules.values import TYPE_NAME, from_key
from bylaw.rules.verdict import Failure

UNDECIDED: Final = (Failure, LookupError, TypeError, ValueError, ArithmeticError, RecursionError)
MISSING: Final = object()


def bail() -> Never:
    """Leave compiled code."""
    raise TypeError


def overdrawn() -> Never:
    """Leave compiled code because the budget ran out."""
    raise exhausted()


def same_scalar(value: object, constant: object) -> bool:
    """Return whether `value` equals a constant of another exact type."""
    if type(value) in NUMBERS and type(constant) in NUMBERS:
        return value == constant
    if type(value) not in TYPE_NAME:
        raise foreign(value)
    return False


def among(value: object, constants: tuple[object, ...]) -> bool:
    """Return whether `value` equals one of the constants, none of which has its exact type."""
    return any(same_scalar(value, constant) for constant in constants)


def absent(value: object) -> object:
    """Return `MISSING` if a path broke off before; nothing else may have no fields."""
    return value if value is MISSING else bail()


def absent_is_false(value: object) -> bool:
    """Return false if a path broke off before; nothing else may have no fields."""
    return False if value is MISSING else bail()


def elements(value: object) -> list[object]:
    """Return what a macro with one variable goes over, when it is not a list."""
    return [from_key(key) for key in value] if type(value) is dict else bail()


def pairs(value: object) -> Iterable[tuple[object, object]]:
    """Return what a macro with two variables goes over."""
    if type(value) is list:
        return enumerate(value)
    if type(value) is dict:
        return [(from_key(key), item) for key, item in value.items()]
    bail()


def walk(
    node: Node, context: dict[str, object], budget: Budget, *, scope: dict[str, object], types: bool
) -> object:
    """Return the value of a part that is not worth compiling."""
    return Evaluation(context=context, budget=budget, types=types, scope=scope).value(node)


NAMES: Final[dict[str, object]] = {
    "__builtins__": {},
    "type": type,
    "len": len,
    "bool": bool,
    "int": int,
    "float": float,
    "str": str,
    "bytes": bytes,
    "list": list,
    "dict": dict,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
    "Budget": Budget,
    "UNDECIDED": UNDECIDED,
    "MISSING": MISSING,
    "bail": bail,
    "overdrawn": overdrawn,
    "same_scalar": same_scalar,
    "among": among,
    "absent": absent,
    "absent_is_false": absent_is_false,
    "elements": elements,
    "pairs": pairs,
    "walk": walk,
    "moment": parse_timestamp,
    "equal": equal,
    "within": within,
    "plain": plain,
    "index": index,
    "add": add,
    "subtract": subtract,
    "multiply": multiply,
    "divide": divide,
    "modulo": modulo,
    "negate": negate,
    "less": less,
    "less_or_equal": less_or_equal,
    "greater": greater,
    "greater_or_equal": greater_or_equal,
}
