"""The shelf of the packs that come with Bylaw."""

from functools import cache

from bylaw.policies.advice.recommend import Shelf
from bylaw.policies.packs.shipped import shipped_packs


@cache
def shipped_shelf() -> Shelf:
    """Return the shipped packs to recommend from; the first call reads them, which takes a moment."""
    return Shelf(shipped_packs())
