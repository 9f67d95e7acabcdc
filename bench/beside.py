"""Decisions beside a worker: `POST /v1/decisions` while a worker has nothing to do, and while it never rests.

Each job keeps a result in a transaction of its own, between its start and its end: so the worker writes to
the control plane all the time, on SQLite to a file that the server writes to as well.
"""

import asyncio
import statistics
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import uvloop

from bench.jobs import CLOCK, IDS, working
from bench.report import Table
from bench.server import Served, load, policy, post, postgres, serving
from bylaw.core.ids import TenantId
from bylaw.jobs.model import NewJob
from bylaw.storage.control import open_control

TENANT = TenantId("default")
CONNECTIONS = 8
BATCH = 200  # jobs that wait at least while a worker is busy
LANE = "bench"  # the server leaves jobs of its own, which this worker does not know
MEASURED = ("per_s", "p50_ms", "p99_ms")


def run(*, quick: bool) -> list[Table]:
    """Measure on both databases, with and without work in turn."""
    rounds, seconds = (1, 2.0) if quick else (5, 4.0)
    rows: list[tuple[object, ...]] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bylaw-bench-")))
        servers = {"SQLite": (f"sqlite:///{folder}/sqlite/control.db", "sqlite", "")}
        if database := stack.enter_context(postgres()):
            servers["PostgreSQL"] = (database, "postgres", database)
        for name, (url, variant, given) in servers.items():
            with serving(variant, folder / variant, database=given) as served:
                post(served.port, "/v1/policies", policy())
                found = measured(served, url, folder, rounds=rounds, seconds=seconds)
                rows += [(name, *row) for row in found]
    return [
        Table(
            title=f"POST /v1/decisions beside a worker, {CONNECTIONS} connections",
            columns=("database", "worker", "per second", "p50 ms", "p99 ms", "jobs/s"),
            rows=rows,
            notes=[
                "Medians of interleaved rounds. The worker runs at the priority that it has in the product."
            ],
        )
    ]


def measured(
    served: Served, url: str, folder: Path, *, rounds: int, seconds: float
) -> Iterator[tuple[object, ...]]:
    """Yield what an idle worker leaves of a server, and what a busy one does."""
    found: dict[str, list[dict[str, float]]] = {"idle": [], "busy": []}
    for _ in range(rounds):
        for worker, each in found.items():
            with working(url), ThreadPoolExecutor(1) as pool:
                stop, ready = threading.Event(), threading.Event()
                batch = BATCH if worker == "busy" else 0
                done = pool.submit(uvloop.run, keep_busy(url, batch, ready=ready, stop=stop))
                ready.wait()
                told = load(served, folder, connections=CONNECTIONS, seconds=seconds)
                stop.set()
                each.append({**told, "jobs": done.result()})
    for worker, each in found.items():
        middle = [statistics.median(one[key] for one in each) for key in MEASURED]
        yield worker, *middle, round(statistics.median(one["jobs"] for one in each))


async def keep_busy(url: str, batch: int, *, ready: threading.Event, stop: threading.Event) -> float:
    """Have jobs wait all the time until told to stop, and return how many a second were done meanwhile."""
    store = await open_control(url, ids=IDS, clock=CLOCK, beside_server=True)

    async def enqueue(kind: str, count: int) -> None:
        async with store.begin(TENANT) as unit:
            await unit.jobs.enqueue_all([NewJob(kind=kind, lane=LANE)] * count)

    async def waiting() -> int:
        async with store.begin(TENANT, writes=False) as unit:
            return await unit.jobs.waiting(LANE, most=2 * BATCH)

    async def drained() -> None:
        while await waiting():  # noqa: ASYNC110 - another process does them
            await asyncio.sleep(0.05)

    await enqueue("nothing", 1)
    await drained()
    ready.set()
    began_ms, given, left = CLOCK.now_ms(), 0, 0
    while not stop.is_set():
        if left < batch:
            await enqueue("writes", batch)
            given += batch
        await asyncio.sleep(0.05)
        left = await waiting()
    per_s = (given - left) / max(CLOCK.now_ms() - began_ms, 1) * 1000
    await drained()
    await store.close()
    return per_s
