"""The receipts file: its tables, and how it is opened.

Only apsw opens it. A second copy of SQLite in the process would drop its locks, and a system's own SQLite may
carry the write-ahead-log bug that 3.51.3 fixed.

WAL with `synchronous=FULL`: a commit returns when the log of that commit is on the disk. Pages of 8 KiB hold
a few receipts without overflow, which halves the writing against 4 KiB.
"""

from collections.abc import Callable
from contextlib import AsyncExitStack
from typing import Concatenate, ParamSpec, TypeVar, cast

import apsw
import apsw.aio

from bylaw.core.errors import Conflict, Corrupt, Unavailable

P = ParamSpec("P")
T = TypeVar("T")

FILE = "receipts.db"
PAGE_BYTES = 8192
WAIT_MS = 5_000
_APPLICATION = 0x62796C77  # "bylw", for the tool that asks what kind of file this is

_TABLES = """
CREATE TABLE log (origin TEXT NOT NULL) STRICT;
CREATE TABLE receipts (
    leaf INTEGER PRIMARY KEY, hash BLOB NOT NULL, id TEXT NOT NULL, tenant TEXT, kind TEXT NOT NULL,
    issued_ms INTEGER NOT NULL, agent TEXT, outcome TEXT, policy_set INTEGER, signature BLOB,
    receipt BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX receipts_by_id ON receipts (id);
CREATE INDEX receipts_listed ON receipts (tenant, issued_ms, id, kind, agent, outcome, policy_set);
CREATE TABLE policy_sets (
    tenant TEXT NOT NULL, policy TEXT NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (tenant, policy, number)
) STRICT, WITHOUT ROWID;
CREATE TABLE parts (
    leaf INTEGER NOT NULL, name TEXT NOT NULL, salt BLOB NOT NULL, content BLOB NOT NULL,
    PRIMARY KEY (leaf, name)
) STRICT;
CREATE TABLE effects (
    position INTEGER PRIMARY KEY, leaf INTEGER NOT NULL, kind TEXT NOT NULL, payload BLOB NOT NULL
) STRICT;
CREATE TABLE idempotency (
    tenant TEXT NOT NULL, scope TEXT NOT NULL, key TEXT NOT NULL, digest TEXT NOT NULL, id TEXT NOT NULL,
    PRIMARY KEY (tenant, scope, key)
) STRICT, WITHOUT ROWID;
CREATE TABLE nodes (
    level INTEGER NOT NULL, position INTEGER NOT NULL, hash BLOB NOT NULL, PRIMARY KEY (level, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE checkpoints (size INTEGER PRIMARY KEY, note BLOB NOT NULL) STRICT;
"""
_OUTCOMES = """
ALTER TABLE receipts ADD COLUMN outcome_of TEXT;
CREATE INDEX receipts_of_outcomes ON receipts (tenant, outcome_of, issued_ms, id)
    WHERE outcome_of IS NOT NULL;
UPDATE receipts SET outcome_of = json_extract(CAST(receipt AS TEXT), '$.claim.outcome_of')
    WHERE instr(receipt, CAST('"outcome_of":"r' AS BLOB));
"""
_STEPS = (_TABLES, _OUTCOMES)  # the version of a file counts those that were taken
VERSION = len(_STEPS)


class Opened:
    """A connection with its own thread."""

    def __init__(self, connection: "apsw.AsyncConnection") -> None:
        self._connection = connection
        # In its own thread the connection answers directly, which its type does not say.
        self._direct = cast("apsw.Connection", connection)

    async def run(
        self, work: Callable[Concatenate[apsw.Connection, P], T], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Return what `work`, called with the connection in its thread, returns.

        Raises: Corrupt or Unavailable for what the file or the disk does.
        """
        try:
            return cast("T", await self._connection.async_run(work, self._direct, *args, **kwargs))
        except (apsw.CorruptError, apsw.NotADBError) as error:
            raise Corrupt(f"The receipts file is damaged: {error}.", place=FILE) from error
        except (apsw.IOError, apsw.FullError, apsw.BusyError, apsw.CantOpenError, apsw.SQLError) as error:
            raise Unavailable(f"The receipts file cannot be used now: {error}.") from error

    async def close(self) -> None:
        """Close the connection and end its thread."""
        await self._connection.aclose()


async def open_file(path: str) -> Opened:
    """Return a connection that writes the receipts file `path`, which is made if it is not there.

    One that an older Bylaw wrote is brought up to date. Raises: Corrupt when the file is something else;
    Conflict (`newer_data`).
    """
    opened = await _open(path)
    async with AsyncExitStack() as undo:
        undo.push_async_callback(opened.close)
        await opened.run(_prepare, path)
        undo.pop_all()
    return opened


async def version_of(path: str) -> tuple[int, int]:
    """Return the version of a receipts file that is there, and that which this version writes."""
    opened = await _open(path)
    try:
        found: int = await opened.run(apsw.Connection.pragma, "user_version")
    finally:
        await opened.close()
    return found, VERSION


async def open_for_reading(path: str) -> Opened:
    """Return a connection that only reads `path`; it never waits for the writer, nor the writer for it."""
    opened = await _open(path)
    await opened.run(apsw.Connection.pragma, "query_only", "on")
    return opened


async def _open(path: str) -> Opened:
    opened = Opened(await apsw.Connection.as_async(path))
    await opened.run(apsw.Connection.set_busy_timeout, WAIT_MS)
    return opened


def _prepare(db: apsw.Connection, path: str) -> None:
    if db.pragma("page_count") == 0:
        db.pragma("page_size", PAGE_BYTES)
    db.pragma("journal_mode", "wal")
    db.pragma("synchronous", "full")
    db.pragma("secure_delete", "on")
    with db:
        if db.pragma("page_count") <= 1 and db.pragma("application_id") == 0:
            db.pragma("application_id", _APPLICATION)
        made = db.pragma("user_version")
        if db.pragma("application_id") != _APPLICATION:
            raise Corrupt(f"{path} is not a receipts file.", place=path)
        if made > VERSION:
            raise Conflict(
                f"{path} was written by a newer Bylaw (version {made} of the file, this one knows {VERSION})."
                " Start that one, or restore the backup from before.",
                reason="newer_data",
            )
        for step in _STEPS[made:]:
            for statement in step.split(";\n"):
                db.execute(statement)
        db.pragma("user_version", VERSION)
