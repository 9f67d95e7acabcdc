"""The jobs of one tenant, in SQL."""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import and_, delete, func, select, update
from typing_extensions import override

from bylaw.core.clock import Clock
from bylaw.core.errors import Unavailable
from bylaw.core.ids import Ids, TenantId
from bylaw.core.paging import Page, Slice
from bylaw.jobs.model import Job, JobId, JobStatus, NewJob, Schedule, Step, made
from bylaw.jobs.store import JobFilter
from bylaw.storage.refusals import require_own, taken
from bylaw.storage.rows import from_row, job_row, to_row
from bylaw.storage.sql import tables
from bylaw.storage.sql.kinds import Kind
from bylaw.storage.sql.lists import equals
from bylaw.storage.sql.session import Session

_J, _S, _R = tables.jobs.c, tables.job_steps.c, tables.schedules.c
_BATCH: Final = 500  # rows of one statement: databases take some 32,000 values
_TRIES: Final = 3


class SqlJobs(Kind[JobId, Job]):
    """The jobs of one tenant."""

    table = tables.jobs
    kind = Job
    noun = "job"

    def __init__(self, session: Session, tenant_id: TenantId, *, ids: Ids, clock: Clock) -> None:
        super().__init__(session, tenant_id)
        self._ids = ids
        self._clock = clock

    async def enqueue(self, new: NewJob) -> JobId:
        """Return the id of the job that will do this. Raises: InvalidInput, TooLarge."""
        job = self._made(new)
        self._session.enqueued = True
        for _ in range(_TRIES):
            there = None if job.dedupe is None else await self.live(job.kind, job.dedupe)
            if there is not None:
                if there.status == "running":
                    once_more = update(tables.jobs).where(self._own(_J.id == there.id)).values(again=True)
                    await self._session.change(once_more)
                return there.id
            if await self._session.insert_new(tables.jobs, job_row(job)):
                return job.id
        raise Unavailable("Others are enqueuing the same job: try again.")

    async def enqueue_all(self, new: Sequence[NewJob]) -> Sequence[JobId]:
        """Return the ids of the jobs that will do these. Raises: as `enqueue`."""
        self._session.enqueued = True
        keyless = [self._made(each) for each in new if each.dedupe is None]
        for start in range(0, len(keyless), _BATCH):
            await self._session.insert_all(
                tables.jobs, [job_row(job) for job in keyless[start : start + _BATCH]]
            )
        made_ids = iter([job.id for job in keyless])
        return [next(made_ids) if each.dedupe is None else await self.enqueue(each) for each in new]

    async def live(self, kind: str, key: str) -> Job | None:
        """Return the job that waits or runs under a key, kept as it is until the transaction ends."""
        wanted = select(tables.jobs).where(self._own(_J.kind == kind, _J.live_key == key))
        row = await self._session.row(wanted.with_for_update() if self._session.writes else wanted)
        return None if row is None else from_row(Job, row)

    async def list(self, where: JobFilter, part: Slice) -> Page[Job]:
        """Return a page of those that match."""
        return await self._page(part, *equals(_J.kind, where.kind), *equals(_J.status, where.status))

    async def waiting(self, lane: str, *, most: int) -> int:
        """Return how many jobs of a lane wait, counted up to `most`."""
        wait = select(_J.id).where(self._own(_J.status == "waiting", _J.lane == lane)).limit(most)
        return await self._session.number(select(func.count()).select_from(wait.subquery()))

    async def steps(self, ident: JobId) -> Sequence[Step]:
        """Return what a job has done, in its order."""
        mine = and_(_S.tenant_id == self._tenant_id, _S.job_id == ident)
        rows = await self._session.rows(select(tables.job_steps).where(mine).order_by(_S.number))
        return [from_row(Step, row) for row in rows]

    async def add_step(self, ident: JobId, step: Step) -> None:
        """Keep a step that is done. Raises: Conflict (`exists`)."""
        mine = and_(_S.tenant_id == self._tenant_id, _S.job_id == ident)
        last = await self._session.number(select(func.max(_S.number)).where(mine))
        row = {**to_row(step), "tenant_id": self._tenant_id, "job_id": ident, "number": last + 1}
        if not await self._session.insert_new(tables.job_steps, row):
            raise taken("step")

    async def drop_steps(self, ident: JobId) -> None:
        """Forget what a job has done, so that it does everything again."""
        mine = and_(_S.tenant_id == self._tenant_id, _S.job_id == ident)
        await self._session.change(delete(tables.job_steps).where(mine))

    async def hold(self, job: Job, *, until_ms: int, progress: tuple[int, int] | None = None) -> bool:
        """Extend the lease of a running job at this revision, and return whether there is one."""
        values: dict[str, object] = {"lease_ms": until_ms}
        if progress is not None:
            values |= {"steps_done": progress[0], "steps_total": progress[1]}
        this = self._own(_J.id == job.id, _J.status == "running", _J.revision == job.revision)
        return bool(await self._session.change(update(tables.jobs).where(this).values(**values)))

    async def schedules(self) -> Sequence[Schedule]:
        """Return what recurs, by name."""
        mine = select(tables.schedules).where(_R.tenant_id == self._tenant_id)
        return [from_row(Schedule, row) for row in await self._session.rows(mine.order_by(_R.name))]

    async def put_schedule(self, schedule: Schedule) -> None:
        """Store what recurs in place of what had its name."""
        require_own(schedule, self._tenant_id)
        row = to_row(schedule)
        this = and_(_R.tenant_id == self._tenant_id, _R.name == schedule.name)
        if not await self._session.change(update(tables.schedules).where(this).values(**row)):
            await self._session.insert_new(tables.schedules, row)

    async def forget(self, statuses: frozenset[JobStatus], *, before_ms: int, limit: int) -> int:
        """Forget up to `limit` jobs that ended so before then; return how many it were."""
        # What ended before then was made before then: so a list by age is read, and no index is by the end.
        ended = (_J.status.in_(sorted(statuses)), _J.ended_ms < before_ms, _J.created_ms < before_ms)
        rows = await self._session.rows(select(_J.id).where(self._own(*ended)).limit(limit))
        idents = [row["id"] for row in rows]
        if idents:
            steps = and_(_S.tenant_id == self._tenant_id, _S.job_id.in_(idents))
            await self._session.change(delete(tables.job_steps).where(steps))
            await self._session.change(delete(tables.jobs).where(self._own(_J.id.in_(idents))))
        return len(idents)

    def _made(self, new: NewJob) -> Job:
        ident = JobId(self._ids.uuid7())
        return made(new, tenant_id=self._tenant_id, ident=ident, now_ms=self._clock.now_ms())

    @override
    def _written(self, item: Job) -> Mapping[str, object]:
        return job_row(item)
