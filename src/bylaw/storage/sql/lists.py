"""What every list shares: newest first, one page of it, and which places it concerns."""

from collections.abc import Callable, Iterable, Sequence

from sqlalchemy import (
    Boolean,
    ColumnElement,
    FunctionElement,
    RowMapping,
    Select,
    Table,
    and_,
    false,
    func,
    or_,
    select,
    true,
)
from sqlalchemy import tuple_ as row_value
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler

from bylaw.core.paging import Page, Slice, T
from bylaw.storage.paging import BY_TIME, SortKey, page_of, start_of
from bylaw.storage.sql.session import Session
from bylaw.tenancy.model import EVERYWHERE, Place

Condition = ColumnElement[bool]


class Listing:
    """A statement whose rows are listed in the falling order of `order`."""

    def __init__(
        self,
        statement: Select[*tuple[object, ...]],
        *order: ColumnElement[object],
        kinds: tuple[type, ...] = BY_TIME,
    ) -> None:
        self._statement = statement
        self._order = order
        self._kinds = kinds

    async def page(
        self, session: Session, part: Slice, *, read: Callable[[RowMapping], T], key: Callable[[T], SortKey]
    ) -> Page[T]:
        """Return one part of the list; `key` repeats the values of the order from an item."""
        start = start_of(part, *self._kinds)
        wanted = self._statement.order_by(*(column.desc() for column in self._order)).limit(part.limit + 1)
        if start is not None:
            types = [column.type for column in self._order]
            wanted = wanted.where(row_value(*self._order) < row_value(*start, types=types))
        elif part.offset:
            wanted = wanted.offset(part.offset)
        found = [read(row) for row in await session.rows(wanted)]
        total = None
        if part.total:
            matching = self._statement.with_only_columns(self._order[0]).subquery()
            total = await session.number(select(func.count()).select_from(matching))
        return page_of(found, part, key, total=total)


def exactly(table: Table, place: Place) -> Condition:
    """Return whether a row's place is `place` itself."""
    return and_(table.c.workspace_id == place.workspace_id, table.c.repo_id == place.repo_id)


def inside(table: Table, place: Place) -> Condition:
    """Return whether a row's place is `place` or lies in it."""
    if place.repo_id is not None:
        return exactly(table, place)
    return true() if place.workspace_id is None else table.c.workspace_id == place.workspace_id


def each_around(table: Table, place: Place) -> Sequence[Condition]:
    """Return the conditions that a row's place is `place`, or one that encloses it."""
    enclosing = {Place(), Place(workspace_id=place.workspace_id), place}
    return [exactly(table, each) for each in sorted(enclosing, key=repr)]


def each_near(table: Table, place: Place) -> Sequence[Condition]:
    """Return the conditions that a row's place encloses `place`, or is it or lies in it; no row meets two."""
    if place.repo_id is not None:
        return each_around(table, place)
    everywhere = [] if place == EVERYWHERE else [exactly(table, EVERYWHERE)]
    return [*everywhere, inside(table, place)]


def near_any(table: Table, places: Iterable[Place]) -> Condition:
    """Return whether a row's place is around or inside one of `places`."""
    return or_(false(), *(condition for place in places for condition in each_near(table, place)))


def inside_any(table: Table, places: Iterable[Place]) -> Condition:
    """Return whether a row's place is one of `places` or lies in one."""
    return or_(false(), *(inside(table, place) for place in places))


def one_of(column: ColumnElement[str], wanted: Iterable[str] | None) -> Sequence[Condition]:
    """Return the condition that a column holds one of the words, or nothing for None."""
    return () if wanted is None else (column.in_(sorted(wanted)),)


def equals(column: ColumnElement[object], wanted: object) -> Sequence[Condition]:
    """Return the condition that a column holds `wanted`, or nothing for None."""
    return () if wanted is None else (column == wanted,)


class contains(FunctionElement[bool]):  # noqa: N801 - reads as the function that it is
    """Whether a text holds another, case and all."""

    inherit_cache = True
    type = Boolean()


@compiles(contains, "sqlite")
def _in_sqlite(element: contains, compiler: SQLCompiler, **options: object) -> str:
    return f"instr({compiler.process(element.clauses, **options)}) > 0"


@compiles(contains, "postgresql")
def _in_postgresql(element: contains, compiler: SQLCompiler, **options: object) -> str:
    return f"strpos({compiler.process(element.clauses, **options)}) > 0"
