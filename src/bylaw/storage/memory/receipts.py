"""The receipts plane in memory: for tests, demonstrations and the floor of measurements. Nothing survives."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence

from bylaw.core.errors import NotFound
from bylaw.core.ids import ReceiptId, TenantId
from bylaw.core.paging import Page, Slice
from bylaw.receipts.append import Appender, Leaf
from bylaw.receipts.log import TILE_HEIGHT, TILE_WIDTH, Frontier, Tile
from bylaw.receipts.ports import (
    Part,
    PendingEntry,
    ReceiptQuery,
    Recorded,
    Repeated,
    StoredCheckpoint,
    StoredEffect,
    StoredReceipt,
)
from bylaw.receipts.signing import Signer
from bylaw.storage.group_commit import GroupCommit
from bylaw.storage.paging import BY_TIME, page_of, start_of
from bylaw.storage.receipt_rows import Key, key_of, plan


class MemoryRows:
    """What one log has recorded, and the writer of it."""

    def __init__(self, origin: str, signer: Signer) -> None:
        self.origin = origin
        self.leaves: list[Leaf] = []
        self.at: dict[ReceiptId, int] = {}
        self.parts: dict[int, dict[str, Part]] = {}
        self.effects: list[StoredEffect] = []
        self.keys: dict[Key, Repeated] = {}
        self.nodes: dict[int, list[bytes]] = {}
        self.checkpoints: list[StoredCheckpoint] = []
        self._appender = Appender(origin, Frontier(), signer)

    async def write(self, entries: Sequence[PendingEntry]) -> Sequence[Recorded | Repeated]:
        """Record `entries`; return what became of each, in order."""
        ids = {entry.id: Repeated(id=entry.id, digest="") for entry in entries if entry.id in self.at}
        planned = plan(entries, self.keys, ids)
        if not planned.fresh:
            return planned.fates(None)
        batch = self._appender.stage(planned.fresh)
        for leaf in batch.leaves:
            self._add(leaf)
        for node in batch.nodes:
            self.nodes.setdefault(node.level, []).append(node.hash)
        self.checkpoints.append(batch.checkpoint)
        self._appender.commit()
        return planned.fates(batch)

    async def recover(self) -> None:
        """Do nothing: what is here is what was recorded."""

    async def try_out(self) -> None:
        """Do nothing: there is no disk to be full."""

    def rotate(self, signer: Signer) -> None:
        """Sign with `signer` from the next batch on; its checkpoint carries both signatures."""
        self._appender.rotate(signer)

    async def close(self) -> None:
        """Do nothing: the rows can still be read."""

    def receipt(self, leaf: Leaf) -> StoredReceipt:
        """Return `leaf` as it is read."""
        entry = leaf.entry
        return StoredReceipt(
            id=entry.id,
            tenant=entry.tenant,
            receipt=entry.receipt,
            signature=entry.signature,
            origin=self.origin,
            index=leaf.index,
        )

    def _add(self, leaf: Leaf) -> None:
        entry, key = leaf.entry, key_of(leaf.entry)
        self.leaves.append(leaf)
        self.at[entry.id] = leaf.index
        self.parts[leaf.index] = {part.name: part for part in entry.parts}
        for effect in entry.effects:
            position = len(self.effects) + 1
            self.effects.append(
                StoredEffect(
                    origin=self.origin,
                    position=position,
                    receipt=entry.id,
                    tenant=entry.tenant,
                    effect=effect,
                )
            )
        if key is not None and entry.idempotency is not None:
            self.keys[key] = Repeated(id=entry.id, digest=entry.idempotency.digest)


class MemoryReceipts:
    """The receipts of one tenant."""

    def __init__(self, rows: MemoryRows, tenant: TenantId) -> None:
        self._rows = rows
        self._tenant = tenant

    async def get(self, ident: ReceiptId) -> StoredReceipt:
        """Return the receipt. Raises: NotFound."""
        return self._rows.receipt(self._leaf(ident))

    async def list(self, query: ReceiptQuery, part: Slice) -> Page[StoredReceipt]:
        """Return a page of receipts, newest first. Raises: InvalidInput for a foreign cursor."""
        after = start_of(part, *BY_TIME)
        matching = [leaf for leaf in self._rows.leaves if self._matches(leaf.entry, query)]
        rest = sorted(
            (leaf for leaf in matching if after is None or _moment(leaf) < after), key=_moment, reverse=True
        )
        offset = part.offset if part.cursor is None else 0
        page = page_of(rest[offset:], part, _moment, total=len(matching) if part.total else None)
        items = tuple(map(self._rows.receipt, page.items))
        return Page(items=items, next_cursor=page.next_cursor, total=page.total)

    async def outcomes(
        self, *, since_ms: int, until_ms: int, bucket_ms: int
    ) -> Mapping[int, Mapping[str, int]]:
        """Return how many decisions came out how in each bucket, by its start and by outcome."""
        query = ReceiptQuery(kind="decision", since_ms=since_ms, until_ms=until_ms)
        found: defaultdict[int, Counter[str]] = defaultdict(Counter)
        for leaf in self._rows.leaves:
            entry = leaf.entry
            if entry.outcome is not None and self._matches(entry, query):
                found[entry.issued_ms // bucket_ms * bucket_ms][entry.outcome] += 1
        return found

    async def parts(self, ident: ReceiptId) -> Sequence[Part]:
        """Return the body parts that are still there. Raises: NotFound when the receipt is not."""
        there = self._rows.parts[self._leaf(ident).index]
        return [there[name] for name in sorted(there)]

    async def erase(self, ident: ReceiptId, names: Collection[str] | None = None) -> Sequence[str]:
        """Erase body parts with their salts; return the names of those that were there. Raises: NotFound."""
        there = self._rows.parts[self._leaf(ident).index]
        erased = sorted(name for name in there if names is None or name in names)
        for name in erased:
            del there[name]
        return erased

    async def repeated(self, scope: str, key: str) -> Repeated | None:
        """Return the durable entry with this idempotency scope and key, or None."""
        return self._rows.keys.get((self._tenant, scope, key))

    def _leaf(self, ident: ReceiptId) -> Leaf:
        index = self._rows.at.get(ident)
        if index is None or self._rows.leaves[index].entry.tenant != self._tenant:
            raise NotFound("receipt", ident)
        return self._rows.leaves[index]

    def _matches(self, entry: PendingEntry, query: ReceiptQuery) -> bool:
        return (
            entry.tenant == self._tenant
            and query.kind in {None, entry.kind}
            and query.agent in {None, entry.agent}
            and query.outcome in {None, entry.outcome}
            and query.outcome_of in {None, entry.outcome_of}
            and (query.policy is None or query.policy in entry.policies)
            and (query.since_ms is None or query.since_ms <= entry.issued_ms)
            and (query.until_ms is None or entry.issued_ms < query.until_ms)
        )


class MemoryLogs:
    """The one log of this store; any other is empty."""

    def __init__(self, rows: MemoryRows) -> None:
        self._rows = rows

    async def find(self, ident: ReceiptId) -> StoredReceipt:
        """Return a receipt of any tenant, for verification by id. Raises: NotFound."""
        index = self._rows.at.get(ident)
        if index is None:
            raise NotFound("receipt", ident)
        return self._rows.receipt(self._rows.leaves[index])

    async def latest(self) -> Sequence[StoredCheckpoint]:
        """Return the latest checkpoint of the log, if it has one."""
        return self._rows.checkpoints[-1:]

    async def checkpoint(self, origin: str, *, covering: int) -> StoredCheckpoint:
        """Return the latest checkpoint of `origin`, if its tree holds leaf `covering`. Raises: NotFound."""
        for found in self._rows.checkpoints[-1:]:
            if found.origin == origin and found.size > covering:
                return found
        raise NotFound("checkpoint", f"{origin}/{covering}")

    async def checkpoints(self, origin: str, *, above: int, limit: int) -> Sequence[StoredCheckpoint]:
        """Return up to `limit` checkpoints with a size greater than `above`, smallest first."""
        held = self._rows.checkpoints if origin == self._rows.origin else []
        return [found for found in held if found.size > above][:limit]

    async def tiles(self, origin: str, wanted: Collection[Tile], *, size: int) -> Mapping[Tile, bytes]:
        """Return the stored hashes of each wanted tile, joined: what the first `size` leaves fill of it."""
        return {tile: self._tile(tile, size) if origin == self._rows.origin else b"" for tile in wanted}

    async def key_entries(self) -> Sequence[StoredReceipt]:
        """Return every entry of kind `key`, in the order of the log."""
        return [self._rows.receipt(leaf) for leaf in self._rows.leaves if leaf.entry.kind == "key"]

    async def leaves(self, origin: str, *, start: int, limit: int) -> Sequence[StoredReceipt]:
        """Return up to `limit` receipts from leaf `start` on, in the order of the log."""
        held = self._rows.leaves if origin == self._rows.origin else []
        return [self._rows.receipt(leaf) for leaf in held[start : start + limit]]

    def _tile(self, tile: Tile, size: int) -> bytes:
        low = tile.index * TILE_WIDTH
        high = min(low + TILE_WIDTH, size >> (tile.level * TILE_HEIGHT))
        if tile.level == 0:
            return b"".join(leaf.hash for leaf in self._rows.leaves[low:high])
        return b"".join(self._rows.nodes.get(tile.level, [])[low:high])


class MemoryEffects:
    """The effects of the one log."""

    def __init__(self, rows: MemoryRows) -> None:
        self._rows = rows

    async def ends(self) -> Mapping[str, int]:
        """Return the position of the latest effect of the log, if it has any."""
        return {self._rows.origin: len(self._rows.effects)} if self._rows.effects else {}

    async def after(self, origin: str, position: int, *, limit: int) -> Sequence[StoredEffect]:
        """Return up to `limit` effects of `origin` after `position`, in the order of the log."""
        return self._rows.effects[position : position + limit] if origin == self._rows.origin else ()


class MemoryLedger:
    """The receipts plane of one process, gone with it."""

    def __init__(self, *, origin: str, signer: Signer) -> None:
        self._rows = MemoryRows(origin, signer)
        self.log = GroupCommit(self._rows)
        self.logs = MemoryLogs(self._rows)
        self.effects = MemoryEffects(self._rows)

    def of(self, tenant: TenantId) -> MemoryReceipts:
        """Return the receipts of `tenant`."""
        return MemoryReceipts(self._rows, tenant)

    async def probe(self) -> None:
        """Look at every table: there is none."""

    async def close(self) -> None:
        """Finish what was accepted."""
        await self.log.close()


def _moment(leaf: Leaf) -> tuple[int | str, ...]:
    return leaf.entry.issued_ms, leaf.entry.id
