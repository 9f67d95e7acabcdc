"""Long lists and statistics: a page out of many, and a year out of a million, on SQLite and PostgreSQL.

The rows are spread evenly over a year. What is timed is the read inside one transaction, as a route does it:
statement, rows and values; not HTTP.
"""

# ruff: noqa: S608 - the names in the statements are our own

import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop
from sqlalchemy import text

from bench.report import Table
from bench.server import postgres
from bylaw.core.clock import ManualClock
from bylaw.core.ids import Ids, PolicyId, WorkspaceId
from bylaw.core.paging import Slice
from bylaw.policies.store import PolicyFilter
from bylaw.review.statistics import DAY_MS, StatisticsQuery, breakdown, series, span_of
from bylaw.review.store import ReviewFilter
from bylaw.storage.control import open_control
from bylaw.storage.sql.control import SqlControlStore
from bylaw.tenancy.model import Place
from bylaw.tenancy.principal import Acting, system_principal
from tests.contracts.values import A, alert, occasion, policy, tenant, version, violation, workspace

NOW = 1_767_225_600_000 + 9 * 3_600_000
YEAR_MS = 365 * DAY_MS
CLOCK = ManualClock(NOW)
W7 = Place(workspace_id=WorkspaceId("w7"))
COLUMNS = ("list", "SQLite p50 ms", "p99 ms", "PostgreSQL p50 ms", "p99 ms")

Read = Callable[[Acting], Awaitable[object]]


def violations(where: ReviewFilter, part: Slice) -> Read:
    return lambda acting: acting.unit.review.violations.list(where, part)


def counted(window: str, bucket: str | None = None, **given: object) -> Read:
    query = StatisticsQuery(span=span_of(window, NOW, bucket), **given)
    return lambda acting: series(acting, query)


def shares(window: str, by: str, **given: object) -> Read:
    query = StatisticsQuery(span=span_of(window, NOW), **given)
    return lambda acting: breakdown(acting, query, by, limit=20)


FIFTY, COUNTED = Slice(limit=50), Slice(limit=50, total=True)
P7 = frozenset({"p7"})
READS: dict[str, Read] = {
    "policies, newest 100": lambda acting: acting.unit.policies.list(PolicyFilter(), Slice(limit=100)),
    "policies of a workspace, 100": lambda acting: acting.unit.policies.list(
        PolicyFilter(place=W7), Slice(limit=100)
    ),
    "violations, newest 50": violations(ReviewFilter(), FIFTY),
    "violations of a policy": violations(ReviewFilter(policy_ids=P7), FIFTY),
    "violations of a policy, HIGH and blocked": violations(
        ReviewFilter(policy_ids=P7, risks=frozenset({"HIGH"}), block=True), FIFTY
    ),
    "the same, with their number": violations(
        ReviewFilter(policy_ids=P7, risks=frozenset({"HIGH"}), block=True), COUNTED
    ),
    "violations of a workspace in a month": violations(
        ReviewFilter(within=(W7,), from_ms=NOW - 200 * DAY_MS, to_ms=NOW - 170 * DAY_MS), FIFTY
    ),
    "violations of a seldom model": violations(ReviewFilter(models=frozenset({"m999"})), FIFTY),
    "a year by day": counted("365d"),
    "a year by day, one workspace": counted("365d", within=(W7,)),
    "a year by day, one policy": counted("365d", only={"policy": "p7"}),
    "a year by day, one policy and one model": counted("365d", only={"policy": "p7", "model": "m7"}),
    "a year by policy": shares("365d", "policy"),
    "a year by user": shares("365d", "user"),
    "a week by hour": counted("7d"),
    "a day by ten minutes": counted("24h"),
}


def run(*, quick: bool) -> list[Table]:
    """Measure pages and statistics over many rows."""
    rows, policies, rounds = (20_000, 2_000, 5) if quick else (1_000_000, 100_000, 41)
    with tempfile.TemporaryDirectory(prefix="bylaw-bench-") as folder, postgres() as url:
        stores = [f"sqlite:///{Path(folder) / 'control.db'}", *([url] if url else [])]
        found = [uvloop.run(measured(each, rows, policies, rounds)) for each in stores]
    nothing = dict.fromkeys(READS, (None, None))
    found += [nothing] * (2 - len(found))
    return [
        Table(
            title=f"Reads out of {rows:,} violations in a year and {policies:,} policies",
            columns=COLUMNS,
            rows=[(name, *found[0][name], *found[1][name]) for name in READS],
            notes=[
                f"Median and 99th percentile of {rounds} reads, one after the other; 50 policies,",
                "20 workspaces, 100 repos, 200 users, 20 keys, 1,000 models; an alert for every second one.",
            ],
        )
    ]


async def measured(url: str, rows: int, policies: int, rounds: int) -> dict[str, tuple[float, float]]:
    """Return p50 and p99 in milliseconds of each read."""
    store = await open_control(url, ids=Ids(CLOCK), clock=CLOCK)
    try:
        await fill(store, rows, policies)
        return {name: await timed(store, read, rounds) for name, read in READS.items()}
    finally:
        await store.close()


async def timed(store: SqlControlStore, read: Read, rounds: int) -> tuple[float, float]:
    took = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        async with store.begin(A, writes=False) as unit:
            await read(Acting(unit=unit, principal=system_principal(A), clock=CLOCK, ids=Ids(CLOCK)))
        took.append((time.perf_counter() - began) * 1000)
    ordered = sorted(took[1:])
    return ordered[len(ordered) // 2], ordered[min(len(ordered) - 1, len(ordered) * 99 // 100)]


async def fill(store: SqlControlStore, rows: int, policies: int) -> None:
    """Store one of each as the product does, copy it many times over a year, and sum up."""
    seed = occasion(A, receipt_id="@receipt", at_ms=1)
    async with store.system() as system:
        await system.add_tenant(tenant(A))
        unit = system.of(A)
        for n in range(20):
            await unit.tenancy.workspaces.add(workspace(A, id=WorkspaceId(f"w{n}")))
        one = policy(A, id=PolicyId("@id"), created_ms=1)
        await unit.policies.add(one, version(one.id))
        await unit.review.violations.add([violation(id="@id", occasion=seed)])
        await unit.review.alerts.add([alert(id="@id", occasion=seed)])
    async with store.database.migrating() as connection:
        for table, count in (("violations", rows), ("alerts", rows // 2)):
            await connection.exec_driver_sql(left(await columns(connection, table), table, count))
            await connection.execute(text(f"DELETE FROM {table} WHERE id = '@id'"))
            await connection.execute(
                text(
                    "INSERT INTO untallied (tenant_id, hour_ms, times) SELECT DISTINCT tenant_id,"
                    f" at_ms - at_ms % 3600000, 1 FROM {table} WHERE true ON CONFLICT DO NOTHING"
                )
            )
        for table in ("policies", "versions"):
            await connection.exec_driver_sql(governing(await columns(connection, table), table, policies))
        await connection.execute(text("DELETE FROM versions WHERE policy_id = '@id'"))
        await connection.execute(text("DELETE FROM policies WHERE id = '@id'"))
        await connection.execute(text("ANALYZE"))
    await sum_up(store)
    async with store.database.migrating() as connection:
        await connection.execute(text("ANALYZE"))


async def sum_up(store: SqlControlStore) -> None:
    """Bring the sums behind statistics up to date."""
    async with store.system(writes=False) as system:
        days = await system.untallied(before_ms=NOW, limit=1000)
    for tenant_id, day_ms in days:
        async with store.system() as system:
            await system.of(tenant_id).review.statistics.tally(day_ms, before_ms=NOW)


async def columns(connection, table: str) -> list[str]:
    return list((await connection.execute(text(f"SELECT * FROM {table} LIMIT 0"))).keys())


def copies(table: str, names: list[str], told: dict[str, str], count: int) -> str:
    """Return the statement that copies the one row of a table, with these columns by number `s.n`."""
    listed = ", ".join(f'"{name}"' for name in names)
    values = ", ".join(told.get(name, f't."{name}"') for name in names)
    numbers = (
        f"WITH RECURSIVE s(n) AS (SELECT CAST(1 AS bigint) UNION ALL SELECT n + 1 FROM s WHERE n < {count})"
    )
    return f"INSERT INTO {table} ({listed}) {numbers} SELECT {values} FROM {table} AS t, s"


def left(names: list[str], table: str, count: int) -> str:
    at = f"{NOW - YEAR_MS} + s.n * ({YEAR_MS} / {count})"
    ident = f"'{table}-' || s.n"
    item = (
        f'replace(replace(t.item, \'"id":"@id"\', \'"id":"\' || {ident} || \'"\'),'
        f" '\"at_ms\":1,', '\"at_ms\":' || ({at}) || ',')"
    )
    told = {
        "id": ident,
        "at_ms": at,
        "receipt_id": "'r' || s.n",
        "conversation_id": "'c' || (s.n / 10)",
        "workspace_id": "'w' || (s.n * 7919 % 20)",
        "repo_id": "'r' || (s.n * 7919 % 100)",
        "policy_id": "'p' || (s.n * 104729 % 50)",
        "user_id": "'u' || (s.n * 1299709 % 200)",
        "key_id": "'k' || (s.n * 15485863 % 20)",
        "model": "'m' || (s.n * 32452843 % 1000)",
        "risk": "CASE s.n % 3 WHEN 0 THEN 'HIGH' WHEN 1 THEN 'MEDIUM' ELSE 'LOW' END",
        "block": "s.n % 4 = 0",
        "item": item,
    }
    return copies(table, names, told, count)


def governing(names: list[str], table: str, count: int) -> str:
    told = {
        "id": "'pol-' || s.n",
        "policy_id": "'pol-' || s.n",
        "workspace_id": "'w' || (s.n % 20)",
        "created_ms": f"{NOW - YEAR_MS} + s.n",
    }
    return copies(table, names, told, count)
