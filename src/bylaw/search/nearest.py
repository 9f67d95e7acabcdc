"""Who tells which contents are nearest to a text: an index in memory, or the database that keeps them.

Memory is faster, and has to hold every vector of a tenant. A database that can compare them itself is asked
for tenants that have more than that, or for all, as `Where` says. It is filled by whoever embeds, and asked
once it is whole; until then, and wherever it cannot compare, memory tells.
"""

import asyncio
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final, Literal, Protocol

from bylaw.search.embedder import Embedder
from bylaw.search.floats import Floats
from bylaw.search.index import Index
from bylaw.search.store import Compared, SearchUnit

# Of a content in memory, beside its numbers of 4 bytes.
_BYTES: Final = 200

Choice = Literal["auto", "memory", "postgres"]


class Nearest(Protocol):
    """The vectors of one tenant that can be searched."""

    async def search(
        self, query: Floats, k: int, *, least: float, allowed: AbstractSet[str] | None = None
    ) -> Mapping[str, float]:
        """Return digests and products of the `k` best, none below `least`; of `allowed` if given."""

    async def scores(self, query: Floats, digests: AbstractSet[str]) -> Mapping[str, float]:
        """Return the products of a query with those of `digests` that are there."""


@dataclass(frozen=True, slots=True)
class InMemory:
    """An index that this process holds."""

    index: Index

    async def search(
        self, query: Floats, k: int, *, least: float, allowed: AbstractSet[str] | None = None
    ) -> Mapping[str, float]:
        """Return digests and products of the `k` best, none below `least`; of `allowed` if given."""
        return await asyncio.to_thread(self.index.search, query, k, allowed=allowed, least=least)

    async def scores(self, query: Floats, digests: AbstractSet[str]) -> Mapping[str, float]:
        """Return the products of a query with those of `digests` that are there."""
        return self.index.scores(query, digests)


@dataclass(frozen=True, slots=True)
class InDatabase:
    """What the database of a transaction compares."""

    compared: Compared
    embedder: str

    async def search(
        self, query: Floats, k: int, *, least: float, allowed: AbstractSet[str] | None = None
    ) -> Mapping[str, float]:
        """Return digests and products of the `k` best, none below `least`; of `allowed` if given."""
        found = await self.compared.nearest(self.embedder, query, k, among=allowed)
        return {digest: product for digest, product in found.items() if product >= least}

    async def scores(self, query: Floats, digests: AbstractSet[str]) -> Mapping[str, float]:
        """Return the products of a query with those of `digests` that are there."""
        return await self.compared.nearest(self.embedder, query, len(digests), among=digests)


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """Where vectors are compared: by `auto` in memory, as long as a tenant's fit into `memory_bytes`."""

    choice: Choice
    memory_bytes: int

    def is_too_much(self, contents: int, dimensions: int) -> bool:
        """Return whether the vectors of so many contents take more memory than there is for them."""
        return contents * (4 * dimensions + _BYTES) > self.memory_bytes

    def asks_database(self, contents: int, dimensions: int) -> bool:
        """Return whether the database is to compare the vectors of so many contents, if it can."""
        return self.choice == "postgres" or (self.choice == "auto" and self.is_too_much(contents, dimensions))


MEMORY: Final = Where(choice="memory", memory_bytes=0)


async def database_of(
    unit: SearchUnit, embedder: Embedder, where: Where, *, newest: int
) -> InDatabase | None:
    """Return the database where it is to be asked for what is nearest, and can tell; else None.

    `newest` is the highest number of the tenant's vectors: so many there are at most.
    """
    is_asked = where.asks_database(newest, embedder.dimensions)
    compared = await unit.vectors.compared() if is_asked else None
    if compared is None or not await compared.is_whole(embedder.id):
        return None
    return InDatabase(compared, embedder.id)


async def take_over(unit: SearchUnit, embedder: Embedder, where: Where, *, limit: int) -> int:
    """Have the database take over some of what was kept, where it is to be asked; return how many it took."""
    if not where.asks_database(await unit.vectors.newest(), embedder.dimensions):
        return 0
    compared = await unit.vectors.compared()
    if compared is None or not where.asks_database(await compared.told(embedder.id), embedder.dimensions):
        return 0
    return await compared.take(embedder.id, limit=limit)
