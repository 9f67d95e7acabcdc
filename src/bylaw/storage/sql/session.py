"""One transaction on one database: runs statements and says their failures in the project's words."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager

from sqlalchemy import CursorResult, Delete, Executable, Insert, RowMapping, Table, Update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import (
    DBAPIError,
    IntegrityError,
    InternalError,
    OperationalError,
    SQLAlchemyError,
    StatementError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection

from bylaw.core.errors import BylawError, Conflict, Corrupt, Unavailable
from bylaw.core.ids import TenantId
from bylaw.storage.refusals import require_writing, unknown_reference
from bylaw.storage.sql.database import Database

# Classes of SQLSTATE after which the same transaction may work a moment later: connection, rolled back (a
# deadlock), resources, lock not available, operator intervention.
_PASSING = ("08", "40", "53", "55", "57")
# Classes after which an operator has to do something: refused logins, and no such database.
_CLOSED = ("28", "3D")
# What a schema does not hold, or does not show: a schema, a table, a column, a right.
_LACKING = ("3F000", "42P01", "42703", "42501")
# No room left on the disk.
_NO_ROOM = "53100"
# What drivers raise without such a class when the database does not answer as it should.
_UNREACHED = (OperationalError, InternalError, PoolTimeout, OSError)


class Session:
    """The statements of one transaction; after a failure of the database nothing more runs or is kept."""

    def __init__(self, connection: AsyncConnection, *, writes: bool) -> None:
        self._connection = connection
        self.writes = writes
        self._failure: Exception | None = None
        self.enqueued = False  # whether a job was

    @property
    def is_postgres(self) -> bool:
        """Return whether it is one of PostgreSQL, not of SQLite."""
        return self._connection.dialect.name == "postgresql"

    async def rows(self, statement: Executable) -> Sequence[RowMapping]:
        """Return every row."""
        return (await self._run(statement)).mappings().all()

    async def row(self, statement: Executable) -> RowMapping | None:
        """Return the first row or None."""
        return (await self._run(statement)).mappings().first()

    async def number(self, statement: Executable) -> int:
        """Return the one number that the statement asks for, 0 when there is none."""
        row = (await self._run(statement)).first()
        return row[0] if row is not None and isinstance(row[0], int) else 0

    async def change(self, statement: Update | Delete | Insert) -> int:
        """Return how many rows the statement changed."""
        require_writing(writes=self.writes)
        result = await self._run(statement)
        return result.rowcount

    async def change_each(self, statement: Update, rows: Sequence[Mapping[str, object]]) -> None:
        """Run the statement once for each row of values."""
        require_writing(writes=self.writes)
        if rows:
            await self._run(statement, [dict(row) for row in rows])

    async def insert_new(self, table: Table, *rows: Mapping[str, object]) -> int:
        """Insert those rows that collide with no other, and return how many they were."""
        require_writing(writes=self.writes)
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        if not rows:
            return 0
        key = next(iter(table.primary_key.columns))
        statement = dialect.insert(table).on_conflict_do_nothing().returning(key)
        return len((await self._run(statement, [dict(row) for row in rows])).all())

    async def insert_all(self, table: Table, rows: Sequence[Mapping[str, object]]) -> None:
        """Insert those rows that collide with no other, however many they are."""
        require_writing(writes=self.writes)
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        if rows:
            await self._run(dialect.insert(table).on_conflict_do_nothing(), [dict(row) for row in rows])

    async def count_up(self, table: Table, column: str, *rows: Mapping[str, object]) -> None:
        """Insert rows, and where the key of one is there already raise its `column` by one.

        Either way other transactions that write to such a row wait for this one.
        """
        require_writing(writes=self.writes)
        dialect = postgresql if self._connection.dialect.name == "postgresql" else sqlite
        raised = {column: table.c[column] + 1}
        key = list(table.primary_key.columns)
        statement = dialect.insert(table).on_conflict_do_update(index_elements=key, set_=raised)
        if rows:
            await self._run(statement, [dict(row) for row in rows])

    def check(self) -> None:
        """Return nothing while all is well. Raises: the failure after which the transaction was over."""
        if self._failure is not None:
            raise self._failure

    async def _run(
        self, statement: Executable, rows: Sequence[dict[str, object]] | None = None
    ) -> CursorResult[*tuple[object, ...]]:
        self.check()
        try:
            return await self._connection.execute(statement, rows)
        except SQLAlchemyError as error:
            said = translate(error)
            if isinstance(error, DBAPIError):
                self._failure = said
            if said is error:
                raise
            raise said from error


@asynccontextmanager
async def session(database: Database, tenant_id: TenantId | None, *, writes: bool) -> AsyncIterator[Session]:
    """Open a transaction; it commits on a clean exit and keeps nothing otherwise.

    Raises: Unavailable when the database cannot be reached or is busy for too long.
    """
    with failures():
        async with database.begin(tenant_id, writes=writes) as connection:
            opened = Session(connection, writes=writes)
            yield opened
            opened.check()


@contextmanager
def failures() -> Iterator[None]:
    """Say what fails inside in the project's words. Raises: Unavailable, Conflict, Forbidden."""
    try:
        yield
    except (SQLAlchemyError, OSError) as error:
        said = translate(error)
        if said is error:
            raise
        raise said from error


def translate(error: SQLAlchemyError | OSError) -> Exception:
    """Return what a failure of the database means to a caller; a mistake of ours is returned as it is."""
    if isinstance(error, StatementError) and isinstance(error.orig, BylawError):
        return error.orig
    reason, state = _reason(error), _state(error)
    if isinstance(error, IntegrityError):
        if "foreign key" in reason.lower():
            return unknown_reference()
        return Conflict("Something with this key is there already.", reason="exists")
    if "not a database" in reason or "malformed" in reason:
        return Corrupt("The database file is damaged: restore it from a backup.", place="the control plane")
    if state.startswith(_CLOSED) or "unable to open" in reason:
        return Unavailable(f"The database does not let this server in: {reason}")
    if state in _LACKING or "no such" in reason:
        return Unavailable(f"The database lacks something that this server needs: {reason.strip('.')}.")
    if isinstance(error, _UNREACHED) or state.startswith(_PASSING):
        is_full = "disk is full" in reason or state == _NO_ROOM
        fix = "its disk is full, make room" if is_full else "try again"
        return Unavailable(f"The database cannot do this now and kept nothing: {fix}.")
    return error


def _reason(error: SQLAlchemyError | OSError) -> str:
    """Return the first line of what the database said, without the statement and its values."""
    if not isinstance(error, DBAPIError) or error.orig is None:
        return ""
    return str(error.orig.__cause__ or error.orig).partition("\n")[0]


def _state(error: SQLAlchemyError | OSError) -> str:
    """Return the SQLSTATE of a failure; that of a lost connection for any other reason to lose one."""
    if not isinstance(error, DBAPIError):
        return ""
    state = getattr(error.orig, "sqlstate", None)
    lost = "08000" if error.connection_invalidated else ""
    return state if isinstance(state, str) else lost
