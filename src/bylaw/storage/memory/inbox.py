"""What people say about the things of one tenant's inbox, in memory."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from bylaw.core.ids import TenantId
from bylaw.core.paging import Page, Slice
from bylaw.inbox.model import Remark
from bylaw.storage.memory.heap import Heap
from bylaw.storage.memory.kinds import cut
from bylaw.storage.refusals import require_own
from bylaw.storage.rows import from_row, to_row
from bylaw.storage.sql import tables


class MemoryRemarks:
    """The remarks of one tenant."""

    def __init__(self, heap: Heap, tenant_id: TenantId) -> None:
        self._heap = heap
        self._tenant_id = tenant_id

    async def add(self, remark: Remark) -> None:
        """Store a new remark."""
        require_own(remark, self._tenant_id)
        self._heap.insert_new(tables.remarks, to_row(remark))

    async def list(self, about: str, part: Slice) -> Page[Remark]:
        """Return a page of the remarks about one thing."""
        found = [each for each in self._all() if each.about == about]
        return cut(found, part, lambda remark: (remark.created_ms, remark.id))

    async def comments(self, about: Collection[str]) -> Mapping[str, int]:
        """Return how many comments there are about each of these things, those without any left out."""
        return Counter(each.about for each in self._all() if each.kind == "comment" and each.about in about)

    async def erase(self, receipt_id: str) -> None:
        """Erase the text of every comment about what one decision left."""
        for each in self._all():
            if each.receipt_id == receipt_id and each.kind == "comment":
                self._heap.replace(tables.remarks, to_row(replace(each, text=None)))

    def _all(self) -> Sequence[Remark]:
        rows = self._heap.all(tables.remarks)
        return [from_row(Remark, row) for row in rows if row["tenant_id"] == self._tenant_id]
