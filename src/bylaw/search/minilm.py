"""The sentence embeddings of all-MiniLM-L6-v2, batch by batch."""

import asyncio
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Final

import numpy as np

from bylaw.search.arithmetic import NUMPY
from bylaw.search.floats import Floats
from bylaw.search.weights import DIGESTS, DIMENSIONS, LONGEST, TENSORS, Run, Runtime, Weights
from bylaw.search.wordpiece import WordPiece

_BATCH: Final = (
    512  # pieces at once, if all texts were as long as the longest: more are slower, and take memory
)


class MiniLm:
    """Embeds with all-MiniLM-L6-v2, one batch at a time in a thread of its own.

    `runtime` is loaded when the first text is embedded.
    """

    def __init__(self, weights: Weights, runtime: Runtime = NUMPY) -> None:
        self._name = runtime.name
        self._load = partial(runtime.load, weights)
        self._run: Run | None = None
        self._pieces = WordPiece(weights.vocabulary)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embed")

    @property
    def id(self) -> str:
        """Return the model's name with the digest of its weights."""
        return f"{self._name}@{DIGESTS[TENSORS][:12]}"

    @property
    def dimensions(self) -> int:
        """Return how many numbers a vector has."""
        return DIMENSIONS

    @property
    def note(self) -> str:
        """Return nothing: it is what texts should be compared by."""
        return ""

    async def embed(self, texts: Sequence[str]) -> Floats:
        """Return a row of length 1 for each text, of which the first 256 word pieces count."""
        loop = asyncio.get_running_loop()
        rows = np.empty((len(texts), DIMENSIONS), dtype=np.float32)
        pieces = await loop.run_in_executor(self._thread, self._cut, texts)
        for batch in _batches(pieces):
            some = [pieces[place] for place in batch]
            rows[batch] = await loop.run_in_executor(self._thread, self._means, some)
        return rows

    def _cut(self, texts: Sequence[str]) -> list[list[int]]:
        return [self._pieces.ids(each, LONGEST) for each in texts]

    def _means(self, texts: Sequence[Sequence[int]]) -> Floats:
        if self._run is None:
            self._run = self._load()
        return self._run(texts)


def _batches(texts: Sequence[Sequence[int]]) -> Iterator[list[int]]:
    """Yield the places of texts, short ones first, that are embedded together."""
    batch = list[int]()
    for place in sorted(range(len(texts)), key=lambda each: len(texts[each])):
        if batch and (len(batch) + 1) * len(texts[place]) > _BATCH:
            yield batch
            batch = []
        batch.append(place)
    if batch:
        yield batch
