"""The vectors of policies in memory, tenant by tenant, as far as they are searched.

They are kept by the digests of contents, which never change, so there is nothing to invalidate: whoever finds
a digest asks the store which policies say that now. A search first takes over the vectors that were stored
since the one before. Where the memory allowed is full, the tenant that was not searched for the longest time
is forgotten, and read again when it is.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bylaw.core.errors import Unavailable
from bylaw.core.ids import TenantId
from bylaw.search.embedder import Embedder
from bylaw.search.fusion import joined
from bylaw.search.index import Index
from bylaw.search.store import Numbered, SearchUnit

_log = logging.getLogger("bylaw.search")

_PAGE: Final = 2_000

Vector = NDArray[np.float32]


@dataclass(slots=True, kw_only=True)
class _Held:
    """The vectors of one tenant up to a number."""

    index: Index
    number: int = 0
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)


class Finder:
    """Tells which contents of a tenant are near to a text.

    The embedder is made by `make` when it is first needed, for a model takes time and memory to load.
    `memory_bytes` bounds what is held of tenants beside the one that is searched.
    """

    def __init__(self, make: Callable[[], Embedder], *, memory_bytes: int) -> None:
        self._make = make
        self._making: asyncio.Future[Embedder] | None = None
        self._memory_bytes = memory_bytes
        self._held: OrderedDict[TenantId, _Held] = OrderedDict()

    async def embedder(self) -> Embedder:
        """Return who embeds: made once, whoever of those who wait for it gives up meanwhile."""
        if self._making is None or (self._making.done() and self._making.exception()):
            self._making = asyncio.ensure_future(asyncio.to_thread(self._make))
        return await asyncio.shield(self._making)

    @property
    def size_bytes(self) -> int:
        """Return the memory that the vectors take."""
        return sum(held.index.size_bytes for held in self._held.values())

    async def meant(self, text: str) -> Vector | None:
        """Return what a text means; None while nobody can tell, which is logged."""
        embedder = await self.embedder()
        try:
            found: Vector = (await embedder.embed([text]))[0]
        except Unavailable as error:
            _log.warning("searching by words alone: %s", error.message)
            return None
        return found

    async def index(self, unit: SearchUnit) -> Index:
        """Return the vectors of the unit's tenant, as its transaction sees them or newer."""
        embedder = await self.embedder()
        held = self._held.get(unit.tenant_id)
        if held is None:
            held = self._held[unit.tenant_id] = _Held(index=Index(embedder.dimensions))
        self._held.move_to_end(unit.tenant_id)
        async with held.reading:
            await _follow(held, unit, embedder)
        while len(self._held) > 1 and self.size_bytes > self._memory_bytes:
            self._held.popitem(last=False)
        return held.index


async def _follow(held: _Held, unit: SearchUnit, embedder: Embedder) -> None:
    """Take over what was stored since the last time."""
    while True:
        fresh = await unit.vectors.after(embedder.id, held.number, limit=_PAGE)
        if fresh:
            await asyncio.to_thread(_take, held.index, fresh)
            held.number = fresh[-1].number
        if len(fresh) < _PAGE:
            return


def _take(index: Index, fresh: Sequence[Numbered]) -> None:
    told = [each.meaning for each in fresh]
    index.put({meaning.digest: joined(meaning.about, meaning.procedure) for meaning in told})
