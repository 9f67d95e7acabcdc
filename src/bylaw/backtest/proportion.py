"""A part of a number of cases, and how far such a count may be trusted."""

import math
from dataclasses import dataclass
from typing import Final

_Z: Final = 1.959963984540054  # of 95 in 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Proportion:
    """How many of how many, with the interval in which the true part lies in 95 of 100 such counts.

    `value` is None, and the interval everything, where there is nothing to count.
    Source: Wilson, E. B. (1927), doi:10.1080/01621459.1927.10502953.
    """

    count: int
    of: int
    value: float | None
    low: float
    high: float


def proportion(count: int, of: int) -> Proportion:
    """Return `count` of `of` with its interval, rounded to four places."""
    if not of:
        return Proportion(count=count, of=of, value=None, low=0.0, high=1.0)
    part, weight = count / of, _Z * _Z / of
    middle = (part + weight / 2) / (1 + weight)
    reach = _Z * math.sqrt(part * (1 - part) / of + weight / (4 * of)) / (1 + weight)
    low, high = max(0.0, middle - reach), min(1.0, middle + reach)
    return Proportion(count=count, of=of, value=round(part, 4), low=round(low, 4), high=round(high, 4))


def percentile(numbers: list[float], part: float) -> float:
    """Return the nearest number of which `part` are not above it, 0 of none."""
    ordered = sorted(numbers)
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)] if ordered else 0.0
