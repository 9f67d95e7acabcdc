"""Stretches of whole numbers: sorted pairs of a start and the end after it, apart from one another."""

from collections.abc import Iterable, Sequence

Ranges = Sequence[tuple[int, int]]


def merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return what lies in any of `spans`, in the fewest ranges."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if start >= end:
            continue
        if found and start <= found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def without(spans: Ranges, holes: Ranges) -> list[tuple[int, int]]:
    """Return what lies in one of `spans` and in none of `holes`."""
    found: list[tuple[int, int]] = []
    for begin, end in spans:
        at = begin
        for start, stop in holes:
            if stop > at and start < end:
                found.append((at, start))
                at = stop
        found.append((at, end))
    return [(start, end) for start, end in found if start < end]


def inside(spans: Ranges, step: int) -> list[tuple[int, int]]:
    """Return the whole steps that lie in `spans`."""
    return [(start, end) for start, end in ((a + -a % step, b - b % step) for a, b in spans) if start < end]


def around(spans: Ranges, step: int) -> list[tuple[int, int]]:
    """Return the whole steps that hold all of `spans`."""
    return merged((start - start % step, end + -end % step) for start, end in spans)
