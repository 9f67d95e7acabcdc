"""The functions of the language, one plain definition each, by the specification's library pages.

A function is found by name, by whether it has a target and by how many arguments follow; its signature says
which kinds it takes. What fits no signature is a type error, or `null_value` when a null is among the values.
"""

import base64
import math
import operator
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from functools import cmp_to_key
from zoneinfo import ZoneInfo

import re2

from bylaw.rules.values import NOTHING, TYPE_NAME, Duration, Optional, Timestamp, Type, UInt
from tests.reference.rules_values import (
    INT_RANGE,
    UINT_RANGE,
    Entries,
    Failed,
    compare,
    entries,
    equal,
    kind,
    moment,
    span,
    unsuitable,
    within_64_bits,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Overload:
    """One way to call a function: the kinds of its values (target first; `any` is all) and what it does."""

    kinds: tuple[str, ...]
    act: Callable[..., object]


TABLE: dict[tuple[str, bool, int], list[Overload]] = {}


def call(name: str, target: Sequence[object], arguments: list[object]) -> object:
    """Return what the function gives for these values; `target` holds one value or none."""
    given = [*target, *arguments]
    overloads = TABLE.get((name, bool(target), len(arguments))) or _variadic(name, target, arguments)
    if overloads is None:
        raise Failed("unknown_function")
    for overload in overloads:
        if all(want in ("any", kind(value)) for want, value in zip(overload.kinds, given, strict=True)):
            return overload.act(*given)
    raise unsuitable(*given, misfit=_misfit(overloads, given))


def _misfit(overloads: list[Overload], given: list[object]) -> int:
    """Return the first value that no overload takes after those before it."""
    for count in range(1, len(given) + 1):
        start = given[:count]
        if not any(
            all(want in ("any", kind(value)) for want, value in zip(each.kinds, start, strict=False))
            for each in overloads
        ):
            return count - 1
    return 0


def _variadic(name: str, target: Sequence[object], arguments: list[object]) -> list[Overload] | None:
    if name not in ("math.greatest", "math.least") or target or not arguments:
        return None
    sign = 1 if name == "math.greatest" else -1
    if len(arguments) == 1 and kind(arguments[0]) == "list":
        return [Overload(kinds=("list",), act=lambda numbers: _extreme(numbers, sign))]
    return [Overload(kinds=("any",) * len(arguments), act=lambda *numbers: _extreme(list(numbers), sign))]


def define(signature: str, act: Callable[..., object]) -> None:
    """Add one overload, written `string.startsWith(string)` or `size(list)`."""
    head, _, tail = signature.partition("(")
    kinds = [part for part in tail.rstrip(")").split(",") if part]
    owner, dot, name = head.rpartition(".")
    method = bool(dot) and owner in METHOD_OWNERS and head not in FACTORIES
    key = (name if method else head, method, len(kinds))
    TABLE.setdefault(key, []).append(Overload(kinds=(*([owner] if method else []), *kinds), act=act))


FACTORIES = {"optional.of", "optional.ofNonZeroValue", "optional.none"}
METHOD_OWNERS = {"any", "string", "bytes", "list", "map", "timestamp", "duration", "optional"}


# --- what needs more than a line


def is_member(collection: object, item: object) -> bool:
    """Return whether an element equals `item`."""
    assert isinstance(collection, list)
    return any(equal(element, item) for element in collection)


def sort_by(items: list[object], keys: list[object]) -> list[object]:
    """Return `items` in the order of their keys, which must all be of one comparable kind."""
    for key in keys:
        if kind(keys[0]) not in ORDERED:
            raise unsuitable(keys[0])
        if kind(key) != kind(keys[0]):
            raise unsuitable(keys[0], key)
    order = cmp_to_key(lambda one, other: compare(one[0], other[0]) or 0)
    return [item for _, item in sorted(zip(keys, items, strict=True), key=order)]


ORDERED = ("bool", "int", "uint", "double", "string", "bytes", "timestamp", "duration")


def _extreme(numbers: list[object], sign: int) -> object:
    for number in numbers:
        if kind(number) not in ("int", "uint", "double"):
            raise unsuitable(number)
    if not numbers:
        raise Failed("invalid_argument")
    best = numbers[0]
    for number in numbers[1:]:
        if compare(number, best) == sign:
            best = number
    return best


def _int_of_double(number: float) -> int:
    if not -(2**63) < number < 2**63:
        raise Failed("range")
    return int(number)


def _uint_of(number: float) -> UInt:
    if math.isnan(number) or not 0 <= number < 2**64:
        raise Failed("range")
    return UInt(int(number))


def _int_of_text(text: str, low: int, high: int) -> int:
    if not re.fullmatch(r"[+-]?[0-9]+", text, re.ASCII):
        raise Failed("invalid_argument")
    if not low <= int(text) <= high:
        raise Failed("range")
    return int(text)


def _double_of_text(text: str) -> float:
    if re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", text, re.ASCII):
        return float(text)
    if re.fullmatch(r"[+-]?(inf|infinity|nan)", text, re.IGNORECASE):
        return float(text)
    raise Failed("invalid_argument")


def _bool_of_text(text: str) -> bool:
    words = {"1": True, "t": True, "true": True, "TRUE": True, "True": True}
    words |= {"0": False, "f": False, "false": False, "FALSE": False, "False": False}
    if text not in words:
        raise Failed("invalid_argument")
    return words[text]


def _int_text(value: int) -> str:
    if value.bit_length() > 64:
        raise Failed("range")
    return str(value)


def _double_text(value: float) -> str:
    if math.isfinite(value):
        return repr(value).removesuffix(".0")
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"


def _text_of_bytes(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Failed("invalid_argument") from None


_DURATION_PART = re.compile(r"([0-9]+\.?[0-9]*|\.[0-9]+)(h|m(?!s)|s|ms|us|µs|μs|ns)")
_UNIT = {
    "h": 3600 * 10**9,
    "m": 60 * 10**9,
    "s": 10**9,
    "ms": 10**6,
    "us": 1000,
    "µs": 1000,
    "μs": 1000,
    "ns": 1,
}


def _duration(text: str) -> Duration:
    body = text[1:] if text[:1] in ("-", "+") else text
    if body == "0":
        return Duration(0)
    total, at = Fraction(0), 0
    while at < len(body):
        part = _DURATION_PART.match(body, at)
        if part is None:
            raise Failed("invalid_argument")
        total += Fraction(part[1].rstrip(".") if part[1].endswith(".") else "0" + part[1]) * _UNIT[part[2]]
        at = part.end()
    if not body:
        raise Failed("invalid_argument")
    return span(-int(total) if text[0] == "-" else int(total))


_RFC3339 = re.compile(
    r"(\d{4,5})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


def _timestamp(text: str) -> Timestamp:
    found = _RFC3339.fullmatch(text)
    if found is None:
        raise Failed("invalid_argument")
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    if not 1 <= year <= 9999:
        raise Failed("range")
    try:
        local = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        raise Failed("invalid_argument") from None
    seconds = (local - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1)
    zone = found[8]
    if zone not in "Zz":
        if int(zone[1:3]) > 23 or int(zone[4:6]) > 59:
            raise Failed("invalid_argument")
        seconds -= int(zone[0] + "1") * (int(zone[1:3]) * 3600 + int(zone[4:6]) * 60)
    return moment(seconds * 10**9 + int(((found[7] or ".")[1:]).ljust(9, "0")))


def _moment_text(value: Timestamp) -> str:
    seconds, ns = divmod(value.ns, 10**9)
    date = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    fraction = f".{ns:09d}".rstrip("0") if ns else ""
    return f"{date.year:04d}-{date:%m-%dT%H:%M:%S}{fraction}Z"


def _span_text(value: Duration) -> str:
    seconds, ns = divmod(abs(value.ns), 10**9)
    fraction = f".{ns:09d}".rstrip("0") if ns else ""
    return f"{'-' if value.ns < 0 else ''}{seconds}{fraction}s"


def _local(value: Timestamp, zone: str = "UTC") -> datetime:
    moment_utc = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=value.ns // 10**9)
    offset = re.fullmatch(r"([+-]?)(\d\d):(\d\d)", zone, re.ASCII)
    try:
        if offset is not None:
            minutes = int(offset[2]) * 60 + int(offset[3])
            return moment_utc + timedelta(minutes=-minutes if offset[1] == "-" else minutes)
        return moment_utc.astimezone(ZoneInfo(zone))
    except OverflowError:
        raise Failed("range") from None
    except (ValueError, KeyError, OSError):
        raise Failed("invalid_argument") from None


def _matches(text: str, pattern: str) -> bool:
    options = re2.Options()
    options.log_errors = False
    try:
        return re2.compile(pattern, options).search(text) is not None
    except re2.error:
        raise Failed("invalid_argument") from None


def _found(text: str, pattern: str) -> list[re2._Match]:
    """Return all matches from the left; an empty one right after another does not count."""
    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(pattern, options)
    except re2.error:
        raise Failed("invalid_argument") from None
    found: list[re2._Match] = []
    at = 0
    while at <= len(text) and (match := compiled.search(text, at)) is not None:
        if match.end() > match.start() or not found or found[-1].end() != match.start():
            found.append(match)
        at = max(match.end(), at + (match.end() == at))
    return found


def _extract_all(text: str, pattern: str) -> list[object]:
    found = _found(text, pattern)
    options = re2.Options()
    groups = re2.compile(pattern, options).groups
    if groups > 1:
        raise Failed("invalid_argument")
    return [match[1] for match in found if match[1]] if groups else [match[0] for match in found]


def _extract(text: str, pattern: str) -> Optional:
    everything = _extract_all(text, pattern)
    first = _found(text, pattern)[:1]
    if not everything or (first[0].re.groups and not first[0][1]):
        return NOTHING
    return Optional(everything[0])


def _regex_replace(text: str, pattern: str, replacement: str, count: int = -1) -> str:
    if re.fullmatch(r"(?:[^\\]|\\[0-9\\])*", replacement, re.DOTALL) is None:
        raise Failed("invalid_argument")
    pieces, done = "", 0
    for match in _found(text, pattern)[: None if count < 0 else count]:

        def inserted(escape: re.Match[str], match: re2._Match = match) -> str:
            if escape[1] == "\\":
                return "\\"
            if int(escape[1]) > match.re.groups:
                raise Failed("invalid_argument")
            return match[int(escape[1])] or ""

        pieces += text[done : match.start()] + re.sub(r"\\(.)", inserted, replacement)
        done = match.end()
    return pieces + text[done:]


def _within(text: str, position: int) -> int:
    if not 0 <= position <= len(text):
        raise Failed("range")
    return position


def _substring(text: str, start: int, end: int) -> str:
    _within(text, start), _within(text, end)
    if start > end:
        raise Failed("range")
    return text[start:end]


def _index(text: str, part: str, start: int = 0) -> int:
    if part == "" and start == len(text):
        return start
    return text.find(part, _within(text, start))


def _last_index(text: str, part: str, start: int | None = None) -> int:
    if start is None:
        return text.rfind(part)
    return text.rfind(part, 0, _within(text, start) + len(part))


def _split(text: str, separator: str, limit: int = -1) -> list[str]:
    if limit == 0:
        return []
    if separator == "":
        letters = list(text)
        return (
            letters
            if limit < 0 or limit >= len(letters)
            else [*letters[: limit - 1], "".join(letters[limit - 1 :])]
        )
    return text.split(separator, limit - 1 if limit > 0 else -1)


def _replace(text: str, old: str, new: str, limit: int = -1) -> str:
    return text.replace(old, new, max(limit, -1))


def _join(parts: list[object], separator: str = "") -> str:
    if any(kind(part) != "string" for part in parts):
        raise Failed("type_error")
    return separator.join(parts)  # type: ignore[arg-type]


def _distinct(items: list[object]) -> list[object]:
    kept: list[object] = []
    for item in items:
        if not is_member(kept, item):
            kept.append(item)
    return kept


def _slice(items: list[object], start: int, end: int) -> list[object]:
    if start < 0 or end < 0 or start > end or end > len(items):
        raise Failed("range")
    return items[start:end]


def _flatten(items: list[object], depth: int = 1) -> list[object]:
    if depth < 0:
        raise Failed("invalid_argument")
    made: list[object] = []
    for item in items:
        made.extend(_flatten(item, depth - 1) if depth and type(item) is list else [item])
    return made


def _sum(items: list[object]) -> object:
    total: object = 0
    for item in items:
        if type(item) not in (int, float):
            raise unsuitable(item)
        total = total + item  # type: ignore[operator]
        if type(total) is int:
            _whole_number(total)
    return total


def _round(number: float) -> float:
    if math.isnan(number) or math.isinf(number) or abs(number) >= 2**52:
        return number
    return math.copysign(math.floor(abs(number) + Fraction(1, 2)), number)


def _whole(to: Callable[[float], int]) -> Callable[[float], float]:
    def act(number: float) -> float:
        return float(to(number)) if math.isfinite(number) else number

    return act


def _whole_number(number: int) -> int:
    if not INT_RANGE[0] <= number <= INT_RANGE[1]:
        raise Failed("range")
    return number


def _square_root(number: float) -> float:
    within_64_bits(number)
    return math.sqrt(number) if number >= 0 else math.nan


def _sign(number: float) -> float:
    return number if math.isnan(number) else float((number > 0) - (number < 0))


def _shift(number: int, by: int, *, left: bool) -> int:
    if by < 0:
        raise Failed("invalid_argument")
    if not isinstance(number, UInt):
        _whole_number(number)
    if by > 63:
        return type(number)(0)
    bits = int(number) % 2**64
    bits = (bits << by) % 2**64 if left else bits >> by
    if isinstance(number, UInt):
        return UInt(bits)
    return bits - 2**64 if bits >= 2**63 else bits


def _decoded(text: str) -> bytes:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        raise Failed("invalid_argument") from None


def _is_zero(value: object) -> bool:
    match kind(value):
        case "null":
            return True
        case "list" | "string" | "bytes":
            return len(value) == 0  # type: ignore[arg-type]
        case "map":
            return not entries(value).pairs
        case "duration" | "timestamp":
            return value.ns == 0  # type: ignore[attr-defined]
        case "optional":
            return not value.present  # type: ignore[attr-defined]
        case "bool" | "int" | "uint" | "double":
            return value == 0
        case _:
            return False


def _held(value: Optional) -> object:
    if not value.present:
        raise Failed("invalid_argument")
    return value.value


def _type_of(value: object) -> Type:
    if kind(value) == "foreign":
        raise Failed("type_error")
    return Type("map" if isinstance(value, Entries) else TYPE_NAME[type(value)])


# --- the table

for _kind in ("string", "bytes", "list"):
    define(f"size({_kind})", len)
    define(f"{_kind}.size()", len)
define("size(map)", lambda value: len(entries(value).pairs))
define("map.size()", lambda value: len(entries(value).pairs))

define("string.contains(string)", lambda text, part: part in text)
define("list.contains(any)", is_member)
define("string.startsWith(string)", str.startswith)
define("string.endsWith(string)", str.endswith)
define("string.matches(string)", _matches)
define("matches(string,string)", _matches)

define("regex.extract(string,string)", _extract)
define("regex.extractAll(string,string)", _extract_all)
define("regex.replace(string,string,string)", _regex_replace)
define("regex.replace(string,string,string,int)", _regex_replace)

define("type(any)", _type_of)
define("dyn(any)", lambda value: value)
define("int(int)", lambda value: _int_of_text(str(value), *INT_RANGE))
define("int(uint)", lambda value: _int_of_text(str(int(value)), *INT_RANGE))
define("int(double)", _int_of_double)
define("int(string)", lambda text: _int_of_text(text, *INT_RANGE))
define("int(timestamp)", lambda value: value.ns // 10**9)
define("uint(uint)", lambda value: value)
define("uint(int)", _uint_of)
define("uint(double)", _uint_of)
define("uint(string)", lambda text: UInt(_int_of_text(text, *UINT_RANGE)))
define("double(double)", lambda value: value)
define("double(int)", float)
define("double(uint)", float)
define("double(string)", _double_of_text)
define("bool(bool)", lambda value: value)
define("bool(string)", _bool_of_text)
define("bytes(bytes)", lambda value: value)
define("bytes(string)", lambda text: text.encode("utf-8"))
define("string(string)", lambda text: text)
define("string(bool)", lambda value: "true" if value else "false")
define("string(int)", _int_text)
define("string(uint)", lambda value: str(int(value)))
define("string(double)", _double_text)
define("string(bytes)", _text_of_bytes)
define("string(timestamp)", _moment_text)
define("string(duration)", _span_text)
define("timestamp(timestamp)", lambda value: value)
define("timestamp(string)", _timestamp)
define("timestamp(int)", lambda seconds: moment(seconds * 10**9))
define("duration(duration)", lambda value: value)
define("duration(string)", _duration)

_FIELDS: dict[str, Callable[[datetime], int]] = {
    "getFullYear": lambda date: date.year,
    "getMonth": lambda date: date.month - 1,
    "getDate": lambda date: date.day,
    "getDayOfMonth": lambda date: date.day - 1,
    "getDayOfWeek": lambda date: date.isoweekday() % 7,
    "getDayOfYear": lambda date: date.timetuple().tm_yday - 1,
    "getHours": lambda date: date.hour,
    "getMinutes": lambda date: date.minute,
    "getSeconds": lambda date: date.second,
}
for _name, _field in _FIELDS.items():
    define(f"timestamp.{_name}()", lambda value, field=_field: field(_local(value)))
    define(f"timestamp.{_name}(string)", lambda value, zone, field=_field: field(_local(value, zone)))
define("timestamp.getMilliseconds()", lambda value: value.ns % 10**9 // 10**6)
define(
    "timestamp.getMilliseconds(string)",
    lambda value, zone: (_local(value, zone), value.ns % 10**9 // 10**6)[1],
)


def _toward_zero(ns: int, unit: int) -> int:
    return -(-ns // unit) if ns < 0 else ns // unit


define("duration.getHours()", lambda value: _toward_zero(value.ns, 3600 * 10**9))
define("duration.getMinutes()", lambda value: _toward_zero(value.ns, 60 * 10**9))
define("duration.getSeconds()", lambda value: _toward_zero(value.ns, 10**9))
define(
    "duration.getMilliseconds()",
    lambda value: _toward_zero(value.ns, 10**6) - 1000 * _toward_zero(value.ns, 10**9),
)

define("string.charAt(int)", lambda text, at: text[_within(text, at) : at + 1])
define("string.indexOf(string)", _index)
define("string.indexOf(string,int)", _index)
define("string.lastIndexOf(string)", _last_index)
define("string.lastIndexOf(string,int)", _last_index)
define("string.substring(int)", lambda text, start: _substring(text, start, len(text)))
define("string.substring(int,int)", _substring)
define("string.split(string)", _split)
define("string.split(string,int)", _split)
define("string.replace(string,string)", _replace)
define("string.replace(string,string,int)", _replace)
define("string.lowerAscii()", lambda text: re.sub("[A-Z]", lambda found: found[0].lower(), text))
define("string.upperAscii()", lambda text: re.sub("[a-z]", lambda found: found[0].upper(), text))
define("string.trim()", lambda text: text.strip(" \t\n\v\f\r\x85\xa0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u2028\u2029\u202f\u205f\u3000"))  # fmt: skip # noqa: E501
define("string.reverse()", lambda text: text[::-1])
define("list.join()", _join)
define("list.join(string)", _join)

define("list.distinct()", _distinct)
define("list.flatten()", _flatten)
define("list.flatten(int)", _flatten)
define("list.sum()", _sum)
define("list.reverse()", lambda items: items[::-1])
define("list.slice(int,int)", _slice)
define("list.sort()", lambda items: sort_by(items, items))
define("list.first()", lambda items: Optional(items[0]) if items else NOTHING)
define("list.last()", lambda items: Optional(items[-1]) if items else NOTHING)
define("lists.range(int)", lambda count: list(range(count)))

define("sets.contains(list,list)", lambda left, right: all(is_member(left, item) for item in right))
define("sets.intersects(list,list)", lambda left, right: any(is_member(left, item) for item in right))
define(
    "sets.equivalent(list,list)",
    lambda left, right: all(is_member(left, i) for i in right) and all(is_member(right, i) for i in left),
)

for _kind in ("int", "uint", "double"):
    define(
        f"math.sign({_kind})",
        _sign if _kind == "double" else lambda value: type(value)((value > 0) - (value < 0)),
    )
define("math.abs(int)", lambda value: _whole_number(abs(value)))
define("math.abs(uint)", lambda value: value)
define("math.abs(double)", abs)
define("math.ceil(double)", _whole(math.ceil))
define("math.floor(double)", _whole(math.floor))
define("math.trunc(double)", _whole(math.trunc))
define("math.round(double)", _round)
define("math.isNaN(double)", math.isnan)
define("math.isInf(double)", math.isinf)
define("math.isFinite(double)", math.isfinite)
for _kind in ("int", "uint", "double"):
    define(f"math.sqrt({_kind})", _square_root)
for _name, _combine in {"And": operator.and_, "Or": operator.or_, "Xor": operator.xor}.items():
    define(
        f"math.bit{_name}(int,int)",
        lambda one, other, c=_combine: c(_whole_number(one), _whole_number(other)),
    )
    define(f"math.bit{_name}(uint,uint)", lambda one, other, c=_combine: UInt(c(int(one), int(other))))
for _kind in ("int", "uint"):
    define(f"math.bitShiftLeft({_kind},int)", lambda value, by: _shift(value, by, left=True))
    define(f"math.bitShiftRight({_kind},int)", lambda value, by: _shift(value, by, left=False))
define("math.bitNot(int)", lambda value: ~_whole_number(value))
define("math.bitNot(uint)", lambda value: UInt(2**64 - 1 - value))

define("base64.encode(bytes)", lambda data: base64.b64encode(data).decode("ascii"))
define("base64.decode(string)", _decoded)

define("optional.of(any)", Optional)
define("optional.ofNonZeroValue(any)", lambda value: NOTHING if _is_zero(value) else Optional(value))
define("optional.none()", lambda: NOTHING)
define("optional.hasValue()", lambda value: value.present)
define("optional.value()", _held)
define("optional.or(optional)", lambda value, other: value if value.present else other)
define("optional.orValue(any)", lambda value, other: value.value if value.present else other)
