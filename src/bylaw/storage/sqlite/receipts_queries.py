"""What is read from the receipts file; every function runs in the thread of the connection it is given."""

from collections.abc import Collection, Mapping, Sequence

import apsw

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

TABLES = ("log", "receipts", "policy_sets", "parts", "effects", "idempotency", "nodes", "checkpoints")

_RECEIPT = "SELECT leaf, id, tenant, receipt, signature, issued_ms FROM receipts"
_RESTRICTIONS = (
    ("kind", "kind = ?"),
    ("agent", "agent = ?"),
    ("outcome", "outcome = ?"),
    ("outcome_of", "outcome_of = ?"),
    ("since_ms", "issued_ms >= ?"),
    ("until_ms", "issued_ms < ?"),
)
OUTCOMES = (
    "SELECT outcome, count(*) FROM receipts WHERE tenant = ? AND issued_ms >= ? AND issued_ms < ?"
    " AND kind = 'decision' AND outcome IS NOT NULL GROUP BY outcome"
)


def origin(db: apsw.Connection) -> str | None:
    """Return the name of the log in the file, or None before its first opening for writing ended."""
    found: str | None = db.execute("SELECT origin FROM log").get
    return found


def receipt(db: apsw.Connection, named: str, ident: ReceiptId) -> StoredReceipt | None:
    """Return the receipt with id `ident` of any tenant, or None."""
    row = db.execute(f"{_RECEIPT} WHERE id = ?", (ident,)).fetchone()
    return None if row is None else _receipt(named, row)


def leaves(db: apsw.Connection, named: str, start: int, limit: int) -> list[StoredReceipt]:
    """Return up to `limit` receipts from leaf `start` on."""
    rows = db.execute(f"{_RECEIPT} WHERE leaf >= ? ORDER BY leaf LIMIT ?", (start, limit))
    return [_receipt(named, row) for row in rows]


def key_entries(db: apsw.Connection, named: str) -> list[StoredReceipt]:
    """Return every entry of kind `key`, in the order of the log."""
    rows = db.execute(f"{_RECEIPT} WHERE tenant IS NULL AND kind = 'key' ORDER BY leaf")
    return [_receipt(named, row) for row in rows]


def listed(
    db: apsw.Connection, named: str, scope: tuple[TenantId, ReceiptQuery], window: Window
) -> list[tuple[int, StoredReceipt]]:
    """Return receipts of a tenant, newest first, with the moments by which they are sorted."""
    after, limit, offset = window
    where, values = _restrictions(*scope)
    if after is not None:
        where += " AND (issued_ms, id) < (?, ?)"
        values += after
    order = "ORDER BY issued_ms DESC, id DESC LIMIT ? OFFSET ?"
    rows = db.execute(f"{_RECEIPT} WHERE {where} {order}", (*values, limit, offset))
    return [(row[5], _receipt(named, row)) for row in rows]


def count(db: apsw.Connection, scope: tuple[TenantId, ReceiptQuery]) -> int:
    """Return how many receipts of a tenant match."""
    where, values = _restrictions(*scope)
    found: int = db.execute(f"SELECT count(*) FROM receipts WHERE {where}", values).get  # noqa: S608 - no value
    return found


def outcomes(db: apsw.Connection, tenant: TenantId, span: tuple[int, int, int]) -> dict[int, dict[str, int]]:
    """Return how many decisions came out how in each bucket of a span: since, until, length of a bucket.

    Each bucket is one look into the index, whose rows need no sorting then.
    """
    since, until, length = span
    found = {}
    for start in range(since - since % length, until, length):
        within = (tenant, max(start, since), min(start + length, until))
        if counted := dict(db.execute(OUTCOMES, within)):
            found[start] = counted
    return found


def parts(db: apsw.Connection, leaf: int) -> list[Part]:
    """Return the body parts of `leaf` that are there, by name."""
    rows = db.execute("SELECT name, salt, content FROM parts WHERE leaf = ? ORDER BY name", (leaf,))
    return [Part(name=name, salt=salt, content=content) for name, salt, content in rows]


def repeated(db: apsw.Connection, key: Key) -> Repeated | None:
    """Return the durable entry that claimed `key`, or None."""
    find = "SELECT id, digest FROM idempotency WHERE tenant = ? AND scope = ? AND key = ?"
    row = db.execute(find, key).fetchone()
    return None if row is None else Repeated(id=row[0], digest=row[1])


def latest(db: apsw.Connection, named: str) -> StoredCheckpoint | None:
    """Return the last checkpoint, or None of an empty log."""
    row = db.execute("SELECT size, note FROM checkpoints ORDER BY size DESC LIMIT 1").fetchone()
    return None if row is None else StoredCheckpoint(origin=named, size=row[0], note=row[1])


def checkpoints(db: apsw.Connection, named: str, above: int, limit: int) -> list[StoredCheckpoint]:
    """Return up to `limit` checkpoints of a size greater than `above`, smallest first."""
    rows = db.execute(
        "SELECT size, note FROM checkpoints WHERE size > ? ORDER BY size LIMIT ?", (above, limit)
    )
    return [StoredCheckpoint(origin=named, size=size, note=note) for size, note in rows]


def tiles(db: apsw.Connection, wanted: Collection[Tile], size: int) -> Mapping[Tile, bytes]:
    """Return the stored hashes of each wanted tile, joined: what the first `size` leaves fill of it."""
    return {tile: _tile(db, tile, size) for tile in wanted}


def probe(db: apsw.Connection) -> None:
    """Look at every table."""
    for table in TABLES:
        db.execute(f"SELECT 1 FROM {table} LIMIT 1")  # noqa: S608 - no value in it


def effects(db: apsw.Connection, named: str, position: int, limit: int) -> Sequence[StoredEffect]:
    """Return up to `limit` effects after `position`, in the order of the log."""
    rows = db.execute(
        "SELECT effects.position, receipts.id, receipts.tenant, effects.kind, effects.payload"
        " FROM effects JOIN receipts ON receipts.leaf = effects.leaf"
        " WHERE effects.position > ? ORDER BY effects.position LIMIT ?",
        (position, limit),
    )
    return [
        StoredEffect(
            origin=named, position=at, receipt=ident, tenant=tenant, effect=Effect(kind=kind, payload=payload)
        )
        for at, ident, tenant, kind, payload in rows
    ]


def last_effect(db: apsw.Connection) -> int:
    """Return the position of the last effect, 0 if there is none."""
    found: int = db.execute("SELECT coalesce(max(position), 0) FROM effects").get
    return found


def edge(db: apsw.Connection, named: str) -> Edge:
    """Return the right edge of the log."""
    last = latest(db, named)
    size = 0 if last is None else last.size
    return Edge(
        latest=last,
        leaves=db.execute("SELECT coalesce(max(leaf) + 1, 0) FROM receipts").get,
        hashes=tiles(db, proof.tiles_of_frontier(size), size),
        tail=list(
            db.execute("SELECT leaf, hash, receipt FROM receipts WHERE leaf >= ?", (size - TILE_WIDTH,))
        ),
    )


def _tile(db: apsw.Connection, tile: Tile, size: int) -> bytes:
    low = tile.index * TILE_WIDTH
    high = min(low + TILE_WIDTH, size >> (tile.level * TILE_HEIGHT))
    if tile.level == 0:
        rows = db.execute("SELECT hash FROM receipts WHERE leaf >= ? AND leaf < ? ORDER BY leaf", (low, high))
    else:
        rows = db.execute(
            "SELECT hash FROM nodes WHERE level = ? AND position >= ? AND position < ? ORDER BY position",
            (tile.level, low, high),
        )
    return b"".join(hashed for (hashed,) in rows)


def _restrictions(tenant: TenantId, query: ReceiptQuery) -> tuple[str, tuple[object, ...]]:
    where: list[str] = ["tenant = ?"]
    values: list[object] = [tenant]
    for field, condition in _RESTRICTIONS:
        wanted = getattr(query, field)
        if wanted is not None:
            where.append(condition)
            values.append(wanted)
    if query.policy is not None:
        where.append("policy_set IN (SELECT number FROM policy_sets WHERE tenant = ? AND policy = ?)")
        values += [tenant, query.policy]
    return " AND ".join(where), tuple(values)


def _receipt(
    named: str, row: tuple[int, ReceiptId, TenantId | None, bytes, bytes | None, int]
) -> StoredReceipt:
    leaf, ident, tenant, stored, signature, _ = row
    return StoredReceipt(
        id=ident, tenant=tenant, receipt=stored, signature=signature, origin=named, index=leaf
    )
