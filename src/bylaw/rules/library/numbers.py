"""The math extension."""

import math
from collections.abc import Callable
from typing import Final

from bylaw.rules.budget import Budget
from bylaw.rules.equality import NUMBERS
from bylaw.rules.library.function import Function, function
from bylaw.rules.operators import no_overload, whole
from bylaw.rules.values import INT_MIN, UINT_MAX, UInt
from bylaw.rules.verdict import Failure

Number = int | float

_MOST_ARGS: Final = 12


def _extreme(name: str, better: Callable[[Number, Number], bool]) -> Callable[..., Number]:
    """Return the function that gives the first argument that no other one beats."""

    def run(_: Budget, *args: object) -> Number:
        items = args[0] if len(args) == 1 and isinstance(args[0], list) else args
        if not items:
            raise Failure("invalid_argument", f"{name}() of an empty list")
        numbers = [_number(name, item) for item in items]
        found = numbers[0]
        for number in numbers:
            if better(number, found):
                found = number
        return found

    return run


def _number(name: str, value: object) -> Number:
    if isinstance(value, (int, float)) and type(value) in NUMBERS:
        return value
    raise no_overload(f"{name}()", value)


def _abs_int(_: Budget, value: int) -> int:
    return whole(abs(value))


def _sign(_: Budget, value: float) -> float:
    if math.isnan(value):
        return value
    return float((value > 0) - (value < 0))


def _whole_double(round_: Callable[[float], float]) -> Callable[[Budget, float], float]:
    def run(_: Budget, value: float) -> float:
        return float(round_(value)) if math.isfinite(value) else value

    return run


def _half_away(value: float) -> float:
    """Return the nearest whole number; a half goes away from zero."""
    magnitude = abs(value)
    nearest = math.floor(magnitude)
    if magnitude - nearest >= 0.5:
        nearest += 1
    return math.copysign(nearest, value)


def _square_root(_: Budget, value: float) -> float:
    if isinstance(value, int) and not INT_MIN <= value <= UINT_MAX:
        raise Failure("range", "the number is beyond 64 bits")
    return math.sqrt(value) if value >= 0 else math.nan


def _shift(value: int, by: int) -> int:
    if by < 0:
        raise Failure("invalid_argument", "a shift by a negative number")
    if not isinstance(value, UInt):
        whole(value)
    return value & UINT_MAX if by < 64 else 0


def _signed(bits: int) -> int:
    bits &= UINT_MAX
    return bits - 2**64 if bits >= 2**63 else bits


def _shift_left(_: Budget, value: int, by: int) -> int:
    return _signed(_shift(value, by) << min(by, 64))


def _shift_right(_: Budget, value: int, by: int) -> int:
    """Return the bits moved right; zeros come in, whatever the sign."""
    return _signed(_shift(value, by) >> min(by, 64))


def _shift_left_unsigned(_: Budget, value: UInt, by: int) -> UInt:
    return UInt((_shift(value, by) << min(by, 64)) & UINT_MAX)


def _shift_right_unsigned(_: Budget, value: UInt, by: int) -> UInt:
    return UInt(_shift(value, by) >> min(by, 64))


def _pairwise(combine: Callable[[int, int], int]) -> Callable[[Budget, int, int], int]:
    return lambda _, a, b: combine(whole(a), whole(b))


def _pairwise_unsigned(combine: Callable[[int, int], int]) -> Callable[[Budget, int, int], UInt]:
    return lambda _, a, b: UInt(combine(int(a), int(b)))


_BITS: Final[dict[str, Callable[[int, int], int]]] = {
    "math.bitAnd": lambda a, b: a & b,
    "math.bitOr": lambda a, b: a | b,
    "math.bitXor": lambda a, b: a ^ b,
}

FUNCTIONS: Final[tuple[Function, ...]] = (
    *(
        function(name, (object,) * count, object, _extreme(name, better))
        for name, better in (("math.greatest", lambda a, b: a > b), ("math.least", lambda a, b: a < b))
        for count in range(1, _MOST_ARGS + 1)
    ),
    function("math.ceil", (float,), float, _whole_double(math.ceil)),
    function("math.floor", (float,), float, _whole_double(math.floor)),
    function("math.round", (float,), float, _whole_double(_half_away)),
    function("math.trunc", (float,), float, _whole_double(math.trunc)),
    function("math.abs", (int,), int, _abs_int),
    function("math.abs", (UInt,), UInt, lambda _, value: value),
    function("math.abs", (float,), float, lambda _, value: abs(value)),
    function("math.sign", (int,), int, lambda _, value: (value > 0) - (value < 0)),
    function("math.sign", (UInt,), UInt, lambda _, value: UInt(value > 0)),
    function("math.sign", (float,), float, _sign),
    *(function("math.sqrt", (kind,), float, _square_root) for kind in (int, UInt, float)),
    function("math.isNaN", (float,), bool, lambda _, value: math.isnan(value)),
    function("math.isInf", (float,), bool, lambda _, value: math.isinf(value)),
    function("math.isFinite", (float,), bool, lambda _, value: math.isfinite(value)),
    *(function(name, (int, int), int, _pairwise(combine)) for name, combine in _BITS.items()),
    *(function(name, (UInt, UInt), UInt, _pairwise_unsigned(combine)) for name, combine in _BITS.items()),
    function("math.bitNot", (int,), int, lambda _, value: ~whole(value)),
    function("math.bitNot", (UInt,), UInt, lambda _, value: UInt(UINT_MAX - value)),
    function("math.bitShiftLeft", (int, int), int, _shift_left),
    function("math.bitShiftLeft", (UInt, int), UInt, _shift_left_unsigned),
    function("math.bitShiftRight", (int, int), int, _shift_right),
    function("math.bitShiftRight", (UInt, int), UInt, _shift_right_unsigned),
)
