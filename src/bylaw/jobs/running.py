"""A job in the hands of its handler: what it may do, all of it only while the job is held."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from bylaw.core.clock import Clock
from bylaw.core.errors import Conflict
from bylaw.core.ids import TenantId
from bylaw.jobs.lifecycle import WAITS_MS
from bylaw.jobs.model import Job, JobId, Object, Step, require_bounded
from bylaw.jobs.store import JobsStore, JobsUnit

U_co = TypeVar("U_co", bound=JobsUnit, covariant=True)
U_contra = TypeVar("U_contra", bound=JobsUnit, contravariant=True)

_PROGRESS_MS: Final = 500  # what is said more often than this is not written


class Running(Generic[U_co]):
    """One attempt at a job; see `bylaw.jobs` for what a handler may count on.

    Everything that writes raises Conflict (`not_held`) once the job was cancelled or taken over.
    """

    def __init__(
        self, job: Job, store: JobsStore[U_co], *, steps: dict[str, Object], clock: Clock, lease_ms: int
    ) -> None:
        self.job = job
        self._store = store
        self._steps = steps
        self._clock = clock
        self._lease_ms = lease_ms
        self._told_ms = 0

    @property
    def id(self) -> JobId:
        """Its id."""
        return self.job.id

    @property
    def tenant_id(self) -> TenantId:
        """For whom it is done."""
        return self.job.tenant_id

    @property
    def payload(self) -> Object:
        """What is to be done."""
        return self.job.payload

    @property
    def attempt(self) -> int:
        """Which attempt this is, from 1."""
        return self.job.attempt

    async def step(self, name: str, work: Callable[[], Awaitable[Object]]) -> Object:
        """Return what `work` answers, which is kept: a later attempt gets the kept answer instead.

        It may still happen twice, when the worker dies after it and before it is kept.
        Raises: InvalidInput, TooLarge for an answer that cannot be kept; whatever `work` raises.
        """
        if name not in self._steps:
            result = await work()
            async with self.begin() as unit:
                await self._keep(unit, name, result)
            self._steps[name] = result
        return self._steps[name]

    async def commit(self, name: str, work: Callable[[U_co], Awaitable[Object]]) -> Object:
        """Return what `work` answers, kept together with what it wrote: both happen once.

        Raises: as `step`.
        """
        if name not in self._steps:
            async with self.begin() as unit:
                result = await work(unit)
                await self._keep(unit, name, result)
            self._steps[name] = result
        return self._steps[name]

    @asynccontextmanager
    async def begin(self, *, writes: bool = True) -> AsyncIterator[U_co]:
        """Open a transaction of the tenant; one that writes commits only while the job is held."""
        async with self._store.begin(self.tenant_id, writes=writes) as unit:
            if writes:
                await self._hold(unit)
            yield unit

    async def progress(self, done: int, total: int) -> None:
        """Say that `done` of `total` parts are done, in whatever unit; at most twice a second it is kept."""
        now_ms = self._clock.now_ms()
        if now_ms - self._told_ms >= _PROGRESS_MS or done >= total:
            self._told_ms = now_ms
            async with self._store.begin(self.tenant_id) as unit:
                await self._hold(unit, (done, total))

    async def _hold(self, unit: JobsUnit, progress: tuple[int, int] | None = None) -> None:
        until_ms = self._clock.now_ms() + self._lease_ms
        if not await unit.jobs.hold(self.job, until_ms=until_ms, progress=progress):
            raise Conflict(f"The job {self.id} is no longer held by this worker.", reason="not_held")

    async def _keep(self, unit: JobsUnit, name: str, result: Object) -> None:
        require_bounded(result)
        await unit.jobs.add_step(self.id, Step(name=name, result=result, at_ms=self._clock.now_ms()))


@dataclass(frozen=True, slots=True, kw_only=True)
class Handler(Generic[U_contra]):
    """What does jobs of one kind, and how long they wait after each failure before they are given up.

    One with a line of `cron` recurs: every tenant has it done at those moments, without a payload.
    """

    handle: Callable[[Running[U_contra]], Awaitable[Object | None]]
    waits_ms: tuple[int, ...] = WAITS_MS
    cron: str = ""
