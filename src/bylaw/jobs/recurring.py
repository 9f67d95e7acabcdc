"""What recurs: kinds of jobs that every tenant has done again and again, enqueued when their moment comes."""

from collections.abc import Mapping
from typing import Final, Generic, TypeVar

from bylaw.core.clock import Clock
from bylaw.jobs.model import NewJob
from bylaw.jobs.schedule import following, parse_cron, recurring
from bylaw.jobs.store import JobsStore, JobsUnit

_PART: Final = 50  # tenants of one transaction: others write in between

U_co = TypeVar("U_co", bound=JobsUnit, covariant=True)


class Recurring(Generic[U_co]):
    """Enqueues what recurs; `crons` are the kinds of which every tenant has one, each with its moments."""

    def __init__(self, store: JobsStore[U_co], crons: Mapping[str, str], clock: Clock) -> None:
        """Raise InvalidInput for moments that never come."""
        for cron in {*crons.values()}:
            parse_cron(cron).after(clock.now_ms())
        self._store = store
        self._crons = crons
        self._clock = clock

    async def plan(self) -> None:
        """Put what recurs for every tenant where that lacks it, or has it at other moments.

        Such a moment may be years ahead, where a clock was wrong.
        """
        for kind, cron in self._crons.items():
            while await self._plan(kind, cron):
                pass

    async def enqueue(self, *, now_ms: int) -> int:
        """Enqueue what recurs now, once however often its moment was missed, and return how much it was."""
        async with self._store.system() as system:
            due = await system.backlog.recurring(now_ms=now_ms, limit=_PART)
            for each in due:
                jobs, key = system.of(each.tenant_id).jobs, f"schedule:{each.name}"
                new = NewJob(kind=each.kind, payload=each.payload, dedupe=key, priority=-1)
                await jobs.enqueue(new)
                await jobs.put_schedule(following(each, now_ms=now_ms))
        return len(due)

    async def _plan(self, kind: str, cron: str) -> bool:
        """Put it for some tenants, and return whether there were any."""
        now_ms = self._clock.now_ms()
        by_ms = parse_cron(cron).after(now_ms)
        async with self._store.system(writes=False) as system:
            lacking = await system.backlog.unscheduled(kind, cron, by_ms=by_ms, limit=_PART)
        if lacking:
            async with self._store.system() as system:
                for tenant_id in lacking:
                    new = recurring(tenant_id, kind, kind=kind, cron=cron, payload={}, now_ms=now_ms)
                    await system.of(tenant_id).jobs.put_schedule(new)
        return bool(lacking)
