"""Webhooks of one tenant, in SQL: whom it tells, what it told, and what became of each delivery."""

from collections.abc import Sequence

from sqlalchemy import RowMapping, and_, delete, select, update

from bylaw.core.ids import TenantId, WorkspaceId
from bylaw.core.paging import Page, Slice
from bylaw.notify.model import Delivery, DeliveryId, Notice, NoticeId, Webhook, WebhookId
from bylaw.notify.store import DeliveryFilter
from bylaw.storage.refusals import require_own
from bylaw.storage.rows import from_row, to_row
from bylaw.storage.sql.kinds import Kind
from bylaw.storage.sql.lists import Condition, Listing, equals, one_of
from bylaw.storage.sql.session import Session
from bylaw.storage.sql.webhook_tables import deliveries, notices, webhooks

_W, _N, _D = webhooks.c, notices.c, deliveries.c
_BATCH = 500  # rows of one statement


class SqlWebhooks(Kind[WebhookId, Webhook]):
    """The webhooks of one tenant."""

    table = webhooks
    kind = Webhook
    noun = "webhook"
    unsaved = frozenset({"failing_since_ms"})

    async def list(self, part: Slice, *, only: frozenset[WorkspaceId] | None = None) -> Page[Webhook]:
        """Return a page of those that are not deleted, of these workspaces if given."""
        return await self._page(part, _W.deleted_ms.is_(None), *one_of(_W.workspace_id, only))

    async def listening(self) -> Sequence[Webhook]:
        """Return every one that is not deleted, oldest first."""
        wanted = select(webhooks).where(self._own(_W.deleted_ms.is_(None)))
        return [self._read(row) for row in await self._session.rows(wanted.order_by(_W.created_ms, _W.id))]

    async def mark(self, ident: WebhookId, *, failing_since_ms: int | None) -> None:
        """Note since when deliveries fail, or that they do not; changes no revision."""
        this = self._own(_W.id == ident)
        await self._session.change(update(webhooks).where(this).values(failing_since_ms=failing_since_ms))


class SqlNotices:
    """What was told in one tenant."""

    def __init__(self, session: Session, tenant_id: TenantId) -> None:
        self._session = session
        self._tenant_id = tenant_id

    async def add(self, told: Sequence[Notice], /) -> Sequence[Notice]:
        """Store those that are not there yet, and return them."""
        fresh: list[Notice] = []
        for start in range(0, len(told), _BATCH):
            batch = {each.id: each for each in told[start : start + _BATCH]}
            for each in batch.values():
                require_own(each, self._tenant_id)
            known = select(_N.id).where(self._own(_N.id.in_(list(batch))))
            held = {row["id"] for row in await self._session.rows(known)}
            new = [each for each in batch.values() if each.id not in held]
            await self._session.insert_new(notices, *map(to_row, new))
            fresh += new
        return fresh

    async def get(self, ident: NoticeId) -> Notice | None:
        """Return the notice or None."""
        row = await self._session.row(select(notices).where(self._own(_N.id == ident)))
        return None if row is None else from_row(Notice, row)

    async def since(self, at_ms: int, part: Slice) -> Page[Notice]:
        """Return a page of what happened at that moment or later."""
        wanted = select(notices).where(self._own(_N.created_ms >= at_ms))
        return await Listing(wanted, _N.created_ms, _N.id).page(
            self._session, part, read=_notice, key=lambda item: (item.created_ms, item.id)
        )

    async def forget(self, *, before_ms: int, limit: int) -> int:
        """Forget up to `limit` that are older, with their deliveries; return how many it were."""
        old = select(_N.id).where(self._own(_N.created_ms < before_ms)).limit(limit)
        idents = [row["id"] for row in await self._session.rows(old)]
        if idents:
            theirs = and_(_D.tenant_id == self._tenant_id, _D.notice_id.in_(idents))
            await self._session.change(delete(deliveries).where(theirs))
            await self._session.change(delete(notices).where(self._own(_N.id.in_(idents))))
        return len(idents)

    def _own(self, *where: Condition) -> Condition:
        return and_(_N.tenant_id == self._tenant_id, *where)


class SqlDeliveries(Kind[DeliveryId, Delivery]):
    """The deliveries of one tenant."""

    table = deliveries
    kind = Delivery
    noun = "delivery"

    async def list(self, where: DeliveryFilter, part: Slice) -> Page[Delivery]:
        """Return a page of those that match."""
        conditions = [
            _D.webhook_id == where.webhook_id,
            *equals(_D.status, where.status),
            *equals(_D.type, where.type),
            *equals(_D.notice_id, where.notice_id),
        ]
        if where.since_ms is not None:
            conditions.append(_D.created_ms >= where.since_ms)
        return await self._page(part, *conditions)


class SqlNotify:
    """All that one tenant tells others."""

    def __init__(self, session: Session, tenant_id: TenantId) -> None:
        self.webhooks = SqlWebhooks(session, tenant_id)
        self.notices = SqlNotices(session, tenant_id)
        self.deliveries = SqlDeliveries(session, tenant_id)


def _notice(row: RowMapping) -> Notice:
    return from_row(Notice, row)
