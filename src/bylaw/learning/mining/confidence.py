"""How sure a draft is.

    confidence = weight(kind) * wilson(supports, supports + against)

`wilson` is the lower bound of the share that agrees (Wilson's score interval, z = 1): with nothing against,
n conversations give n / (n + 1). The weight is the share of drafts of this kind that, read by a person, were
rules: see docs/adr/0025 for where it was counted. So a confidence stays below its kind's weight however often
something was said, and one voice of a customer's agent is never sure.
"""

from collections.abc import Mapping
from math import sqrt
from types import MappingProxyType
from typing import Final

from bylaw.learning.mining.model import Kind

WEIGHTS: Final[Mapping[Kind, float]] = MappingProxyType(
    {
        "correction": 1.0,
        "outcome": 1.0,
        "reason": 0.8,
        "statement": 0.8,
        "question": 0.6,
        "refusal": 0.8,
        "habit": 0.8,
        "limit": 0.4,
        "model": 0.7,
    }
)
_Z: Final = 1.0


def of(kind: Kind, *, supports: int, against: int = 0) -> float:
    """Return the confidence in a draft that so many conversations show, and so many contradict."""
    return round(WEIGHTS[kind] * wilson(supports, supports + against), 3)


def wilson(agreeing: int, of_all: int) -> float:
    """Return the lower bound of a share, 0 for a share of nothing."""
    if not of_all:
        return 0.0
    share, square = agreeing / of_all, _Z * _Z
    centre = share + square / (2 * of_all)
    spread = _Z * sqrt(share * (1 - share) / of_all + square / (4 * of_all * of_all))
    return (centre - spread) / (1 + square / of_all)
