"""Workers and enqueuers as processes to kill: `python -m tests.durability.working work|enqueue URL FOLDER`.

What they do is seen in the database alone, and in the file `trace` of the folder, a line for each thing done.
"""

import asyncio
import os
import random
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from bylaw.core.clock import SystemClock
from bylaw.core.ids import Ids, TenantId
from bylaw.jobs.model import NewJob
from bylaw.jobs.running import Handler
from bylaw.jobs.worker import Worker, WorkerLimits
from bylaw.storage.control import open_control

TENANT = TenantId("t")
NEVER_MS = 1 << 50
LEASE_MS = 1_000


def tracing(folder: Path) -> Callable[[str], None]:
    """Return what adds a line to the trace."""

    def trace(line: str) -> None:
        with (folder / "trace").open("a") as opened:
            opened.write(line + "\n")

    return trace


def handlers(folder: Path) -> dict[str, Handler]:
    """Return jobs that can be caught in the middle, and jobs that have one effect."""
    trace = tracing(folder)

    async def staged(job):
        async def first():
            trace("first")
            return {"by": os.getpid()}

        async def second():
            trace("second")
            while not (folder / "go").exists():  # noqa: ASYNC110 - another process makes it
                await asyncio.sleep(0.02)
            return {"by": os.getpid()}

        first_by = (await job.step("first", first))["by"]
        await job.step("second", second)
        await job.commit("effect", effect)
        return {"first_by": first_by, "by": os.getpid(), "attempt": job.attempt}

    async def effect(unit):
        await unit.jobs.enqueue(NewJob(kind="effect", at_ms=NEVER_MS))
        return {}

    async def counted(job):
        await job.commit("effect", effect)
        trace(str(job.payload["n"]))

    return {"staged": Handler(handle=staged), "counted": Handler(handle=counted)}


async def work(url: str, folder: Path) -> None:
    """Do jobs until SIGTERM."""
    clock = SystemClock()
    store = await open_control(url, ids=Ids(clock), clock=clock, beside_server=True)
    limits = WorkerLimits(slots=4, poll_s=0.05, lease_ms=LEASE_MS, grace_s=0.1)
    name = f"pid:{os.getpid()}"
    worker = Worker(store, handlers(folder), name=name, clock=clock, chance=random.random, limits=limits)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, worker.stop)
    await worker.run()
    await store.close()


async def enqueue(url: str, folder: Path) -> None:
    """Enqueue pairs of jobs, each pair in one transaction, and trace those that are committed."""
    clock, trace = SystemClock(), tracing(folder)
    store = await open_control(url, ids=Ids(clock), clock=clock)
    while True:
        async with store.begin(TENANT) as unit:
            ids = await unit.jobs.enqueue_all([NewJob(kind="pair", at_ms=NEVER_MS)] * 2)
        trace(" ".join(ids))


if __name__ == "__main__":
    what, where, place = sys.argv[1:]
    asyncio.run({"work": work, "enqueue": enqueue}[what](where, Path(place)))
