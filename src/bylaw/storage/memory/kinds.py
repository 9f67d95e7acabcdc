"""One kind of thing that a tenant holds, in memory; the twin of `sql.kinds`."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

from sqlalchemy import Table

from bylaw.approvals.model import PendingApproval
from bylaw.core.ids import TenantId
from bylaw.core.paging import Page, Slice
from bylaw.review.model import Alert, AttentionItem, Evaluation, ModelCall, Violation
from bylaw.storage.memory.heap import Heap, Row
from bylaw.storage.paging import BY_TIME, SortKey, page_of, start_of
from bylaw.storage.refusals import Item, outdated, require_own, taken
from bylaw.storage.rows import from_row, item_of, left_row, to_row

K = TypeVar("K", bound=str)
T = TypeVar("T", bound=Item)
V = TypeVar("V")
L = TypeVar("L", Violation, Alert, AttentionItem, PendingApproval, Evaluation, ModelCall)
S = TypeVar("S", AttentionItem, PendingApproval)


def cut(
    found: Iterable[V], part: Slice, key: Callable[[V], SortKey], *, kinds: tuple[type, ...] = BY_TIME
) -> Page[V]:
    """Return one part of what was found, in the falling order of `key`."""
    start = start_of(part, *kinds)
    ordered = sorted(found, key=key, reverse=True)
    rest = ordered[part.offset :] if start is None else [item for item in ordered if key(item) < start]
    return page_of(rest[: part.limit + 1], part, key, total=len(ordered) if part.total else None)


class Kind(Generic[K, T]):
    """The rows of one tenant in one table."""

    table: Table
    kind: type[T]
    noun: str

    def __init__(self, heap: Heap, tenant_id: TenantId) -> None:
        self._heap = heap
        self._tenant_id = tenant_id

    async def get(self, ident: K, /) -> T | None:
        """Return the item, deleted or not, or None."""
        row = self._heap.get(self.table, self._tenant_id, ident)
        return None if row is None else from_row(self.kind, row)

    async def add(self, item: T, /) -> None:
        """Store a new item. Raises: Conflict (`exists`)."""
        require_own(item, self._tenant_id)
        if not self._heap.insert_new(self.table, self._written(item)):
            raise taken(self.noun)

    async def save(self, item: T, /) -> None:
        """Store the next revision of an item. Raises: PreconditionFailed."""
        require_own(item, self._tenant_id)
        stored = await self.get(item.id)  # type: ignore[arg-type]  # an item's id is of its kind
        if stored is None or stored.revision != item.revision - 1:
            raise outdated(self.noun, item.id, current=None if stored is None else stored.revision)
        self._heap.replace(self.table, self._written(item))

    def _all(self) -> list[T]:
        rows = self._heap.all(self.table)
        return [from_row(self.kind, row) for row in rows if row["tenant_id"] == self._tenant_id]

    def _page(self, part: Slice, wanted: Callable[[T], bool]) -> Page[T]:
        found = [item for item in self._all() if wanted(item)]
        return cut(found, part, lambda item: (item.created_ms, item.id))

    def _written(self, item: T) -> Mapping[str, object]:
        return to_row(item)


class Trail(Generic[L]):
    """The rows of one tenant in one table of what decisions leave behind."""

    table: Table
    kind: type[L]
    noun: str

    def __init__(self, heap: Heap, tenant_id: TenantId) -> None:
        self._heap = heap
        self._tenant_id = tenant_id

    async def add(self, rows: Sequence[L]) -> None:
        """Store those that are not there yet; what became of the others stays."""
        for item in rows:
            require_own(item.occasion, self._tenant_id)
        for item in rows:
            self._heap.insert_new(self.table, left_row(item))

    async def get(self, ident: str) -> L | None:
        """Return the item or None."""
        row = self._heap.get(self.table, self._tenant_id, ident)
        return None if row is None else item_of(self.kind, row)

    def _save(self, item: S) -> None:
        require_own(item.occasion, self._tenant_id)
        row = self._heap.get(self.table, self._tenant_id, item.id)
        if row is None or row["revision"] != item.revision - 1:
            current = None if row is None else row["revision"]
            raise outdated(self.noun, item.id, current=current if isinstance(current, int) else None)
        self._heap.replace(self.table, left_row(item))

    def _page(self, part: Slice, wanted: Callable[[L], bool]) -> Page[L]:
        rows: Iterable[Row] = self._heap.all(self.table)
        items = [item_of(self.kind, row) for row in rows if row["tenant_id"] == self._tenant_id]
        found = [item for item in items if wanted(item)]
        return cut(found, part, lambda item: (item.occasion.at_ms, item.id))
