"""What the tests of workers share: a worker with handlers, and what became of jobs."""

from bylaw.jobs.model import Job, JobId, NewJob
from bylaw.jobs.running import Handler
from bylaw.jobs.worker import Worker, WorkerLimits
from tests.contracts.values import A

LEASE_MS = 30_000


def worker(
    store, clock, *, name="w1", waits_ms=(1_000, 2_000), chance=0.0, limits=None, more=None, **handles
) -> Worker:
    """A worker that does jobs of each kind by the function of that name, or its handler in `more`.

    Nothing is left to chance.
    """
    return Worker(
        store,
        {kind: Handler(handle=handle, waits_ms=waits_ms) for kind, handle in handles.items()} | (more or {}),
        name=name,
        clock=clock,
        chance=lambda: chance,
        limits=limits or WorkerLimits(lease_ms=LEASE_MS, grace_s=30),
    )


async def enqueue(store, *new: NewJob, tenant_id=A) -> list[JobId]:
    async with store.begin(tenant_id) as unit:
        return list(await unit.jobs.enqueue_all(new))


async def read(store, ident: JobId, tenant_id=A) -> Job:
    async with store.begin(tenant_id, writes=False) as unit:
        return await unit.jobs.get(ident)
