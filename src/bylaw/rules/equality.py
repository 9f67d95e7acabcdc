"""Equality and membership: deep, across numeric types, never by Python's own rules for containers."""

from collections.abc import Iterable
from typing import Final

from bylaw.rules.budget import COMPARED_PER_STEP, Budget
from bylaw.rules.values import (
    CIDR,
    FALSE_KEY,
    IP,
    TRUE_KEY,
    TYPE_NAME,
    Duration,
    Optional,
    Timestamp,
    Type,
    UInt,
    type_name,
)
from bylaw.rules.verdict import Failure

NUMBERS: Final = frozenset({int, float, UInt})
_KNOWN: Final = frozenset(TYPE_NAME)
_PLAIN: Final = frozenset({Timestamp, Duration, Type, CIDR})

_ABSENT: Final = object()
_PAIR: Final = 3  # steps to compare two elements


def equal(left: object, right: object, budget: Budget) -> bool:
    """Return whether two values are the same; values of different kinds are not, numbers compare exactly.

    Walks without Python's stack and charges each pair.
    """
    pairs = [(left, right)]
    while pairs:
        a, b = pairs.pop()
        if type(a) is list and type(b) is list:
            if len(a) != len(b):
                return False
            budget.spend(_PAIR * len(a))
            pairs.extend(zip(reversed(a), reversed(b), strict=True))
        elif type(a) is dict and type(b) is dict:
            if len(a) != len(b):
                return False
            budget.spend(_PAIR * len(a))
            if not a.keys() <= b.keys():
                return False
            pairs.extend((item, b[key]) for key, item in a.items())
        elif type(a) is Optional and type(b) is Optional:
            if a.present != b.present:
                return False
            pairs.append((a.value, b.value))
        elif not _equal_leaves(a, b, budget):
            return False
    return True


def _equal_leaves(a: object, b: object, budget: Budget) -> bool:
    if a is None or b is None:
        return a is b
    kind, other = type(a), type(b)
    if kind in NUMBERS and other in NUMBERS:
        return a == b
    if kind is not other:
        if kind not in TYPE_NAME or other not in TYPE_NAME:
            raise foreign(a if kind not in TYPE_NAME else b)
        return False
    if kind is bool:
        return a is b
    if (type(a) is str and type(b) is str) or (type(a) is bytes and type(b) is bytes):
        return _equal_texts(a, b, budget)
    if kind in _PLAIN:
        return a == b
    if isinstance(a, IP) and isinstance(b, IP):
        return _unmapped(a) == _unmapped(b)
    raise foreign(a)


def _equal_texts(a: str | bytes, b: str | bytes, budget: Budget) -> bool:
    if len(a) != len(b):
        return False
    if len(a) >= COMPARED_PER_STEP:
        budget.spend(len(a) // COMPARED_PER_STEP)
    return a == b


def plain(items: Iterable[object]) -> bool:
    """Return whether all items are values of the language, so that Python may compare them."""
    return _KNOWN.issuperset(map(type, items))


def foreign(value: object) -> Failure:
    """Return the failure of meeting an object that is not a value of the language."""
    return Failure("type_error", f"a {type_name(value)} of the host is not a value of a rule")


def _unmapped(ip: IP) -> object:
    address = ip.address
    if address.version == 4:
        return address
    mapped = address.ipv4_mapped
    return address if mapped is None else mapped


def map_key(value: object) -> object:
    """Return the internal key under which a map would hold `value`, or a key that no map has.

    Raises: Failure when no map can have such a key.
    """
    kind = type(value)
    if kind is str or kind is int or kind is UInt:
        return value
    if kind is bool:
        return TRUE_KEY if value else FALSE_KEY
    if type(value) is float:
        return int(value) if value.is_integer() else _ABSENT
    if value is None:
        raise Failure("null_value", "null is not a key of a map")
    raise Failure("type_error", f"a {type_name(value)} is not a key of a map")


def entry_key(value: object) -> object:
    """Return the internal key under which a new map holds its entry `value`.

    Raises: Failure, also for a double: only looking up may use one.
    """
    if type(value) is float:
        raise Failure("type_error", "a double is not a key of a map")
    return map_key(value)


def contains(container: object, value: object, budget: Budget) -> bool:
    """Return whether a list has an element equal to `value`, or a map has it as key."""
    if type(container) is list:
        if type(value) is str:
            budget.spend(len(container) // 8 * (1 + len(value) // COMPARED_PER_STEP))
            if plain(container):
                return value in container
        budget.spend(len(container))
        return any(equal(item, value, budget) for item in container)
    if type(container) is dict:
        return map_key(value) in container
    raise Failure(
        "null_value" if container is None else "type_error",
        f"`in` needs a list or a map on its right, not {type_name(container)}",
    )
