"""Two opinions of what fits a query, joined into one: what it means, and which words stand there.

Both are spread over 0 to 1 and added with fixed weights. Adding ranks instead (reciprocal rank fusion)
forgets how weak a hit of words may be, and finds less on short texts: see `python -m bench search`.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np

from bylaw.search.floats import Floats

MEANING: Final = 0.85
WORDS: Final = 1 - MEANING
ABOUT: Final = 0.65
PROCEDURE: Final = 1 - ABOUT


def midst(rows: Floats) -> Floats:
    """Return the direction in the midst of some, of length 1: that of a text and of examples for it.

    It finds more than the vector of all of them as one text, in which the last ones hardly count.
    """
    middle: Floats = rows.mean(axis=0)
    length = np.linalg.norm(middle)
    return middle / length if length else middle


def joined(about: Floats, procedure: Floats | None) -> Floats:
    """Return the one vector whose product with a query is the weighted sum of the products of both fields.

    `about` is the midst of title with description and of the examples, `procedure` the vector of the rules;
    what has none is judged by `about` alone. Not of length 1: fields that differ point less far.
    """
    if procedure is None:
        return about
    return (np.float32(ABOUT) * about + np.float32(PROCEDURE) * procedure).astype(np.float32, copy=False)


def taught(alike: float, said: float) -> float:
    """Return how like a text is to a policy to which a message was led that is `said` like the text.

    Such a message stands for what the policy is about. The very same text (1.0) is as like as can be.
    """
    return said if said >= 1.0 else max(alike, ABOUT * said + PROCEDURE * alike)


def fuse(meaning: Mapping[str, float], words: Mapping[str, float]) -> dict[str, float]:
    """Return the id and score, 0 to 1, of all that either side found, best first and then by id.

    Higher is better on both sides; what only one side found counts as the worst of the other.
    """
    means, says = _spread(meaning), _spread(words)
    found = {
        each: MEANING * means.get(each, 0.0) + WORDS * says.get(each, 0.0)
        for each in meaning.keys() | words.keys()
    }
    return dict(sorted(found.items(), key=lambda each: (-each[1], each[0])))


def _spread(scores: Mapping[str, float]) -> dict[str, float]:
    """Return `scores` from 0, the worst, to 1, the best; where all are equal, all are best."""
    if not scores:
        return {}
    low, high = min(scores.values()), max(scores.values())
    if high == low:
        return dict.fromkeys(scores, 1.0)
    return {each: (score - low) / (high - low) for each, score in scores.items()}
