"""What people changed in one tenant, in memory, and what each reader has read of it."""

from collections.abc import Collection, Sequence

from bylaw.core.ids import TenantId
from bylaw.core.paging import Page, Slice
from bylaw.review.events import Event, EventFilter, SeenEvent
from bylaw.storage.memory.heap import Heap
from bylaw.storage.memory.kinds import cut
from bylaw.storage.rows import from_row, to_row
from bylaw.storage.sql import tables
from bylaw.storage.text import search_key


class MemoryEvents:
    """The events of one tenant."""

    def __init__(self, heap: Heap, tenant_id: TenantId) -> None:
        self._heap = heap
        self._tenant_id = tenant_id

    async def add(self, events: Sequence[Event]) -> None:
        """Store those whose entry is not there yet, each with the next number."""
        for event in events:
            stored = self._all()
            if event.entry_id not in {each.entry_id for each in stored}:
                number = max((each.number for each in stored), default=0) + 1
                row = {**to_row(event), "tenant_id": self._tenant_id, "number": number}
                self._heap.insert_new(tables.events, row)

    async def list(self, where: EventFilter, part: Slice, *, reader: str) -> Page[SeenEvent]:
        """Return a page of those that match, newest first."""
        seen = [SeenEvent(event=each, is_read=self._is_read(reader, each.number)) for each in self._all()]
        found = [each for each in seen if _matches(each.event, where) and not (where.unread and each.is_read)]
        return cut(found, part, lambda each: (each.event.number,), kinds=(int,))

    async def mark(self, reader: str, numbers: Collection[int]) -> None:
        """Note that `reader` has read these; unknown numbers are passed over."""
        for number in {each.number for each in self._all()} & set(numbers):
            self._heap.insert_new(tables.event_reads, self._read(reader, number))

    async def unmark(self, reader: str, numbers: Collection[int]) -> None:
        """Note that `reader` has not read these."""
        for number in numbers:
            self._heap.remove(tables.event_reads, self._read(reader, number))

    def _all(self) -> Sequence[Event]:
        rows = self._heap.all(tables.events)
        return [from_row(Event, row) for row in rows if row["tenant_id"] == self._tenant_id]

    def _read(self, reader: str, number: int) -> dict[str, object]:
        return {"tenant_id": self._tenant_id, "reader": reader, "number": number}

    def _is_read(self, reader: str, number: int) -> bool:
        return self._heap.get(tables.event_reads, self._tenant_id, reader, number) is not None


def _matches(event: Event, where: EventFilter) -> bool:
    return (
        (where.from_ms is None or event.at_ms >= where.from_ms)
        and (where.to_ms is None or event.at_ms < where.to_ms)
        and (where.nouns is None or event.noun in where.nouns)
        and where.change in {None, event.change}
        and where.ident in {None, event.ident}
        and where.who in {None, event.who}
        and (where.workspace_id is None or search_key(where.workspace_id) == event.workspace_id)
        and (
            where.visible is None
            or event.who == where.visible[0]
            or (event.workspace_id != "" and event.workspace_id in where.visible[1])
        )
    )
