"""What the indexes of long lists cost when violations are written: with each of them and without, by turns.

Every turn writes the same rows into the filled database and takes them back; an index is dropped inside the
transaction that does so.
"""

import statistics
import time
from contextlib import suppress
from itertools import count
from pathlib import Path

import uvloop

from bench.lists_rows import TENANT
from bench.report import Table
from bylaw.core.clock import SystemClock
from bylaw.core.ids import Ids
from bylaw.storage.control import open_control
from bylaw.storage.sql.control import SqlControlStore
from bylaw.storage.sql.review import SqlReview
from bylaw.storage.sql.session import Session
from tests.contracts.values import occasion, violation

NEW = ("ix_violations_tenant_id_provider_at_ms_id", "ix_violations_tenant_id_block_risk_at_ms_id")
BATCHES, BATCH = 40, 16
_numbers = count()


class TakenBack(Exception):
    """Ends a transaction so that nothing of it stays."""


def writes(held: dict[str, tuple[Path, str]], *, rounds: int) -> Table:
    """Return how many violations a second are written, with the indexes of long lists and without."""
    rows = []
    for kind, (folder, url) in held.items():
        found = uvloop.run(compared(folder, url, max(rounds // 4, 2)))
        without, now = (statistics.median(each) for each in (found[False], found[True]))
        rows.append((kind, without, now, round(now / without, 2)))
    return Table(
        title=f"Violations written a second, {BATCH} in a statement",
        columns=("store", "without", "with those by provider and verdict", "of it"),
        rows=rows,
        notes=[f"Medians of turns of {BATCH * BATCHES} rows. SQLite: of CPU; PostgreSQL: of wall time."],
    )


async def compared(folder: Path, url: str, rounds: int) -> dict[bool, list[float]]:
    clock = SystemClock()
    store = await open_control(url or f"sqlite:///{folder / 'control.db'}", ids=Ids(clock), clock=clock)
    found: dict[bool, list[float]] = {False: [], True: []}
    try:
        for number in range(rounds):
            for indexed, rates in sorted(found.items(), reverse=number % 2 == 0):
                rates.append(await turn(store, indexed=indexed, of_cpu=not url))
    finally:
        await store.close()
    return found


async def turn(store: SqlControlStore, *, indexed: bool, of_cpu: bool) -> float:
    clock = time.process_time if of_cpu else time.perf_counter
    took = 0.0
    with suppress(TakenBack):
        async with store.database.migrating() as connection:
            for name in () if indexed else NEW:
                await connection.exec_driver_sql(f"DROP INDEX {name}")
            review = SqlReview(Session(connection, writes=True), TENANT)
            batches = [[made(next(_numbers)) for _ in range(BATCH)] for _ in range(BATCHES)]
            began = clock()
            for batch in batches:
                await review.violations.add(batch)
            took = clock() - began
            raise TakenBack
    return BATCH * BATCHES / took


def made(n: int):
    where = occasion(
        TENANT, receipt_id=f"new{n}", at_ms=SystemClock().now_ms(), conversation_id=f"new{n // 10}",
        workspace_id=f"w{n % 20}", repo_id=f"r{n % 1000}", agent_id=f"a{n % 500}", user_id=f"u{n % 200}",
        key_id=f"k{n % 20}", model=f"m{n % 12}", provider="openai", host=f"host-{n % 10}.example",
    )  # fmt: skip
    return violation(TENANT, id=f"new-{n}", occasion=where)
