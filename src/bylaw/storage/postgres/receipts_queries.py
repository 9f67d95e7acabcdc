"""What is read from the ledger's tables; each function uses the connection it is given."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import asyncpg

from bylaw.core.ids import ReceiptId, TenantId
from bylaw.receipts import proof
from bylaw.receipts.log import TILE_HEIGHT, TILE_WIDTH, Tile
from bylaw.receipts.ports import (
    Effect,
    Part,
    ReceiptQuery,
    Repeated,
    StoredCheckpoint,
    StoredEffect,
    StoredReceipt,
)
from bylaw.storage.paging import SortKey
from bylaw.storage.receipt_rows import Edge, Key

Window = tuple[SortKey | None, int, int]  # after this one, so many, not these

TABLES = ("logs", "receipts", "policy_sets", "parts", "effects", "idempotency", "nodes", "checkpoints")

_RECEIPT = (
    "SELECT r.id, r.tenant, r.receipt, r.signature, l.origin, r.leaf, r.issued_ms, r.log"
    " FROM ledger.receipts AS r JOIN ledger.logs AS l ON l.number = r.log"
)
_CHECKPOINT = (
    "SELECT l.origin, c.size, c.note FROM ledger.logs AS l"
    " JOIN ledger.checkpoints AS c ON c.log = l.number WHERE l.origin = $1"
)
_RESTRICTIONS = (
    ("kind", "r.kind = $"),
    ("agent", "r.agent = $"),
    ("outcome", "r.outcome = $"),
    ("outcome_of", "r.outcome_of = $"),
    ("since_ms", "r.issued_ms >= $"),
    ("until_ms", "r.issued_ms < $"),
    (
        "policy",
        "r.policy_set IN (SELECT number FROM ledger.policy_sets WHERE tenant = $1 AND policy = $",
    ),
)
OUTCOMES = (
    "SELECT r.issued_ms / $4 * $4 AS start, r.outcome, count(*) FROM ledger.receipts AS r"
    " WHERE r.tenant = $1 AND r.issued_ms >= $2 AND r.issued_ms < $3"
    " AND r.kind = 'decision' AND r.outcome IS NOT NULL GROUP BY start, r.outcome"
)


async def log_number(db: asyncpg.Connection, origin: str) -> int | None:
    """Return the number of the log `origin`, or None if there is no such log."""
    number: int | None = await db.fetchval("SELECT number FROM ledger.logs WHERE origin = $1", origin)
    return number


async def receipt(db: asyncpg.Connection, ident: ReceiptId) -> StoredReceipt | None:
    """Return the receipt with id `ident`, or None."""
    row = await db.fetchrow(f"{_RECEIPT} WHERE r.id = $1", ident)
    return None if row is None else _receipt(row)


async def leaves(db: asyncpg.Connection, log: int, start: int, limit: int) -> list[StoredReceipt]:
    """Return up to `limit` receipts from leaf `start` on."""
    found = f"{_RECEIPT} WHERE r.log = $1 AND r.leaf >= $2 ORDER BY r.leaf LIMIT $3"
    return [_receipt(row) for row in await db.fetch(found, log, start, limit)]


async def key_entries(db: asyncpg.Connection) -> list[StoredReceipt]:
    """Return every entry of kind `key` of every log, each log in its own order."""
    return [
        _receipt(row) for row in await db.fetch(f"{_RECEIPT} WHERE r.kind = 'key' ORDER BY r.log, r.leaf")
    ]


async def listed(
    db: asyncpg.Connection, scope: tuple[TenantId, ReceiptQuery], window: Window
) -> list[tuple[int, StoredReceipt]]:
    """Return receipts of a tenant, newest first, with the moments by which they are sorted."""
    after, limit, offset = window
    where, values = _restrictions(*scope)
    if after is not None:
        where += f" AND (r.issued_ms, r.id) < (${len(values) + 1}, ${len(values) + 2})"
        values += after
    order = f"ORDER BY r.issued_ms DESC, r.id DESC LIMIT ${len(values) + 1} OFFSET ${len(values) + 2}"
    rows = await db.fetch(f"{_RECEIPT} WHERE {where} {order}", *values, limit, offset)
    return [(row["issued_ms"], _receipt(row)) for row in rows]


async def count(db: asyncpg.Connection, scope: tuple[TenantId, ReceiptQuery]) -> int:
    """Return how many receipts of a tenant match."""
    where, values = _restrictions(*scope)
    found: int = await db.fetchval(
        f"SELECT count(*) FROM ledger.receipts AS r WHERE {where}",  # noqa: S608 - no value in it
        *values,
    )
    return found


async def outcomes(
    db: asyncpg.Connection, tenant: TenantId, span: tuple[int, int, int]
) -> dict[int, dict[str, int]]:
    """Return how many decisions came out how in each bucket of a span: since, until, length of a bucket."""
    found: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for start, outcome, counted in await db.fetch(OUTCOMES, tenant, *span):
        found[start][outcome] = counted
    return found


async def parts(db: asyncpg.Connection, ident: ReceiptId) -> list[Part]:
    """Return the body parts of a receipt that are there, by name."""
    rows = await db.fetch(
        "SELECT p.name, p.salt, p.content FROM ledger.receipts AS r"
        " JOIN ledger.parts AS p ON p.log = r.log AND p.leaf = r.leaf WHERE r.id = $1 ORDER BY p.name",
        ident,
    )
    return [Part(name=row["name"], salt=row["salt"], content=row["content"]) for row in rows]


async def erase(db: asyncpg.Connection, ident: ReceiptId, names: Sequence[str] | None) -> list[str]:
    """Delete body parts of a receipt (all, or those named); return the names of those that were there."""
    rows = await db.fetch(
        "DELETE FROM ledger.parts AS p USING ledger.receipts AS r"
        " WHERE p.log = r.log AND p.leaf = r.leaf AND r.id = $1"
        " AND ($2::text[] IS NULL OR p.name = ANY ($2)) RETURNING p.name",
        ident,
        names,
    )
    return sorted(row["name"] for row in rows)


async def repeated(db: asyncpg.Connection, keys: Collection[Key]) -> dict[Key, Repeated]:
    """Return the durable entries that claimed `keys`."""
    rows = await db.fetch(
        "SELECT tenant, scope, key, digest, id FROM ledger.idempotency"
        " JOIN unnest($1::text[], $2::text[], $3::text[]) AS k (tenant, scope, key)"
        " USING (tenant, scope, key)",
        *zip(*keys, strict=True),
    )
    return {
        (row["tenant"], row["scope"], row["key"]): Repeated(id=row["id"], digest=row["digest"])
        for row in rows
    }


async def recorded(db: asyncpg.Connection, ids: Collection[ReceiptId]) -> dict[ReceiptId, Repeated]:
    """Return which of `ids` are durable."""
    rows = await db.fetch("SELECT id FROM ledger.receipts WHERE id = ANY ($1::text[])", list(ids))
    return {row["id"]: Repeated(id=row["id"], digest="") for row in rows}


async def latest(db: asyncpg.Connection) -> list[StoredCheckpoint]:
    """Return the last checkpoint of each log that has one, sorted by origin."""
    rows = await db.fetch(
        "SELECT l.origin, c.size, c.note FROM ledger.logs AS l CROSS JOIN LATERAL"
        " (SELECT size, note FROM ledger.checkpoints WHERE log = l.number ORDER BY size DESC LIMIT 1) AS c"
    )
    return sorted((_checkpoint(row) for row in rows), key=lambda found: found.origin)


async def checkpoints(db: asyncpg.Connection, origin: str, above: int, limit: int) -> list[StoredCheckpoint]:
    """Return up to `limit` checkpoints of `origin` of a size greater than `above`, smallest first."""
    rows = await db.fetch(f"{_CHECKPOINT} AND c.size > $2 ORDER BY c.size LIMIT $3", origin, above, limit)
    return [_checkpoint(row) for row in rows]


async def checkpoint(db: asyncpg.Connection, origin: str, covering: int) -> StoredCheckpoint | None:
    """Return the latest checkpoint of `origin`, if its tree holds leaf `covering`."""
    row = await db.fetchrow(f"{_CHECKPOINT} AND c.size > $2 ORDER BY c.size DESC LIMIT 1", origin, covering)
    return None if row is None else _checkpoint(row)


async def tiles(
    db: asyncpg.Connection, log: int, wanted: Collection[Tile], size: int
) -> Mapping[Tile, bytes]:
    """Return the stored hashes of each wanted tile, joined: what the first `size` leaves fill of it."""
    return {tile: await _tile(db, log, tile, size) for tile in wanted}


async def probe(db: asyncpg.Connection) -> None:
    """Look at every table."""
    for table in TABLES:
        await db.execute(f"SELECT 1 FROM ledger.{table} LIMIT 1")  # noqa: S608 - no value in it


async def effects(db: asyncpg.Connection, origin: str, position: int, limit: int) -> list[StoredEffect]:
    """Return up to `limit` effects of `origin` after `position`, in the order of the log."""
    rows = await db.fetch(
        "SELECT e.position, r.id, r.tenant, e.kind, e.payload FROM ledger.logs AS l"
        " JOIN ledger.effects AS e ON e.log = l.number"
        " JOIN ledger.receipts AS r ON r.log = e.log AND r.leaf = e.leaf"
        " WHERE l.origin = $1 AND e.position > $2 ORDER BY e.position LIMIT $3",
        origin,
        position,
        limit,
    )
    return [
        StoredEffect(
            origin=origin,
            position=row["position"],
            receipt=row["id"],
            tenant=row["tenant"],
            effect=Effect(kind=row["kind"], payload=row["payload"]),
        )
        for row in rows
    ]


async def last_effects(db: asyncpg.Connection) -> Mapping[str, int]:
    """Return the position of the last effect of each log that has any."""
    rows = await db.fetch(
        "SELECT l.origin, e.position FROM ledger.logs AS l CROSS JOIN LATERAL"
        " (SELECT position FROM ledger.effects WHERE log = l.number ORDER BY position DESC LIMIT 1) AS e"
    )
    return {row["origin"]: row["position"] for row in rows}


async def edge(db: asyncpg.Connection, log: int, origin: str) -> Edge:
    """Return the right edge of a log."""
    last = await checkpoint(db, origin, -1)
    size = 0 if last is None else last.size
    return Edge(
        latest=last,
        leaves=await db.fetchval(
            "SELECT coalesce(max(leaf) + 1, 0) FROM ledger.receipts WHERE log = $1", log
        ),
        hashes=await tiles(db, log, proof.tiles_of_frontier(size), size),
        tail=await db.fetch(
            "SELECT leaf, hash, receipt FROM ledger.receipts WHERE log = $1 AND leaf >= $2",
            log,
            size - TILE_WIDTH,
        ),
    )


async def _tile(db: asyncpg.Connection, log: int, tile: Tile, size: int) -> bytes:
    low = tile.index * TILE_WIDTH
    high = min(low + TILE_WIDTH, size >> (tile.level * TILE_HEIGHT))
    if tile.level == 0:
        rows = await db.fetch(
            "SELECT hash FROM ledger.receipts WHERE log = $1 AND leaf >= $2 AND leaf < $3 ORDER BY leaf",
            log,
            low,
            high,
        )
    else:
        rows = await db.fetch(
            "SELECT hash FROM ledger.nodes WHERE log = $1 AND level = $2 AND position >= $3 AND position < $4"
            " ORDER BY position",
            log,
            tile.level,
            low,
            high,
        )
    return b"".join(row["hash"] for row in rows)


def _restrictions(tenant: TenantId, query: ReceiptQuery) -> tuple[str, tuple[object, ...]]:
    where, values = ["r.tenant = $1"], list[object]([tenant])
    for field, condition in _RESTRICTIONS:
        wanted = getattr(query, field)
        if wanted is not None:
            values.append(wanted)
            where.append(f"{condition}{len(values)}{')' if '(' in condition else ''}")
    return " AND ".join(where), tuple(values)


def _receipt(row: asyncpg.Record) -> StoredReceipt:
    return StoredReceipt(
        id=row["id"],
        tenant=row["tenant"],
        receipt=row["receipt"],
        signature=row["signature"],
        origin=row["origin"],
        index=row["leaf"],
    )


def _checkpoint(row: asyncpg.Record) -> StoredCheckpoint:
    return StoredCheckpoint(origin=row["origin"], size=row["size"], note=row["note"])
