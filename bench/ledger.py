"""The durable log alone: receipts a second by store and concurrency, and two processes over one database.

Each measurement is a process of its own, in which so many callers issue a receipt and wait until it is
durable.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import apsw
import uvloop

from bench.receipts import Desk
from bench.report import Table
from bench.server import postgres as database
from bylaw.storage.memory.receipts import MemoryLedger
from bylaw.storage.postgres import receipts as on_postgres
from bylaw.storage.sqlite import receipts as on_sqlite
from tests import postgres

ORIGIN = "bench.example/main/w{}"
CLIENTS = (1, 8, 32)
STORES = ("memory", "sqlite", "sqlite, synchronous=NORMAL", "postgres")


def run(*, quick: bool) -> list[Table]:
    rounds, seconds = (1, 1.0) if quick else (5, 3.0)
    with database() as url:
        return [stores(url, rounds, seconds), processes(url, rounds, seconds)]


def stores(url: str, rounds: int, seconds: float) -> Table:
    found: dict[tuple[str, int], list[dict[str, float]]] = {}
    for _ in range(rounds):
        for clients in CLIENTS:
            for store in STORES:
                found.setdefault((store, clients), []).extend(measured(store, url, clients, seconds))
    rows: list[tuple[object, ...]] = []
    for (store, clients), results in found.items():
        middle = {name: statistics.median(result[name] for result in results) for name in results[0]}
        floor = statistics.median(result["per_s"] for result in found["memory", clients])
        rows.append((store, clients, *middle.values(), middle["per_s"] / floor))
    return Table(
        title="Receipts issued and durable, one process",
        columns=(
            "store",
            "callers",
            "per s",
            "CPU µs",
            "p50 ms",
            "p99 ms",
            "receipts per commit",
            "of memory",
        ),
        rows=rows,
        notes=[
            f"Median of {rounds} interleaved rounds of {seconds} s; CPU of this process alone; no server.",
            "NORMAL is for information: it loses acknowledged receipts with the power (tests/durability).",
        ],
    )


def processes(url: str, rounds: int, seconds: float) -> Table:
    found: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(rounds):
        for count, rates in found.items():
            results = measured("postgres", url, 16, seconds, processes=count)
            rates.append(sum(result["per_s"] for result in results))
    rows = [(count, statistics.median(rates)) for count, rates in found.items()]
    return Table(
        title="Processes over one PostgreSQL, 16 callers each, a log each",
        columns=("processes", "per s, together", "of one"),
        rows=[(*row, row[1] / rows[0][1]) for row in rows],
        notes=["On a machine with few cores the processes and the database share them."],
    )


def measured(
    store: str, url: str, clients: int, seconds: float, *, processes: int = 1
) -> list[dict[str, float]]:
    """Return what `processes` processes measured at the same time over a fresh store."""
    with tempfile.TemporaryDirectory() as folder, postgres.fresh_database(url) as fresh:
        place = postgres.plain(fresh) if store == "postgres" else folder
        command = [sys.executable, "-m", "bench.ledger", store, place, str(clients), str(seconds)]
        running = [
            subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.PIPE, env=os.environ)
            for _ in range(processes)
        ]
        for process in running:  # all are ready before any begins
            assert process.stdout is not None
            assert process.stdout.readline() == b"ready\n"
        for process in running:
            assert process.stdin is not None
            process.stdin.write(b"go\n")
            process.stdin.flush()
        return [json.loads(process.communicate()[0]) for process in running]


async def opened(store: str, place: str, desk: Desk):
    keys = {"signer": desk.signer, "keys": desk.keys}
    if store == "memory":
        return MemoryLedger(origin=ORIGIN.format(1), signer=desk.signer)
    if store == "postgres":
        return await on_postgres.open_ledger(place, origin=ORIGIN.format, **keys)
    ledger = await on_sqlite.open_ledger(Path(place), origin=ORIGIN.format(1), **keys)
    if store.endswith("NORMAL"):
        connection = ledger.writer._opened  # noqa: SLF001 - nobody else may ask for less
        await connection.run(apsw.Connection.pragma, "synchronous", "normal")
    return ledger


async def measure(store: str, place: str, clients: int, seconds: float) -> dict[str, float]:
    """Let `clients` callers record for `seconds`; return rate, cost and waiting times."""
    desk = Desk()
    ledger = await opened(store, place, desk)
    desk.issuer.follow(ledger.log.origin)
    print("ready", flush=True)
    sys.stdin.readline()
    waited: list[float] = []

    async def caller(until: float) -> None:
        while (began := time.perf_counter()) < until:
            await ledger.log.append([desk.issue()])
            waited.append(time.perf_counter() - began)
            await asyncio.sleep(0)

    await asyncio.gather(*(caller(time.perf_counter() + 0.3) for _ in range(clients)))  # warm
    waited.clear()
    before = len(await ledger.logs.checkpoints(ledger.log.origin, above=0, limit=10**9))
    cpu, wall = time.process_time(), time.perf_counter()
    await asyncio.gather(*(caller(wall + seconds) for _ in range(clients)))
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    commits = len(await ledger.logs.checkpoints(ledger.log.origin, above=0, limit=10**9)) - before
    await ledger.close()
    cuts = statistics.quantiles(waited, n=100)
    return {
        "per_s": len(waited) / wall,
        "cpu_us": cpu / len(waited) * 1e6,
        "p50_ms": cuts[49] * 1e3,
        "p99_ms": cuts[98] * 1e3,
        "per_commit": len(waited) / commits,
    }


if __name__ == "__main__":
    chosen, where, callers, length = sys.argv[1:]
    print(json.dumps(uvloop.run(measure(chosen, where, int(callers), float(length)))))
