"""Moments and spans as text and calendar fields, in whole nanoseconds."""

import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from bylaw.rules.values import INT_MAX, Duration, Timestamp
from bylaw.rules.verdict import Failure

SECOND: Final = 1_000_000_000
FIRST: Final = -62_135_596_800 * SECOND  # 0001-01-01T00:00:00Z
LAST: Final = 253_402_300_800 * SECOND - 1  # 9999-12-31T23:59:59.999999999Z
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()
_RFC3339: Final = re.compile(
    r"(\d{4,5})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:([Zz])|([+-])(\d\d):(\d\d))", re.ASCII
)
_SPAN: Final = re.compile(r"(\d{0,18})(?:\.(\d{0,18}))?(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_UNITS: Final = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": SECOND,
    "m": 60 * SECOND,
    "h": 3_600 * SECOND,
}
_OFFSET: Final = re.compile(r"([+-]?)(\d\d):(\d\d)", re.ASCII)
_ZONE: Final = re.compile(r"[A-Za-z][A-Za-z0-9_+\-/]{0,63}", re.ASCII)


def timestamp(ns: int) -> Timestamp:
    """Return the moment `ns`.

    Raises: Failure before the year 1 or after 9999.
    """
    if FIRST <= ns <= LAST:
        return Timestamp(ns)
    raise Failure("range", "the moment is not between the years 1 and 9999")


def duration(ns: int) -> Duration:
    """Return the span `ns`.

    Raises: Failure beyond 292 years, the nanoseconds of 64 bits.
    """
    if -INT_MAX <= ns <= INT_MAX:
        return Duration(ns)
    raise Failure("range", "the span is longer than 292 years")


@lru_cache(maxsize=2_048)
def parse_timestamp(text: str) -> Timestamp:
    """Return the moment that RFC 3339 `text` names; callers pass at most 64 characters."""
    found = _RFC3339.fullmatch(text)
    if found is None:
        raise Failure("invalid_argument", "the text is not a timestamp such as 2026-01-31T10:00:00Z")
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    if not 1 <= year <= 9999:
        raise Failure("range", "the moment is not between the years 1 and 9999")
    try:
        days = date(year, month, day).toordinal() - _EPOCH_DAY
    except ValueError:
        raise Failure("invalid_argument", "the text names no day of the calendar") from None
    offset = 0 if found[8] else (int(found[10]) * 60 + int(found[11])) * (1 if found[9] == "+" else -1)
    if hour > 23 or minute > 59 or second > 59 or (found[11] and int(found[11]) > 59) or abs(offset) > 1_439:
        raise Failure("invalid_argument", "the text names no time of the day")
    seconds = days * 86_400 + hour * 3_600 + minute * 60 + second - offset * 60
    return timestamp(seconds * SECOND + int((found[7] or "0").ljust(9, "0")))


def parse_duration(text: str) -> Duration:
    """Return the span that `text` names, such as `1h30m` or `-1.5s`."""
    sign = -1 if text.startswith("-") else 1
    body = text[1:] if text[:1] in {"+", "-"} else text
    if body == "0":
        return Duration(0)
    at, total = 0, 0
    while at < len(body):
        part = _SPAN.match(body, at)
        if part is None or not (part[1] or part[2]):
            break
        unit = _UNITS[part[3]]
        total += int(part[1] or "0") * unit
        fraction = part[2] or ""
        total += int(fraction or "0") * unit // 10 ** len(fraction)
        at = part.end()
    if not body or at < len(body):
        raise Failure("invalid_argument", "the text is not a duration such as 1h30m or 1.5s")
    return duration(sign * total)


def format_timestamp(moment: Timestamp) -> str:
    """Return RFC 3339 in UTC, with as many fractional digits as needed."""
    seconds, nanos = divmod(moment.ns, SECOND)
    at = _EPOCH + timedelta(seconds=seconds)
    fraction = f".{nanos:09d}".rstrip("0") if nanos else ""
    return f"{at.year:04d}-{at:%m-%dT%H:%M:%S}{fraction}Z"


def format_duration(span: Duration) -> str:
    """Return seconds, such as `90s` or `-0.5s`."""
    seconds, nanos = divmod(abs(span.ns), SECOND)
    fraction = f".{nanos:09d}".rstrip("0") if nanos else ""
    return f"{'-' if span.ns < 0 else ''}{seconds}{fraction}s"


def local(moment: Timestamp, zone: str) -> datetime:
    """Return the calendar fields of `moment` in `zone`: an IANA name or an offset such as `+02:00`."""
    at = _EPOCH + timedelta(seconds=moment.ns // SECOND)
    try:
        return at.astimezone(_tzinfo(zone))
    except OverflowError:
        raise Failure("range", "the local time is not between the years 1 and 9999") from None


@lru_cache(maxsize=256)
def _tzinfo(zone: str) -> tzinfo:
    offset = _OFFSET.fullmatch(zone)
    if offset is not None:
        minutes = int(offset[2]) * 60 + int(offset[3])
        if minutes < 1_440 and int(offset[3]) < 60:
            return timezone(timedelta(minutes=-minutes if offset[1] == "-" else minutes))
    elif zone == "UTC":
        return UTC
    elif _ZONE.fullmatch(zone):
        try:
            return ZoneInfo(zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            pass
    raise Failure("invalid_argument", "the text is not a time zone such as Europe/Berlin or +02:00")
