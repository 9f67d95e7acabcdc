"""Fields of moments in a time zone, and totals of spans."""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from bylaw.rules.budget import Budget
from bylaw.rules.library.function import Function, method
from bylaw.rules.times import SECOND, local
from bylaw.rules.values import Duration, Timestamp

# As in every CEL: months, days of the month and of the year count from 0, `getDate` from 1, Sunday is 0.
_FIELDS: Final[dict[str, Callable[[datetime], int]]] = {
    "getFullYear": lambda at: at.year,
    "getMonth": lambda at: at.month - 1,
    "getDayOfYear": lambda at: at.timetuple().tm_yday - 1,
    "getDayOfMonth": lambda at: at.day - 1,
    "getDate": lambda at: at.day,
    "getDayOfWeek": lambda at: at.isoweekday() % 7,
    "getHours": lambda at: at.hour,
    "getMinutes": lambda at: at.minute,
    "getSeconds": lambda at: at.second,
}
_TOTALS: Final = {"getHours": 3_600 * SECOND, "getMinutes": 60 * SECOND, "getSeconds": SECOND}


def _field(read: Callable[[datetime], int]) -> Callable[[Budget, Timestamp, str], int]:
    return lambda _, moment, zone: read(local(moment, zone))


def _field_in_utc(read: Callable[[datetime], int]) -> Callable[[Budget, Timestamp], int]:
    return lambda _, moment: read(local(moment, "UTC"))


def _total(unit: int) -> Callable[[Budget, Duration], int]:
    return lambda _, span: abs(span.ns) // unit * (-1 if span.ns < 0 else 1)


def _milliseconds(_: Budget, moment: Timestamp, zone: str = "UTC") -> int:
    local(moment, zone)
    return moment.ns % SECOND // 1_000_000


def _span_milliseconds(_: Budget, span: Duration) -> int:
    """Return the milliseconds beyond the last whole second."""
    return abs(span.ns) % SECOND // 1_000_000 * (-1 if span.ns < 0 else 1)


FUNCTIONS: Final[tuple[Function, ...]] = (
    *(method(name, (Timestamp,), int, _field_in_utc(read)) for name, read in _FIELDS.items()),
    *(method(name, (Timestamp, str), int, _field(read)) for name, read in _FIELDS.items()),
    method("getMilliseconds", (Timestamp,), int, _milliseconds),
    method("getMilliseconds", (Timestamp, str), int, _milliseconds),
    *(method(name, (Duration,), int, _total(unit)) for name, unit in _TOTALS.items()),
    method("getMilliseconds", (Duration,), int, _span_milliseconds),
)
