"""One kind of thing that a tenant holds, as rows of one table.

A `Kind` keeps each field in a column; a `Trail` keeps what decisions leave behind whole, and what it is
sought by beside it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Generic, TypeVar

from sqlalchemy import RowMapping, Table, and_, select, update

from bylaw.approvals.model import PendingApproval
from bylaw.core.ids import TenantId
from bylaw.core.paging import Page, Slice
from bylaw.review.model import Alert, AttentionItem, Evaluation, ModelCall, Violation
from bylaw.storage.refusals import Item, outdated, require_own, taken
from bylaw.storage.rows import from_row, item_of, left_row, to_row
from bylaw.storage.sql.lists import Condition, Listing
from bylaw.storage.sql.session import Session
from bylaw.storage.sql.summed import Days, skipped

K = TypeVar("K", bound=str)
T = TypeVar("T", bound=Item)


class Kind(Generic[K, T]):
    """The rows of one tenant in one table; every statement names the tenant."""

    table: Table
    kind: type[T]
    noun: str
    unsaved: frozenset[str] = frozenset()  # columns that `save` leaves as they are

    def __init__(self, session: Session, tenant_id: TenantId) -> None:
        self._session = session
        self._tenant_id = tenant_id

    async def get(self, ident: K, /) -> T | None:
        """Return the item, deleted or not, or None."""
        row = await self._session.row(select(self.table).where(self._own(self.table.c.id == ident)))
        return None if row is None else self._read(row)

    async def add(self, item: T, /) -> None:
        """Store a new item. Raises: Conflict (`exists`)."""
        await self.add_all([item])

    async def add_all(self, items: Sequence[T], /) -> None:
        """Store new items. Raises: Conflict (`exists`)."""
        for item in items:
            require_own(item, self._tenant_id)
        if await self._session.insert_new(self.table, *map(self._written, items)) < len(items):
            raise taken(self.noun)

    async def save(self, item: T, /) -> None:
        """Store the next revision of an item. Raises: PreconditionFailed."""
        require_own(item, self._tenant_id)
        columns = self.table.c
        row = {name: value for name, value in self._written(item).items() if name not in self.unsaved}
        this = self._own(columns.id == item.id, columns.revision == item.revision - 1)
        if not await self._session.change(update(self.table).where(this).values(**row)):
            stored = await self._session.row(select(columns.revision).where(self._own(columns.id == item.id)))
            raise outdated(self.noun, item.id, current=None if stored is None else stored["revision"])

    async def _page(self, part: Slice, *where: Condition) -> Page[T]:
        columns = self.table.c
        listing = Listing(select(self.table).where(self._own(*where)), columns.created_ms, columns.id)
        return await listing.page(
            self._session, part, read=self._read, key=lambda item: (item.created_ms, item.id)
        )

    def _own(self, *where: Condition) -> Condition:
        return and_(self.table.c.tenant_id == self._tenant_id, *where)

    def _read(self, row: RowMapping) -> T:
        return from_row(self.kind, row)

    def _written(self, item: T) -> Mapping[str, object]:
        return to_row(item)


L = TypeVar("L", Violation, Alert, AttentionItem, PendingApproval, Evaluation, ModelCall)
S = TypeVar("S", AttentionItem, PendingApproval)
_BATCH = 500  # rows of one statement: databases take some 32,000 values


class Trail(Generic[L]):
    """The rows of one tenant in one table of what decisions leave behind."""

    table: Table
    kind: type[L]
    noun: str

    def __init__(self, session: Session, tenant_id: TenantId) -> None:
        self._session = session
        self._tenant_id = tenant_id

    async def add(self, rows: Sequence[L]) -> None:
        """Store those that are not there yet; what became of the others stays."""
        for item in rows:
            require_own(item.occasion, self._tenant_id)
        for start in range(0, len(rows), _BATCH):
            batch = [left_row(item) for item in rows[start : start + _BATCH]]
            await self._session.insert_new(self.table, *batch)

    async def get(self, ident: str) -> L | None:
        """Return the item or None."""
        row = await self._session.row(select(self.table.c.item).where(self._own(self.table.c.id == ident)))
        return None if row is None else item_of(self.kind, row)

    async def _save(self, item: S) -> None:
        require_own(item.occasion, self._tenant_id)
        columns = self.table.c
        this = self._own(columns.id == item.id, columns.revision == item.revision - 1)
        if not await self._session.change(update(self.table).where(this).values(**left_row(item))):
            stored = await self._session.row(select(columns.revision).where(self._own(columns.id == item.id)))
            raise outdated(self.noun, item.id, current=None if stored is None else stored["revision"])

    async def _page(self, part: Slice, *where: Condition, days: Days | None = None) -> Page[L]:
        """Return a page; `days` tells how many there are, and saves reading those that are skipped."""
        columns = self.table.c
        wanted = select(columns.item).where(self._own(*where))
        if days is not None:
            part, before_ms = skipped(days, part)
            wanted = wanted if before_ms is None else wanted.where(columns.at_ms < before_ms)
        found = await Listing(wanted, columns.at_ms, columns.id).page(
            self._session,
            part if days is None else replace(part, total=False),
            read=lambda row: item_of(self.kind, row),
            key=lambda item: (item.occasion.at_ms, item.id),
        )
        return found if days is None else replace(found, total=sum(days.values()))

    def _own(self, *where: Condition) -> Condition:
        return and_(self.table.c.tenant_id == self._tenant_id, *where)
