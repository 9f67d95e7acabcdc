"""What SQLite is told about the rows that it will hold, so that it chooses indexes as for a large tenant.

It plans by figures that only ANALYZE writes, and without them it takes the first index that fits. Ours are
the same for every file: no plan depends on when somebody looked, and a small table is read fast by any.
"""

from collections.abc import AsyncIterator, Iterator, Mapping
from typing import Final

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

_ROWS: Final = 1_000_000
_FEWER: Final[Mapping[str, int]] = {"ix_policies_waiting": 50_000}  # in an index over some of the rows
# How many different values a column has, inside those before it. One tenant may own everything.
_VALUES: Final[Mapping[str, int]] = {
    "tenant_id": 1,
    "level": 3,
    "facet": 5,
    "step_ms": 2,
    "block": 2,
    "risk": 3,
    "status": 4,
    "provider": 4,
    "host": 10,
    "model": 20,
    "workspace_id": 20,
    "repo_id": 50,
    "key_id": 50,
    "ident": 100,
    "policy_id": 200,
    "topic_key": 10,
    "user_id": 500,
    "who": 500,
    "agent_id": 500,
    "word": 20_000,
    "embedder": 2,
    "lane": 20,
    "conversation_id": 100_000,
}
_OF_POLICIES: Final = ("versions", "words")  # where a policy has few rows

Figures = set[tuple[str, str, str]]


async def is_told(connection: AsyncConnection) -> bool:
    """Return whether the file holds these figures and no others."""
    return await _told(connection) == {figures async for figures in _wanted(connection)}


async def tell(connection: AsyncConnection) -> None:
    """Write the figures; connections that planned before do not see them."""
    wanted = sorted([figures async for figures in _wanted(connection)])
    await connection.exec_driver_sql("ANALYZE tenants")  # makes the table of figures
    await connection.exec_driver_sql("DELETE FROM sqlite_stat1")
    told = [dict(zip(("tbl", "idx", "stat"), each, strict=True)) for each in wanted]
    await connection.execute(text("INSERT INTO sqlite_stat1 VALUES (:tbl, :idx, :stat)"), told)


async def _told(connection: AsyncConnection) -> Figures:
    made = "SELECT 1 FROM sqlite_master WHERE name = 'sqlite_stat1'"
    if (await connection.exec_driver_sql(made)).first() is None:
        return set()
    rows = await connection.exec_driver_sql("SELECT tbl, idx, stat FROM sqlite_stat1")
    return {(row.tbl, row.idx, row.stat) for row in rows}


async def _wanted(connection: AsyncConnection) -> AsyncIterator[tuple[str, str, str]]:
    found = await connection.exec_driver_sql(
        "SELECT t.name AS tbl, i.name AS idx, i.origin, t.wr FROM pragma_table_list AS t"
        " JOIN pragma_index_list(t.name) AS i WHERE t.schema = 'main' AND t.type = 'table'"
    )
    for row in found.all():
        columns = await connection.exec_driver_sql("SELECT name FROM pragma_index_info(?)", (row.idx,))
        names = [column.name for column in columns]
        figures = " ".join(map(str, _figures(row.tbl, names, _FEWER.get(row.idx, _ROWS))))
        yield row.tbl, row.tbl if row.wr and row.origin == "pk" else row.idx, figures


def _figures(table: str, columns: list[str], rows: int) -> Iterator[int]:
    """Yield how many rows there are, and how many share the values of the first columns, of one more each."""
    yield rows
    left = rows
    for name in columns:
        few = name == "policy_id" and table in _OF_POLICIES
        left = max(left // (rows // 50 if few else _VALUES.get(name, rows)), 1)
        yield left
