"""Finding policies: how fast, how many of the best, and how often the right one."""

from bench.report import Table
from bench.search_quality import quality


def run(*, quick: bool) -> list[Table]:
    """Return the tables of speed, then those of quality."""
    return quality(quick=quick)
