"""Size, text predicates, types and conversions: the functions that every CEL has."""

import math
import re
from collections.abc import Sized
from typing import Final

from bylaw.rules import times
from bylaw.rules.budget import Budget
from bylaw.rules.equality import contains
from bylaw.rules.library.function import Function, both, by_search, by_size, function, method
from bylaw.rules.library.network import cidr_text, ip_text
from bylaw.rules.library.text_format import plain_double
from bylaw.rules.operators import unsigned, whole
from bylaw.rules.regex import search
from bylaw.rules.values import CIDR, IP, Duration, Timestamp, Type, UInt, type_name
from bylaw.rules.verdict import Failure

_INTEGER: Final = re.compile(r"[+-]?[0-9]{1,25}", re.ASCII)
_UNSIGNED: Final = re.compile(r"\+?[0-9]{1,25}", re.ASCII)
_DOUBLE: Final = re.compile(
    r"[+-]?(?:[0-9]{1,400}(?:\.[0-9]{0,400})?|\.[0-9]{1,400})(?:[eE][+-]?[0-9]{1,6})?"
    r"|[+-]?(?:inf|infinity)|nan",
    re.ASCII | re.IGNORECASE,
)
_BOOLEANS: Final = {
    **dict.fromkeys(("1", "t", "true", "TRUE", "True", "T"), True),
    **dict.fromkeys(("0", "f", "false", "FALSE", "False", "F"), False),
}
_LONGEST_BOOLEAN: Final = max(map(len, _BOOLEANS))


def _size(_: Budget, value: Sized) -> int:
    return len(value)


def _text_contains(_: Budget, text: str, part: str) -> bool:
    return part in text


def _list_contains(budget: Budget, items: list[object], value: object) -> bool:
    return contains(items, value, budget)


def _affix(_: str, wanted: str) -> int:
    """Return the steps of comparing the beginning or the end of a text."""
    return by_size(wanted)


def _starts_with(_: Budget, text: str, prefix: str) -> bool:
    return text.startswith(prefix)


def _ends_with(_: Budget, text: str, suffix: str) -> bool:
    return text.endswith(suffix)


def _matches(budget: Budget, text: str, pattern: str) -> bool:
    return search(text, pattern, budget)


def _type(_: Budget, value: object) -> Type:
    return Type(type_name(value))


def _same(_: Budget, value: object) -> object:
    return value


def _not_a(kind: str) -> Failure:
    return Failure("invalid_argument", f"the text is not {kind}")


def _int_of_double(_: Budget, value: float) -> int:
    if -(2.0**63) < value < 2.0**63:
        return math.trunc(value)
    raise Failure("range", "the number is beyond the integers of 64 bits")


def _uint_of_double(_: Budget, value: float) -> UInt:
    if 0 <= value < 2.0**64:
        return UInt(math.trunc(value))
    raise Failure("range", "the number is beyond the unsigned integers of 64 bits")


def _int_of_text(_: Budget, text: str) -> int:
    if _INTEGER.fullmatch(text):
        return whole(int(text))
    raise _not_a("an integer")


def _uint_of_text(_: Budget, text: str) -> UInt:
    if _UNSIGNED.fullmatch(text):
        return unsigned(int(text))
    raise _not_a("an unsigned integer")


def _double_of_text(_: Budget, text: str) -> float:
    if _DOUBLE.fullmatch(text):
        return float(text)
    raise _not_a("a number")


def _double_of_int(_: Budget, value: int) -> float:
    try:
        return float(value)
    except OverflowError:
        raise Failure("range", "the number is beyond the doubles") from None


def _text_of_int(_: Budget, value: int) -> str:
    return str(int(value)) if value.bit_length() <= 64 else str(whole(value))


def _text_of_bytes(_: Budget, value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        raise Failure("invalid_argument", "the bytes are not UTF-8") from None


def _bytes_of_text(_: Budget, value: str) -> bytes:
    try:
        return value.encode("utf-8")
    except UnicodeEncodeError:
        raise Failure("invalid_argument", "the text holds half of a surrogate pair") from None


def _bool_of_text(_: Budget, text: str) -> bool:
    if len(text) <= _LONGEST_BOOLEAN and text in _BOOLEANS:
        return _BOOLEANS[text]
    raise _not_a("a boolean")


def _timestamp_of_text(_: Budget, text: str) -> Timestamp:
    if len(text) > 64:
        raise _not_a("a timestamp such as 2026-01-31T10:00:00Z")
    return times.parse_timestamp(text)


def _duration_of_text(_: Budget, text: str) -> Duration:
    if len(text) > 128:
        raise _not_a("a duration such as 1h30m or 1.5s")
    return times.parse_duration(text)


FUNCTIONS: Final[tuple[Function, ...]] = (
    *(f for kind in (str, bytes, list, dict) for f in both("size", (kind,), int, _size, cost=None)),
    method("contains", (str, str), bool, _text_contains, cost=by_search),
    method("contains", (list, object), bool, _list_contains, cost=None),
    method("startsWith", (str, str), bool, _starts_with, cost=_affix),
    method("endsWith", (str, str), bool, _ends_with, cost=_affix),
    *both("matches", (str, str), bool, _matches, cost=None),
    function("type", (object,), Type, _type, cost=None),
    function("dyn", (object,), object, _same, cost=None),
    function("int", (int,), int, lambda _, value: whole(value)),
    function("int", (UInt,), int, lambda _, value: whole(int(value))),
    function("int", (float,), int, _int_of_double),
    function("int", (str,), int, _int_of_text, cost=None),
    function("int", (Timestamp,), int, lambda _, moment: moment.ns // times.SECOND),
    function("uint", (UInt,), UInt, _same),
    function("uint", (int,), UInt, lambda _, value: unsigned(value)),
    function("uint", (float,), UInt, _uint_of_double),
    function("uint", (str,), UInt, _uint_of_text, cost=None),
    function("double", (float,), float, _same),
    function("double", (int,), float, _double_of_int),
    function("double", (UInt,), float, _double_of_int),
    function("double", (str,), float, _double_of_text, cost=None),
    function("string", (str,), str, _same, cost=None),
    function("string", (int,), str, _text_of_int),
    function("string", (UInt,), str, _text_of_int),
    function("string", (float,), str, lambda _, value: plain_double(value)),
    function("string", (bool,), str, lambda _, value: "true" if value else "false"),
    function("string", (bytes,), str, _text_of_bytes),
    function("string", (Timestamp,), str, lambda _, moment: times.format_timestamp(moment)),
    function("string", (Duration,), str, lambda _, span: times.format_duration(span)),
    function("string", (IP,), str, lambda _, ip: ip_text(ip)),
    function("string", (CIDR,), str, lambda _, cidr: cidr_text(cidr)),
    function("bytes", (bytes,), bytes, _same, cost=None),
    function("bytes", (str,), bytes, _bytes_of_text),
    function("bool", (bool,), bool, _same),
    function("bool", (str,), bool, _bool_of_text, cost=None),
    function("timestamp", (Timestamp,), Timestamp, _same),
    function("timestamp", (int,), Timestamp, lambda _, seconds: times.timestamp(seconds * times.SECOND)),
    function("timestamp", (str,), Timestamp, _timestamp_of_text, cost=None),
    function("duration", (Duration,), Duration, _same),
    function("duration", (str,), Duration, _duration_of_text, cost=None),
)
