"""The jobs of every tenant as workers see them, in memory."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from bylaw.core.ids import TenantId
from bylaw.jobs.model import MOST_LEASE_MS, Job, JobId, JobStatus, Lane, Schedule
from bylaw.jobs.store import Load
from bylaw.storage.memory.heap import Heap
from bylaw.storage.refusals import require_writing
from bylaw.storage.rows import from_row, job_row
from bylaw.storage.sql import tables


class MemoryBacklog:
    """The jobs of every tenant, as workers see them."""

    def __init__(self, heap: Heap) -> None:
        self._heap = heap

    async def tenants(
        self, *, now_ms: int, after: TenantId | None, limit: int, but: Collection[TenantId] = ()
    ) -> Sequence[TenantId]:
        """Return up to `limit` tenants with jobs that may start now, by id, those after `after`."""
        found = {job.tenant_id for job in self._all("waiting") if job.due_ms <= now_ms}
        return sorted(each for each in found - {*but} if after is None or each > after)[:limit]

    async def due(
        self, tenants: Sequence[TenantId], *, now_ms: int, each: int, but: Collection[Lane] = ()
    ) -> Sequence[Job]:
        """Return up to `each` jobs of each of the tenants that may start now, of each in their order.

        Those of the lanes `but` are left out.
        """
        found: list[Job] = []
        due = [job for job in self._all("waiting") if job.due_ms <= now_ms]
        for tenant_id in tenants:
            mine = [job for job in due if job.tenant_id == tenant_id and (tenant_id, job.lane) not in but]
            found += sorted(mine, key=lambda job: (-job.priority, job.due_ms, job.id))[:each]
        return found

    async def lapsed(self, *, now_ms: int, limit: int) -> Sequence[Job]:
        """Return up to `limit` running jobs whose lease is over, or ends later than any that is given now."""
        right = range(now_ms, now_ms + MOST_LEASE_MS + 1)
        return [job for job in self._all("running") if job.lease_ms not in right][:limit]

    async def claim(self, jobs: Sequence[Job], *, worker: str, now_ms: int, until_ms: int) -> Sequence[Job]:
        """Return those of the jobs that are as they are given, in order, started and held by `worker`."""
        require_writing(writes=self._heap.writes)
        claimed: list[Job] = []
        for job in jobs:
            stored = self._get(job)
            if stored is None or stored.revision != job.revision:
                continue
            started = replace(
                stored,
                status="running",
                attempt=stored.attempt + 1,
                revision=stored.revision + 1,
                worker=worker,
                started_ms=now_ms,
                lease_ms=until_ms,
                steps_done=0,
                steps_total=0,
            )
            self._heap.replace(tables.jobs, job_row(started))
            claimed.append(started)
        return claimed

    async def extend(self, jobs: Sequence[Job], *, until_ms: int) -> frozenset[tuple[TenantId, JobId]]:
        """Extend the leases of running jobs at these revisions, and return which ones they were."""
        require_writing(writes=self._heap.writes)
        held: set[tuple[TenantId, JobId]] = set()
        for job in jobs:
            stored = self._get(job)
            if stored is not None and stored.status == "running" and stored.revision == job.revision:
                self._heap.replace(tables.jobs, job_row(replace(stored, lease_ms=until_ms)))
                held.add((job.tenant_id, job.id))
        return frozenset(held)

    async def held(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """Return those that still run at these revisions, as they are until this transaction ends."""
        require_writing(writes=self._heap.writes)
        stored = [(job, self._get(job)) for job in jobs]
        found = [now for job, now in stored if now is not None and now.revision == job.revision]
        return [now for now in found if now.status == "running"]

    async def replace(self, jobs: Sequence[Job]) -> None:
        """Store the next revisions of jobs that this transaction holds."""
        for job in jobs:
            self._heap.replace(tables.jobs, job_row(job))

    async def unscheduled(self, name: str, cron: str, *, by_ms: int, limit: int) -> Sequence[TenantId]:
        """Return up to `limit` tenants for whom nothing of this name recurs by `cron`, next by `by_ms`."""
        every_one = [from_row(Schedule, row) for row in self._heap.all(tables.schedules)]
        planned = [each for each in every_one if (each.name, each.cron) == (name, cron)]
        recurs = {each.tenant_id for each in planned if each.next_ms <= by_ms}
        every = (TenantId(str(row["id"])) for row in self._heap.all(tables.tenants))
        return sorted(each for each in every if each not in recurs)[:limit]

    async def recurring(self, *, now_ms: int, limit: int) -> Sequence[Schedule]:
        """Return up to `limit` schedules whose moment has come."""
        every = [from_row(Schedule, row) for row in self._heap.all(tables.schedules)]
        return sorted((each for each in every if each.next_ms <= now_ms), key=lambda each: each.next_ms)[
            :limit
        ]

    async def load(self, *, now_ms: int) -> Load:
        """Return how much there is to do."""
        waiting = self._all("waiting")
        return Load(
            waiting=len(waiting),
            running=len(self._all("running")),
            dead=len(self._all("dead")),
            oldest_ms=min((job.due_ms for job in waiting if job.due_ms <= now_ms), default=None),
        )

    def _all(self, status: JobStatus) -> list[Job]:
        rows = [row for row in self._heap.all(tables.jobs) if row["status"] == status]
        return [from_row(Job, row) for row in rows]

    def _get(self, job: Job) -> Job | None:
        row = self._heap.get(tables.jobs, job.tenant_id, job.id)
        return None if row is None else from_row(Job, row)
