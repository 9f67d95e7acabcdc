"""How the databases go about the statements of long lists: their own words, over the filled databases."""

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

import uvloop
from sqlalchemy import event

from bench.lists_rows import TENANT
from bench.report import Table
from bylaw.core.clock import DAY_MS, SystemClock
from bylaw.core.ids import Ids, RepoId, WorkspaceId
from bylaw.core.paging import Slice
from bylaw.policies.searching import words_of
from bylaw.policies.store import PolicyFilter
from bylaw.review.store import ReviewFilter, TallyFilter
from bylaw.storage.control import open_control
from bylaw.storage.sql.control import SqlControlStore
from bylaw.storage.sql.unit import SqlUnit
from bylaw.tenancy.model import Place

Read = Callable[[SqlUnit], Awaitable[object]]

PAGE, COUNTED = Slice(limit=50), Slice(limit=50, total=True)
W7 = Place(workspace_id=WorkspaceId("w7"))
R107 = Place(workspace_id=WorkspaceId("w7"), repo_id=RepoId("r107"))
P7 = ReviewFilter(policy_ids=frozenset({"pol-7"}), risks=frozenset({"HIGH"}), block=True)


def year(**given: object) -> TallyFilter:
    now_ms = SystemClock().now_ms()
    to_ms = now_ms - now_ms % DAY_MS + DAY_MS
    return TallyFilter(from_ms=to_ms - 365 * DAY_MS, to_ms=to_ms, **{"only": {}, **given})


MOST = 130
WALL = (
    "((tenant_id = NULLIF(current_setting('bylaw.tenant', true), ''))"
    " OR (current_setting('bylaw.system', true) = 'on'))"
)
INTRODUCTION = """# Query plans of long lists

How SQLite and PostgreSQL go about what is read most, over 100,000 policies and 1,000,000 violations. The
page is written by `python -m bench lists`; `tests/storage/test_plans.py` holds that nothing scans a table and
that lists are read in the order of an index. Statements of one read are apart by `--`. `wall` is what
row-level security adds to each statement on PostgreSQL; `…` is where a line was cut."""

READS: dict[str, Read] = {
    "100 of all policies": lambda unit: unit.policies.list(PolicyFilter(), Slice(limit=100)),
    "100 of a repo": lambda unit: unit.policies.list(
        PolicyFilter(place=R107, match="exact"), Slice(limit=100)
    ),
    "100 of a workspace, with their number": lambda unit: unit.policies.list(
        PolicyFilter(place=W7, match="near"), Slice(limit=100, total=True)
    ),
    "100 that wait, with their number": lambda unit: unit.policies.list(
        PolicyFilter(place=W7, match="near", waits=True), Slice(limit=100, total=True)
    ),
    "a search in a workspace": lambda unit: unit.policies.search(
        words_of("damaged refund"), PolicyFilter(place=W7, match="near"), COUNTED
    ),
    "violations, with their number": lambda unit: unit.review.violations.list(ReviewFilter(), COUNTED),
    "violations, skipping 500,000": lambda unit: unit.review.violations.list(
        ReviewFilter(), Slice(limit=50, offset=500_000, total=True)
    ),
    "violations of a policy, HIGH and blocked": lambda unit: unit.review.violations.list(P7, PAGE),
    "violations of a provider, with their number": lambda unit: unit.review.violations.list(
        ReviewFilter(providers=frozenset({"anthropic"})), COUNTED
    ),
    "a year by day": lambda unit: unit.review.statistics.series(year(), bucket_ms=DAY_MS),
    "a year by policy": lambda unit: unit.review.statistics.totals(year(), "policy", limit=20),
}


def plans(held: dict[str, tuple[Path, str]]) -> Table:
    """Return, for each read, its statements' plans in both databases."""
    found = {kind: uvloop.run(explained(folder, url)) for kind, (folder, url) in held.items()}
    rows = [(name, *("\n--\n".join(told[name]) for told in found.values())) for name in READS]
    return Table(title="Query plans", columns=("read", *held), rows=rows)


async def explained(folder: Path, url: str) -> dict[str, list[str]]:
    clock = SystemClock()
    store = await open_control(url or f"sqlite:///{folder / 'control.db'}", ids=Ids(clock), clock=clock)
    try:
        return {name: await explain(store, read) for name, read in READS.items()}
    finally:
        await store.close()


async def explain(store: SqlControlStore, read: Read) -> list[str]:
    """Return the plan of each statement that `read` runs, behind the wall as it runs there."""
    statements = []

    def note(_connection, _cursor, statement, parameters, _context, _many):
        if statement.lstrip().upper().startswith("SELECT") and "set_config" not in statement:
            statements.append((statement, parameters))

    readers = store.database._readers.sync_engine  # noqa: SLF001 - what runs is what is explained
    event.listen(readers, "before_cursor_execute", note)
    async with store.begin(TENANT, writes=False) as unit:
        await read(unit)
    event.remove(readers, "before_cursor_execute", note)
    found = []
    async with store.database.begin(TENANT, writes=False) as connection:
        for statement, parameters in statements:
            told = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN (COSTS OFF)"
            lines = (await connection.exec_driver_sql(f"{told} {statement}", parameters)).all()
            found.append("\n".join(shortened(str(line[-1])) for line in lines))
    return found


def shortened(line: str) -> str:
    """Return a line of a plan without types, with the row-level security as `wall`, and cut."""
    line = re.sub(r"::(?:text|character varying|bigint|integer)(?:\[\])?| COLLATE \"C\"", "", line)
    line = line.replace(WALL, "wall")
    return line if len(line) <= MOST else f"{line[:MOST]}…"


def page(plans: Table) -> str:
    """Return the plans as a page of the docs."""
    parts = [INTRODUCTION]
    for name, *told in plans.rows:
        parts.append(f"## {str(name)[0].upper()}{str(name)[1:]}")
        for kind, plan in zip(plans.columns[1:], told, strict=True):
            parts.append(f"{kind}:\n\n```text\n{plan}\n```")
    return "\n\n".join(parts) + "\n"
