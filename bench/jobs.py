"""Jobs: how fast they are enqueued and done on both databases, how soon one starts, and who takes over.

Workers are processes of their own at the priority that they have in the product; what they do costs nothing,
so only the queue is measured.
"""

import asyncio
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import contextmanager

import uvloop

from bench.report import Table
from bylaw.core.clock import SystemClock
from bylaw.core.ids import Ids, TenantId
from bylaw.jobs.model import NewJob
from bylaw.jobs.running import Handler, Running
from bylaw.jobs.store import Load
from bylaw.jobs.worker import Worker, WorkerLimits
from bylaw.storage.control import open_control
from bylaw.storage.sql.control import SqlControlStore
from bylaw.tenancy.model import Tenant
from tests import postgres

TENANTS = tuple(TenantId(f"t{n}") for n in range(10))
CLOCK = SystemClock()
IDS = Ids(CLOCK)
LIMITS = WorkerLimits()


def run(*, quick: bool) -> list[Table]:
    """Measure a backlog of jobs, single ones, and one whose worker is killed."""
    count, single = (500, 20) if quick else (3_000, 100)
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        rows.append(uvloop.run(measured("SQLite", f"sqlite:///{folder}/control.db", count, single)))
    with postgres.postmaster() as server, postgres.fresh_database(server.url) as url:
        rows.append(uvloop.run(measured("PostgreSQL", url, count, single)))
    return [
        Table(
            title="Jobs that do nothing, one worker process",
            columns=("database", "enqueued/s", "in batches/s", "done/s", "starts ms", "taken over s"),
            rows=rows,
            notes=[
                f"Enqueued: {count} jobs of ten tenants, each in its own transaction; in batches of 100.",
                "Done: until the last of them is. Starts: from the commit of one job to its start, the",
                f"worker told of it as by a server, the median of {single}. Taken over: from SIGKILL to the",
                f"same job's start in a worker that runs already; leases last {LIMITS.lease_ms // 1000} s.",
            ],
        )
    ]


async def measured(name: str, url: str, count: int, single: int) -> tuple[object, ...]:
    """Return the row of one database."""
    store = await open_control(url, ids=IDS, clock=CLOCK)
    async with store.system() as system:
        for tenant_id in TENANTS:
            await system.add_tenant(Tenant(id=tenant_id, name=tenant_id, created_ms=CLOCK.now_ms()))
    one_by_one = await rate(count, enqueue_singly(store, count))
    batched = await rate(count, enqueue_batched(store, count))
    with working(url):
        drained = await rate(2 * count, until(store, lambda load: load.waiting + load.running == 0))
    starts = await start_ms(store, url, single)
    taken = await taken_over_s(store, url)
    await store.close()
    return name, one_by_one, batched, drained, starts, taken


async def rate(count: int, work: Awaitable[None]) -> int:
    """Return how many a second `work` did of `count`."""
    began = time.perf_counter()
    await work
    return round(count / (time.perf_counter() - began))


async def enqueue_singly(store: SqlControlStore, count: int) -> None:
    """Enqueue jobs, each in a transaction of its own."""
    for n in range(count):
        async with store.begin(TENANTS[n % len(TENANTS)]) as unit:
            await unit.jobs.enqueue(NewJob(kind="nothing", payload={"n": n}))


async def enqueue_batched(store: SqlControlStore, count: int) -> None:
    """Enqueue jobs, a hundred in a transaction."""
    for n in range(0, count, 100):
        async with store.begin(TENANTS[n // 100 % len(TENANTS)]) as unit:
            await unit.jobs.enqueue_all([NewJob(kind="nothing", payload={"n": n})] * 100)


async def until(store: SqlControlStore, holds: Callable[[Load], bool]) -> None:
    """Return once the load is as wanted."""
    while True:
        async with store.system(writes=False) as system:
            if holds(await system.backlog.load(now_ms=CLOCK.now_ms())):
                return
        await asyncio.sleep(0.02)


async def start_ms(store: SqlControlStore, url: str, single: int) -> float:
    """Return how long a job waits for an idle worker that is told of it."""
    with working(url) as process:
        await ready(store)
        found = []
        for _ in range(single):
            async with store.begin(TENANTS[0]) as unit:
                ident = await unit.jobs.enqueue(NewJob(kind="nothing"))
            began_ms = time.time_ns() / 1e6
            process.stdin.write(b"\n")
            process.stdin.flush()
            await until(store, lambda load: load.waiting + load.running == 0)
            async with store.begin(TENANTS[0], writes=False) as unit:
                found.append((await unit.jobs.get(ident)).result["began_ms"] - began_ms)
    return statistics.median(found)


async def ready(store: SqlControlStore) -> None:
    """Return once a worker does jobs."""
    async with store.begin(TENANTS[0]) as unit:
        await unit.jobs.enqueue(NewJob(kind="nothing"))
    await until(store, lambda load: load.waiting + load.running == 0)


async def taken_over_s(store: SqlControlStore, url: str) -> float:
    """Return how long after the death of its worker a job starts in another one."""
    with working(url) as first:
        async with store.begin(TENANTS[0]) as unit:
            ident = await unit.jobs.enqueue(NewJob(kind="hangs_once"))
        await until(store, lambda load: load.running == 1)
        with working(url):
            await ready_beside(store)
            first.send_signal(signal.SIGKILL)
            began_ms = time.time_ns() / 1e6
            await until(store, lambda load: load.waiting + load.running == 0)
    async with store.begin(TENANTS[0], writes=False) as unit:
        return ((await unit.jobs.get(ident)).result["began_ms"] - began_ms) / 1000


async def ready_beside(store: SqlControlStore) -> None:
    """Return once every job but the one that hangs is done."""
    async with store.begin(TENANTS[1]) as unit:
        await unit.jobs.enqueue_all([NewJob(kind="nothing")] * 40)
    await until(store, lambda load: load.waiting == 0 and load.running == 1)


@contextmanager
def working(url: str):
    """Run a worker process on a database."""
    process = subprocess.Popen([sys.executable, "-m", "bench.jobs", url], stdin=subprocess.PIPE)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


async def work(url: str) -> None:
    """Do jobs until standard input ends."""
    store = await open_control(url, ids=IDS, clock=CLOCK, beside_server=True)

    async def nothing(job: Running) -> dict[str, object]:  # noqa: ARG001 - a handler is called so
        return {"began_ms": time.time_ns() / 1e6}

    async def hangs_once(job: Running) -> dict[str, object]:
        if job.attempt == 1:
            await asyncio.Event().wait()
        return {"began_ms": time.time_ns() / 1e6}

    async def writes(job: Running) -> object:
        async def kept() -> dict[str, object]:
            return {"kept": True}

        return await job.step("one", kept)

    handles = {"nothing": nothing, "hangs_once": hangs_once, "writes": writes}
    handlers = {kind: Handler(handle=handle) for kind, handle in handles.items()}
    worker = Worker(
        store, handlers, name=f"bench:{os.getpid()}", clock=CLOCK, chance=lambda: 0.0, limits=LIMITS
    )
    loop = asyncio.get_running_loop()
    loop.add_reader(0, lambda: worker.wake() if os.read(0, 4096) else worker.stop())
    await worker.run()
    await store.close()


if __name__ == "__main__":
    os.nice(15)
    uvloop.run(work(sys.argv[1]))
