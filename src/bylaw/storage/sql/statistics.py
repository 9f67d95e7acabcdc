"""Counts of what decisions left, in SQL: sums of whole hours and days, and rows where those do not hold.

The sums lie beside the rows that they are of. An hour is outdated by the transaction that adds rows to it,
and no sum of it is used until a tally has made it anew; so what is read is always what the rows amount to.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import fields
from typing import Final

from sqlalchemy import (
    ColumnElement,
    FromClause,
    RowMapping,
    Select,
    Subquery,
    Table,
    and_,
    case,
    delete,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    union_all,
)

from bylaw.core.clock import DAY_MS, HOUR_MS
from bylaw.core.ids import TenantId
from bylaw.review.store import Facet, Tallies, Tally, TallyFilter
from bylaw.storage.ranges import Ranges, around, inside, merged, without
from bylaw.storage.sql import tables
from bylaw.storage.sql.lists import Condition, equals, inside_any
from bylaw.storage.sql.session import Session
from bylaw.storage.sql.types import Ident, Int64, SearchKey
from bylaw.tenancy.model import Place

COUNTS: Final = tuple(each.name for each in fields(Tally))
_FACETS: Final[Mapping[Facet, str]] = {
    "policy": "policy_id",
    "user": "user_id",
    "key": "key_id",
    "model": "model",
}
_PLACE: Final = ("workspace_id", "repo_id")
_LEVELS: Final = {"tenant": 0, "workspace": 1, "repo": 2}  # how many of the ids of a place are told
_WHOLE: Final = "whole"  # the facet of sums over everything

Statement = Select[*tuple[object, ...]]


class SqlStatistics:
    """Counts of the rows of one tenant."""

    def __init__(self, session: Session, tenant_id: TenantId) -> None:
        self._session = session
        self._tenant_id = tenant_id

    async def series(self, where: TallyFilter, *, bucket_ms: int) -> Mapping[int, Tally]:
        """Return what there was in each bucket, by its start; buckets with nothing are left out."""
        found = await self._counted(where, bucket_ms, by=None)
        start = _floor(found.c.at_ms, bucket_ms).label("start")
        rows = await self._session.rows(select(start, *_sums(found)).group_by(start))
        return {row["start"]: _tally(row) for row in rows}

    async def totals(self, where: TallyFilter, by: Facet, *, limit: int, offset: int = 0) -> Tallies:
        """Return what there was of each id, most violations first; what has no id is left out."""
        found = await self._counted(where, DAY_MS, by=by)
        each = select(found.c.ident, *_sums(found)).where(found.c.ident != "").group_by(found.c.ident)
        summed = each.subquery()
        columns = summed.c
        entities = func.count().over().label("entities")
        ordered = select(summed, entities).order_by(
            columns.violations.desc(), columns.alerts.desc(), columns.ident
        )
        rows = await self._session.rows(ordered.limit(limit).offset(offset))
        total = rows[0]["entities"] if rows else 0
        if offset and not rows:
            total = await self._session.number(select(func.count()).select_from(summed))
        return Tallies(items=tuple((row["ident"], _tally(row)) for row in rows), total=total)

    async def series_of(
        self, where: TallyFilter, by: Facet, idents: Collection[str], *, bucket_ms: int
    ) -> Mapping[str, Mapping[int, Tally]]:
        """Return the series of each of these ids."""
        found = await self._counted(where, bucket_ms, by=by)
        start = _floor(found.c.at_ms, bucket_ms).label("start")
        wanted = select(found.c.ident, start, *_sums(found)).where(found.c.ident.in_(sorted(idents)))
        series: dict[str, dict[int, Tally]] = {ident: {} for ident in idents}
        for row in await self._session.rows(wanted.group_by(found.c.ident, start)):
            series[row["ident"]][row["start"]] = _tally(row)
        return series

    async def outdate(self, moments_ms: Collection[int]) -> None:
        """Say that rows of these moments come in this transaction.

        Whoever tallies such an hour meanwhile waits for this transaction, or this one for them.
        """
        hours = sorted({moment - moment % HOUR_MS for moment in moments_ms})
        rows = [{"tenant_id": self._tenant_id, "hour_ms": hour, "times": 1} for hour in hours]
        await self._session.count_up(tables.untallied, "times", *rows)

    async def tally(self, day_ms: int, *, before_ms: int) -> None:
        """Sum up the outdated hours of a day that were over at `before_ms`."""
        columns = tables.untallied.c
        until_ms = min(day_ms + DAY_MS, before_ms - before_ms % HOUR_MS)
        mine = and_(
            columns.tenant_id == self._tenant_id, columns.hour_ms >= day_ms, columns.hour_ms < until_ms
        )
        hours = [row["hour_ms"] for row in await self._session.rows(select(columns.hour_ms).where(mine))]
        # First the marks: whoever adds rows now waits, and marks the hour again.
        gone = and_(columns.tenant_id == self._tenant_id, columns.hour_ms.in_(hours))
        if not hours or not await self._session.change(delete(tables.untallied).where(gone)):
            return
        summed = tables.tallies.c
        old = and_(
            summed.tenant_id == self._tenant_id,
            summed.at_ms >= day_ms,
            summed.at_ms < day_ms + DAY_MS,
            or_(summed.step_ms == DAY_MS, summed.at_ms.in_(hours)),
        )
        await self._session.change(delete(tables.tallies).where(old))
        rows = merged((hour, hour + HOUR_MS) for hour in hours)
        for level in _LEVELS:
            for facet in (None, *_FACETS):
                await self._fill(self._of_rows(level, facet, rows))
        await self._fill(self._of_hours(day_ms))

    async def _fill(self, sums: Statement) -> None:
        names = [*_KEY, *COUNTS]
        await self._session.change(insert(tables.tallies).from_select(names, sums))

    def _of_rows(self, level: str, facet: Facet | None, rows: Ranges) -> Statement:
        """Return the sums of whole hours at one level, from the rows."""
        found = self._rows(facet, rows).subquery()
        told = [found.c[name] for name in _PLACE[: _LEVELS[level]]]
        place = (*told, *[literal("", SearchKey)] * (len(_PLACE) - len(told)))
        hour = _floor(found.c.at_ms, HOUR_MS)
        named = [told[-1] != ""] if told else []
        if facet is not None:
            named.append(found.c.ident != "")
        return (
            select(
                literal(self._tenant_id),
                literal(level, Ident),
                *place,
                literal(facet or _WHOLE, Ident),
                found.c.ident,
                literal(HOUR_MS, Int64),
                hour,
                *_sums(found),
            )
            .where(*named)
            .group_by(*told, found.c.ident, hour)
        )

    def _of_hours(self, day_ms: int) -> Statement:
        """Return the sums of a whole day, from those of its hours."""
        columns = tables.tallies.c
        kept = (columns.level, columns.workspace_id, columns.repo_id, columns.facet, columns.ident)
        return (
            select(
                columns.tenant_id,
                *kept,
                literal(DAY_MS, Int64),
                literal(day_ms, Int64),
                *_sums(tables.tallies),
            )
            .where(
                columns.tenant_id == self._tenant_id,
                columns.step_ms == HOUR_MS,
                columns.at_ms >= day_ms,
                columns.at_ms < day_ms + DAY_MS,
            )
            .group_by(columns.tenant_id, *kept)
        )

    async def _counted(self, where: TallyFilter, bucket_ms: int, *, by: Facet | None) -> Subquery:
        """Return rows of counts with `at_ms` and `ident`: of days, of hours and of single things."""
        asked = {*where.only, *([] if by is None else [by])}
        whole = [(where.from_ms, where.to_ms)]
        parts: list[Statement] = []
        if len(asked) < 2:  # sums are kept by one facet
            facet = next(iter(asked), None)
            outdated = await self._outdated(where)
            for step_ms in (DAY_MS, HOUR_MS):
                if bucket_ms % step_ms == 0:
                    usable = without(inside(whole, step_ms), around(outdated, step_ms))
                    whole = without(whole, usable)
                    parts += [self._sums_kept(where, facet, step_ms, usable)] if usable else []
        if whole or not parts:
            parts.append(self._rows(by, whole, where))
        return union_all(*parts).subquery()

    async def _outdated(self, where: TallyFilter) -> Ranges:
        columns = tables.untallied.c
        first_ms = where.from_ms - where.from_ms % DAY_MS
        hours = select(columns.hour_ms).where(
            columns.tenant_id == self._tenant_id,
            columns.hour_ms >= first_ms,
            columns.hour_ms < where.to_ms + DAY_MS,
        )
        rows = await self._session.rows(hours.order_by(columns.hour_ms))
        return merged((row["hour_ms"], row["hour_ms"] + HOUR_MS) for row in rows)

    def _sums_kept(self, where: TallyFilter, facet: Facet | None, step_ms: int, spans: Ranges) -> Statement:
        columns = tables.tallies.c
        wanted = and_(
            columns.tenant_id == self._tenant_id,
            _at(where.within),
            columns.facet == (facet or _WHOLE),
            columns.step_ms == step_ms,
            _during(columns.at_ms, spans),
        )
        ident = "" if facet is None else where.only.get(facet)
        wanted = and_(wanted, *equals(columns.ident, ident))
        return select(columns.at_ms, columns.ident, *(columns[name] for name in COUNTS)).where(wanted)

    def _rows(self, by: Facet | None, spans: Ranges, where: TallyFilter | None = None) -> Statement:
        """Return a row of counts for each violation, alert and evaluation of these spans."""
        found = []
        for table in (tables.violations, tables.alerts, tables.evaluations):
            columns = table.c
            wanted: list[Condition] = [columns.tenant_id == self._tenant_id, _during(columns.at_ms, spans)]
            only = {} if where is None else where.only
            if not all(_FACETS[facet] in columns for facet in {*only, *([] if by is None else [by])}):
                continue
            if where is not None and where.within is not None:
                wanted.append(inside_any(table, where.within))
            wanted += [columns[_FACETS[facet]] == ident for facet, ident in only.items()]
            ident = literal("", SearchKey) if by is None else columns[_FACETS[by]]
            place = () if where is not None else (columns.workspace_id, columns.repo_id)
            counted = _counts(table)
            found.append(
                select(
                    columns.at_ms,
                    ident.label("ident"),
                    *(counted.get(name, literal(0, Int64)).label(name) for name in COUNTS),
                    *place,
                ).where(*wanted)
            )
        return select(union_all(*found).subquery())


_KEY: Final = ("tenant_id", "level", *_PLACE, "facet", "ident", "step_ms", "at_ms")


def _counts(table: Table) -> Mapping[str, ColumnElement[int]]:
    """Return what one row of a table counts for."""
    columns, one, none = table.c, literal(1, Int64), literal(0, Int64)
    if table is tables.alerts:
        return {"alerts": one}
    if table is tables.evaluations:
        return {"tokens_in": columns.tokens_in, "tokens_out": columns.tokens_out}
    risks = {"low": "LOW", "medium": "MEDIUM", "high": "HIGH"}
    return {
        "violations": one,
        "blocks": case((columns.block, one), else_=none),
        **{name: case((columns.risk == risk, one), else_=none) for name, risk in risks.items()},
    }


def _sums(of: FromClause) -> list[ColumnElement[int]]:
    return [func.sum(of.c[name]).cast(Int64).label(name) for name in COUNTS]


def _tally(row: RowMapping) -> Tally:
    return Tally(**{name: row[name] for name in COUNTS})


def _floor(moment: ColumnElement[int], step_ms: int) -> ColumnElement[int]:
    return moment - moment % step_ms


def _during(moment: ColumnElement[int], spans: Ranges) -> Condition:
    return or_(false(), *(and_(moment >= start, moment < end) for start, end in spans))


def _at(within: Iterable[Place] | None) -> Condition:
    """Return whether a sum is of one of the places, each thing in one of them at most."""
    columns = tables.tallies.c
    every = {Place()} if within is None else set(within)
    widest = [one for one in every if not any(one != other and other.contains(one) for other in every)]
    return or_(
        false(),
        *(
            and_(
                columns.level == _level(place),
                columns.workspace_id == (place.workspace_id or ""),
                columns.repo_id == (place.repo_id or ""),
            )
            for place in sorted(widest, key=repr)
        ),
    )


def _level(place: Place) -> str:
    if place.repo_id is not None:
        return "repo"
    return "tenant" if place.workspace_id is None else "workspace"
