"""Searching by meaning: how fast its parts are, and how often the right one is found."""

from bench.report import Table
from bench.search_quality import quality
from bench.search_speed import speed


def run(*, quick: bool) -> list[Table]:
    """Return the tables of speed, then those of quality where the public sets are there."""
    return [*speed(quick=quick), *quality(quick=quick)]
