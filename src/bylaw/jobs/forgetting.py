"""Forgetting: what is kept for a while is forgotten when its time is over, a bounded number at a time."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from bylaw.core.clock import Clock
from bylaw.jobs.model import JobStatus, Object
from bylaw.jobs.running import Running
from bylaw.jobs.store import JobsUnit

FORGET: Final = "jobs.forget"
MOST: Final = 500  # things that are forgotten in one transaction
_OVER: Final = frozenset[JobStatus]({"done", "cancelled"})
_DEAD: Final = frozenset[JobStatus]({"dead"})

U = TypeVar("U", bound=JobsUnit)


async def forget_all(job: Running[U], some: Callable[[U], Awaitable[int]]) -> int:
    """Do `some` in one transaction after another until it forgets fewer than `MOST`; return how many it were.

    `some` forgets up to `MOST` things and returns their number. Others write in between.
    """
    count, found = 0, MOST
    while found >= MOST:
        async with job.begin() as unit:
            found = await some(unit)
        count += found
    return count


@dataclass(frozen=True, slots=True, kw_only=True)
class ForgetJobs(Generic[U]):
    """Forgets jobs of a tenant: those done or cancelled after `keep_ms`, dead ones after `keep_dead_ms`."""

    clock: Clock
    keep_ms: int
    keep_dead_ms: int

    async def __call__(self, job: Running[U]) -> Object:
        """Forget them, and return how many it were."""
        now_ms = self.clock.now_ms()

        async def over(unit: U) -> int:
            return await unit.jobs.forget(_OVER, before_ms=now_ms - self.keep_ms, limit=MOST)

        async def dead(unit: U) -> int:
            return await unit.jobs.forget(_DEAD, before_ms=now_ms - self.keep_dead_ms, limit=MOST)

        return {"over": await forget_all(job, over), "dead": await forget_all(job, dead)}
