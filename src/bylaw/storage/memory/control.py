"""The control plane in memory: transactions of tenants and of the operator, one writer at a time."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager

from bylaw.core.clock import DAY_MS, HOUR_MS, Clock
from bylaw.core.ids import Ids, KeyId, TenantId
from bylaw.core.paging import Page, Slice
from bylaw.storage.memory.backlog import MemoryBacklog
from bylaw.storage.memory.changes import (
    MemoryChanges,
    MemoryKnownLogs,
    MemoryOutbox,
    MemoryProgress,
    MemoryQueue,
    MemoryReplies,
    whole,
)
from bylaw.storage.memory.conversations import MemoryConversations
from bylaw.storage.memory.corrections import MemoryCorrections
from bylaw.storage.memory.events import MemoryEvents
from bylaw.storage.memory.heap import Contents, Heap
from bylaw.storage.memory.inbox import MemoryRemarks
from bylaw.storage.memory.jobs import MemoryJobs
from bylaw.storage.memory.kinds import cut
from bylaw.storage.memory.learning import MemoryLearning
from bylaw.storage.memory.policies import MemoryPolicies
from bylaw.storage.memory.review import MemoryApprovals, MemoryReview
from bylaw.storage.memory.sign_ins import MemorySignIns
from bylaw.storage.memory.tenancy import MemoryDirectory
from bylaw.storage.memory.vectors import MemoryVectors
from bylaw.storage.memory.webhooks import MemoryNotify
from bylaw.storage.refusals import require_tenant_id, taken
from bylaw.storage.rows import from_row, to_row
from bylaw.storage.sql import tables
from bylaw.tenancy.model import ApiKey, Tenant, User


class MemoryUnit:
    """All that one tenant holds, inside one transaction."""

    def __init__(self, heap: Heap, tenant_id: TenantId, *, ids: Ids, clock: Clock) -> None:
        self.tenant_id = tenant_id
        self.tenancy = MemoryDirectory(heap, tenant_id)
        self.policies = MemoryPolicies(heap, tenant_id)
        self.vectors = MemoryVectors(heap, tenant_id)
        self.corrections = MemoryCorrections(heap, tenant_id)
        self.review = MemoryReview(heap, tenant_id)
        self.approvals = MemoryApprovals(heap, tenant_id)
        self.remarks = MemoryRemarks(heap, tenant_id)
        self.conversations = MemoryConversations(heap, tenant_id)
        self.learning = MemoryLearning(heap, tenant_id)
        self.events = MemoryEvents(heap, tenant_id)
        self.notify = MemoryNotify(heap, tenant_id)
        self.changes = MemoryChanges(heap, tenant_id)
        self.outbox = MemoryOutbox(heap, tenant_id, ids=ids, clock=clock)
        self.jobs = MemoryJobs(heap, tenant_id, ids=ids, clock=clock)
        self.replies = MemoryReplies(heap, tenant_id)


class MemorySystemUnit:
    """One transaction of the operator: the only view that spans tenants."""

    def __init__(self, heap: Heap, *, ids: Ids, clock: Clock) -> None:
        self._heap = heap
        self._ids = ids
        self._clock = clock
        self.replies = MemoryReplies(heap, None)
        self.queue = MemoryQueue(heap)
        self.progress = MemoryProgress(heap)
        self.known_logs = MemoryKnownLogs(heap)
        self.backlog = MemoryBacklog(heap)
        self.sign_ins = MemorySignIns(heap)

    async def drop_replies(self, *, before_ms: int, limit: int) -> int:
        """Forget up to `limit` kept answers, of anybody, that are older; return how many it were."""
        rows = self._heap.all(tables.replies)
        old = [row for row in rows if whole(row["created_ms"]) < before_ms][:limit]
        for row in old:
            self._heap.remove(tables.replies, row)
        return len(old)

    async def untallied(self, *, before_ms: int, limit: int) -> Sequence[tuple[TenantId, int]]:
        """Return up to `limit` days, each of a tenant, with outdated hours that were over at `before_ms`."""
        rows = [(row["tenant_id"], whole(row["hour_ms"])) for row in self._heap.all(tables.untallied)]
        days = {
            (TenantId(str(owner)), hour - hour % DAY_MS)
            for owner, hour in rows
            if hour + HOUR_MS <= before_ms
        }
        return sorted(days)[:limit]

    async def probe(self) -> None:
        """Look at every table: there is none."""

    def of(self, tenant_id: TenantId) -> MemoryUnit:
        """Return what a tenant holds, inside this transaction."""
        return MemoryUnit(self._heap, tenant_id, ids=self._ids, clock=self._clock)

    async def tenant(self, tenant_id: TenantId) -> Tenant | None:
        """Return the tenant or None."""
        row = self._heap.get(tables.tenants, tenant_id)
        return None if row is None else from_row(Tenant, row)

    async def add_tenant(self, tenant: Tenant) -> None:
        """Store a new tenant with a change counter of 0. Raises: Conflict (`exists`)."""
        require_tenant_id(tenant.id)
        if not self._heap.insert_new(tables.tenants, {**to_row(tenant), "changes": 0}):
            raise taken("tenant")

    async def tenants(self, part: Slice) -> Page[Tenant]:
        """Return a page of the tenants, newest first."""
        found = [from_row(Tenant, row) for row in self._heap.all(tables.tenants)]
        return cut(found, part, lambda tenant: (tenant.created_ms, tenant.id))

    async def keys(self, tenant_id: TenantId | None = None) -> Sequence[tuple[ApiKey, User | None]]:
        """Return every unrevoked key, of one tenant or of all, with the user for whom it speaks."""
        keys = [from_row(ApiKey, row) for row in self._heap.all(tables.keys) if row["revoked_ms"] is None]
        return [(key, self._user(key)) for key in keys if tenant_id in {None, key.tenant_id}]

    def _user(self, key: ApiKey) -> User | None:
        row = None if key.user_id is None else self._heap.get(tables.users, key.tenant_id, key.user_id)
        return None if row is None else from_row(User, row)

    async def touch_keys(self, used: Mapping[tuple[TenantId, KeyId], int]) -> None:
        """Set `last_used_ms` of these keys where it is earlier; changes no revision and no counter."""
        for (tenant_id, key_id), at_ms in used.items():
            row = self._heap.get(tables.keys, tenant_id, key_id)
            if row is not None and (row["last_used_ms"] is None or whole(row["last_used_ms"]) < at_ms):
                self._heap.replace(tables.keys, {**row, "last_used_ms": at_ms})

    async def counters(self) -> Mapping[TenantId, int]:
        """Return the change counter of every tenant."""
        rows = self._heap.all(tables.tenants)
        return {TenantId(str(row["id"])): whole(row["changes"]) for row in rows}


class MemoryControlStore:
    """Everything but receipts, in transactions; what it holds is gone when it is."""

    def __init__(self, *, ids: Ids, clock: Clock) -> None:
        self._ids = ids
        self._clock = clock
        self.contents: Contents = {}
        self._writing = asyncio.Lock()

    @asynccontextmanager
    async def begin(self, tenant_id: TenantId, *, writes: bool = True) -> AsyncIterator[MemoryUnit]:
        """Open the transaction of one tenant."""
        async with self._transaction(writes=writes) as heap:
            yield MemoryUnit(heap, tenant_id, ids=self._ids, clock=self._clock)

    @asynccontextmanager
    async def system(self, *, writes: bool = True) -> AsyncIterator[MemorySystemUnit]:
        """Open the transaction of the operator."""
        async with self._transaction(writes=writes) as heap:
            yield MemorySystemUnit(heap, ids=self._ids, clock=self._clock)

    def when_enqueued(self, tell: Callable[[], None]) -> None:
        """Tell nobody: no other process sees what is here."""

    async def checkpoint(self) -> None:
        """Return at once: there is no file."""

    async def close(self) -> None:
        """Return at once: there is nothing to let go of."""

    @asynccontextmanager
    async def _transaction(self, *, writes: bool) -> AsyncIterator[Heap]:
        if not writes:
            heap = Heap(self.contents, writes=False)
            yield heap
            heap.merged()
            return
        async with self._writing:
            heap = Heap(self.contents, writes=True)
            yield heap
            self.contents = heap.merged()
