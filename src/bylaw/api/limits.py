"""The pace of callers: one token bucket for each, refilled by the minute."""

from dataclasses import dataclass
from typing import Final

from bylaw.core.clock import MINUTE_MS, Clock
from bylaw.core.errors import RateLimited

_MOST_BUCKETS: Final = 100_000


@dataclass(slots=True)
class _Bucket:
    tokens: float
    at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How a caller stands after a request: requests a minute, whole ones left, seconds until it is full."""

    limit: int
    remaining: int
    reset_s: int


class Limits:
    """The buckets of every caller that this process has seen; each may burst up to its limit of one minute.

    A caller is a key of a tenant; one without a key has no tenant and an address.
    Units: `minutes` are those of which a limit is, one unless they are given.
    """

    def __init__(self, clock: Clock, default: int, *, minutes: int = 1) -> None:
        self._clock = clock
        self._default = default
        self._minutes = minutes
        self._within_ms = minutes * MINUTE_MS
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    def take(self, key: tuple[str, str], limit: int | None = None, *, cost: int = 1) -> Pace:
        """Take `cost` requests from the bucket of `key` and return how it stands. Raises: RateLimited."""
        limit = self._default if limit is None else limit
        now = self._clock.now_ms()
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._add(key, limit, now)
        since_ms = max(0, now - bucket.at_ms)  # a clock that is set back takes nothing away
        tokens = min(float(limit), bucket.tokens + since_ms * limit / self._within_ms)
        bucket.at_ms = now
        if tokens < min(cost, limit):
            bucket.tokens = tokens
            wait_s = self._seconds(min(cost, limit) - tokens, limit)
            within = "a minute" if self._minutes == 1 else f"in {self._minutes} minutes"
            message = f"That is more than {limit} requests {within}: try again in {wait_s} s."
            raise RateLimited(message, retry_after_s=wait_s)
        bucket.tokens = tokens - cost
        reset_s = self._seconds(limit - bucket.tokens, limit)
        return Pace(limit=limit, remaining=max(0, int(bucket.tokens)), reset_s=reset_s)

    def give_back(self, key: tuple[str, str]) -> None:
        """Give back one request that was taken from the bucket of `key`."""
        if key in self._buckets:
            self._buckets[key].tokens += 1

    def _seconds(self, tokens: float, limit: int) -> int:
        """Return in how many seconds a bucket gets so many."""
        return int(tokens * 60 * self._minutes / limit) + 1

    def _add(self, key: tuple[str, str], limit: int, now: int) -> _Bucket:
        """Return a full bucket; of too many, those unused until they are full and the oldest are dropped."""
        if len(self._buckets) >= _MOST_BUCKETS:
            used = [each for each in self._buckets.items() if now - each[1].at_ms < self._within_ms]
            self._buckets = dict(used[-_MOST_BUCKETS // 2 :])
        bucket = self._buckets[key] = _Bucket(float(limit), now)
        return bucket
