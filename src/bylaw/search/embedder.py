"""Who turns texts into vectors."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


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

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return a row of length 1 for each text, or of zeros where nothing is said. Raises: Unavailable."""
        ...
