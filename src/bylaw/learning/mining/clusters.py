"""What says the same, put together: texts by their vectors, never one that forbids with one that does not.

Greedy and in the order of the texts, so the same texts make the same clusters. Two texts that name different
numbers, or of which one forbids, never meet; whether they are near anyway is what a conflict is.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from bylaw.learning.mining.said import forbids
from bylaw.search.floats import Floats

_WORDS: Final = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_NUMBERS: Final = {word: number for number, word in enumerate(_WORDS, 1)}
_NUMBER: Final = re.compile(rf"\d+(?:[.,]\d+)*|\b(?:{'|'.join(_NUMBERS)})\b(?! of\b)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Sense:
    """What a rule turns on besides its words: whether it forbids, and the numbers it names."""

    forbids: bool
    numbers: frozenset[str]

    def denies(self, other: "Sense") -> bool:
        """Return whether one forbids what the other allows, or each names a number of its own."""
        if self.forbids != other.forbids:
            return True
        return not (self.numbers <= other.numbers or other.numbers <= self.numbers)


def sense(text: str) -> Sense:
    """Return what a rule turns on."""
    numbers = (found.casefold() for found in _NUMBER.findall(text))
    return Sense(forbids(text), frozenset(str(_NUMBERS.get(each, each)) for each in numbers))


def clustered(texts: Sequence[str], vectors: Floats, *, at_least: float) -> list[list[int]]:
    """Return the places of `texts` in groups, each as near to its middle as `at_least`."""
    senses = [sense(text) for text in texts]
    groups: list[list[int]] = []
    alike: dict[Sense, list[int]] = {}
    sums = np.zeros_like(vectors)
    norms = np.ones(len(vectors), dtype=np.float32)
    for place, vector in enumerate(vectors):
        fitting = alike.setdefault(senses[place], [])
        near = sums[fitting] @ vector / norms[fitting]
        best = fitting[int(np.argmax(near))] if fitting and float(near.max()) >= at_least else len(groups)
        if best == len(groups):
            groups.append([])
            fitting.append(best)
        groups[best].append(place)
        sums[best] += vector
        norms[best] = np.linalg.norm(sums[best]) or 1.0
    return sorted(groups, key=lambda group: (-len(group), group[0]))


def middle(group: Sequence[int], vectors: Floats, texts: Sequence[str]) -> int:
    """Return the member of a group that is nearest to all others; of equals the shortest, then the first."""
    near = vectors[list(group)] @ vectors[list(group)].sum(axis=0)
    order = [
        (-round(float(score), 4), len(texts[place]), texts[place], place)
        for place, score in zip(group, near, strict=True)
    ]
    return min(order)[-1]


def farthest_first(vectors: Floats, most: int) -> list[int]:
    """Return up to `most` places that differ from each other the most, beginning in the middle."""
    if not len(vectors):
        return []
    chosen = [int(np.argmax(vectors @ vectors.sum(axis=0)))]
    nearest = vectors @ vectors[chosen[0]]
    while len(chosen) < min(most, len(vectors)):
        nearest[chosen] = np.inf
        chosen.append(int(np.argmin(nearest)))
        nearest = np.maximum(nearest, vectors @ vectors[chosen[-1]])
    return chosen
