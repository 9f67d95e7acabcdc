"""The control plane in one SQLite file: one writer, several readers, every commit on the disk.

The file belongs to SQLAlchemy's driver alone. A second copy of SQLite in the same process, such as the one
that writes the receipts, would drop its locks.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiosqlite
from sqlalchemy import URL, Connection, NullPool, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import ConnectionPoolEntry

from bylaw.core.errors import Corrupt, Unavailable
from bylaw.core.ids import TenantId
from bylaw.storage.sqlite import planning
from bylaw.storage.sqlite.private_file import make_private

READERS = 4
_WAIT_S = 30
_BUSY_MS = 5_000
_MIGRATING_MS = 120_000  # how long to wait for another process that migrates
_PAUSE_MS = 50
_SOUND = (3, 51, 3)


class SqliteDatabase:
    """A file; the pool of one connection makes writers wait their turn, in order.

    Of several processes that write to it, one `checkpoints`: it brings what was written back into the file.
    """

    def __init__(self, path: Path, *, checkpoints: bool = True) -> None:
        make_private(path)
        self.path = path
        pragmas = () if checkpoints else ("PRAGMA wal_autocheckpoint=0",)
        self._writer = _engine(path, "BEGIN IMMEDIATE", *pragmas, connections=1)
        self._readers = _engine(path, "BEGIN", "PRAGMA query_only=ON", connections=READERS)

    @asynccontextmanager
    async def begin(self, tenant_id: TenantId | None, *, writes: bool) -> AsyncIterator[AsyncConnection]:
        """Open a transaction; tenants are told apart by the statements alone."""
        del tenant_id
        async with (self._writer if writes else self._readers).begin() as connection:
            yield connection

    @asynccontextmanager
    async def migrating(self) -> AsyncIterator[AsyncConnection]:
        """Open the transaction that may change the schema.

        Rebuilding a table drops the old one, so references are checked at the end instead of on the way.
        """
        await self._use_write_ahead_log()
        pragmas = ("PRAGMA foreign_keys=OFF", f"PRAGMA busy_timeout={_MIGRATING_MS}")
        engine = _engine(self.path, "BEGIN IMMEDIATE", *pragmas, connections=0)
        async with engine.begin() as connection:
            yield connection
            dangling = (await connection.exec_driver_sql("PRAGMA foreign_key_check")).first()
            if dangling is not None:
                raise Corrupt("After the migration a row would refer to nothing.", place=str(dangling[0]))

    async def _use_write_ahead_log(self) -> None:
        """Turn it on, which the file remembers; of two that do so at once each finds the file locked."""
        for _ in range(_BUSY_MS // _PAUSE_MS):
            try:
                async with aiosqlite.connect(self.path, isolation_level=None) as connection:
                    await connection.execute("PRAGMA journal_mode=WAL")
            except aiosqlite.OperationalError as error:
                if "locked" not in str(error):
                    raise Unavailable(f"{self.path} cannot be opened: {error}.") from error
                await asyncio.sleep(_PAUSE_MS / 1000)
            else:
                return
        raise Unavailable(f"{self.path} is in use: try again.")

    async def prepare(self) -> None:
        """Return at once: there is nothing beyond the schema."""

    async def note(self) -> str:
        """Return nothing: it never does."""
        return ""

    async def checkpoint(self) -> None:
        """Bring what other processes wrote back into the file, as far as nobody reads or writes it now."""
        async with aiosqlite.connect(self.path, isolation_level=None) as connection:
            await connection.execute("PRAGMA wal_checkpoint(PASSIVE)")

    async def settle(self) -> None:
        """Tell the planner what to expect; connections that planned before are closed."""
        async with self._readers.begin() as connection:
            if await planning.is_told(connection):
                return
        async with self._writer.begin() as connection:
            await planning.tell(connection)
        await self.close()

    async def close(self) -> None:
        """Close every connection."""
        await self._readers.dispose()
        await self._writer.dispose()


def fault_of_sharing() -> str:
    """Return what may happen where several processes write to a file with this library, if anything may."""
    if aiosqlite.sqlite_version_info >= _SOUND:
        return ""
    return (
        f"SQLite {aiosqlite.sqlite_version}, which Python brings, has a rare fault where a worker writes"
        f" beside the server; {'.'.join(map(str, _SOUND))} does not. Keep backups, or use PostgreSQL."
    )


def _engine(path: Path, begin: str, *pragmas: str, connections: int) -> AsyncEngine:
    """Return an engine whose transactions start with `begin`; without a pool for 0 connections."""
    url = URL.create("sqlite+aiosqlite", database=str(path))
    # The driver must not begin transactions on its own: it would begin them deferred, and not before DDL.
    arguments: dict[str, object] = {"isolation_level": None, "timeout": _BUSY_MS / 1000}
    if connections:
        engine = create_async_engine(
            url, connect_args=arguments, pool_size=connections, max_overflow=0, pool_timeout=_WAIT_S
        )
    else:
        engine = create_async_engine(url, connect_args=arguments, poolclass=NullPool)

    def on_connect(connection: DBAPIConnection, _: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for pragma in (
            f"PRAGMA busy_timeout={_BUSY_MS}",
            "PRAGMA synchronous=FULL",
            "PRAGMA foreign_keys=ON",
            *pragmas,
        ):
            cursor.execute(pragma)
        cursor.close()

    def on_begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    def on_invalidate(connection: DBAPIConnection, *_: object) -> None:
        # Closing is not enough: a statement that somebody stopped waiting for would keep the file locked.
        connection.rollback()

    event.listen(engine.sync_engine, "connect", on_connect)
    event.listen(engine.sync_engine, "begin", on_begin)
    event.listen(engine.sync_engine, "invalidate", on_invalidate)
    return engine
