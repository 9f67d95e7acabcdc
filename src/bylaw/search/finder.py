"""The vectors and the words of policies in memory, tenant by tenant, as far as they are searched.

Vectors are kept by the digests of contents, which never change, so there is nothing to invalidate; words by
policy, as of a numbered change. A search first takes over what was stored since the one before. Where the
memory allowed is full, the tenant that was not searched for the longest time is forgotten, and read again
when it is.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from bylaw.core.errors import Unavailable
from bylaw.core.ids import TenantId
from bylaw.search.embedder import Embedder
from bylaw.search.floats import Floats
from bylaw.search.fusion import joined
from bylaw.search.index import Index
from bylaw.search.lexicon import Lexicon
from bylaw.search.nearest import Choice, InDatabase, InMemory, Nearest, Where, database_of
from bylaw.search.store import SAID, Numbered, SearchUnit
from bylaw.search.words import ByWords

_log = logging.getLogger("bylaw.search")

_PAGE: Final = 2_000


@dataclass(slots=True, kw_only=True)
class _Vectors:
    """The vectors of one tenant: of contents, and of messages that were led somewhere.

    They are those of one embedder up to `number`, read when `newest` was the highest of anybody. Where the
    database compares contents, they are None here.
    """

    contents: Index | None
    said: Index
    number: int = 0
    newest: int = 0


@dataclass(slots=True, kw_only=True)
class _Held:
    """What is held of one tenant, and who takes over what was stored since."""

    lexicon: Lexicon = field(default_factory=Lexicon)
    spelling: asyncio.Lock = field(default_factory=asyncio.Lock)
    vectors: _Vectors | None = None
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)
    is_warned: bool = False

    @property
    def size_bytes(self) -> int:
        """Return the memory that it takes."""
        vectors = 0
        if self.vectors is not None:
            held = (self.vectors.contents, self.vectors.said)
            vectors = sum(index.size_bytes for index in held if index is not None)
        return self.lexicon.size_bytes + vectors


class Finder:
    """Tells in which policies of a tenant words stand, and which contents are near to a text.

    The embedder is made by `make` when it is first needed, for a model takes time and memory to load.
    `memory_bytes` bounds what is held of tenants beside the one that is searched; `choice` says who compares.
    """

    def __init__(self, make: Callable[[], Embedder], *, memory_bytes: int, choice: Choice = "auto") -> None:
        self._make = make
        self._making: asyncio.Future[Embedder] | None = None
        self._where = Where(choice=choice, memory_bytes=memory_bytes)
        self._held: OrderedDict[TenantId, _Held] = OrderedDict()

    async def embedder(self) -> Embedder:
        """Return who embeds: made once, whoever of those who wait for it gives up meanwhile."""
        if self._making is None or (self._making.done() and self._making.exception()):
            self._making = asyncio.ensure_future(asyncio.to_thread(self._make))
        return await asyncio.shield(self._making)

    @property
    def size_bytes(self) -> int:
        """Return the memory that vectors and words take."""
        return sum(held.size_bytes for held in self._held.values())

    async def meant(self, text: str) -> Floats | None:
        """Return what a text means; None while nobody can tell, which is logged."""
        embedder = await self.embedder()
        try:
            found: Floats = (await embedder.embed([text]))[0]
        except Unavailable as error:
            _log.warning("searching by words alone: %s", error.message)
            return None
        return found

    async def words(self, unit: SearchUnit) -> ByWords:
        """Return the words of the unit's tenant, as its transaction sees them.

        The store is asked instead where others still read many of them, and where they have read what this
        transaction does not see.
        """
        last = await unit.policies.last_spelled()
        held = self._of(unit.tenant_id)
        if last is None or (held.spelling.locked() and last - held.lexicon.seen.number > _PAGE):
            return ByWords(unit.policies, None)
        async with held.spelling:
            await _spell(held.lexicon, unit, last)
        seen = held.lexicon.seen
        self._forget()
        return ByWords(unit.policies, seen if seen.number == last else None)

    async def nearest(self, unit: SearchUnit) -> Nearest | None:
        """Return who tells which contents of the unit's tenant are near, as its transaction sees or newer.

        It is the database where that is to and can, or else memory; None while nobody has embedded anything.
        """
        newest = await unit.vectors.newest()
        database = await self._database(unit, newest)
        if database is not None or not newest:
            return database
        vectors = await self._vectors(unit, newest, None)
        return None if vectors.contents is None else InMemory(vectors.contents)

    async def said(self, unit: SearchUnit) -> Index | None:
        """Return the vectors of messages that were led somewhere, as `nearest` does those of contents."""
        newest = await unit.vectors.newest()
        if not newest:
            return None
        return (await self._vectors(unit, newest, await self._database(unit, newest))).said

    async def _database(self, unit: SearchUnit, newest: int) -> InDatabase | None:
        """Return the database where it tells what is near; no contents of the tenant are held then."""
        if not newest:
            return None
        embedder, held = await self.embedder(), self._of(unit.tenant_id)
        database = await database_of(unit, embedder, self._where, newest=newest)
        if database is None:
            if self._where.is_too_much(newest, embedder.dimensions) and not held.is_warned:
                _log.warning(
                    "vectors of %s need more than memory_mb, and no database compares them", unit.tenant_id
                )
                held.is_warned = True
        elif held.vectors is not None and held.vectors.contents is not None:
            held.vectors = None
        return database

    async def _vectors(self, unit: SearchUnit, newest: int, database: InDatabase | None) -> _Vectors:
        """Return the vectors in memory, without those of contents beside a database."""
        embedder = await self.embedder()
        held = self._of(unit.tenant_id)
        async with held.reading:
            vectors = held.vectors
            if vectors is None or (vectors.contents is None) != (database is not None):
                contents = Index(embedder.dimensions) if database is None else None
                vectors = held.vectors = _Vectors(contents=contents, said=Index(embedder.dimensions))
            if vectors.newest != newest:
                after = unit.vectors.after if database is None else database.compared.said
                await _follow(vectors, partial(after, embedder.id))
                vectors.newest = newest
        self._forget()
        return vectors

    def _of(self, tenant_id: TenantId) -> _Held:
        """Return what is held of a tenant, which was searched last now."""
        held = self._held.setdefault(tenant_id, _Held())
        self._held.move_to_end(tenant_id)
        return held

    def _forget(self) -> None:
        """Forget tenants until the others have room."""
        while len(self._held) > 1 and self.size_bytes > self._where.memory_bytes:
            self._held.popitem(last=False)


async def _spell(lexicon: Lexicon, unit: SearchUnit, last: int) -> None:
    """Take over the policies that changed since the last time."""
    while lexicon.seen.number < last:
        fresh = await unit.policies.spelled_after(lexicon.seen.number, limit=_PAGE)
        if not fresh:
            return
        await asyncio.to_thread(lexicon.put, fresh)


async def _follow(held: _Vectors, after: Callable[..., Awaitable[Sequence[Numbered]]]) -> None:
    """Take over the vectors that were stored since the last time."""
    while True:
        fresh = await after(held.number, limit=_PAGE)
        if fresh:
            await asyncio.to_thread(_take, held, fresh)
            held.number = fresh[-1].number
        if len(fresh) < _PAGE:
            return


def _take(held: _Vectors, fresh: Sequence[Numbered]) -> None:
    told = {each.meaning.digest: joined(each.meaning.about, each.meaning.procedure) for each in fresh}
    held.said.put({digest: row for digest, row in told.items() if digest.startswith(SAID)})
    if held.contents is not None:
        held.contents.put({digest: row for digest, row in told.items() if not digest.startswith(SAID)})
