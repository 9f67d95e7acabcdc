"""What became of jobs, written together: many that end at once cost one transaction."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from bylaw.core.errors import BylawError, Unavailable
from bylaw.jobs.model import Job
from bylaw.jobs.store import JobsStore, JobsUnit

_log = logging.getLogger("bylaw.jobs")

U_co = TypeVar("U_co", bound=JobsUnit, covariant=True)

_PAUSES_S: Final = (0.1, 0.5, 2.0)  # before the database is tried again


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ending:
    job: Job
    change: Callable[[Job], Job]
    written: asyncio.Future[None]


class Endings(Generic[U_co]):
    """Writes the ends of jobs; that of a job which is no longer held is dropped."""

    def __init__(self, store: JobsStore[U_co]) -> None:
        self._store = store
        self._waiting: list[_Ending] = []
        self._writing: asyncio.Task[None] | None = None

    async def write(self, job: Job, change: Callable[[Job], Job]) -> None:
        """Return once `change` of the job, as it is stored then, is durable, or the job is lost.

        It is lost, too, when the database stays away: its lease runs out, and it is done again.
        """
        ending = _Ending(job=job, change=change, written=asyncio.get_running_loop().create_future())
        self._waiting.append(ending)
        if self._writing is None:
            self._writing = asyncio.create_task(self._write_all())
        await ending.written

    async def _write_all(self) -> None:
        await asyncio.sleep(0)  # whatever ends in the same moment comes along
        try:
            while self._waiting:
                batch, self._waiting = self._waiting, []
                try:
                    await self._try(batch)
                finally:  # whatever happens, nobody waits for ever
                    for ending in batch:
                        if not ending.written.done():
                            ending.written.set_result(None)
        finally:
            self._writing = None

    async def _try(self, batch: Sequence[_Ending]) -> None:
        for pause_s in (*_PAUSES_S, None):
            try:
                await self._store_all(batch)
            except Unavailable as error:
                _log.warning("jobs: the end of %d cannot be kept now: %s", len(batch), error)
                if pause_s is not None:
                    await asyncio.sleep(pause_s)
            except BylawError as error:
                await self._apart(batch, error)
                return
            else:
                return

    async def _apart(self, batch: Sequence[_Ending], error: BylawError) -> None:
        """Write each by itself, so that the one which cannot be written is the only one that is lost."""
        if len(batch) > 1:
            for ending in batch:
                await self._try([ending])
        else:
            _log.error("jobs: the end of %s cannot be kept: %s", batch[0].job.id, error)

    async def _store_all(self, batch: Sequence[_Ending]) -> None:
        async with self._store.system() as system:
            held = await system.backlog.held([ending.job for ending in batch])
            changes = {(ending.job.tenant_id, ending.job.id): ending.change for ending in batch}
            after = [changes[job.tenant_id, job.id](job) for job in held]
            for job, then in zip(held, after, strict=True):
                if job.again and not then.again:  # it begins anew
                    await system.of(job.tenant_id).jobs.drop_steps(job.id)
            await system.backlog.replace(after)
