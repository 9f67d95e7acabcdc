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
    """

    def __init__(self, clock: Clock, default_per_minute: int) -> None:
        self._clock = clock
        self._default = default_per_minute
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    def take(self, key: tuple[str, str], per_minute: int | None, *, cost: int = 1) -> Pace:
        """Take `cost` requests from the bucket of `key` and return how it stands. Raises: RateLimited."""
        limit = self._default if per_minute is None else per_minute
        now = self._clock.now_ms()
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._add(key, limit, now)
        since_ms = max(0, now - bucket.at_ms)  # a clock that is set back takes nothing away
        tokens = min(float(limit), bucket.tokens + since_ms * limit / MINUTE_MS)
        bucket.at_ms = now
        if tokens < min(cost, limit):
            bucket.tokens = tokens
            wait_s = int((min(cost, limit) - tokens) * 60 / limit) + 1
            raise RateLimited(
                f"That is more than {limit} requests a minute: try again in {wait_s} s.", retry_after_s=wait_s
            )
        bucket.tokens = tokens - cost
        reset_s = int((limit - bucket.tokens) * 60 / limit) + 1
        return Pace(limit=limit, remaining=max(0, int(bucket.tokens)), reset_s=reset_s)

    def _add(self, key: tuple[str, str], limit: int, now: int) -> _Bucket:
        """Return a full bucket; of too many, those unused for a minute and the oldest are dropped."""
        if len(self._buckets) >= _MOST_BUCKETS:
            used = [each for each in self._buckets.items() if now - each[1].at_ms < MINUTE_MS]
            self._buckets = dict(used[-_MOST_BUCKETS // 2 :])
        bucket = self._buckets[key] = _Bucket(float(limit), now)
        return bucket
