"""Vectors from a model elsewhere, which speaks as OpenAI's embeddings do."""

from collections.abc import Iterator, Sequence
from typing import Final
from urllib.parse import urlsplit

import numpy as np

from bylaw.core.errors import Unavailable
from bylaw.providers.calling import Endpoint, Providers
from bylaw.providers.model import Failed
from bylaw.search.floats import Floats

_MOST_TEXTS: Final = 32
_MOST_CHARACTERS: Final = 32_768  # of all texts of a call
_LONGEST: Final = 8_000  # characters of a text: what the smallest of the usual models take
_TIMEOUT_S: Final = 20.0


class HttpEmbedder:
    """Embeds at an endpoint; `dimensions` is how many numbers its model gives."""

    def __init__(self, providers: Providers, endpoint: Endpoint, *, model: str, dimensions: int) -> None:
        self._providers = providers
        self._endpoint = endpoint
        self._model = model
        self._dimensions = dimensions

    @property
    def id(self) -> str:
        """Return the model's name with who serves it."""
        host = urlsplit(self._endpoint.address).netloc or self._endpoint.provider
        return f"{self._model}@{host}/{self._dimensions}"

    @property
    def dimensions(self) -> int:
        """Return how many numbers a vector has."""
        return self._dimensions

    @property
    def note(self) -> str:
        """Return nothing: what the model is weak at, who chose it knows."""
        return ""

    async def embed(self, texts: Sequence[str]) -> Floats:
        """Return a row of length 1 for each text, of which the first 8,000 characters count.

        A text without a word has a row of zeros and is not sent. Raises: Unavailable.
        """
        rows = np.zeros((len(texts), self._dimensions), dtype=np.float32)
        for batch in _batches(texts):
            rows[batch] = await self._asked([_sendable(texts[place]) for place in batch])
        return rows

    async def _asked(self, texts: Sequence[str]) -> Floats:
        told = await self._providers.embed(self._endpoint, self._model, texts, timeout_s=_TIMEOUT_S)
        if isinstance(told, Failed):
            raise Unavailable(f"The embedding endpoint gives no vectors: {told.message}")
        if len(told) != len(texts):
            raise Unavailable(f"The embedding endpoint gives {len(told)} vectors for {len(texts)} texts.")
        if other := {len(each) for each in told} - {self._dimensions}:
            raise Unavailable(
                f"The embedding endpoint gives vectors of {min(other)} numbers; {self._dimensions} are set."
            )
        rows = np.array(told, dtype=np.float64)
        with np.errstate(over="ignore"):
            lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        if not (np.isfinite(lengths).all() and lengths.all()):
            raise Unavailable("The embedding endpoint gives vectors without a direction.")
        rows /= lengths
        return rows.astype(np.float32)


def _sendable(text: str) -> str:
    """Return the part of a text that counts, without halves of characters."""
    return text[:_LONGEST].encode("utf-8", "replace").decode()


def _batches(texts: Sequence[str]) -> Iterator[list[int]]:
    """Yield the places of texts that are sent together."""
    batch, size = list[int](), 0
    for place, text in enumerate(texts):
        length = min(len(text), _LONGEST)
        if not text.strip():
            continue
        if batch and (len(batch) == _MOST_TEXTS or size + length > _MOST_CHARACTERS):
            yield batch
            batch, size = [], 0
        batch.append(place)
        size += length
    if batch:
        yield batch
