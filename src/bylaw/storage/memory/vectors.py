"""The vectors of what one tenant saved, in memory."""

from collections.abc import Sequence

from sqlalchemy import Table

from bylaw.core.ids import TenantId
from bylaw.policies.model import Content
from bylaw.search.store import Meaning, Numbered, Unembedded
from bylaw.storage.memory.heap import Heap, Row
from bylaw.storage.rows import version_of
from bylaw.storage.sql import tables
from bylaw.storage.vectors import FORGOTTEN, meaning_of, meaning_row


class MemoryVectors:
    """The vectors of one tenant."""

    def __init__(self, heap: Heap, tenant_id: TenantId) -> None:
        self._heap = heap
        self._tenant_id = tenant_id

    async def waiting(self, embedder: str) -> int:
        """Return how many contents and messages have no vectors of this embedder."""
        return len(self._others(embedder))

    async def newest(self) -> int:
        """Return the highest number that was given; 0 while nobody has embedded anything."""
        return max((_number(row) for row in self._rows()), default=0)

    async def has_unembedded(self) -> bool:
        """Return whether some content or message has no vectors of anybody."""
        return any(row["embedder"] == "" for row in self._rows())

    async def unembedded(self, embedder: str, *, limit: int) -> Sequence[Unembedded]:
        """Return up to `limit` contents and messages that have no vectors of this embedder."""
        digests = [row["digest"] for row in self._others(embedder)][:limit]
        versions = [row for row in self._mine(tables.versions) if row["digest"] in digests]
        told: dict[str, Content | str] = {each.digest: each.content for each in map(version_of, versions)}
        spoken = [row for row in self._mine(tables.corrections) if row["digest"] in digests]
        said = {str(row["digest"]): str(row["text"]) for row in spoken}
        return [Unembedded(digest=digest, content=content) for digest, content in {**told, **said}.items()]

    async def keep(self, embedder: str, meanings: Sequence[Meaning]) -> None:
        """Store the vectors of what is listed; others are passed over."""
        last = await self.newest()
        for number, each in enumerate(meanings, last + 1):
            row = self._heap.get(tables.vectors, self._tenant_id, each.digest)
            if row is not None:
                told = {**meaning_row(each), "embedder": embedder, "number": number}
                self._heap.replace(tables.vectors, {**row, **told})

    async def after(self, embedder: str, number: int, *, limit: int) -> Sequence[Numbered]:
        """Return up to `limit` vectors of this embedder with numbers above `number`, by rising number."""
        fresh = [row for row in self._rows() if row["embedder"] == embedder and _number(row) > number]
        return [meaning_of(row) for row in sorted(fresh, key=_number)[:limit]]

    def _others(self, embedder: str) -> list[Row]:
        return [row for row in self._rows() if row["embedder"] not in {embedder, FORGOTTEN}]

    async def compared(self) -> None:
        """Return None: nobody else compares them."""

    def _rows(self) -> list[Row]:
        return self._mine(tables.vectors)

    def _mine(self, table: Table) -> list[Row]:
        return [row for row in self._heap.all(table) if row["tenant_id"] == self._tenant_id]


def _number(row: Row) -> int:
    number = row["number"]
    return number if isinstance(number, int) else 0
