"""What administrators may ask of jobs: to see them, to have one tried again, and to have one stopped."""

from typing import Final

from bylaw.core.errors import Conflict, NotFound
from bylaw.core.paging import Page, Slice
from bylaw.jobs.lifecycle import cancelled, retried
from bylaw.jobs.model import Job, JobId, Step
from bylaw.jobs.store import JobFilter, JobsUnit
from bylaw.tenancy.model import EVERYWHERE
from bylaw.tenancy.principal import Acting

MANAGES: Final = "admin"


async def list_jobs(acting: Acting[JobsUnit], where: JobFilter, part: Slice) -> Page[Job]:
    """Return a page of the tenant's jobs. Raises: Forbidden."""
    acting.principal.require(MANAGES, EVERYWHERE)
    return await acting.unit.jobs.list(where, part)


async def read_job(acting: Acting[JobsUnit], ident: JobId) -> tuple[Job, tuple[Step, ...]]:
    """Return a job, and what of it is done. Raises: Forbidden, NotFound."""
    return await _found(acting, ident), tuple(await acting.unit.jobs.steps(ident))


async def retry_job(acting: Acting[JobsUnit], ident: JobId) -> Job:
    """Have a job start as soon as possible, with all its attempts; what it has done stays done.

    Raises: Forbidden, NotFound; Conflict when it is done, or another one with its key waits or runs.
    """
    job = await _found(acting, ident)
    if job.dedupe is not None and not job.is_live and await acting.unit.jobs.live(job.kind, job.dedupe):
        raise Conflict("Another job does the same: see the one that waits or runs.", reason="exists")
    return await _saved(acting, job, retried(job, now_ms=acting.clock.now_ms()))


async def cancel_job(acting: Acting[JobsUnit], ident: JobId) -> Job:
    """Have a job not be done; one that runs is stopped. Raises: Forbidden, NotFound; Conflict when done."""
    job = await _found(acting, ident)
    return await _saved(acting, job, cancelled(job, now_ms=acting.clock.now_ms()))


async def _found(acting: Acting[JobsUnit], ident: JobId) -> Job:
    acting.principal.require(MANAGES, EVERYWHERE)
    job = await acting.unit.jobs.get(ident)
    if job is None:
        raise NotFound("job", ident)
    return job


async def _saved(acting: Acting[JobsUnit], before: Job, after: Job) -> Job:
    if after is not before:
        await acting.unit.jobs.save(after)
    return after
