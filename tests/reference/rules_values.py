"""What the language's values are to each other: kinds, equality, order, arithmetic; slow and obvious.

Source: cel-spec doc/langdef.md (equality, order, overflow); `bylaw.rules.verdict` (missing, null, numbers).
"""

import math
from fractions import Fraction

from bylaw.rules.values import CIDR, IP, Duration, Optional, Timestamp, Type, UInt

INT_RANGE = (-(2**63), 2**63 - 1)
UINT_RANGE = (0, 2**64 - 1)
FIRST_MOMENT = -62135596800 * 10**9
LAST_MOMENT = 253402300799 * 10**9 + 999_999_999
LONGEST_SPAN = 2**63 - 1

KINDS = {
    type(None): "null",
    bool: "bool",
    int: "int",
    UInt: "uint",
    float: "double",
    str: "string",
    bytes: "bytes",
    list: "list",
    dict: "map",
    Timestamp: "timestamp",
    Duration: "duration",
    Type: "type",
    Optional: "optional",
    IP: "ip",
    CIDR: "cidr",
}
NUMBERS = ("int", "uint", "double")


class Failed(Exception):
    """An evaluation without a value: its code, and the place once a node is known to be at fault.

    `misfit` is which of the operands was not taken.
    """

    def __init__(self, code: str, *, at: int = -1, path: str = "", misfit: int = 0) -> None:
        super().__init__(code)
        self.misfit = misfit
        self.code = code
        self.at = at
        self.path = path


class Entries:
    """A map as the list of its entries, because Python takes 1, 1.0 and True for one key."""

    def __init__(self, pairs: list[tuple[object, object]]) -> None:
        self.pairs = pairs

    def find(self, key: object) -> tuple[object, object] | None:
        """Return the entry whose key equals `key`, or None."""
        for entry in self.pairs:
            if equal(entry[0], key):
                return entry
        return None


def kind(value: object) -> str:
    """Return the kind of a value by its exact class; anything else is foreign."""
    return "map" if type(value) is Entries else KINDS.get(type(value), "foreign")


def entries(value: object) -> Entries:
    """Return a map as entries."""
    if isinstance(value, Entries):
        return value
    assert isinstance(value, dict)
    return Entries(list(value.items()))


def unsuitable(*values: object, misfit: int = 0) -> Failed:
    """Return the failure of an operation not defined for these values: null explains more than a type."""
    return Failed("null_value" if any(value is None for value in values) else "type_error", misfit=misfit)


def unsuitable_pair(left: object, right: object, *taken: str) -> Failed:
    """Return the failure of a binary operator: its left operand is the misfit unless its kind is `taken`."""
    return unsuitable(left, right, misfit=int(kind(left) in taken))


def equal(left: object, right: object) -> bool:
    """Return whether two values are equal; values of different kinds are not, numbers compare by amount."""
    kinds = kind(left), kind(right)
    if "foreign" in kinds:
        raise Failed("type_error")
    if set(kinds) <= set(NUMBERS):
        return compare(left, right) == 0
    if kinds[0] != kinds[1]:
        return False
    if kinds[0] == "list":
        return _equal_lists(left, right)
    if kinds[0] == "map":
        return _equal_maps(entries(left), entries(right))
    if kinds[0] == "optional":
        assert isinstance(left, Optional)
        assert isinstance(right, Optional)
        if left.present and right.present:
            return equal(left.value, right.value)
        return left.present == right.present
    return left == right


def _equal_lists(left: object, right: object) -> bool:
    assert isinstance(left, list)
    assert isinstance(right, list)
    if len(left) != len(right):
        return False
    return all(equal(one, other) for one, other in zip(left, right, strict=True))


def _equal_maps(left: Entries, right: Entries) -> bool:
    if len(left.pairs) != len(right.pairs):
        return False
    for key, value in left.pairs:
        found = right.find(key)
        if found is None or not equal(value, found[1]):
            return False
    return True


def compare(left: object, right: object) -> int | None:
    """Return -1, 0 or 1 as `left` is less than, equal to or more than `right`; None beside a NaN."""
    kinds = {kind(left), kind(right)}
    if kinds <= set(NUMBERS):
        return _compare_numbers(left, right)
    if len(kinds) != 1 or kinds & {"null", "list", "map", "type", "optional", "foreign", "ip", "cidr"}:
        raise unsuitable_pair(left, right, *NUMBERS, "bool", "string", "bytes", "timestamp", "duration")
    if isinstance(left, Timestamp | Duration):
        assert isinstance(right, Timestamp | Duration)
        left, right = left.ns, right.ns
    return -1 if left < right else 1 if left > right else 0  # type: ignore[operator]


def _compare_numbers(left: object, right: object) -> int | None:
    for number in (left, right):
        if isinstance(number, float) and math.isnan(number):
            return None
    one, other = _exact(left), _exact(right)
    return -1 if one < other else 1 if one > other else 0


def _exact(number: object) -> Fraction | float:
    assert isinstance(number, int | float)
    return number if isinstance(number, float) and math.isinf(number) else Fraction(number)


def _alike(left: object, right: object) -> tuple[object, object]:
    """Return both operands as doubles when one is a double and the other an int, else as they are."""
    if {kind(left), kind(right)} != {"int", "double"}:
        return left, right
    try:
        return float(left), float(right)  # type: ignore[arg-type]
    except OverflowError:
        raise Failed("range") from None


def within_64_bits(*numbers: object) -> None:
    """Refuse integers that JSON can write and the language cannot hold."""
    for number in numbers if {kind(number) for number in numbers} == {"int"} else ():
        if not INT_RANGE[0] <= number <= UINT_RANGE[1]:  # type: ignore[operator]
            raise Failed("range")


def add(left: object, right: object) -> object:
    """Return `left + right`."""
    left, right = _alike(left, right)
    match kind(left), kind(right):
        case ("int", "int") | ("uint", "uint") | ("double", "double"):
            return in_range(left, left + right)  # type: ignore[operator]
        case ("string", "string") | ("bytes", "bytes") | ("list", "list"):
            return left + right  # type: ignore[operator]
        case ("timestamp", "duration") | ("duration", "timestamp"):
            return moment(left.ns + right.ns)  # type: ignore[attr-defined]
        case ("duration", "duration"):
            return span(left.ns + right.ns)  # type: ignore[attr-defined]
        case _:
            raise unsuitable_pair(left, right, *NUMBERS, "string", "bytes", "list", "timestamp", "duration")


def subtract(left: object, right: object) -> object:
    """Return `left - right`."""
    left, right = _alike(left, right)
    match kind(left), kind(right):
        case ("int", "int") | ("uint", "uint") | ("double", "double"):
            return in_range(left, left - right)  # type: ignore[operator]
        case ("timestamp", "duration"):
            return moment(left.ns - right.ns)  # type: ignore[attr-defined]
        case ("timestamp", "timestamp"):
            return span(left.ns - right.ns)  # type: ignore[attr-defined]
        case ("duration", "duration"):
            return span(left.ns - right.ns)  # type: ignore[attr-defined]
        case _:
            raise unsuitable_pair(left, right, *NUMBERS, "timestamp", "duration")


def multiply(left: object, right: object) -> object:
    """Return `left * right`."""
    left, right = _alike(left, right)
    within_64_bits(left, right)
    match kind(left), kind(right):
        case ("int", "int") | ("uint", "uint") | ("double", "double"):
            return in_range(left, left * right)  # type: ignore[operator]
        case _:
            raise unsuitable_pair(left, right, *NUMBERS)


def divide(left: object, right: object) -> object:
    """Return `left / right`: integers toward zero, doubles as IEEE 754 has it."""
    left, right = _alike(left, right)
    within_64_bits(left, right)
    match kind(left), kind(right):
        case ("int", "int") | ("uint", "uint"):
            if right == 0:
                raise Failed("divide_by_zero")
            quotient = abs(left) // abs(right)  # type: ignore[arg-type]
            return in_range(left, -quotient if (left < 0) != (right < 0) else quotient)  # type: ignore[operator]
        case ("double", "double"):
            return _divide_doubles(left, right)  # type: ignore[arg-type]
        case _:
            raise unsuitable_pair(left, right, *NUMBERS)


def _divide_doubles(left: float, right: float) -> float:
    if right != 0:
        return left / right
    if left == 0 or math.isnan(left):
        return math.nan
    return math.copysign(math.inf, left) * math.copysign(1, right)


def modulo(left: object, right: object) -> object:
    """Return the remainder of integer division; its sign is the dividend's."""
    match kind(left), kind(right):
        case ("int", "int") | ("uint", "uint"):
            within_64_bits(left, right)
            if right == 0:
                raise Failed("divide_by_zero")
            remainder = abs(left) % abs(right)  # type: ignore[arg-type]
            return in_range(left, -remainder if left < 0 else remainder)  # type: ignore[operator]
        case _:
            raise unsuitable_pair(left, right, "int", "uint")


def negate(value: object) -> object:
    """Return `-value`."""
    if kind(value) not in ("int", "double"):
        raise unsuitable(value)
    return in_range(value, -value)  # type: ignore[operator]


def in_range(like: object, number: float) -> object:
    """Return `number` in the numeric type of `like`, or fail."""
    if isinstance(number, float):
        return number
    low, high = UINT_RANGE if isinstance(like, UInt) else INT_RANGE
    if not low <= number <= high:
        raise Failed("range")
    return UInt(number) if isinstance(like, UInt) else int(number)


def moment(ns: int) -> Timestamp:
    """Return the timestamp at `ns`, or fail outside the years 1 to 9999."""
    if not FIRST_MOMENT <= ns <= LAST_MOMENT:
        raise Failed("range")
    return Timestamp(ns)


def span(ns: int) -> Duration:
    """Return the duration of `ns`, or fail beyond the nanoseconds of 64 bits."""
    if abs(ns) > LONGEST_SPAN:
        raise Failed("range")
    return Duration(ns)
