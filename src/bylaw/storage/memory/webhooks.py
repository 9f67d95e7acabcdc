"""Webhooks of one tenant, in memory; the twin of `sql.webhooks`."""

from collections.abc import Sequence

from typing_extensions import override

from bylaw.core.ids import TenantId, WorkspaceId
from bylaw.core.paging import Page, Slice
from bylaw.notify.model import Delivery, DeliveryId, Notice, NoticeId, Webhook, WebhookId
from bylaw.notify.store import DeliveryFilter
from bylaw.storage.memory.heap import Heap
from bylaw.storage.memory.kinds import Kind, cut
from bylaw.storage.refusals import require_own, require_writing
from bylaw.storage.rows import from_row, to_row
from bylaw.storage.sql.webhook_tables import deliveries, notices, webhooks


class MemoryWebhooks(Kind[WebhookId, Webhook]):
    """The webhooks of one tenant."""

    table = webhooks
    kind = Webhook
    noun = "webhook"

    @override
    async def save(self, item: Webhook, /) -> None:
        """Store the next revision; `failing_since_ms` stays as it is. Raises: PreconditionFailed."""
        stored = self._heap.get(webhooks, self._tenant_id, item.id)
        await super().save(item)
        failing_since_ms = None if stored is None else stored["failing_since_ms"]
        self._heap.replace(webhooks, {**to_row(item), "failing_since_ms": failing_since_ms})

    async def list(self, part: Slice, *, only: frozenset[WorkspaceId] | None = None) -> Page[Webhook]:
        """Return a page of those that are not deleted, of these workspaces if given."""
        return self._page(
            part, lambda item: item.deleted_ms is None and (only is None or item.workspace_id in only)
        )

    async def listening(self) -> Sequence[Webhook]:
        """Return every one that is not deleted, oldest first."""
        found = [item for item in self._all() if item.deleted_ms is None]
        return sorted(found, key=lambda item: (item.created_ms, item.id))

    async def mark(self, ident: WebhookId, *, failing_since_ms: int | None) -> None:
        """Note since when deliveries fail, or that they do not; changes no revision."""
        require_writing(writes=self._heap.writes)
        row = self._heap.get(webhooks, self._tenant_id, ident)
        if row is not None:
            self._heap.replace(webhooks, {**row, "failing_since_ms": failing_since_ms})


class MemoryNotices:
    """What was told in one tenant."""

    def __init__(self, heap: Heap, tenant_id: TenantId) -> None:
        self._heap = heap
        self._tenant_id = tenant_id

    async def add(self, told: Sequence[Notice], /) -> Sequence[Notice]:
        """Store those that are not there yet, and return them."""
        for each in told:
            require_own(each, self._tenant_id)
        return [each for each in told if self._heap.insert_new(notices, to_row(each))]

    async def get(self, ident: NoticeId) -> Notice | None:
        """Return the notice or None."""
        row = self._heap.get(notices, self._tenant_id, ident)
        return None if row is None else from_row(Notice, row)

    async def since(self, at_ms: int, part: Slice) -> Page[Notice]:
        """Return a page of what happened at that moment or later."""
        found = [each for each in self._all() if each.created_ms >= at_ms]
        return cut(found, part, lambda item: (item.created_ms, item.id))

    async def forget(self, *, before_ms: int, limit: int) -> int:
        """Forget up to `limit` that are older, with their deliveries; return how many it were."""
        old = {each.id for each in [each for each in self._all() if each.created_ms < before_ms][:limit]}
        for row in list(self._heap.all(deliveries)):
            if row["tenant_id"] == self._tenant_id and row["notice_id"] in old:
                self._heap.remove(deliveries, row)
        for ident in old:
            self._heap.remove(notices, {"tenant_id": self._tenant_id, "id": ident})
        return len(old)

    def _all(self) -> Sequence[Notice]:
        rows = self._heap.all(notices)
        return [from_row(Notice, row) for row in rows if row["tenant_id"] == self._tenant_id]


class MemoryDeliveries(Kind[DeliveryId, Delivery]):
    """The deliveries of one tenant."""

    table = deliveries
    kind = Delivery
    noun = "delivery"

    async def add_all(self, items: Sequence[Delivery], /) -> None:
        """Store new ones. Raises: Conflict (`exists`) when a notice is on its way to that webhook already."""
        for item in items:
            await self.add(item)

    async def list(self, where: DeliveryFilter, part: Slice) -> Page[Delivery]:
        """Return a page of those that match."""
        return self._page(
            part,
            lambda item: (
                item.webhook_id == where.webhook_id
                and where.status in {None, item.status}
                and where.type in {None, item.type}
                and where.notice_id in {None, item.notice_id}
                and (where.since_ms is None or item.created_ms >= where.since_ms)
            ),
        )


class MemoryNotify:
    """All that one tenant tells others."""

    def __init__(self, heap: Heap, tenant_id: TenantId) -> None:
        self.webhooks = MemoryWebhooks(heap, tenant_id)
        self.notices = MemoryNotices(heap, tenant_id)
        self.deliveries = MemoryDeliveries(heap, tenant_id)
