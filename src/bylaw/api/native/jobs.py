"""Jobs: the work that outlives requests, what became of it, and what to do about it."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from pydantic import Field

from bylaw.api.answers import Page, Reply, page
from bylaw.api.native.query import ListQuery
from bylaw.api.ports import Unit
from bylaw.api.route import Route, needs
from bylaw.api.shape import when
from bylaw.core.clock import rfc3339
from bylaw.jobs import asking
from bylaw.jobs.model import Job, JobId, JobStatus, Object, Step
from bylaw.jobs.store import JobFilter
from bylaw.tenancy.principal import Acting

router = APIRouter(tags=["jobs"], route_class=Route)

Managing = Annotated[Acting[Unit], needs(asking.MANAGES)]


class JobQuery(ListQuery):
    """Which jobs are wanted; filters combine with AND."""

    kind: Annotated[str | None, Field(description="Only those of this kind.")] = None
    status: JobStatus | None = None

    @property
    def where(self) -> JobFilter:
        """Return the filter that is meant."""
        return JobFilter(kind=self.kind, status=self.status)


class JobView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that is done apart from any request.

    It waits until `due_at`, starts (`attempt` says how often it did), and ends as `done`, `dead` (it failed
    for good: `error` says why) or `cancelled`. `progress_done` of `progress_total` is what it says of itself,
    0 of 0 when it says nothing. Of one `key` and kind at most one job waits or runs.
    """

    id: str
    kind: str
    key: str | None
    status: JobStatus
    priority: int
    attempt: int
    progress_done: int
    progress_total: int
    error: str
    created_at: str
    due_at: str
    started_at: str | None
    ended_at: str | None


class JobStepView(msgspec.Struct, frozen=True, kw_only=True):
    """A part of a job that is done, and is not done again when the job is tried again."""

    name: str
    result: Object
    done_at: str


class JobDetail(JobView, frozen=True, kw_only=True):
    """A job with what is to be done, what of it is done, and what came of it."""

    payload: Object
    steps: tuple[JobStepView, ...]
    result: Object | None


@router.get("/v1/jobs")
async def list_jobs(acting: Managing, query: Annotated[JobQuery, Query()]) -> Reply[Page[JobView]]:
    """List the jobs of the tenant, newest first."""
    return Reply(page(await asking.list_jobs(acting, query.where, query.part), _view))


@router.get("/v1/jobs/{job_id}")
async def read_job(acting: Managing, job_id: str) -> Reply[JobDetail]:
    """Read one job with what of it is done."""
    job, steps = await asking.read_job(acting, JobId(job_id))
    detail = JobDetail(
        **msgspec.structs.asdict(_view(job)),
        payload=job.payload,
        steps=tuple(_step(each) for each in steps),
        result=job.result,
    )
    return Reply(detail)


@router.post("/v1/jobs/{job_id}/retry")
async def retry_job(acting: Managing, job_id: str) -> Reply[JobView]:
    """Have a dead, cancelled or waiting job start as soon as possible; its finished steps are kept."""
    return Reply(_view(await asking.retry_job(acting, JobId(job_id))))


@router.post("/v1/jobs/{job_id}/cancel")
async def cancel_job(acting: Managing, job_id: str) -> Reply[JobView]:
    """Have a job not be done; one that runs is stopped within seconds."""
    return Reply(_view(await asking.cancel_job(acting, JobId(job_id))))


def _view(job: Job) -> JobView:
    return JobView(
        id=job.id,
        kind=job.kind,
        key=job.dedupe,
        status=job.status,
        priority=job.priority,
        attempt=job.attempt,
        progress_done=job.steps_done,
        progress_total=job.steps_total,
        error=job.error,
        created_at=rfc3339(job.created_ms),
        due_at=rfc3339(job.due_ms),
        started_at=when(job.started_ms),
        ended_at=when(job.ended_ms),
    )


def _step(step: Step) -> JobStepView:
    return JobStepView(name=step.name, result=step.result, done_at=rfc3339(step.at_ms))
