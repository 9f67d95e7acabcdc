"""What people changed in one tenant, in SQL, and what each reader has read of it."""

from collections.abc import Collection, Sequence

from sqlalchemy import RowMapping, and_, delete, func, or_, select

from bylaw.core.ids import TenantId
from bylaw.core.paging import Page, Slice
from bylaw.review.events import Event, EventFilter, SeenEvent
from bylaw.storage.rows import from_row, to_row
from bylaw.storage.sql import tables
from bylaw.storage.sql.lists import Condition, Listing, equals, one_of
from bylaw.storage.sql.session import Session

_E, _R = tables.events.c, tables.event_reads.c


class SqlEvents:
    """The events of one tenant."""

    def __init__(self, session: Session, tenant_id: TenantId) -> None:
        self._session = session
        self._tenant_id = tenant_id

    async def add(self, events: Sequence[Event]) -> None:
        """Store those whose entry is not there yet, each with the next number."""
        # Whoever else numbers events of the tenant waits for this transaction.
        tenant = select(tables.tenants.c.id).where(tables.tenants.c.id == self._tenant_id)
        await self._session.row(tenant.with_for_update())
        known = select(_E.entry_id).where(self._own(_E.entry_id.in_([each.entry_id for each in events])))
        held = {row["entry_id"] for row in await self._session.rows(known)}
        last = await self._session.number(select(func.max(_E.number)).where(self._own()))
        fresh = [each for each in events if each.entry_id not in held]
        rows = [
            {**to_row(each), "tenant_id": self._tenant_id, "number": number}
            for number, each in enumerate(fresh, last + 1)
        ]
        await self._session.insert_new(tables.events, *rows)

    async def list(self, where: EventFilter, part: Slice, *, reader: str) -> Page[SeenEvent]:
        """Return a page of those that match, newest first."""
        theirs = and_(_R.tenant_id == _E.tenant_id, _R.number == _E.number, _R.reader == reader)
        wanted = (
            select(tables.events, _R.number.is_not(None).label("is_read"))
            .join_from(tables.events, tables.event_reads, theirs, isouter=True)
            .where(self._own(*_conditions(where)))
        )
        return await Listing(wanted, _E.number, kinds=(int,)).page(
            self._session, part, read=_seen, key=lambda seen: (seen.event.number,)
        )

    async def mark(self, reader: str, numbers: Collection[int]) -> None:
        """Note that `reader` has read these; unknown numbers are passed over."""
        known = select(_E.number).where(self._own(_E.number.in_(sorted(numbers))))
        rows = [
            {"tenant_id": self._tenant_id, "reader": reader, "number": row["number"]}
            for row in await self._session.rows(known)
        ]
        await self._session.insert_new(tables.event_reads, *rows)

    async def unmark(self, reader: str, numbers: Collection[int]) -> None:
        """Note that `reader` has not read these."""
        theirs = and_(_R.tenant_id == self._tenant_id, _R.reader == reader, _R.number.in_(sorted(numbers)))
        await self._session.change(delete(tables.event_reads).where(theirs))

    def _own(self, *where: Condition) -> Condition:
        return and_(_E.tenant_id == self._tenant_id, *where)


def _conditions(where: EventFilter) -> list[Condition]:
    conditions = [
        *one_of(_E.noun, where.nouns),
        *equals(_E.change, where.change),
        *equals(_E.ident, where.ident),
        *equals(_E.who, where.who),
        *equals(_E.workspace_id, where.workspace_id),
    ]
    if where.from_ms is not None:
        conditions.append(_E.at_ms >= where.from_ms)
    if where.to_ms is not None:
        conditions.append(_E.at_ms < where.to_ms)
    if where.unread:
        conditions.append(_R.number.is_(None))
    if where.visible is not None:
        who, workspaces = where.visible
        conditions.append(or_(_E.who == who, _E.workspace_id.in_(sorted(workspaces))))
    return conditions


def _seen(row: RowMapping) -> SeenEvent:
    return SeenEvent(event=from_row(Event, row), is_read=bool(row["is_read"]))
