"""The store that jobs need: those of one tenant, and the backlog of all of them as workers see it.

Rules for every implementation. Ids are unique inside a tenant. Lists are ordered by (`created_ms`, id),
newest first, and continue after a cursor. `save` replaces a job whose `revision` is one above the stored one,
and raises PreconditionFailed otherwise: so it is the fence that keeps an overtaken worker from writing.
"""

from collections.abc import Collection, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol, TypeVar

from bylaw.core.ids import TenantId
from bylaw.core.paging import Page, Slice
from bylaw.jobs.model import Job, JobId, JobStatus, Lane, NewJob, Schedule, Step

U_co = TypeVar("U_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFilter:
    """Which jobs are wanted; fields combine with AND, None means any."""

    kind: str | None = None
    status: JobStatus | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How much there is to do: `oldest_ms` is when the job that waits longest was due, None for none."""

    waiting: int = 0
    running: int = 0
    dead: int = 0
    oldest_ms: int | None = None


class Jobs(Protocol):
    """The jobs of one tenant."""

    async def enqueue(self, new: NewJob) -> JobId:
        """Return the id of the job that will do this, once the transaction commits; see `bylaw.jobs`.

        Raises: InvalidInput, TooLarge.
        """

    async def enqueue_all(self, new: Sequence[NewJob]) -> Sequence[JobId]:
        """Return the ids of the jobs that will do these, in their order. Raises: as `enqueue`."""

    async def get(self, ident: JobId, /) -> Job | None:
        """Return the job or None."""

    async def save(self, item: Job, /) -> None:
        """Store the next revision of a job. Raises: PreconditionFailed."""

    async def live(self, kind: str, key: str) -> Job | None:
        """Return the job that waits or runs under a key, kept as it is until the transaction ends."""

    async def list(self, where: JobFilter, part: Slice) -> Page[Job]:
        """Return a page of those that match."""

    async def waiting(self, lane: str, *, most: int) -> int:
        """Return how many jobs of a lane wait, counted up to `most`."""

    async def steps(self, ident: JobId) -> Sequence[Step]:
        """Return what a job has done, in its order."""

    async def add_step(self, ident: JobId, step: Step) -> None:
        """Keep a step that is done. Raises: Conflict (`exists`)."""

    async def drop_steps(self, ident: JobId) -> None:
        """Forget what a job has done, so that it does everything again."""

    async def hold(self, job: Job, *, until_ms: int, progress: tuple[int, int] | None = None) -> bool:
        """Extend the lease of a running job at this revision, and return whether there is one.

        Nobody else changes the job until the transaction ends.
        """

    async def forget(self, statuses: frozenset[JobStatus], *, before_ms: int, limit: int) -> int:
        """Forget up to `limit` jobs that ended so before then; return how many it were."""

    async def schedules(self) -> Sequence[Schedule]:
        """Return what recurs, by name."""

    async def put_schedule(self, schedule: Schedule) -> None:
        """Store what recurs in place of what had its name."""


class Backlog(Protocol):
    """The jobs of every tenant, as workers see them."""

    async def tenants(
        self, *, now_ms: int, after: TenantId | None, limit: int, but: Collection[TenantId] = ()
    ) -> Sequence[TenantId]:
        """Return up to `limit` tenants with jobs that may start now, by id, those after `after`."""

    async def due(
        self, tenants: Sequence[TenantId], *, now_ms: int, each: int, but: Collection[Lane] = ()
    ) -> Sequence[Job]:
        """Return up to `each` jobs of each of the tenants that may start now, of each in their order.

        Those of the lanes `but` are left out.
        """

    async def lapsed(self, *, now_ms: int, limit: int) -> Sequence[Job]:
        """Return up to `limit` running jobs whose lease is over, or ends later than any that is given now."""

    async def claim(self, jobs: Sequence[Job], *, worker: str, now_ms: int, until_ms: int) -> Sequence[Job]:
        """Return those of the jobs that are as they are given, in order, started and held by `worker`."""

    async def extend(self, jobs: Sequence[Job], *, until_ms: int) -> frozenset[tuple[TenantId, JobId]]:
        """Extend the leases of running jobs at these revisions, and return which ones they were."""

    async def held(self, jobs: Sequence[Job]) -> Sequence[Job]:
        """Return those that still run at these revisions, as they are until this transaction ends."""

    async def replace(self, jobs: Sequence[Job]) -> None:
        """Store the next revisions of jobs that this transaction holds."""

    async def unscheduled(self, name: str, cron: str, *, by_ms: int, limit: int) -> Sequence[TenantId]:
        """Return up to `limit` tenants for whom nothing of this name recurs by `cron`, next by `by_ms`."""

    async def recurring(self, *, now_ms: int, limit: int) -> Sequence[Schedule]:
        """Return up to `limit` schedules whose moment has come, for this transaction alone."""

    async def load(self, *, now_ms: int) -> Load:
        """Return how much there is to do."""


class JobsUnit(Protocol):
    """One transaction of one tenant, as far as jobs need it."""

    @property
    def tenant_id(self) -> TenantId:
        """The tenant to which everything here belongs."""

    @property
    def jobs(self) -> Jobs:
        """Its jobs."""


class WorkersUnit(Protocol[U_co]):
    """One transaction of the operator, as far as workers need it."""

    @property
    def backlog(self) -> Backlog:
        """The jobs of every tenant."""

    def of(self, tenant_id: TenantId) -> U_co:
        """Return what a tenant holds, inside this transaction."""


class JobsStore(Protocol[U_co]):
    """Transactions of tenants and of the operator, as workers open them."""

    def begin(self, tenant_id: TenantId, *, writes: bool = True) -> AbstractAsyncContextManager[U_co]:
        """Return the transaction of one tenant."""

    def system(self, *, writes: bool = True) -> AbstractAsyncContextManager[WorkersUnit[U_co]]:
        """Return the transaction of the operator."""
