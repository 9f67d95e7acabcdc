"""Jobs in memory: those of one tenant, and the backlog of all of them as workers see it."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from typing_extensions import override

from bylaw.core.clock import Clock
from bylaw.core.ids import Ids, TenantId
from bylaw.core.paging import Page, Slice
from bylaw.jobs.model import MOST_LEASE_MS, Job, JobId, JobStatus, Lane, NewJob, Schedule, Step, made
from bylaw.jobs.store import JobFilter, Load
from bylaw.storage.memory.heap import Heap, Row
from bylaw.storage.memory.kinds import Kind
from bylaw.storage.refusals import require_own, require_writing, taken
from bylaw.storage.rows import from_row, job_row, to_row
from bylaw.storage.sql import tables


class MemoryJobs(Kind[JobId, Job]):
    """The jobs of one tenant."""

    table = tables.jobs
    kind = Job
    noun = "job"

    def __init__(self, heap: Heap, tenant_id: TenantId, *, ids: Ids, clock: Clock) -> None:
        super().__init__(heap, tenant_id)
        self._ids = ids
        self._clock = clock

    async def enqueue(self, new: NewJob) -> JobId:
        """Return the id of the job that will do this. Raises: InvalidInput, TooLarge."""
        ident = JobId(self._ids.uuid7())
        job = made(new, tenant_id=self._tenant_id, ident=ident, now_ms=self._clock.now_ms())
        there = None if job.dedupe is None else await self.live(job.kind, job.dedupe)
        if there is None:
            self._heap.insert_new(self.table, job_row(job))
            return job.id
        if there.status == "running":
            self._heap.replace(self.table, job_row(replace(there, again=True)))
        return there.id

    async def enqueue_all(self, new: Sequence[NewJob]) -> Sequence[JobId]:
        """Return the ids of the jobs that will do these. Raises: as `enqueue`."""
        return [await self.enqueue(each) for each in new]

    async def live(self, kind: str, key: str) -> Job | None:
        """Return the job that waits or runs under a key, or None."""
        mine = (job for job in self._all() if job.is_live and (job.kind, job.dedupe) == (kind, key))
        return next(mine, None)

    async def list(self, where: JobFilter, part: Slice) -> Page[Job]:
        """Return a page of those that match."""
        return self._page(
            part, lambda job: where.kind in {None, job.kind} and where.status in {None, job.status}
        )

    async def waiting(self, lane: str, *, most: int) -> int:
        """Return how many jobs of a lane wait, counted up to `most`."""
        return min(most, sum(job.status == "waiting" and job.lane == lane for job in self._all()))

    async def steps(self, ident: JobId) -> Sequence[Step]:
        """Return what a job has done, in its order."""
        return [from_row(Step, row) for row in self._done(ident)]

    async def add_step(self, ident: JobId, step: Step) -> None:
        """Keep a step that is done. Raises: Conflict (`exists`)."""
        number = len(self._done(ident)) + 1
        row = {**to_row(step), "tenant_id": self._tenant_id, "job_id": ident, "number": number}
        if not self._heap.insert_new(tables.job_steps, row):
            raise taken("step")

    async def drop_steps(self, ident: JobId) -> None:
        """Forget what a job has done, so that it does everything again."""
        for row in self._done(ident):
            self._heap.remove(tables.job_steps, row)

    async def hold(self, job: Job, *, until_ms: int, progress: tuple[int, int] | None = None) -> bool:
        """Extend the lease of a running job at this revision, and return whether there is one."""
        require_writing(writes=self._heap.writes)
        stored = await self.get(job.id)
        if stored is None or stored.status != "running" or stored.revision != job.revision:
            return False
        held = replace(stored, lease_ms=until_ms)
        if progress is not None:
            held = replace(held, steps_done=progress[0], steps_total=progress[1])
        self._heap.replace(self.table, job_row(held))
        return True

    async def schedules(self) -> Sequence[Schedule]:
        """Return what recurs, by name."""
        rows = [row for row in self._heap.all(tables.schedules) if row["tenant_id"] == self._tenant_id]
        return sorted((from_row(Schedule, row) for row in rows), key=lambda each: each.name)

    async def put_schedule(self, schedule: Schedule) -> None:
        """Store what recurs in place of what had its name."""
        require_own(schedule, self._tenant_id)
        self._heap.replace(tables.schedules, to_row(schedule))

    async def forget(self, statuses: frozenset[JobStatus], *, before_ms: int, limit: int) -> int:
        """Forget up to `limit` jobs that ended so before then; return how many it were."""
        ended = (job for job in self._all() if job.status in statuses and job.ended_ms is not None)
        over = [job for job in ended if (job.ended_ms or 0) < before_ms][:limit]
        for job in over:
            await self.drop_steps(job.id)
            self._heap.remove(self.table, job_row(job))
        return len(over)

    def _done(self, ident: JobId) -> Sequence[Row]:
        rows = self._heap.all(tables.job_steps)
        mine = [row for row in rows if (row["tenant_id"], row["job_id"]) == (self._tenant_id, ident)]
        return sorted(mine, key=lambda row: int(str(row["number"])))

    @override
    def _written(self, item: Job) -> Mapping[str, object]:
        return job_row(item)


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
