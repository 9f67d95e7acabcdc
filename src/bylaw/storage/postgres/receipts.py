"""The receipts plane in a PostgreSQL database: each process writes a log of its own, all read all logs."""

from collections.abc import AsyncIterator, Callable, Collection, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg

from bylaw.core.errors import NotFound, Unavailable
from bylaw.core.ids import ReceiptId, TenantId
from bylaw.core.paging import Page, Slice
from bylaw.receipts.log import Tile
from bylaw.receipts.ports import (
    Part,
    ReceiptQuery,
    Repeated,
    StoredCheckpoint,
    StoredEffect,
    StoredReceipt,
)
from bylaw.receipts.signing import KeySet, Signer
from bylaw.storage.group_commit import GroupCommit
from bylaw.storage.paging import BY_TIME, page_of, start_of
from bylaw.storage.postgres import receipts_queries as queries
from bylaw.storage.postgres.receipts_schema import make_tables, serving_role
from bylaw.storage.postgres.receipts_writer import PostgresWriter

READERS = 4

_ENTER = (
    "SELECT set_config('bylaw.tenant', $1, true), set_config('bylaw.system', $2, true),"
    " CASE WHEN $3 <> '' THEN set_config('role', $3, true) END"
)
_AWAY = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.OperatorInterventionError,
    asyncpg.InsufficientResourcesError,
    asyncpg.ObjectNotInPrerequisiteStateError,  # a database that lets nobody in
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # told that the session ends, and not yet that it has ended
)


class Readers:
    """Sessions that read, behind the wall: for one tenant, or for the operator."""

    def __init__(self, pool: asyncpg.Pool, role: str) -> None:
        self._pool = pool
        self._role = role

    @asynccontextmanager
    async def begin(self, tenant: TenantId | None) -> AsyncIterator[asyncpg.Connection]:
        """Open a transaction that sees the rows of `tenant`, or all of them for None. Raises: Unavailable."""
        try:
            async with self._pool.acquire() as connection, connection.transaction():
                await connection.execute(_ENTER, tenant or "", "on" if tenant is None else "off", self._role)
                yield connection
        except _AWAY as error:
            raise Unavailable("The receipts cannot be read now: try again.") from error
        except asyncpg.SyntaxOrAccessError as error:
            raise Unavailable(f"The receipts cannot be read: {error}.") from error

    async def close(self) -> None:
        """Close every session."""
        await self._pool.close()


class PostgresReceipts:
    """The receipts of one tenant, in the logs of all processes."""

    def __init__(self, readers: Readers, tenant: TenantId) -> None:
        self._readers = readers
        self._tenant = tenant

    async def get(self, ident: ReceiptId) -> StoredReceipt:
        """Return the receipt. Raises: NotFound."""
        async with self._readers.begin(self._tenant) as db:
            found = await queries.receipt(db, ident)
        if found is None or found.tenant != self._tenant:
            raise NotFound("receipt", ident)
        return found

    async def list(self, query: ReceiptQuery, part: Slice) -> Page[StoredReceipt]:
        """Return a page of receipts, newest first. Raises: InvalidInput for a foreign cursor."""
        scope = (self._tenant, query)
        window = (start_of(part, *BY_TIME), part.limit + 1, part.offset if part.cursor is None else 0)
        async with self._readers.begin(self._tenant) as db:
            found = await queries.listed(db, scope, window)
            total = await queries.count(db, scope) if part.total else None
        page = page_of(found, part, lambda item: (item[0], item[1].id), total=total)
        items = tuple(receipt for _, receipt in page.items)
        return Page(items=items, next_cursor=page.next_cursor, total=page.total)

    async def outcomes(
        self, *, since_ms: int, until_ms: int, bucket_ms: int
    ) -> Mapping[int, Mapping[str, int]]:
        """Return how many decisions came out how in each bucket, by its start and by outcome."""
        async with self._readers.begin(self._tenant) as db:
            return await queries.outcomes(db, self._tenant, (since_ms, until_ms, bucket_ms))

    async def parts(self, ident: ReceiptId) -> Sequence[Part]:
        """Return the body parts that are still there. Raises: NotFound when the receipt is not."""
        await self.get(ident)
        async with self._readers.begin(self._tenant) as db:
            return await queries.parts(db, ident)

    async def erase(self, ident: ReceiptId, names: Collection[str] | None = None) -> Sequence[str]:
        """Erase body parts with their salts; return the names of those that were there.

        No query finds them from then on. Their bytes leave the table's file when it is vacuumed and the page
        used again; write-ahead logs and backups keep theirs for as long as the database keeps those.
        Raises: NotFound when the receipt is not there.
        """
        await self.get(ident)
        async with self._readers.begin(self._tenant) as db:
            return await queries.erase(db, ident, None if names is None else tuple(names))

    async def repeated(self, scope: str, key: str) -> Repeated | None:
        """Return the durable entry with this idempotency scope and key, or None."""
        claimed = (self._tenant, scope, key)
        async with self._readers.begin(self._tenant) as db:
            return (await queries.repeated(db, [claimed])).get(claimed)


class PostgresLogs:
    """The logs of all processes."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    async def find(self, ident: ReceiptId) -> StoredReceipt:
        """Return a receipt of any tenant, for verification by id. Raises: NotFound."""
        async with self._readers.begin(None) as db:
            found = await queries.receipt(db, ident)
        if found is None:
            raise NotFound("receipt", ident)
        return found

    async def latest(self) -> Sequence[StoredCheckpoint]:
        """Return the latest checkpoint of each log, sorted by origin."""
        async with self._readers.begin(None) as db:
            return await queries.latest(db)

    async def checkpoint(self, origin: str, *, covering: int) -> StoredCheckpoint:
        """Return the latest checkpoint of `origin`, if its tree holds leaf `covering`. Raises: NotFound."""
        async with self._readers.begin(None) as db:
            found = await queries.checkpoint(db, origin, covering)
        if found is None:
            raise NotFound("checkpoint", f"{origin}/{covering}")
        return found

    async def checkpoints(self, origin: str, *, above: int, limit: int) -> Sequence[StoredCheckpoint]:
        """Return up to `limit` checkpoints with a size greater than `above`, smallest first."""
        async with self._readers.begin(None) as db:
            return await queries.checkpoints(db, origin, above, limit)

    async def tiles(self, origin: str, wanted: Collection[Tile], *, size: int) -> Mapping[Tile, bytes]:
        """Return the stored hashes of each wanted tile, joined: what the first `size` leaves fill of it."""
        async with self._readers.begin(None) as db:
            number = await queries.log_number(db, origin)
            return (
                dict.fromkeys(wanted, b"")
                if number is None
                else await queries.tiles(db, number, wanted, size)
            )

    async def key_entries(self) -> Sequence[StoredReceipt]:
        """Return every entry of kind `key` of every log, each log in its own order."""
        async with self._readers.begin(None) as db:
            return await queries.key_entries(db)

    async def leaves(self, origin: str, *, start: int, limit: int) -> Sequence[StoredReceipt]:
        """Return up to `limit` receipts from leaf `start` on, in the order of the log."""
        async with self._readers.begin(None) as db:
            number = await queries.log_number(db, origin)
            return () if number is None else await queries.leaves(db, number, start, limit)


class PostgresEffects:
    """The effects of the logs of all processes."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    async def ends(self) -> Mapping[str, int]:
        """Return the position of the latest effect of each log that has any."""
        async with self._readers.begin(None) as db:
            return await queries.last_effects(db)

    async def after(self, origin: str, position: int, *, limit: int) -> Sequence[StoredEffect]:
        """Return up to `limit` effects of `origin` after `position`, in the order of the log."""
        async with self._readers.begin(None) as db:
            return await queries.effects(db, origin, position, limit)


class PostgresLedger:
    """The receipts plane of one process: the session that writes its log, and a pool that reads."""

    def __init__(self, writer: PostgresWriter, readers: Readers) -> None:
        self._readers = readers
        self.log = GroupCommit(writer)
        self.logs = PostgresLogs(readers)
        self.effects = PostgresEffects(readers)
        writer.on_lost = self.log.restore

    def of(self, tenant: TenantId) -> PostgresReceipts:
        """Return the receipts of `tenant`."""
        return PostgresReceipts(self._readers, tenant)

    async def probe(self) -> None:
        """Look at every table. Raises: Unavailable or Corrupt when one cannot be read."""
        async with self._readers.begin(None) as db:
            await queries.probe(db)

    async def close(self) -> None:
        """Finish what was accepted, let another process claim the log, close the sessions."""
        await self.log.close()
        await self._readers.close()


async def open_ledger(
    url: str, *, origin: Callable[[int], str], signer: Signer, keys: KeySet, owner_url: str = ""
) -> PostgresLedger:
    """Return the receipts plane at `url`, holding a log; `owner_url` logs in the owner of the tables.

    `origin` names log number n: it is called when every known log is held by another process.
    Raises: Corrupt when the log is not what was written, Forbidden when nothing would keep the tenants apart.
    """
    url, owner_url = _plain(url), _plain(owner_url)
    await make_tables(owner_url or url)
    writer = PostgresWriter(url, origin=origin, signer=signer, keys=keys)
    pool = await asyncpg.create_pool(url, min_size=0, max_size=READERS)
    async with AsyncExitStack() as undo:
        undo.push_async_callback(pool.close)
        undo.push_async_callback(writer.close)
        async with pool.acquire() as connection:
            role = await serving_role(connection)
        await writer.recover()
        undo.pop_all()
    return PostgresLedger(writer, Readers(pool, role))


def _plain(url: str) -> str:
    return url.replace("postgresql+asyncpg://", "postgresql://", 1)
