"""Opens the control plane where a URL says: a SQLite file or a PostgreSQL database."""

from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from bylaw.core.clock import Clock
from bylaw.core.errors import InvalidInput, Unavailable
from bylaw.core.ids import Ids
from bylaw.storage.migrations import history
from bylaw.storage.postgres.database import PostgresDatabase
from bylaw.storage.sql.control import SqlControlStore
from bylaw.storage.sql.database import Database
from bylaw.storage.sql.session import failures
from bylaw.storage.sqlite.database import SqliteDatabase


async def open_control(
    url: str, *, ids: Ids, clock: Clock, owner_url: str = "", beside_server: bool = False
) -> SqlControlStore:
    """Return the control plane at `url`, its schema brought up to date by the role of `owner_url` if given.

    Who opens it `beside_server` leaves the upkeep of a file to that server.

    Raises: Forbidden when nothing would keep the tenants apart; Unavailable when the database cannot be
    reached or was made by a newer Bylaw.
    """
    async with AsyncExitStack() as stack:
        database = open_database(url, beside_server=beside_server)
        stack.push_async_callback(database.close)
        owner = open_database(owner_url) if owner_url else database
        with reached(owner_url or url):
            try:
                await history.upgrade(owner)
            finally:
                if owner is not database:
                    await owner.close()
        with reached(url), failures():
            await database.settle()
        stack.pop_all()
    return SqlControlStore(database, ids=ids, clock=clock)


@contextmanager
def reached(url: str) -> Iterator[None]:
    """Name the database that does not answer, without its password. Raises: Unavailable."""
    try:
        yield
    except Unavailable as error:
        if not isinstance(error.__cause__, OSError):
            raise
        shown = make_url(url).render_as_string(hide_password=True)
        raise Unavailable(f"No database answers at {shown}: {error.__cause__}.") from error


def control_url(data: Path, database: str) -> str:
    """Return the URL of the control plane: `database` when it is given, or else a file in `data`."""
    if database:
        return database
    return URL.create("sqlite", database=str(data / "control.db")).render_as_string()


def open_database(url: str, *, beside_server: bool = False) -> Database:
    """Return the database that `url` names (`sqlite:///path` or `postgresql://…`), not yet connected.

    Raises: InvalidInput for another URL; Unavailable for a file that cannot be opened.
    """
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise _unusable() from None
    match parsed.get_backend_name():
        case "sqlite" if parsed.database:
            return SqliteDatabase(Path(parsed.database), checkpoints=not beside_server)
        case "postgresql":
            return PostgresDatabase(parsed)
        case _:
            raise _unusable()


def _unusable() -> InvalidInput:
    message = "A database is named sqlite:///path/to/control.db or postgresql://user@host/name."
    return InvalidInput.of("database", "bad_url", message)
