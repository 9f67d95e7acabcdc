"""The operators, on exact types. Each raises a Failure without a place; the evaluator adds it."""

import math
from collections.abc import Callable
from typing import Final

from bylaw.rules import times
from bylaw.rules.budget import Budget
from bylaw.rules.equality import NUMBERS, contains, equal, map_key
from bylaw.rules.values import (
    INT_MAX,
    INT_MIN,
    NOTHING,
    UINT_MAX,
    Duration,
    Optional,
    Timestamp,
    UInt,
    type_name,
)
from bylaw.rules.verdict import Code, Failure

Operator = Callable[[object, object, Budget], object]


def no_overload(what: str, *operands: object) -> Failure:
    """Return the failure of an operator or function that does not take these operands."""
    kinds = " and ".join(type_name(operand) for operand in operands)
    if any(operand is None for operand in operands):
        return Failure("null_value", f"{what} cannot be applied to {kinds}")
    return Failure("type_error", f"{what} cannot be applied to {kinds}")


def not_a_truth(what: str, value: object) -> Failure:
    """Return the failure of a value where only true or false will do."""
    code: Code = "null_value" if value is None else "type_error"
    return Failure(code, f"{what} must be true or false, not {type_name(value)}")


def whole(value: int) -> int:
    """Return `value` if it is an `int` of the language."""
    if INT_MIN <= value <= INT_MAX:
        return value
    raise Failure("range", "the result is beyond the integers of 64 bits")


def unsigned(value: int) -> UInt:
    """Return `value` as `uint`."""
    if 0 <= value <= UINT_MAX:
        return UInt(value)
    raise Failure("range", "the result is beyond the unsigned integers of 64 bits")


# --- arithmetic


def _mixed(a: object, b: object) -> tuple[float, float] | None:
    """Return both as doubles when they are doubles, or one is and the other is an int."""
    if isinstance(a, (int, float)) and isinstance(b, (int, float)):
        kinds = {type(a), type(b)}
        if float in kinds and kinds <= {int, float}:
            try:
                return float(a), float(b)
            except OverflowError:
                raise Failure("range", "the number is beyond the doubles") from None
    return None


def add(a: object, b: object, budget: Budget) -> object:
    """Return `a + b`: numbers, text, bytes, lists, times and spans."""
    kind = type(a)
    if isinstance(a, int) and isinstance(b, int) and kind is type(b) and kind in NUMBERS:
        return whole(a + b) if kind is int else unsigned(a + b)
    if (numbers := _mixed(a, b)) is not None:
        return numbers[0] + numbers[1]
    if type(a) is str and type(b) is str:
        budget.read(len(a) + len(b))
        return a + b
    if type(a) is list and type(b) is list:
        budget.spend(1 + (len(a) + len(b)) // 16)
        return a + b
    if type(a) is bytes and type(b) is bytes:
        budget.read(len(a) + len(b))
        return a + b
    match a, b:
        case (Timestamp(ns), Duration(by)) | (Duration(by), Timestamp(ns)):
            return times.timestamp(ns + by)
        case Duration(ns), Duration(by):
            return times.duration(ns + by)
        case _:
            raise no_overload("+", a, b)


def subtract(a: object, b: object, _: Budget) -> object:
    """Return `a - b`: numbers, times and spans."""
    kind = type(a)
    if isinstance(a, int) and isinstance(b, int) and kind is type(b) and kind in NUMBERS:
        return whole(a - b) if kind is int else unsigned(a - b)
    if (numbers := _mixed(a, b)) is not None:
        return numbers[0] - numbers[1]
    match a, b:
        case Timestamp(ns), Duration(by):
            return times.timestamp(ns - by)
        case (Timestamp(ns), Timestamp(by)) | (Duration(ns), Duration(by)):
            return times.duration(ns - by)
        case _:
            raise no_overload("-", a, b)


def _bounded(a: int, b: int) -> None:
    """Refuse integers beyond 64 bits before an operation that is not linear in their size."""
    if not (INT_MIN <= a <= UINT_MAX and INT_MIN <= b <= UINT_MAX):
        raise Failure("range", "an operand is beyond the integers of 64 bits")


def multiply(a: object, b: object, _: Budget) -> object:
    """Return `a * b` of numbers."""
    kind = type(a)
    if isinstance(a, int) and isinstance(b, int) and kind is type(b) and kind in NUMBERS:
        _bounded(a, b)
        return whole(a * b) if kind is int else unsigned(a * b)
    if (numbers := _mixed(a, b)) is not None:
        return numbers[0] * numbers[1]
    raise no_overload("*", a, b)


def divide(a: object, b: object, _: Budget) -> object:
    """Return `a / b` of numbers; integers are cut towards zero."""
    kind = type(a)
    if isinstance(a, int) and isinstance(b, int) and kind is type(b) and kind in NUMBERS:
        quotient, _remainder = _division(a, b)
        return whole(quotient) if kind is int else unsigned(quotient)
    if (numbers := _mixed(a, b)) is not None:
        left, right = numbers
        if right != 0:
            return left / right
        if left == 0 or math.isnan(left):
            return float("nan")
        # The sign of a zero counts, as in IEEE 754.
        negative = (left < 0) != (str(right)[0] == "-")
        return float("-inf" if negative else "inf")
    raise no_overload("/", a, b)


def modulo(a: object, b: object, _: Budget) -> object:
    """Return `a % b` of integers; the sign is that of `a`."""
    kind = type(a)
    if isinstance(a, int) and isinstance(b, int) and kind is type(b) and kind in NUMBERS:
        _quotient, remainder = _division(a, b)
        return remainder if kind is int else unsigned(remainder)
    raise no_overload("%", a, b)


def _division(a: int, b: int) -> tuple[int, int]:
    _bounded(a, b)
    if b == 0:
        raise Failure("divide_by_zero", "division by zero")
    quotient = abs(a) // abs(b)
    if (a < 0) != (b < 0):
        quotient = -quotient
    return quotient, a - quotient * b


def negate(value: object) -> object:
    """Return `-value` of an int or a double."""
    if type(value) is int:
        return whole(-value)
    if type(value) is float:
        return -value
    raise no_overload("-", value)


# --- order


def _ordered(a: object, b: object, budget: Budget, symbol: str) -> tuple[object, object]:
    """Return what to compare in place of `a` and `b`."""
    kind, other = type(a), type(b)
    if kind in NUMBERS and other in NUMBERS:
        return a, b
    if (type(a) is str and type(b) is str) or (type(a) is bytes and type(b) is bytes):
        budget.read(min(len(a), len(b)))
        return a, b
    if kind is bool and other is bool:
        return a, b
    match a, b:
        case (Timestamp(first), Timestamp(second)) | (Duration(first), Duration(second)):
            return first, second
        case _:
            raise no_overload(symbol, a, b)


def less(a: object, b: object, budget: Budget) -> bool:
    """Return `a < b`."""
    left, right = _ordered(a, b, budget, "<")
    return bool(left < right)  # type: ignore[operator]  # _ordered returns two of one ordered kind


def less_or_equal(a: object, b: object, budget: Budget) -> bool:
    """Return `a <= b`."""
    left, right = _ordered(a, b, budget, "<=")
    return bool(left <= right)  # type: ignore[operator]  # as in less


def greater(a: object, b: object, budget: Budget) -> bool:
    """Return `a > b`."""
    left, right = _ordered(a, b, budget, ">")
    return bool(left > right)  # type: ignore[operator]  # as in less


def greater_or_equal(a: object, b: object, budget: Budget) -> bool:
    """Return `a >= b`."""
    left, right = _ordered(a, b, budget, ">=")
    return bool(left >= right)  # type: ignore[operator]  # as in less


def unequal(a: object, b: object, budget: Budget) -> bool:
    """Return `a != b`."""
    return not equal(a, b, budget)


def within(a: object, b: object, budget: Budget) -> bool:
    """Return `a in b`."""
    return contains(b, a, budget)


BINARY: Final[dict[str, Operator]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "%": modulo,
    "<": less,
    "<=": less_or_equal,
    ">": greater,
    ">=": greater_or_equal,
    "==": equal,
    "!=": unequal,
    "in": within,
}

_TIMES: Final = frozenset({Timestamp, Duration})
_ORDERED: Final = NUMBERS | _TIMES | {str, bytes, bool}
# What operators take on their left; those that are not here take everything.
_LEFT: Final[dict[str, frozenset[type]]] = {
    "+": NUMBERS | _TIMES | {str, bytes, list},
    "-": NUMBERS | _TIMES,
    "*": NUMBERS,
    "/": NUMBERS,
    "%": NUMBERS - {float},
    **dict.fromkeys(("<", "<=", ">", ">="), _ORDERED),
}


def suspect(operator: str, left: object, right: object) -> int:
    """Return which operand an operator that failed does not take: 0 is the left one, 1 the right one."""
    if operator == "in":
        return 0 if type(right) is list or type(right) is dict else 1
    taken = _LEFT.get(operator)
    return 1 if taken is None or type(left) in taken else 0


# --- access


def select(value: object, field: str) -> object:
    """Return the field of a map; of an optional, an optional."""
    if type(value) is dict:
        try:
            return value[field]
        except KeyError:
            raise Failure("missing", f"there is no {field!r} here") from None
    if isinstance(value, Optional):
        return optional_select(value, field)
    if value is None:
        raise Failure("null_value", f"null has no field {field!r}")
    raise Failure("type_error", f"a {type_name(value)} has no field {field!r}")


def index(value: object, key: object) -> object:
    """Return the element of a list or the value of a map's key; of an optional, an optional."""
    if type(value) is list:
        position = _position(key)
        if 0 <= position < len(value):
            return value[position]
        raise Failure("range", f"the index is not inside the list of {len(value)}")
    if type(value) is dict:
        try:
            return value[map_key(key)]
        except KeyError:
            raise Failure("missing", "there is no such key here") from None
    if isinstance(value, Optional):
        return optional_index(value, key)
    raise no_overload("[]", value, key)


def _position(key: object) -> int:
    if isinstance(key, int) and type(key) in NUMBERS:
        return int(key)
    if type(key) is float:
        if key.is_integer():
            return int(key)
        raise Failure("invalid_argument", "a double with a fraction is not an index of a list")
    raise no_overload("[]", [], key)


def optional_select(value: object, field: str) -> Optional:
    """Return what `value.?field` holds."""
    return _maybe(lambda inner: select(inner, field), value)


def optional_index(value: object, key: object) -> Optional:
    """Return what `value[?key]` holds."""
    return _maybe(lambda inner: index(inner, key), value)


def _maybe(access: Callable[[object], object], value: object) -> Optional:
    if isinstance(value, Optional):
        if not value.present:
            return NOTHING
        value = value.value
    try:
        found = access(value)
    except Failure as failure:
        if failure.code == "missing" or (failure.code == "range" and isinstance(value, list)):
            return NOTHING
        raise
    return found if isinstance(found, Optional) else Optional(found)
