"""When recurring work is due: the five fields of cron, in UTC."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Final

from bylaw.core.clock import MINUTE_MS
from bylaw.core.errors import InvalidInput
from bylaw.core.ids import TenantId
from bylaw.jobs.model import Object, Schedule

_DAYS: Final = 366 * 8  # the longest way from one 29 February to the next
_FIELDS: Final = (("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))


@dataclass(frozen=True, slots=True, kw_only=True)
class Cron:
    """The moments that a line of cron names; weekdays count from Sunday as 0.

    `either`: days of the month and of the week are both told, and one of them is enough.
    """

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    either: bool

    def after(self, ms: int) -> int:
        """Return the first moment that is later than `ms`. Raises: InvalidInput when there is none."""
        start = datetime.fromtimestamp((ms // MINUTE_MS + 1) * 60, UTC)
        for ahead in range(_DAYS + 1):
            day = start.date() + timedelta(days=ahead)
            if not self._falls_on(day):
                continue
            times = ((hour, minute) for hour in sorted(self.hours) for minute in sorted(self.minutes))
            for hour, minute in times:
                moment = datetime(day.year, day.month, day.day, hour, minute, tzinfo=UTC)
                if moment >= start:
                    return int(moment.timestamp()) * 1000
        raise _refusal("This names no day of the calendar.")

    def _falls_on(self, day: date) -> bool:
        in_month, in_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        return day.month in self.months and (in_month or in_week if self.either else in_month and in_week)


def parse_cron(text: str) -> Cron:
    """Return what `minute hour day month weekday` names: numbers, `*`, `a-b`, `*/n`, and commas between.

    Raises: InvalidInput that names the field.
    """
    words = text.split()
    if len(words) != len(_FIELDS):
        raise _refusal("It has five fields: minute, hour, day, month, weekday.")
    minutes, hours, days, months, weekdays = (
        _numbers(word, name, low, high) for word, (name, low, high) in zip(words, _FIELDS, strict=True)
    )
    return Cron(
        minutes=minutes,
        hours=hours,
        days=days,
        months=months,
        weekdays=frozenset(number % 7 for number in weekdays),
        either=not words[2].startswith("*") and not words[4].startswith("*"),
    )


def recurring(
    tenant_id: TenantId, name: str, *, kind: str, cron: str, payload: Object, now_ms: int
) -> Schedule:
    """Return work that recurs, first at its first moment after now. Raises: InvalidInput."""
    next_ms = parse_cron(cron).after(now_ms)
    return Schedule(tenant_id=tenant_id, name=name, kind=kind, cron=cron, payload=payload, next_ms=next_ms)


def following(schedule: Schedule, *, now_ms: int) -> Schedule:
    """Return the schedule with its first moment after now: those that were missed are passed over."""
    return replace(schedule, next_ms=parse_cron(schedule.cron).after(now_ms))


def _numbers(word: str, name: str, low: int, high: int) -> frozenset[int]:
    found: set[int] = set()
    for part in word.split(","):
        span, _, every = part.partition("/")
        first, _, last = span.partition("-")
        try:
            begin = low if span == "*" else int(first)
            end = high if span == "*" or (every and not last) else int(last or first)
            step = int(every or 1)
        except ValueError:
            raise _refusal(f"The {name} {part!r} is none.") from None
        if not (low <= begin <= end <= high and step > 0):
            raise _refusal(f"The {name} {part!r} is not within {low} to {high}.")
        found.update(range(begin, end + 1, step))
    return frozenset(found)


def _refusal(message: str) -> InvalidInput:
    return InvalidInput.of("cron", "bad_cron", message)
