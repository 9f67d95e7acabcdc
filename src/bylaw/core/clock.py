"""Time, as an object that tests replace."""

import time
from datetime import UTC, datetime
from functools import lru_cache
from typing import Final, Protocol

MINUTE_MS: Final = 60_000
HOUR_MS: Final = 60 * MINUTE_MS
DAY_MS: Final = 24 * HOUR_MS


class Clock(Protocol):
    """A source of time."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""

    def now_ms(self) -> int:
        """Return milliseconds since the epoch."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the current time, aware, in UTC."""
        return datetime.now(UTC)

    def now_ms(self) -> int:
        """Return milliseconds since the epoch."""
        return time.time_ns() // 1_000_000


class ManualClock:
    """A clock that moves only when told; starts at `start_ms`."""

    def __init__(self, start_ms: int = 1_767_225_600_000) -> None:
        self._ms = start_ms

    def now(self) -> datetime:
        """Return the set time, aware, in UTC."""
        return datetime.fromtimestamp(self._ms / 1000, UTC)

    def now_ms(self) -> int:
        """Return the set time in milliseconds since the epoch."""
        return self._ms

    def advance(self, ms: int) -> None:
        """Move the clock forward by `ms` milliseconds."""
        self._ms += ms


@lru_cache(maxsize=64)
def rfc3339(ms: int) -> str:
    """Return `ms` since the epoch as RFC 3339 with milliseconds and `Z`: `2026-01-01T00:00:00.000Z`."""
    seconds, millis = divmod(ms, 1000)
    return f"{_second(seconds)}.{millis:03d}Z"


@lru_cache(maxsize=64)
def _second(seconds: int) -> str:
    """Return the text of a whole second; the present one is asked for again and again."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def from_rfc3339(text: str) -> int:
    """Return the milliseconds since the epoch that `text` names.

    Raises: ValueError when it is not RFC 3339 or carries no offset.
    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        raise ValueError(f"{text!r} has no offset: add Z or +00:00")
    return round(moment.timestamp() * 1000)
