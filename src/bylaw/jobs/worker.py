"""A worker: claims jobs of all tenants in turn, runs them, and holds on to them while it lives."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from bylaw.core.clock import Clock
from bylaw.core.errors import BylawError, Conflict, InvalidInput, Unavailable
from bylaw.core.ids import TenantId
from bylaw.jobs.endings import Endings
from bylaw.jobs.lifecycle import WAITS_MS, failed, finished, lapsed, released
from bylaw.jobs.model import Job, JobId, Object, require_bounded
from bylaw.jobs.recurring import Recurring
from bylaw.jobs.running import Handler, Running
from bylaw.jobs.store import JobsStore, JobsUnit
from bylaw.jobs.turns import Turns

_log = logging.getLogger("bylaw.jobs")

U = TypeVar("U", bound=JobsUnit)

_PLAN_EVERY_S: Final = 60.0
_LAPSED: Final = 500  # jobs of dead workers that are let go of in one transaction


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerLimits:
    """What a worker is held to. Units: `poll_s` and `grace_s` in seconds.

    `slots` jobs run at once. Every `poll_s` it looks for work that nobody told it of. A lease of `lease_ms`
    is extended three times in its span. Who stops gives jobs `grace_s` to end. `lane`: see `Turns`.
    """

    slots: int = 32
    lane: int = 8
    poll_s: float = 1.0
    lease_ms: int = 30_000
    grace_s: float = 10.0


class Worker(Generic[U]):
    """Runs jobs until it is stopped; several may share a backlog, in as many processes.

    `chance` returns numbers from 0 to 1.
    """

    def __init__(
        self,
        store: JobsStore[U],
        handlers: Mapping[str, Handler[U]],
        *,
        name: str,
        clock: Clock,
        chance: Callable[[], float],
        limits: WorkerLimits,
    ) -> None:
        self._store = store
        self._handlers = handlers
        self._name = name
        self._clock = clock
        self._chance = chance
        self._limits = limits
        self._held: dict[tuple[TenantId, JobId], tuple[Job, asyncio.Task[None]]] = {}
        self._endings = Endings(store)
        self._turns = Turns(slots=limits.slots, lane=limits.lane)
        crons = {kind: handler.cron for kind, handler in handlers.items() if handler.cron}
        self._recurring = Recurring(store, crons, clock)
        self._woken = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        """Have it look for work now."""
        self._woken.set()

    def stop(self) -> None:
        """Have it claim nothing more, and end once what it holds is done or given back."""
        self._stopping = True
        self._woken.set()

    async def run(self) -> None:
        """Run jobs until it is stopped; failures of the database are waited out."""
        async with self._alive():
            fails = False
            while not self._stopping:
                self._woken.clear()
                try:
                    claimed = await self._start_due()
                except Unavailable as error:
                    if not fails:
                        _log.warning("jobs: %s", error)
                    claimed, fails = 0, True
                else:
                    fails = False
                if not claimed or not self._free:
                    await self._rest()
            await self._wind_down()

    async def run_until_idle(self) -> None:
        """Run jobs, one after another and their successors, until nothing is due and nothing runs."""
        async with self._alive():
            while await self._start_due() or self._held:
                if self._held:
                    await asyncio.wait(self._tasks(), return_when=asyncio.FIRST_COMPLETED)

    @property
    def _free(self) -> int:
        return self._limits.slots - len(self._held)

    def _tasks(self) -> Sequence[asyncio.Task[None]]:
        return [task for _, task in self._held.values()]

    async def _rest(self) -> None:
        """Return when it was woken, when a job ended, or when it is time to look."""
        woken = asyncio.create_task(self._woken.wait())
        try:
            timeout = self._limits.poll_s if self._free else None
            awaited = {woken, *self._tasks()}
            await asyncio.wait(awaited, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        finally:
            woken.cancel()

    async def _start_due(self) -> int:
        """Start what there is room for, and return how many jobs it were, or came to wait meanwhile."""
        if not self._free:
            return 0
        now_ms, held = self._clock.now_ms(), [job for job, _ in self._held.values()]
        async with self._store.system(writes=False) as system:
            recurs = await system.backlog.recurring(now_ms=now_ms, limit=1)
            over = await system.backlog.lapsed(now_ms=now_ms, limit=_LAPSED)
            found = await self._turns.take(system.backlog, held, now_ms=now_ms)
        came = await self._recurring.enqueue(now_ms=now_ms) if recurs else 0
        # What is held here may lapse, too, where the clock jumped or the machine slept: it is extended soon.
        lost = [job for job in over if (job.tenant_id, job.id) not in self._held]
        came += await self._let_go(lost) if lost else 0
        if not found:
            return came
        until_ms = now_ms + self._limits.lease_ms
        async with self._store.system() as system:
            claimed = await system.backlog.claim(found, worker=self._name, now_ms=now_ms, until_ms=until_ms)
        for job in claimed:
            key = (job.tenant_id, job.id)
            self._held[key] = (job, asyncio.create_task(self._run(job)))
        return came + len(claimed)

    async def _let_go(self, lost: Sequence[Job]) -> int:
        """Have what others let go of wait for its turn again, and return how much it was."""
        async with self._store.system() as system:
            held = await system.backlog.held(lost)
            await system.backlog.replace([lapsed(job) for job in held])
        return len(held)

    async def _run(self, job: Job) -> None:
        try:
            await self._attempt(job)
        except asyncio.CancelledError:
            await self._give_back(job)
        finally:
            self._held.pop((job.tenant_id, job.id), None)

    async def _attempt(self, job: Job) -> None:
        """Run a job once and write what became of it: the named boundary of handlers."""
        try:
            handle = self._handler(job).handle
            result = await handle(await self._running(job))
            require_bounded({} if result is None else result)
        except Exception as error:  # noqa: BLE001 - a worker must outlive whatever a handler does
            await self._failed(job, error)
        else:
            now_ms = self._clock.now_ms()
            await self._endings.write(job, lambda now: finished(now, result, now_ms=now_ms))

    def _handler(self, job: Job) -> Handler[U]:
        """Return what does a job. Raises: Unavailable for a kind of another version, InvalidInput."""
        handler = self._handlers.get(job.kind)
        if handler is None:
            raise Unavailable(f"This worker does not know jobs of the kind {job.kind!r}.")
        if job.attempt > len(handler.waits_ms) + 1:
            raise InvalidInput("Each of its workers died before it was done.")
        return handler

    async def _running(self, job: Job) -> Running[U]:
        steps: dict[str, Object] = {}
        if job.revision > 2:  # it was claimed before
            async with self._store.begin(job.tenant_id, writes=False) as unit:
                steps = {step.name: step.result for step in await unit.jobs.steps(job.id)}
        lease_ms = self._limits.lease_ms
        return Running(job, self._store, steps=steps, clock=self._clock, lease_ms=lease_ms)

    async def _failed(self, job: Job, error: Exception) -> None:
        if isinstance(error, Conflict) and error.reason == "not_held":
            return
        level = logging.INFO if isinstance(error, BylawError) else logging.ERROR
        told = None if isinstance(error, BylawError) else error
        _log.log(level, "job %s (%s), attempt %d: %s", job.id, job.kind, job.attempt, error, exc_info=told)
        handler = self._handlers.get(job.kind)
        waits_ms = WAITS_MS if handler is None else handler.waits_ms
        chance, now_ms = self._chance(), self._clock.now_ms()
        await self._endings.write(
            job, lambda now: failed(now, error, waits_ms=waits_ms, chance=chance, now_ms=now_ms)
        )

    async def _give_back(self, job: Job) -> None:
        """Let others do it at once; nothing happens to one that is not held any more."""
        now_ms = self._clock.now_ms()
        await self._endings.write(job, lambda now: released(now, now_ms=now_ms))

    async def _wind_down(self) -> None:
        """Return once nothing is held: what does not end in time is given back."""
        if self._held:
            await asyncio.wait(self._tasks(), timeout=self._limits.grace_s)
        while self._held:
            tasks = self._tasks()
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)

    @asynccontextmanager
    async def _alive(self) -> AsyncIterator[None]:
        """Extend leases, and see that what recurs is planned for every tenant, until the block ends."""
        await _try(self._recurring.plan)
        loops = [
            asyncio.create_task(self._every(self._limits.lease_ms / 3000, self._extend)),
            asyncio.create_task(self._every(_PLAN_EVERY_S, self._recurring.plan)),
        ]
        try:
            yield
        finally:
            for loop in loops:
                loop.cancel()
            await asyncio.wait(loops)

    async def _every(self, pause_s: float, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await asyncio.sleep(pause_s)
            await _try(work)

    async def _extend(self) -> None:
        """Extend the leases of what is held; stop what was cancelled or taken over."""
        held = [job for job, _ in self._held.values()]
        if not held:
            return
        until_ms = self._clock.now_ms() + self._limits.lease_ms
        async with self._store.system() as system:
            kept = await system.backlog.extend(held, until_ms=until_ms)
        for job in held:
            key = (job.tenant_id, job.id)
            if key not in kept and key in self._held:
                self._held[key][1].cancel()


async def _try(work: Callable[[], Awaitable[None]]) -> None:
    try:
        await work()
    except BylawError as error:
        _log.warning("jobs: %s", error)
