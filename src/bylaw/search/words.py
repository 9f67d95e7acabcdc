"""Searching by words: what the store tells, told from memory wherever that knows."""

import asyncio
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Final

import numpy as np

from bylaw.core.paging import Page, Slice
from bylaw.policies.searching import Word, is_indexed
from bylaw.policies.store import Hit, Policies, PolicyFilter
from bylaw.search.lexicon import Mask, Rows, Seen, Worth

_FEW: Final = 10_000  # policies whose vectors are compared faster one by one than sought among all


class ByWords:
    """The words of one tenant as one transaction sees them: `seen` if they are in memory, else the store."""

    def __init__(self, policies: Policies, seen: Seen | None) -> None:
        self._policies = policies
        self._seen = seen
        self._worth: dict[tuple[Word, ...], Worth] = {}
        self._wanted: dict[PolicyFilter, Mask] = {}

    @property
    def are_in_memory(self) -> bool:
        """Return whether memory is asked first."""
        return self._seen is not None

    async def search(self, words: Sequence[Word], where: PolicyFilter, part: Slice) -> Page[Hit]:
        """Return what `Policies.search` does: the best first, then the newest."""
        if self._seen is None or not (_is_known(where) and all(map(is_indexed, words))):
            return await self._policies.search(words, where, part)
        if where.ids is None and where.digests is None:
            return await asyncio.to_thread(self._found, self._seen, tuple(words), where, part=part)
        return self._found(self._seen, tuple(words), where, part=part)

    def few(self, where: PolicyFilter) -> AbstractSet[str] | None:
        """Return the digests of what matches where that is known and little beside the rest, else None."""
        if self._seen is None or not _is_known(where):
            return None
        rows = _among(self._seen, where, self._mask(self._seen, where))
        if len(rows) > min(_FEW, len(self._seen.alive) // 2):
            return None
        return self._seen.digests(rows)

    def _found(self, seen: Seen, words: tuple[Word, ...], where: PolicyFilter, *, part: Slice) -> Page[Hit]:
        worth = self._worth.get(words)
        if worth is None:
            worth = self._worth[words] = seen.worth(words)
        wanted = self._mask(seen, where)
        rows = _among(seen, where, wanted & (worth > 0) if words else wanted)
        best = seen.best(rows, worth, most=part.offset + part.limit)
        return Page(items=tuple(best[part.offset :]), total=len(rows) if part.total else None)

    def _mask(self, seen: Seen, where: PolicyFilter) -> Mask:
        """Return which rows a filter wants, whatever policies it names."""
        of_all = replace(where, ids=None, digests=None)
        if of_all not in self._wanted:
            self._wanted[of_all] = seen.wanted(of_all)
        return self._wanted[of_all]


def _is_known(where: PolicyFilter) -> bool:
    """Return whether a filter looks at nothing but facets, ids and digests of what is not deleted."""
    names = (where.text, where.slugs, where.slug_prefix, where.or_policy)
    return all(each is None for each in names) and not where.include_deleted and not where.only_deleted


def _among(seen: Seen, where: PolicyFilter, wanted: Mask) -> Rows:
    """Return the rows that are wanted, of the policies that a filter names if it names any."""
    named = [
        seen.rows(ids=where.ids) if where.ids is not None else None,
        seen.rows(digests=where.digests) if where.digests is not None else None,
    ]
    rows: Rows | None = None
    for each in named:
        if each is not None:
            rows = each if rows is None else np.intersect1d(rows, each)
    return np.flatnonzero(wanted) if rows is None else rows[wanted[rows]]
