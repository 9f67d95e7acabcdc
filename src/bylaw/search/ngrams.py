"""Texts as vectors without a model: the pieces of the words that stand in them, hashed.

Any language, no meaning: "refund" is near to "refunds" and "refunded", not to "money back". Nothing is learnt
from other texts, so a vector never changes; weights by how rare a piece is would find 1 to 3 more of 100.
"""

import asyncio
import re
import unicodedata
from collections import Counter
from collections.abc import Sequence
from math import log
from typing import Final
from zlib import crc32

import numpy as np

from bylaw.search.floats import Floats

DIMENSIONS: Final = 1024
_WORDS: Final = re.compile(r"\w+")
_SHORTEST: Final = 3
_LONGEST: Final = 5
_MOST_CHARACTERS: Final = 16_384


class NGrams:
    """Embeds by n-grams; `why` says why there is no model."""

    def __init__(self, why: str) -> None:
        self._why = why

    @property
    def id(self) -> str:
        """Return the name of this way of hashing."""
        return f"n-grams-{DIMENSIONS}-1"

    @property
    def dimensions(self) -> int:
        """Return how many numbers a vector has."""
        return DIMENSIONS

    @property
    def note(self) -> str:
        """Return that meaning is not compared, and why."""
        return f"Texts are compared by their letters, not by their meaning: {self._why}"

    async def embed(self, texts: Sequence[str]) -> Floats:
        """Return a row of length 1 for each text, of which the first 16,384 characters count."""
        return await asyncio.to_thread(_rows, texts)


def _rows(texts: Sequence[str]) -> Floats:
    rows = np.zeros((len(texts), DIMENSIONS), dtype=np.float32)
    for row, text in zip(rows, texts, strict=True):
        for piece, count in _pieces(text[:_MOST_CHARACTERS]).items():
            place = crc32(piece.encode("utf-8", "surrogatepass"))
            weight = 1 + log(count)
            row[place % DIMENSIONS] += weight if place >> 31 else -weight
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    np.divide(rows, lengths, out=rows, where=lengths > 0)
    return rows


def _pieces(text: str) -> Counter[str]:
    """Return the pieces of the words, with the space around them, each with its number.

    Where letters have no capitals, as in Chinese, words are often not parted: their pieces are shorter.
    """
    found = Counter[str]()
    for word in _WORDS.findall(unicodedata.normalize("NFKC", text).casefold()):
        padded = f" {word} "
        shortest = _SHORTEST - (word == word.upper())
        for length in range(shortest, _LONGEST + 1):
            found.update(padded[begin : begin + length] for begin in range(len(padded) - length + 1))
    return found
