"""Who turns texts into vectors."""

import logging
from collections.abc import Sequence
from typing import Protocol

from bylaw.core.errors import Corrupt
from bylaw.search import blas, weights
from bylaw.search.arithmetic import NUMPY
from bylaw.search.floats import Floats
from bylaw.search.minilm import MiniLm
from bylaw.search.ngrams import NGrams
from bylaw.search.weights import Runtime

_log = logging.getLogger("bylaw.search")


class Embedder(Protocol):
    """Turns texts into vectors: near in meaning, near in direction.

    `id` names the model and its weights: vectors of different ids are never compared, and stored ones are
    kept under it. `note` is a sentence for people about what it cannot do, or empty.
    """

    @property
    def id(self) -> str:
        """Return the name of model and weights."""
        ...

    @property
    def dimensions(self) -> int:
        """Return how many numbers a vector has."""
        ...

    @property
    def note(self) -> str:
        """Return what people should know about how texts are compared, or nothing."""
        ...

    async def embed(self, texts: Sequence[str]) -> Floats:
        """Return a row of length 1 for each text, or of zeros where nothing is said. Raises: Unavailable."""
        ...


def embedded(runtime: Runtime = NUMPY) -> Embedder:
    """Return who embeds on this machine: the model when its weights are there and whole, else n-grams.

    `runtime` runs the model.

    Takes some 0.1 s, for the digest of the weights; they are read when the first text is embedded.
    """
    blas.hold()
    model = weights.folder()
    if model is None:
        return NGrams("the weights of the embedding model are not installed (`make setup` does).")
    try:
        return MiniLm(weights.load(model), runtime)
    except Corrupt as error:
        _log.error("%s Search goes on without it.", error.message)
        return NGrams(error.message)
