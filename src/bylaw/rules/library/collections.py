"""Lists beyond the standard functions, sets as lists, optionals and base64."""

import base64
import binascii
from functools import cmp_to_key
from typing import Final

from bylaw.rules.budget import Budget
from bylaw.rules.equality import contains, foreign
from bylaw.rules.library.function import Function, by_search, function, method
from bylaw.rules.operators import add, less, no_overload
from bylaw.rules.values import NOTHING, TYPE_NAME, Duration, Optional, Timestamp, UInt
from bylaw.rules.verdict import Failure

_MOST_FLATTENED: Final = 100
_SUMMED: Final = frozenset({int, UInt, float, Duration})
_ORDERED: Final = frozenset({bool, int, UInt, float, str, bytes, Timestamp, Duration})


def _range(budget: Budget, count: int) -> list[object]:
    if count > 0:
        budget.spend(count if count.bit_length() < 64 else 2**62)
    return list(range(max(count, 0)))


def _slice(budget: Budget, items: list[object], start: int, end: int) -> list[object]:
    if not 0 <= start <= end <= len(items):
        raise Failure("range", f"the slice is not inside the list of {len(items)}")
    budget.spend((end - start) // 16)
    return items[start:end]


def _copied(items: list[object]) -> int:
    return len(items) // 16


def _reverse(_: Budget, items: list[object]) -> list[object]:
    return items[::-1]


def _first(_: Budget, items: list[object]) -> Optional:
    return Optional(items[0]) if items else NOTHING


def _last(_: Budget, items: list[object]) -> Optional:
    return Optional(items[-1]) if items else NOTHING


def _flatten(budget: Budget, items: list[object], depth: int = 1) -> list[object]:
    """Return the elements of the lists inside, `depth` levels down."""
    if not 0 <= depth <= _MOST_FLATTENED:
        raise Failure("invalid_argument", f"flatten() goes 0 to {_MOST_FLATTENED} levels down")
    for _ in range(depth):
        budget.spend(1 + len(items))
        if not any(type(item) is list for item in items):
            return items
        flat: list[object] = []
        for item in items:
            if type(item) is list:
                budget.spend(len(item))
                flat.extend(item)
            else:
                flat.append(item)
        items = flat
    return items


def _distinct(budget: Budget, items: list[object]) -> list[object]:
    """Return the elements without later repeats; every pair of kept elements is compared."""
    kept: list[object] = []
    for item in items:
        if type(item) not in TYPE_NAME:
            raise foreign(item)
        if not contains(kept, item, budget):
            kept.append(item)
    return kept


def sort_by(budget: Budget, items: list[object], keys: list[object]) -> list[object]:
    """Return `items` in the order of their `keys`, which are all of one ordered kind."""
    budget.spend(4 * len(keys))
    for key in keys:
        if type(key) not in _ORDERED or type(key) is not type(keys[0]):
            raise no_overload("sort()", keys[0], key)

    def compare(a: int, b: int) -> int:
        budget.spend(4)  # two comparisons through Python calls
        return less(keys[b], keys[a], budget) - less(keys[a], keys[b], budget)

    order = sorted(range(len(keys)), key=cmp_to_key(compare))
    return [items[position] for position in order]


def _sort(budget: Budget, items: list[object]) -> list[object]:
    return sort_by(budget, items, items)


def _sum(budget: Budget, items: list[object]) -> object:
    """Return the sum as `+` adds from the left; 0 for no elements."""
    total: object = 0
    for position, item in enumerate(items):
        if type(item) not in _SUMMED:
            raise no_overload("sum()", item)
        total = add(total, item, budget) if position else item
    return total


# --- sets


def _set_contains(budget: Budget, items: list[object], wanted: list[object]) -> bool:
    return all(contains(items, value, budget) for value in wanted)


def _set_equivalent(budget: Budget, a: list[object], b: list[object]) -> bool:
    return _set_contains(budget, a, b) and _set_contains(budget, b, a)


def _set_intersects(budget: Budget, a: list[object], b: list[object]) -> bool:
    return any(contains(b, value, budget) for value in a)


# --- optionals


def _of_non_zero(_: Budget, value: object) -> Optional:
    if type(value) not in TYPE_NAME:
        raise foreign(value)
    return NOTHING if _is_zero(value) else Optional(value)


def _is_zero(value: object) -> bool:
    match value:
        case None:
            return True
        case bool() | int() | float() | str() | bytes() | list() | dict():
            return not value
        case Timestamp() | Duration():
            return value.ns == 0
        case Optional():
            return not value.present
        case _:
            return False


def _value(_: Budget, optional: Optional) -> object:
    if optional.present:
        return optional.value
    raise Failure("invalid_argument", "an optional that holds nothing has no value()")


def _or(_: Budget, optional: Optional, other: Optional) -> Optional:
    return optional if optional.present else other


def _or_value(_: Budget, optional: Optional, other: object) -> object:
    return optional.value if optional.present else other


# --- base64


def _encode(_: Budget, data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _decode(_: Budget, text: str) -> bytes:
    """Return the bytes; padding may be left out."""
    unpadded = text.rstrip("=")
    try:
        return base64.b64decode(unpadded + "=" * (-len(unpadded) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise Failure("invalid_argument", "the text is not base64") from None


FUNCTIONS: Final[tuple[Function, ...]] = (
    function("lists.range", (int,), list, _range),
    method("slice", (list, int, int), list, _slice, cost=None),
    method("reverse", (list,), list, _reverse, cost=_copied),
    method("first", (list,), Optional, _first, cost=None),
    method("last", (list,), Optional, _last, cost=None),
    method("flatten", (list,), list, _flatten),
    method("flatten", (list, int), list, _flatten),
    method("distinct", (list,), list, _distinct),
    method("sort", (list,), list, _sort, cost=None),
    method("sum", (list,), object, _sum),
    function("sets.contains", (list, list), bool, _set_contains, cost=lambda _, wanted: len(wanted)),
    function("sets.equivalent", (list, list), bool, _set_equivalent),
    function("sets.intersects", (list, list), bool, _set_intersects, cost=lambda a, _: len(a)),
    function("optional.of", (object,), Optional, lambda _, value: Optional(value), cost=None),
    function("optional.ofNonZeroValue", (object,), Optional, _of_non_zero, cost=None),
    function("optional.none", (), Optional, lambda _: NOTHING),
    method("hasValue", (Optional,), bool, lambda _, optional: optional.present),
    method("value", (Optional,), object, _value),
    method("or", (Optional, Optional), Optional, _or),
    method("orValue", (Optional, object), object, _or_value, cost=None),
    function("base64.encode", (bytes,), str, _encode, cost=by_search),
    function("base64.decode", (str,), bytes, _decode, cost=by_search),
)
