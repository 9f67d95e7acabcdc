"""The vectors of one tenant where PostgreSQL compares them, by a graph (HNSW) of its extension `vector`.

Each tenant has a partition with a graph of its own (`postgres/pgvector.py`), so that no search passes through
what others store. A row holds the one vector of a content (`fusion.joined`), made of the two that are kept.
Rows are taken over by rising number, so what is there is whole as far as its last number.
"""

import re
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from sqlalchemy import TextClause, text

from bylaw.core.ids import TenantId
from bylaw.search.floats import Floats
from bylaw.search.fusion import joined
from bylaw.search.store import SAID, Numbered
from bylaw.storage.refusals import require_writing
from bylaw.storage.sql.session import Session
from bylaw.storage.vectors import meaning_of

COMPARED: Final = "compared.vectors"
# Before 0.8 a graph gives up after its first few, however many a statement asks for.
_TOO_OLD: Final = re.compile(r"0\.[0-7](\D|$)")
_MOST_DIMENSIONS: Final = 4_000  # that a graph takes
# A search keeps so many times what it is asked for at hand, and then goes on as long as it takes.
_EFFORT: Final = 2
_LEAST_EFFORT: Final = 200
_MOST_EFFORT: Final = 1_000

# What PostgreSQL offers this role.
LOOK: Final = text(
    "SELECT (SELECT extversion FROM pg_extension WHERE extname = 'vector') AS version,"
    " to_regtype('halfvec') IS NOT NULL AS is_near,"
    " EXISTS (SELECT FROM pg_attribute a JOIN pg_class c ON c.oid = attrelid"
    " WHERE relnamespace = to_regnamespace('compared') AND relname = 'vectors' AND attname = 'meant'"
    " AND has_schema_privilege(relnamespace, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')) AS is_made"
)
_TOLD: Final = text("SELECT count(*) FROM vectors WHERE tenant_id = :tenant AND embedder = :embedder")
_LAST: Final = text(
    "SELECT max(number) FROM compared.vectors WHERE tenant_id = :tenant AND embedder = :embedder"
)
_FRESH: Final = text(
    "SELECT number, digest, about, procedure FROM vectors WHERE tenant_id = :tenant AND embedder = :embedder"
    " AND number > :last AND NOT starts_with(digest, :said) ORDER BY number LIMIT :many"
).bindparams(said=SAID)
# Their digests begin like nobody else's, and the order of digests is an index.
_SAID: Final = text(
    "SELECT number, digest, about, procedure FROM vectors WHERE tenant_id = :tenant AND embedder = :embedder"
    " AND number > :last AND digest > :said AND starts_with(digest, :said) ORDER BY number LIMIT :many"
).bindparams(said=SAID)
_MAKE: Final = text("SELECT compared.make(:dimensions)")
_TAKE: Final = text(
    "INSERT INTO compared.vectors (tenant_id, digest, embedder, number, meant)"
    " SELECT :tenant, digest, :embedder, number, CAST(meant AS vector)"
    " FROM unnest(CAST(:digests AS text[]), CAST(:numbers AS bigint[]), CAST(:meant AS text[]))"
    " AS taken (digest, number, meant)"
    " ON CONFLICT (tenant_id, digest) DO UPDATE"
    " SET embedder = excluded.embedder, number = excluded.number, meant = excluded.meant RETURNING digest"
)
_TUNE: Final = text(
    "SELECT set_config('hnsw.iterative_scan', 'relaxed_order', true),"
    " set_config('hnsw.ef_search', :effort, true),"
    " set_config('hnsw.max_scan_tuples', '2147483647', true),"
    " set_config('hnsw.scan_mem_multiplier', '8', true)"
)
# The graph is asked with half the precision, what it finds is compared as it is kept.
_NEAR: Final = """
SELECT digest, -(meant <#> CAST(CAST(:query AS text) AS vector)) AS alike FROM (
  SELECT digest, meant FROM compared.vectors WHERE tenant_id = :tenant AND embedder = :embedder
  ORDER BY CAST(meant AS halfvec({0})) <#> CAST(CAST(:query AS text) AS halfvec({0})) LIMIT :many
) AS near ORDER BY alike DESC, digest
"""
_EVERY: Final = text(
    "SELECT digest, -(meant <#> CAST(CAST(:query AS text) AS vector)) AS alike FROM compared.vectors"
    " WHERE tenant_id = :tenant AND embedder = :embedder ORDER BY alike DESC, digest LIMIT :many"
)
_AMONG: Final = text(
    "SELECT digest, -(meant <#> CAST(CAST(:query AS text) AS vector)) AS alike FROM compared.vectors"
    " WHERE tenant_id = :tenant AND embedder = :embedder AND digest = ANY(CAST(:among AS text[]))"
    " ORDER BY alike DESC, digest LIMIT :many"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What `LOOK` found: the version of the extension, whether its types and the table can be used."""

    version: str | None
    is_near: bool
    is_made: bool


def why_not(seen: Seen) -> str:
    """Return why PostgreSQL cannot compare vectors, and what to do; nothing if it can."""
    if seen.version is None:
        return "its extension vector is not there: install pgvector, and run `CREATE EXTENSION vector`"
    if _TOO_OLD.match(seen.version):
        return f"its extension vector is {seen.version}, and 0.8 is needed: `ALTER EXTENSION vector UPDATE`"
    if not seen.is_near:
        return "its extension vector is in a schema that is not in the search path of this role"
    if not seen.is_made:
        return "the table of what it compares is not there: run `bylaw db upgrade` as the owner of the tables"
    return ""


async def compared(session: Session, tenant_id: TenantId) -> "SqlCompared | None":
    """Return the vectors of a tenant as the database compares them; None where it cannot."""
    if not session.is_postgres:
        return None
    found = await session.row(LOOK)
    return None if found is None or why_not(Seen(**found)) else SqlCompared(session, tenant_id)


class SqlCompared:
    """The vectors of one tenant, compared by PostgreSQL."""

    def __init__(self, session: Session, tenant_id: TenantId) -> None:
        self._session = session
        self._tenant_id = tenant_id

    async def is_whole(self, embedder: str) -> bool:
        """Return whether all that this embedder told of contents is here, and that is something."""
        mine = {"tenant": self._tenant_id, "embedder": embedder}
        last = await self._session.number(_LAST.bindparams(**mine))
        return last > 0 and await self._session.row(_FRESH.bindparams(**mine, last=last, many=1)) is None

    async def told(self, embedder: str) -> int:
        """Return how many vectors this embedder told, here or not."""
        return await self._session.number(_TOLD.bindparams(tenant=self._tenant_id, embedder=embedder))

    async def take(self, embedder: str, *, limit: int) -> int:
        """Take over up to `limit` vectors that are not here yet, and return how many these were.

        What another embedder told before makes room for them.
        """
        require_writing(writes=self._session.writes)
        mine = {"tenant": self._tenant_id, "embedder": embedder}
        last = await self._session.number(_LAST.bindparams(**mine))
        rows = await self._session.rows(_FRESH.bindparams(**mine, last=last, many=limit))
        fresh = [meaning_of(row) for row in rows]
        if not fresh or len(fresh[0].meaning.about) > _MOST_DIMENSIONS:
            return 0
        if not last:
            await self._session.row(_MAKE.bindparams(dimensions=len(fresh[0].meaning.about)))
        told = [each.meaning for each in fresh]
        taken = {
            "digests": [each.digest for each in told],
            "numbers": [each.number for each in fresh],
            "meant": [_written(joined(each.about, each.procedure)) for each in told],
        }
        await self._session.rows(_TAKE.bindparams(**mine, **taken))
        return len(fresh)

    async def said(self, embedder: str, number: int, *, limit: int) -> Sequence[Numbered]:
        """Return what `SqlVectors.after` does, of messages alone, which are not compared here."""
        mine = {"tenant": self._tenant_id, "embedder": embedder, "last": number, "many": limit}
        return [meaning_of(row) for row in await self._session.rows(_SAID.bindparams(**mine))]

    async def nearest(
        self, embedder: str, query: Floats, limit: int, *, among: AbstractSet[str] | None = None
    ) -> Mapping[str, float]:
        """Return the digests and products of the `limit` best, best first and then by digest.

        Those of `among` are compared one by one; without it, a graph leads to nearly all of the best.
        """
        asked = {"tenant": self._tenant_id, "embedder": embedder, "query": _written(query), "many": limit}
        if among is not None:
            return await self._read(_AMONG.bindparams(**asked, among=sorted(among)))
        effort = min(_MOST_EFFORT, max(_LEAST_EFFORT, _EFFORT * limit))
        await self._session.row(_TUNE.bindparams(effort=str(effort)))
        found = await self._read(text(_NEAR.format(len(query))).bindparams(**asked))
        # A graph that is worn by changes may end too early; then whatever there is is compared.
        return found if len(found) >= limit else await self._read(_EVERY.bindparams(**asked))

    async def _read(self, statement: TextClause) -> Mapping[str, float]:
        return {row["digest"]: row["alike"] for row in await self._session.rows(statement)}


def _written(vector: Floats) -> str:
    """Return a vector as the extension reads it."""
    return f"[{','.join(map(str, vector.tolist()))}]"
