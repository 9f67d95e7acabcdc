"""What a write leaves behind for others, in memory: counters, entries for the log, and kept answers."""

from collections.abc import Mapping, Sequence

from bylaw.core.canonical_json import Json
from bylaw.core.clock import Clock
from bylaw.core.errors import NotFound
from bylaw.core.ids import Ids, TenantId
from bylaw.storage.memory.heap import Heap
from bylaw.storage.refusals import require_writing, taken
from bylaw.storage.rows import from_row, reply_row, to_row
from bylaw.storage.sql import tables
from bylaw.tenancy.changes import Entry, KnownLog
from bylaw.tenancy.replies import Reply


def whole(value: object) -> int:
    """Return a stored number, 0 for none."""
    return value if isinstance(value, int) else 0


class MemoryChanges:
    """The change counter of one tenant."""

    def __init__(self, heap: Heap, tenant_id: TenantId) -> None:
        self._heap = heap
        self._tenant_id = tenant_id

    async def bump(self) -> int:
        """Raise the counter by one when the transaction commits and return its new value."""
        require_writing(writes=self._heap.writes)
        row = self._heap.get(tables.tenants, self._tenant_id)
        if row is None:
            raise NotFound("tenant", self._tenant_id)
        raised = whole(row["changes"]) + 1
        self._heap.replace(tables.tenants, {**row, "changes": raised})
        return raised


class MemoryOutbox:
    """Entries for the log of one tenant."""

    def __init__(self, heap: Heap, tenant_id: TenantId, *, ids: Ids, clock: Clock) -> None:
        self._heap = heap
        self._tenant_id = tenant_id
        self._ids = ids
        self._clock = clock

    async def add(self, kind: str, *payloads: Mapping[str, Json]) -> None:
        """Queue entries; each reaches the log once, after the commit and before the caller is answered."""
        rows = [row for row in self._heap.all(tables.outbox) if row["tenant_id"] == self._tenant_id]
        last = max((whole(each["position"]) for each in rows), default=0)
        for position, payload in enumerate(payloads, last + 1):
            row = {
                "tenant_id": self._tenant_id,
                "id": self._ids.uuid7(),
                "position": position,
                "kind": kind,
                "payload": payload,
                "created_ms": self._clock.now_ms(),
            }
            if not self._heap.insert_new(tables.outbox, row):
                raise taken("entry")


class MemoryQueue:
    """The queued entries of every tenant."""

    def __init__(self, heap: Heap) -> None:
        self._heap = heap

    async def pending(self, limit: int, *, tenant_id: TenantId | None = None) -> Sequence[Entry]:
        """Return up to `limit` entries, of one tenant or of all, each tenant's in their order."""
        rows = [row for row in self._heap.all(tables.outbox) if tenant_id in {None, row["tenant_id"]}]
        rows.sort(key=lambda row: (str(row["tenant_id"]), whole(row["position"])))
        return [from_row(Entry, row) for row in rows[:limit]]

    async def remove(self, entries: Sequence[Entry]) -> None:
        """Take out entries that the log holds; one that is gone already is passed over."""
        for entry in entries:
            self._heap.remove(tables.outbox, {"tenant_id": entry.tenant_id, "id": entry.id})


class MemoryReplies:
    """Answers kept for repeats, of one tenant or (for None) of the operator."""

    def __init__(self, heap: Heap, tenant_id: TenantId | None) -> None:
        self._heap = heap
        self._tenant_id = "" if tenant_id is None else tenant_id

    async def get(self, caller: str, key: str, *, since_ms: int) -> Reply | None:
        """Return the answer kept for this key at `since_ms` or later, or None; writing drops an older one."""
        row = self._heap.get(tables.replies, self._tenant_id, caller, key)
        if row is not None and whole(row["created_ms"]) < since_ms:
            if self._heap.writes:
                self._heap.remove(tables.replies, row)
            return None
        return None if row is None else from_row(Reply, row)

    async def add(self, reply: Reply) -> None:
        """Keep an answer in place of an older one that `get` no longer returns.

        Raises: Conflict (`exists`) when another transaction kept one for this key first.
        """
        if not self._heap.insert_new(tables.replies, {**reply_row(reply), "tenant_id": self._tenant_id}):
            raise taken("kept answer")


class MemoryProgress:
    """How far the effects of each log have been projected."""

    def __init__(self, heap: Heap) -> None:
        self._heap = heap

    async def positions(self) -> Mapping[str, int]:
        """Return the position of the last projected effect of each log, by its origin."""
        return {str(row["origin"]): whole(row["position"]) for row in self._heap.all(tables.progress)}

    async def advance(self, origin: str, position: int) -> None:
        """Set the position of one log where it is further on; one that is behind changes nothing."""
        if (await self.positions()).get(origin, -1) < position:
            self._heap.replace(tables.progress, {"origin": origin, "position": position})

    async def reset(self) -> None:
        """Forget every position, to project all effects again."""
        for row in list(self._heap.all(tables.progress)):
            self._heap.remove(tables.progress, row)


class MemoryKnownLogs:
    """How far each log was when it was last seen."""

    def __init__(self, heap: Heap) -> None:
        self._heap = heap

    async def all(self) -> Sequence[KnownLog]:
        """Return what is known of each log."""
        return [from_row(KnownLog, row) for row in self._heap.all(tables.known_logs)]

    async def keep(self, seen: KnownLog) -> None:
        """Know a log as it was seen, unless it is known with as many leaves."""
        known = self._heap.get(tables.known_logs, seen.origin)
        if known is None or whole(known["size"]) < seen.size:
            self._heap.replace(tables.known_logs, to_row(seen))

    async def reset(self) -> None:
        """Forget every log, to know them as they are."""
        for row in list(self._heap.all(tables.known_logs)):
            self._heap.remove(tables.known_logs, row)
