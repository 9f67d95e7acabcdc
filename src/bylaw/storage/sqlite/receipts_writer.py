"""The writer of the receipts file: one batch, one hop to the connection's thread, one COMMIT."""

from collections.abc import Sequence

import apsw

from bylaw.core.errors import Unavailable
from bylaw.core.ids import ReceiptId
from bylaw.receipts.append import Appender, Batch
from bylaw.receipts.ports import PendingEntry, Recorded, Repeated
from bylaw.receipts.signing import KeySet, Signer
from bylaw.storage.receipt_rows import Key, Plan, PolicySets, key_of, plan, resume, rows_of
from bylaw.storage.sqlite import receipts_queries as queries
from bylaw.storage.sqlite.receipts_schema import Opened

# What is written to see whether there is room: an ordinary batch takes less.
_TRIAL_BYTES = 65_536


_INSERTS = (
    "INSERT INTO receipts VALUES (?,?,?,?,?,?,?,?,?,?,?,?)",
    "INSERT INTO parts VALUES (?,?,?,?)",
    "INSERT INTO effects VALUES (?,?,?,?)",
    "INSERT INTO idempotency VALUES (?,?,?,?,?)",
    "INSERT OR IGNORE INTO policy_sets VALUES (?,?,?)",
    "INSERT INTO nodes VALUES (?,?,?)",
)


class SqliteWriter:
    """Writes one log into one file; `recover` before the first `write`.

    Whatever takes a `db` runs in the thread of the connection.
    """

    def __init__(self, opened: Opened, *, origin: str, signer: Signer, keys: KeySet) -> None:
        self._opened = opened
        self._origin = origin
        self._signers: tuple[Signer, ...] = (signer,)
        self._keys = keys
        self._sets = PolicySets()
        self._effects = 0
        self._appender: Appender | None = None

    @property
    def origin(self) -> str:
        """The name of the log, as it was given when the file was made."""
        return self._origin

    async def write(self, entries: Sequence[PendingEntry]) -> Sequence[Recorded | Repeated]:
        """Record `entries` in one transaction; return what became of each, in order, once it is durable."""
        return await self._opened.run(self._write, entries)

    async def recover(self) -> None:
        """Go back to what is stored and check it. Raises: Corrupt."""
        await self._opened.run(self._resume)

    async def try_out(self) -> None:
        """Write a part and erase it in one transaction. Raises: Unavailable, on a full disk say."""
        await self._opened.run(_try_out)

    def rotate(self, signer: Signer) -> None:
        """Sign with `signer` from the next batch on; its checkpoint carries both signatures."""
        self._signers = (*self._signers, signer)
        self._keys = self._keys.with_active(signer.public, 0)
        if self._appender is not None:
            self._appender.rotate(signer)

    async def erase(self, leaf: int, names: Sequence[str] | None) -> Sequence[str]:
        """Overwrite body parts of `leaf` in the file, cut its write-ahead log; return those that were there.

        Raises: Unavailable when a reader kept the write-ahead log from being cut: erase again.
        """
        return await self._opened.run(_erase, leaf, names)

    async def close(self) -> None:
        """Close the connection, which leaves a file without a write-ahead log."""
        await self._opened.close()

    def _resume(self, db: apsw.Connection) -> None:
        """Rebuild the tree from the file, whose log keeps the name that it was given first."""
        self._appender = None
        self._sets.rollback()
        if db.in_transaction:
            db.execute("ROLLBACK")
        named = queries.origin(db)
        if named is None:
            db.execute("INSERT INTO log VALUES (?)", (self._origin,))
        else:
            self._origin = named
        self._effects = queries.last_effect(db)
        self._appender = resume(
            self._origin, queries.edge(db, self._origin), signers=self._signers, keys=self._keys
        )

    def _write(self, db: apsw.Connection, entries: Sequence[PendingEntry]) -> Sequence[Recorded | Repeated]:
        appender = self._appender
        if appender is None:
            raise Unavailable("The receipt log is not open.")
        db.execute("BEGIN IMMEDIATE")
        planned, batch = plan(entries, _taken_keys(db, entries), {}), None
        try:
            if planned.fresh:
                batch = self._insert(db, appender, planned)
        except apsw.ConstraintError:
            db.execute("ROLLBACK")
            self._sets.rollback()
            db.execute("BEGIN IMMEDIATE")
            planned = plan(entries, _taken_keys(db, entries), _taken_ids(db, entries))
            batch = self._insert(db, appender, planned) if planned.fresh else None
        db.execute("COMMIT")
        if batch is not None:
            appender.commit()
            self._signers = self._signers[-1:]
            self._sets.commit()
            self._effects += sum([len(entry.effects) for entry in planned.fresh])
        return planned.fates(batch)

    def _insert(self, db: apsw.Connection, appender: Appender, planned: Plan) -> Batch:
        """Write every row of a batch inside the open transaction."""
        batch = appender.stage(planned.fresh)
        rows = rows_of(batch, self._sets, effects_before=self._effects)
        for statement, values in zip(_INSERTS, rows, strict=True):
            if values:
                db.executemany(statement, values)
        db.execute("INSERT INTO checkpoints VALUES (?,?)", (batch.checkpoint.size, batch.checkpoint.note))
        return batch


def _taken_keys(db: apsw.Connection, entries: Sequence[PendingEntry]) -> dict[Key, Repeated]:
    keys = [key for key in map(key_of, entries) if key is not None]
    found = [(key, queries.repeated(db, key)) for key in keys]
    return {key: repeated for key, repeated in found if repeated is not None}


def _taken_ids(db: apsw.Connection, entries: Sequence[PendingEntry]) -> dict[ReceiptId, Repeated]:
    find = "SELECT EXISTS (SELECT 1 FROM receipts WHERE id = ?)"
    taken = [entry.id for entry in entries if db.execute(find, (entry.id,)).get]
    return {ident: Repeated(id=ident, digest="") for ident in taken}


def _try_out(db: apsw.Connection) -> None:
    with db:  # pages that are freed again are overwritten, so they are written
        db.execute("INSERT INTO parts VALUES (-1, '', x'', zeroblob(?))", (_TRIAL_BYTES,))
        db.execute("DELETE FROM parts WHERE leaf = -1")


def _erase(db: apsw.Connection, leaf: int, names: Sequence[str] | None) -> Sequence[str]:
    there = [part.name for part in queries.parts(db, leaf)]
    erased = [name for name in there if names is None or name in names]
    with db:
        db.executemany("DELETE FROM parts WHERE leaf = ? AND name = ?", [(leaf, name) for name in erased])
    busy, _, _ = next(db.execute("PRAGMA wal_checkpoint(TRUNCATE)"))
    if busy:
        raise Unavailable("The parts are erased, but a long read still holds old pages: erase again.")
    return erased
