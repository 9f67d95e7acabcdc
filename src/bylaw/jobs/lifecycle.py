"""What may become of a job: done, tried again, given up, released, cancelled, retried."""

from dataclasses import replace
from typing import Final

from bylaw.core.errors import (
    BylawError,
    Conflict,
    Forbidden,
    InvalidInput,
    NotFound,
    RateLimited,
    TooLarge,
)
from bylaw.jobs.model import MAX_ERROR, Job, Object

# How long a job waits after each failure, halved at most by chance; after the last one it is dead.
WAITS_MS: Final = (2_000, 10_000, 60_000, 300_000, 900_000, 1_800_000, 3_600_000)
_HOPELESS: Final = (InvalidInput, NotFound, Forbidden, TooLarge)


def finished(job: Job, result: Object | None, *, now_ms: int) -> Job:
    """Return a running job that is done; one that was asked for again begins anew."""
    if job.again:
        return _anew(replace(job, result=result), now_ms=now_ms)
    return _ended(replace(job, status="done", result=result, error=""), now_ms=now_ms)


def failed(job: Job, error: Exception, *, waits_ms: tuple[int, ...], chance: float, now_ms: int) -> Job:
    """Return a running job that failed: it waits for its next attempt, or is dead after the last one.

    Units: `chance` from 0 to 1 takes up to half of the wait away, so that what failed together is not tried
    again together.
    """
    told = replace(job, error=explain(error))
    if isinstance(error, _HOPELESS) or job.attempt > len(waits_ms):
        if job.again:
            return _anew(told, now_ms=now_ms)
        return _ended(replace(told, status="dead"), now_ms=now_ms)
    wait_ms = round(waits_ms[job.attempt - 1] * (1 - chance / 2))
    if isinstance(error, RateLimited):
        wait_ms = max(wait_ms, error.retry_after_s * 1000)
    return _waiting(told, due_ms=now_ms + wait_ms)


def released(job: Job, *, now_ms: int) -> Job:
    """Return a running job that its worker gives back: this attempt does not count."""
    return _waiting(replace(job, attempt=job.attempt - 1), due_ms=now_ms)


def lapsed(job: Job) -> Job:
    """Return a running job whose worker let its lease run out: it waits again, and the attempt counts."""
    return _waiting(job, due_ms=job.due_ms)


def cancelled(job: Job, *, now_ms: int) -> Job:
    """Return a job that will not be done; whoever runs it finds out. Raises: Conflict when it has ended."""
    if job.status == "cancelled":
        return job
    if job.status == "done":
        raise Conflict("This job is done: there is nothing to cancel.", reason="illegal_transition")
    return _ended(replace(job, status="cancelled", again=False), now_ms=now_ms)


def retried(job: Job, *, now_ms: int) -> Job:
    """Return a job that starts as soon as possible, with all its attempts; what it has done stays done.

    A running one is left alone. Raises: Conflict when it is done.
    """
    if job.status == "running":
        return job
    if job.status == "done":
        raise Conflict("This job is done: enqueue another one.", reason="illegal_transition")
    return _waiting(replace(job, attempt=0, ended_ms=None), due_ms=now_ms)


def explain(error: Exception) -> str:
    """Return what administrators are told of a failure: our own words, never those of other libraries."""
    if isinstance(error, BylawError):
        return error.message.encode(errors="replace").decode().replace("\0", "?")[:MAX_ERROR]
    return f"{type(error).__name__} in the handler; the worker's log tells more."


def _anew(job: Job, *, now_ms: int) -> Job:
    return _waiting(replace(job, again=False, attempt=0), due_ms=now_ms)


def _waiting(job: Job, *, due_ms: int) -> Job:
    return replace(job, status="waiting", due_ms=due_ms, worker="", lease_ms=0, revision=job.revision + 1)


def _ended(job: Job, *, now_ms: int) -> Job:
    return replace(job, ended_ms=now_ms, worker="", lease_ms=0, revision=job.revision + 1)
