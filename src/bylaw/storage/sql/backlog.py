"""The jobs of every tenant as workers see them, in SQL."""

from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from sqlalchemy import (
    RowMapping,
    Select,
    and_,
    bindparam,
    exists,
    func,
    literal,
    or_,
    select,
    tuple_,
    union_all,
    update,
)

from bylaw.core.ids import TenantId
from bylaw.jobs.model import MOST_LEASE_MS, PRIORITIES, Job, JobId, Lane, Schedule
from bylaw.jobs.store import Load
from bylaw.storage.refusals import require_writing
from bylaw.storage.rows import from_row, job_row
from bylaw.storage.sql import tables
from bylaw.storage.sql.lists import Condition
from bylaw.storage.sql.session import Session

_J, _R = tables.jobs.c, tables.schedules.c
_LOOKS: Final = 100  # ranges of one statement: SQLite joins 500 at most


class SqlBacklog:
    """The jobs of every tenant, as workers see them."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def tenants(
        self, *, now_ms: int, after: TenantId | None, limit: int, but: Collection[TenantId] = ()
    ) -> Sequence[TenantId]:
        """Return up to `limit` tenants with jobs that may start now, by id, those after `after`.

        Each is found by a few looks into the index, however many jobs the one before it has.
        """
        other = tables.jobs.alias()
        first = select(func.min(_J.tenant_id).label("tenant_id")).where(
            _J.status == "waiting", *(() if after is None else (_J.tenant_id > after,))
        )
        found = first.cte("found", recursive=True)
        following = select(func.min(other.c.tenant_id)).where(
            other.c.status == "waiting", other.c.tenant_id > found.c.tenant_id
        )
        found = found.union_all(select(following.scalar_subquery()).where(found.c.tenant_id.is_not(None)))
        due = exists(
            select(literal(1)).where(
                _J.status == "waiting",
                _J.tenant_id == found.c.tenant_id,
                _J.priority.in_(PRIORITIES),
                _J.due_ms <= now_ms,
            )
        )
        others = found.c.tenant_id.not_in(sorted(but))
        wanted = select(found.c.tenant_id).where(found.c.tenant_id.is_not(None), others, due).limit(limit)
        return [TenantId(row["tenant_id"]) for row in await self._session.rows(wanted)]

    async def due(
        self, tenants: Sequence[TenantId], *, now_ms: int, each: int, but: Collection[Lane] = ()
    ) -> Sequence[Job]:
        """Return up to `each` jobs of each of the tenants that may start now, of each in their order.

        Those of the lanes `but` are left out. Each queue (a lane at a priority) is one range of the index,
        and only those are read whose first jobs come first.
        """
        queues = [queue for queue in await self._queues(tenants) if queue.due_ms <= now_ms]
        found: dict[TenantId, list[Job]] = {tenant_id: [] for tenant_id in tenants}
        read = [
            queue
            for tenant_id in tenants
            for queue in sorted(q for q in queues if q.tenant_id == tenant_id and q.of not in but)[:each]
        ]
        for start in range(0, len(read), _LOOKS):
            looks = [_first(queue, now_ms=now_ms, limit=each) for queue in read[start : start + _LOOKS]]
            for row in await self._session.rows(union_all(*looks)):
                found[row["tenant_id"]].append(from_row(Job, row))
        ordered = (sorted(jobs, key=_order)[:each] for jobs in found.values())
        return [job for jobs in ordered for job in jobs]

    async def _queues(self, tenants: Sequence[TenantId]) -> Sequence["_Queue"]:
        """Return the queues of these tenants; each is found by a few looks, however many jobs are in it."""
        if not tenants:
            return []
        its, other, ahead = tables.tenants.c, tables.jobs.alias(), tables.jobs.alias()
        of_tenant = select(func.min(_J.lane)).where(_J.status == "waiting", _J.tenant_id == its.id)
        lanes = (
            select(its.id.label("tenant_id"), of_tenant.scalar_subquery().label("lane"))
            .where(its.id.in_(tenants))
            .cte("lanes", recursive=True)
        )
        following = select(func.min(other.c.lane)).where(
            other.c.status == "waiting",
            other.c.tenant_id == lanes.c.tenant_id,
            other.c.lane > lanes.c.lane,
        )
        more = select(lanes.c.tenant_id, following.scalar_subquery()).where(lanes.c.lane.is_not(None))
        lanes = lanes.union_all(more)
        firsts = [
            select(func.min(ahead.c.due_ms))
            .where(
                ahead.c.status == "waiting",
                ahead.c.tenant_id == lanes.c.tenant_id,
                ahead.c.lane == lanes.c.lane,
                ahead.c.priority == priority,
            )
            .scalar_subquery()
            .label(f"first_{place}")
            for place, priority in enumerate(PRIORITIES)
        ]
        wanted = select(lanes.c.tenant_id, lanes.c.lane, *firsts).where(lanes.c.lane.is_not(None))
        return [
            _Queue(-priority, row[f"first_{place}"], row["tenant_id"], row["lane"])
            for row in await self._session.rows(wanted)
            for place, priority in enumerate(PRIORITIES)
            if row[f"first_{place}"] is not None
        ]

    async def lapsed(self, *, now_ms: int, limit: int) -> Sequence[Job]:
        """Return up to `limit` running jobs whose lease is over, or ends later than any that is given now."""
        over = or_(_J.lease_ms < now_ms, _J.lease_ms > now_ms + MOST_LEASE_MS)
        wanted = select(tables.jobs).where(_J.status == "running", over).limit(limit)
        return [from_row(Job, row) for row in await self._session.rows(wanted)]

    async def claim(self, jobs: Sequence[Job], *, worker: str, now_ms: int, until_ms: int) -> Sequence[Job]:
        """Return those of the jobs that are as they are given, in order, started and held by `worker`."""
        require_writing(writes=self._session.writes)
        if not jobs:
            return []
        free = select(_J.tenant_id, _J.id).where(_as_given(jobs)).with_for_update(skip_locked=True)
        started = (
            update(tables.jobs)
            .where(tuple_(_J.tenant_id, _J.id).in_(free))
            .values(
                status="running",
                attempt=_J.attempt + 1,
                revision=_J.revision + 1,
                worker=worker,
                started_ms=now_ms,
                lease_ms=until_ms,
                steps_done=literal(0),
                steps_total=literal(0),
            )
            .returning(tables.jobs)
        )
        got = {(row["tenant_id"], row["id"]): row for row in await self._session.rows(started)}
        keys = ((job.tenant_id, job.id) for job in jobs)
        return [from_row(Job, got[key]) for key in keys if key in got]

    async def extend(self, jobs: Sequence[Job], *, until_ms: int) -> frozenset[tuple[TenantId, JobId]]:
        """Extend the leases of running jobs at these revisions, and return which ones they were."""
        require_writing(writes=self._session.writes)
        if not jobs:
            return frozenset()
        held = update(tables.jobs).where(_as_given(jobs), _J.status == "running").values(lease_ms=until_ms)
        rows = await self._session.rows(held.returning(_J.tenant_id, _J.id))
        return frozenset((TenantId(row["tenant_id"]), JobId(row["id"])) for row in rows)

    async def held(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """Return those that still run at these revisions, as they are until this transaction ends."""
        require_writing(writes=self._session.writes)
        if not jobs:
            return []
        wanted = select(tables.jobs).where(_as_given(jobs), _J.status == "running")
        ordered = wanted.order_by(_J.tenant_id, _J.id).with_for_update()
        return [from_row(Job, row) for row in await self._session.rows(ordered)]

    async def replace(self, jobs: Sequence[Job]) -> None:
        """Store the next revisions of jobs that this transaction holds."""
        this = and_(_J.tenant_id == bindparam("its_tenant"), _J.id == bindparam("its_id"))
        names = [column.name for column in _J if column.name not in {"tenant_id", "id"}]
        changed = update(tables.jobs).where(this).values({name: bindparam(name) for name in names})
        rows = [job_row(job) for job in jobs]
        keyed = [{**row, "its_tenant": row.pop("tenant_id"), "its_id": row.pop("id")} for row in rows]
        await self._session.change_each(changed, keyed)

    async def unscheduled(self, name: str, cron: str, *, by_ms: int, limit: int) -> Sequence[TenantId]:
        """Return up to `limit` tenants for whom nothing of this name recurs by `cron`, next by `by_ms`."""
        its = tables.tenants.c.id
        recurs = and_(_R.tenant_id == its, _R.name == name, _R.cron == cron, _R.next_ms <= by_ms)
        wanted = select(its).where(~exists(select(literal(1)).where(recurs))).order_by(its).limit(limit)
        return [TenantId(row["id"]) for row in await self._session.rows(wanted)]

    async def recurring(self, *, now_ms: int, limit: int) -> Sequence[Schedule]:
        """Return up to `limit` schedules whose moment has come."""
        over = select(tables.schedules).where(_R.next_ms <= now_ms).order_by(_R.next_ms).limit(limit)
        held = over.with_for_update(skip_locked=True) if self._session.writes else over
        return [from_row(Schedule, row) for row in await self._session.rows(held)]

    async def load(self, *, now_ms: int) -> Load:
        """Return how much there is to do."""
        wanted = (
            select(_J.status, func.count().label("jobs"), func.min(_J.due_ms).label("oldest_ms"))
            .where(_J.status.in_(["waiting", "running", "dead"]))
            .group_by(_J.status)
        )
        rows = {row["status"]: row for row in await self._session.rows(wanted)}
        counts = {status: _count(rows.get(status)) for status in ("waiting", "running", "dead")}
        oldest = rows["waiting"]["oldest_ms"] if "waiting" in rows else None
        return Load(**counts, oldest_ms=oldest if oldest is not None and oldest <= now_ms else None)


class _Queue(NamedTuple):
    """What waits in one lane at one priority, and when the first of it is due; sorted as it comes."""

    precedence: int
    due_ms: int
    tenant_id: TenantId
    lane: str

    @property
    def of(self) -> Lane:
        """Its lane."""
        return self.tenant_id, self.lane


def _first(queue: _Queue, *, now_ms: int, limit: int) -> Select[*tuple[object, ...]]:
    """Return what reads the first jobs of a queue: one range of the index."""
    theirs = (_J.tenant_id == queue.tenant_id, _J.lane == queue.lane, _J.priority == -queue.precedence)
    due = (_J.status == "waiting", *theirs, _J.due_ms <= now_ms)
    ordered = select(tables.jobs).where(*due).order_by(_J.due_ms, _J.id)
    return select(ordered.limit(limit).subquery())


def _order(job: Job) -> tuple[int, int, str]:
    return (-job.priority, job.due_ms, job.id)


def _as_given(jobs: Sequence[Job]) -> Condition:
    return tuple_(_J.tenant_id, _J.id, _J.revision).in_(
        [(job.tenant_id, job.id, job.revision) for job in jobs]
    )


def _count(row: RowMapping | None) -> int:
    return 0 if row is None else row["jobs"]
