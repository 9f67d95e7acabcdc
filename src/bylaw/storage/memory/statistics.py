"""Counts of what decisions left, in memory: each time out of the rows."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields

from sqlalchemy import Table

from bylaw.core.clock import DAY_MS, HOUR_MS
from bylaw.core.ids import RepoId, TenantId, WorkspaceId
from bylaw.review.store import Facet, Tallies, Tally, TallyFilter
from bylaw.storage.memory.changes import whole
from bylaw.storage.memory.heap import Heap, Row
from bylaw.storage.sql import tables
from bylaw.storage.text import search_key
from bylaw.tenancy.model import Place

_FACETS: Mapping[Facet, str] = {
    "policy": "policy_id",
    "user": "user_id",
    "key": "key_id",
    "model": "model",
}


class MemoryStatistics:
    """Counts of the rows of one tenant."""

    def __init__(self, heap: Heap, tenant_id: TenantId) -> None:
        self._heap = heap
        self._tenant_id = tenant_id

    async def series(self, where: TallyFilter, *, bucket_ms: int) -> Mapping[int, Tally]:
        """Return what there was in each bucket, by its start; buckets with nothing are left out."""
        found: defaultdict[int, Tally] = defaultdict(Tally)
        for row, tally in self._rows(where, None):
            start = whole(row["at_ms"]) // bucket_ms * bucket_ms
            found[start] = _sum(found[start], tally)
        return found

    async def totals(self, where: TallyFilter, by: Facet, *, limit: int, offset: int = 0) -> Tallies:
        """Return what there was of each id, most violations first; what has no id is left out."""
        found: defaultdict[str, Tally] = defaultdict(Tally)
        for row, tally in self._rows(where, by):
            ident = str(row[_FACETS[by]])
            found[ident] = _sum(found[ident], tally)
        found.pop("", None)
        ordered = sorted(found.items(), key=lambda one: (-one[1].violations, -one[1].alerts, one[0]))
        return Tallies(items=tuple(ordered[offset : offset + limit]), total=len(ordered))

    async def series_of(
        self, where: TallyFilter, by: Facet, idents: Collection[str], *, bucket_ms: int
    ) -> Mapping[str, Mapping[int, Tally]]:
        """Return the series of each of these ids."""
        series: dict[str, defaultdict[int, Tally]] = {ident: defaultdict(Tally) for ident in idents}
        for row, tally in self._rows(where, by):
            found = series.get(str(row[_FACETS[by]]))
            if found is not None:
                start = whole(row["at_ms"]) // bucket_ms * bucket_ms
                found[start] = _sum(found[start], tally)
        return series

    async def outdate(self, moments_ms: Collection[int]) -> None:
        """Say that rows of these moments come in this transaction."""
        for hour in {moment - moment % HOUR_MS for moment in moments_ms}:
            row = {"tenant_id": self._tenant_id, "hour_ms": hour, "times": 1}
            self._heap.replace(tables.untallied, row)

    async def tally(self, day_ms: int, *, before_ms: int) -> None:
        """Take the hours of a day that are over for summed up."""
        for row in list(self._heap.all(tables.untallied)):
            hour = whole(row["hour_ms"])
            over = day_ms <= hour < day_ms + DAY_MS and hour + HOUR_MS <= before_ms
            if row["tenant_id"] == self._tenant_id and over:
                self._heap.remove(tables.untallied, row)

    def _rows(self, where: TallyFilter, by: Facet | None) -> Iterator[tuple[Row, Tally]]:
        wanted = {*where.only, *([] if by is None else [by])}
        for table in (tables.violations, tables.alerts, tables.evaluations):
            if all(_FACETS[facet] in table.c for facet in wanted):
                for row in self._heap.all(table):
                    if row["tenant_id"] == self._tenant_id and _matches(row, where):
                        yield row, _counted(table, row)


def _matches(row: Row, where: TallyFilter) -> bool:
    here = Place(
        workspace_id=WorkspaceId(str(row["workspace_id"])) if row["workspace_id"] else None,
        repo_id=RepoId(str(row["repo_id"])) if row["repo_id"] else None,
    )
    return (
        where.from_ms <= whole(row["at_ms"]) < where.to_ms
        and (where.within is None or any(place.contains(here) for place in where.within))
        and all(row[_FACETS[facet]] == search_key(ident) for facet, ident in where.only.items())
    )


def _counted(table: Table, row: Row) -> Tally:
    if table is tables.alerts:
        return Tally(alerts=1)
    if table is tables.evaluations:
        return Tally(tokens_in=whole(row["tokens_in"]), tokens_out=whole(row["tokens_out"]))
    risk = {str(row["risk"]).lower(): 1}
    return Tally(violations=1, blocks=int(bool(row["block"])), **risk)


def _sum(one: Tally, other: Tally) -> Tally:
    return Tally(**{each.name: getattr(one, each.name) + getattr(other, each.name) for each in fields(Tally)})
