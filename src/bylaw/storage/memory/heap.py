"""Rows in dictionaries, under the rules of the same tables: keys, unique names and references.

A transaction copies a table when it first writes to it, so what others read never changes under them, and a
rollback forgets the copies.
"""

import json
from collections.abc import Iterable, Mapping

from sqlalchemy import Column, ForeignKeyConstraint, Table, UniqueConstraint
from sqlalchemy.dialects import sqlite
from sqlalchemy.types import TypeDecorator

from bylaw.core.errors import BylawError
from bylaw.storage.refusals import require_writing, unknown_reference
from bylaw.storage.sql.types import JsonText
from bylaw.storage.text import json_text

Row = Mapping[str, object]
Key = tuple[object, ...]
Contents = Mapping[str, Mapping[Key, Row]]

_DIALECT = sqlite.dialect()


class Heap:
    """The rows that one transaction sees; after a broken reference nothing more is read or kept."""

    def __init__(self, contents: Contents, *, writes: bool) -> None:
        self.writes = writes
        self._contents = contents
        self._copies: dict[str, dict[Key, Row]] = {}
        self._failure: BylawError | None = None

    def all(self, table: Table) -> Iterable[Row]:
        """Return every row of a table."""
        return self._rows(table).values()

    def get(self, table: Table, *key: object) -> Row | None:
        """Return the row with this key, or None."""
        columns = table.primary_key.columns
        held = tuple(_held(column, value) for column, value in zip(columns, key, strict=True))
        return self._rows(table).get(held)

    def insert_new(self, table: Table, row: Row) -> bool:
        """Insert a row unless it collides with another, and return whether it was."""
        stored = _stored(table, row)
        key = _key(table, stored)
        if key in self._rows(table) or self._collides(table, stored):
            return False
        self._put(table, key, stored)
        return True

    def replace(self, table: Table, row: Row) -> None:
        """Put a row in place of the one with its key."""
        stored = _stored(table, row)
        self._put(table, _key(table, stored), stored)

    def remove(self, table: Table, row: Row) -> None:
        """Take a row out; nothing happens when it is not there."""
        require_writing(writes=self.writes)
        self._copy(table).pop(_key(table, row), None)

    def merged(self) -> Contents:
        """Return everything as it is after this transaction. Raises: what broke it."""
        self._check()
        return {**self._contents, **self._copies}

    def _rows(self, table: Table) -> Mapping[Key, Row]:
        self._check()
        copied = self._copies.get(table.name)
        return self._contents.get(table.name, {}) if copied is None else copied

    def _copy(self, table: Table) -> dict[Key, Row]:
        if table.name not in self._copies:
            self._copies[table.name] = dict(self._rows(table))
        return self._copies[table.name]

    def _put(self, table: Table, key: Key, row: Row) -> None:
        require_writing(writes=self.writes)
        if not all(self._refers(constraint, row) for constraint in table.foreign_key_constraints):
            self._failure = unknown_reference()
            raise self._failure
        self._copy(table)[key] = row

    def _check(self) -> None:
        if self._failure is not None:
            raise self._failure

    def _refers(self, constraint: ForeignKeyConstraint, row: Row) -> bool:
        wanted = {element.column.name: row[element.parent.name] for element in constraint.elements}
        if None in wanted.values():
            return True
        others = self._rows(constraint.referred_table).values()
        return any(all(other[name] == value for name, value in wanted.items()) for other in others)

    def _collides(self, table: Table, row: Row) -> bool:
        return any(self._taken(table, names, row) for names in _unique(table))

    def _taken(self, table: Table, names: list[str], row: Row) -> bool:
        values = [row[name] for name in names]
        if None in values or row.get("deleted_ms") is not None:
            return False
        return any(
            [other[name] for name in names] == values and other.get("deleted_ms") is None
            for other in self.all(table)
        )


def _unique(table: Table) -> list[list[str]]:
    """Return the columns that are unique together: everywhere, or among what is not deleted."""
    constraints = [each.columns for each in table.constraints if isinstance(each, UniqueConstraint)]
    indexes = [each.columns for each in table.indexes if each.unique]
    return [[column.name for column in columns] for columns in (*constraints, *indexes)]


def _key(table: Table, row: Row) -> Key:
    return tuple(row[column.name] for column in table.primary_key.columns)


def _stored(table: Table, row: Row) -> dict[str, object]:
    return {column.name: _held(column, row.get(column.name)) for column in table.columns}


def _held(column: Column[object], value: object) -> object:
    """Return what a database would hold for `value`. Raises: InvalidInput for what it would refuse."""
    if isinstance(column.type, JsonText):
        return None if value is None else json.loads(json_text(value))
    if isinstance(column.type, TypeDecorator):
        return column.type.process_bind_param(value, _DIALECT)
    return value
