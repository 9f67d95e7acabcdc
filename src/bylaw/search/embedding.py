"""Embedding what was saved: a few contents at a time, each kept before the next are embedded.

What waits is listed by the store, so it is not forgotten whatever happens to whoever embeds. It is embedded
once: what was kept is not listed again, unless another model is to embed it.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Final, Protocol

from bylaw.search.embedder import Embedder
from bylaw.search.fusion import midst
from bylaw.search.nearest import MEMORY, Where, take_over
from bylaw.search.store import Meaning, SearchUnit, Unembedded
from bylaw.search.text import texts_of

KIND: Final = "search.embed"
_AT_ONCE: Final = 32
# Taken over in one transaction: more than are embedded, so that those catch up which were embedded before.
_TAKEN: Final = 100


class Begin(Protocol):
    """Opens a transaction of the tenant whose policies are embedded."""

    def __call__(self, *, writes: bool = True) -> AbstractAsyncContextManager[SearchUnit]:
        """Return the transaction."""


async def embed_waiting(
    begin: Begin,
    embedder: Embedder,
    *,
    progress: Callable[[int, int], Awaitable[None]],
    where: Where = MEMORY,
) -> Mapping[str, object]:
    """Embed every content of a tenant that this embedder has not embedded, and return how many these were.

    Where the database is to compare them, it takes them over.

    Raises: Unavailable; what was kept until then stays.
    """
    done = 0
    while True:
        async with begin(writes=False) as unit:
            some = await unit.vectors.unembedded(embedder.id, limit=_AT_ONCE)
            waiting = await unit.vectors.waiting(embedder.id)
        if not some:
            while await _taken(begin, embedder, where):
                await progress(done, done)
            return {"embedded": done, "embedder": embedder.id}
        meanings = await _meanings(embedder, some)
        async with begin() as unit:
            await unit.vectors.keep(embedder.id, meanings)
            await take_over(unit, embedder, where, limit=_TAKEN)
        done += len(meanings)
        await progress(done, done + max(0, waiting - len(meanings)))


async def _taken(begin: Begin, embedder: Embedder, where: Where) -> int:
    """Have the database take some over, in a transaction of its own; return how many it took."""
    async with begin() as unit:
        return await take_over(unit, embedder, where, limit=_TAKEN)


async def _meanings(embedder: Embedder, some: Sequence[Unembedded]) -> list[Meaning]:
    texts = [texts_of(each.content) for each in some]
    asked = [[each.about, *each.examples, *filter(None, [each.procedure])] for each in texts]
    vectors = await embedder.embed([text for each in asked for text in each])
    meanings, begin = list[Meaning](), 0
    for each, text in zip(some, texts, strict=True):
        end = begin + 1 + len(text.examples)
        procedure = vectors[end] if text.procedure else None
        meanings.append(Meaning(digest=each.digest, about=midst(vectors[begin:end]), procedure=procedure))
        begin = end + bool(text.procedure)
    return meanings
