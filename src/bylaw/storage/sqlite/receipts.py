"""The receipts plane in one file of a data directory, owned by one server process."""

from collections.abc import Collection, Mapping, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

from bylaw.core.errors import NotFound
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
from bylaw.storage.sqlite import receipts_queries as queries
from bylaw.storage.sqlite.private_file import make_private
from bylaw.storage.sqlite.receipts_lock import Ownership
from bylaw.storage.sqlite.receipts_schema import FILE, Opened, open_file, open_for_reading
from bylaw.storage.sqlite.receipts_writer import SqliteWriter


class SqliteReceipts:
    """The receipts of one tenant. Single rows are read on one connection, lists on another."""

    def __init__(self, ledger: "SqliteLedger", tenant: TenantId) -> None:
        self._ledger = ledger
        self._tenant = tenant

    async def get(self, ident: ReceiptId) -> StoredReceipt:
        """Return the receipt. Raises: NotFound."""
        found = await self._ledger.logs.find(ident)
        if found.tenant != self._tenant:
            raise NotFound("receipt", ident)
        return found

    async def list(self, query: ReceiptQuery, part: Slice) -> Page[StoredReceipt]:
        """Return a page of receipts, newest first. Raises: InvalidInput for a foreign cursor."""
        scope = (self._tenant, query)
        window = (start_of(part, *BY_TIME), part.limit + 1, part.offset if part.cursor is None else 0)
        scans = self._ledger.scans
        found = await scans.run(queries.listed, self._ledger.log.origin, scope, window)
        total = await scans.run(queries.count, scope) if part.total else None
        page = page_of(found, part, lambda item: (item[0], item[1].id), total=total)
        items = tuple(receipt for _, receipt in page.items)
        return Page(items=items, next_cursor=page.next_cursor, total=page.total)

    async def outcomes(
        self, *, since_ms: int, until_ms: int, bucket_ms: int
    ) -> Mapping[int, Mapping[str, int]]:
        """Return how many decisions came out how in each bucket, by its start and by outcome."""
        span = (since_ms, until_ms, bucket_ms)
        return await self._ledger.scans.run(queries.outcomes, self._tenant, span)

    async def parts(self, ident: ReceiptId) -> Sequence[Part]:
        """Return the body parts that are still there. Raises: NotFound when the receipt is not."""
        return await self._ledger.points.run(queries.parts, (await self.get(ident)).index)

    async def erase(self, ident: ReceiptId, names: Collection[str] | None = None) -> Sequence[str]:
        """Erase body parts with their salts; return the names of those that were there.

        Their bytes are overwritten in the file and cut from its write-ahead log before this returns; copies
        that a file system or a backup keeps are out of reach.
        Raises: NotFound when the receipt is not there; Unavailable when old pages are still being read.
        """
        leaf = (await self.get(ident)).index
        return await self._ledger.writer.erase(leaf, None if names is None else tuple(names))

    async def repeated(self, scope: str, key: str) -> Repeated | None:
        """Return the durable entry with this idempotency scope and key, or None."""
        return await self._ledger.points.run(queries.repeated, (self._tenant, scope, key))


class SqliteLogs:
    """The one log of the file; any other is empty."""

    def __init__(self, origin: str, points: Opened, scans: Opened) -> None:
        self._origin = origin
        self._points = points
        self._scans = scans

    async def find(self, ident: ReceiptId) -> StoredReceipt:
        """Return a receipt of any tenant, for verification by id. Raises: NotFound."""
        found = await self._points.run(queries.receipt, self._origin, ident)
        if found is None:
            raise NotFound("receipt", ident)
        return found

    async def latest(self) -> Sequence[StoredCheckpoint]:
        """Return the latest checkpoint of the log, if it has one."""
        found = await self._points.run(queries.latest, self._origin)
        return () if found is None else (found,)

    async def checkpoint(self, origin: str, *, covering: int) -> StoredCheckpoint:
        """Return the latest checkpoint of `origin`, if its tree holds leaf `covering`. Raises: NotFound."""
        for found in await self.latest():
            if found.origin == origin and found.size > covering:
                return found
        raise NotFound("checkpoint", f"{origin}/{covering}")

    async def checkpoints(self, origin: str, *, above: int, limit: int) -> Sequence[StoredCheckpoint]:
        """Return up to `limit` checkpoints with a size greater than `above`, smallest first."""
        if origin != self._origin:
            return ()
        return await self._scans.run(queries.checkpoints, origin, above, limit)

    async def tiles(self, origin: str, wanted: Collection[Tile], *, size: int) -> Mapping[Tile, bytes]:
        """Return the stored hashes of each wanted tile, joined: what the first `size` leaves fill of it."""
        if origin != self._origin:
            return dict.fromkeys(wanted, b"")
        return await self._points.run(queries.tiles, wanted, size)

    async def key_entries(self) -> Sequence[StoredReceipt]:
        """Return every entry of kind `key`, in the order of the log."""
        return await self._points.run(queries.key_entries, self._origin)

    async def leaves(self, origin: str, *, start: int, limit: int) -> Sequence[StoredReceipt]:
        """Return up to `limit` receipts from leaf `start` on, in the order of the log."""
        if origin != self._origin:
            return ()
        return await self._scans.run(queries.leaves, origin, start, limit)


class SqliteEffects:
    """The effects of the one log of the file."""

    def __init__(self, origin: str, points: Opened) -> None:
        self._origin = origin
        self._points = points

    async def ends(self) -> Mapping[str, int]:
        """Return the position of the latest effect of the log, if it has any."""
        last = await self._points.run(queries.last_effect)
        return {self._origin: last} if last else {}

    async def after(self, origin: str, position: int, *, limit: int) -> Sequence[StoredEffect]:
        """Return up to `limit` effects of `origin` after `position`, in the order of the log."""
        if origin != self._origin:
            return ()
        return await self._points.run(queries.effects, origin, position, limit)


class SqliteLedger:
    """The receipts plane of one process: the writer of the file, and two connections that read it."""

    def __init__(self, ownership: Ownership, writer: SqliteWriter, points: Opened, scans: Opened) -> None:
        self._ownership = ownership
        self.writer = writer
        self.points = points
        self.scans = scans
        self.log = GroupCommit(writer)
        self.logs = SqliteLogs(writer.origin, points, scans)
        self.effects = SqliteEffects(writer.origin, points)

    def of(self, tenant: TenantId) -> SqliteReceipts:
        """Return the receipts of `tenant`."""
        return SqliteReceipts(self, tenant)

    async def probe(self) -> None:
        """Look at every table. Raises: Unavailable or Corrupt when one cannot be read."""
        await self.points.run(queries.probe)

    async def close(self) -> None:
        """Finish what was accepted, close the connections, let another process take over."""
        await self.points.close()
        await self.scans.close()
        await self.log.close()
        self._ownership.release()


async def open_ledger(folder: Path, *, origin: str, signer: Signer, keys: KeySet) -> SqliteLedger:
    """Return the receipts plane in `folder`, its log resumed and checked, or begun under the name `origin`.

    Raises: Conflict when another process owns it, Corrupt when it is not what was written.
    """
    path = str(folder / FILE)
    async with AsyncExitStack() as undo:
        ownership = Ownership(folder)
        undo.callback(ownership.release)
        make_private(folder / FILE)
        connection = await open_file(path)
        undo.push_async_callback(connection.close)
        writer = SqliteWriter(connection, origin=origin, signer=signer, keys=keys)
        await writer.recover()
        first = await open_for_reading(path)
        undo.push_async_callback(first.close)
        second = await open_for_reading(path)
        undo.pop_all()
    return SqliteLedger(ownership, writer, first, second)
