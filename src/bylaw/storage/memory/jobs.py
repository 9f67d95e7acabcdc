"""The jobs of one tenant, in memory."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from typing_extensions import override

from bylaw.core.clock import Clock
from bylaw.core.ids import Ids, TenantId
from bylaw.core.paging import Page, Slice
from bylaw.jobs.model import Job, JobId, JobStatus, NewJob, Schedule, Step, made
from bylaw.jobs.store import JobFilter
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
