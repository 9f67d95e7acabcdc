"""Moves a database along the schema's history, under a lock that lets one process do so at a time."""

from collections.abc import Callable
from functools import cache

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.schema import SchemaItem

from bylaw.core.errors import Forbidden, Unavailable
from bylaw.storage.sql.database import Database
from bylaw.storage.sql.session import failures
from bylaw.storage.sql.tables import metadata

_NOT_ALLOWED = "42501"


def newest() -> str:
    """Return the revision that this version of Bylaw works with."""
    head = _scripts().get_current_head()
    return "" if head is None else head


def behind(found: str | None) -> str:
    """Return what is wrong with a database at the revision `found`, and what to do, if anything is."""
    if found == newest():
        return ""
    known = {each.revision for each in _scripts().walk_revisions()}
    if found is None or found in known:
        return f"at {found or 'nothing'}; this version needs {newest()}: run `bylaw db upgrade`"
    return f"at {found}, which a newer Bylaw made; this version knows {newest()}: use that one"


async def current(database: Database) -> str | None:
    """Return the revision of the database, or None when it is empty. Raises: Forbidden without the rights."""
    with failures():
        try:
            async with database.begin(None, writes=False) as connection:
                return await connection.run_sync(_revision)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != _NOT_ALLOWED:
                raise
            raise Forbidden(
                "This role may not read the tables: `GRANT bylaw_app` to it.", needs="bylaw_app"
            ) from error


async def upgrade(database: Database, revision: str = "head") -> tuple[str | None, str | None]:
    """Bring the schema up to `revision`; return the revisions before and after.

    A database that is there already is not touched, so a role that may not change the schema can ask.
    Raises: Unavailable when the database was made by a newer Bylaw.
    """
    before = await current(database)
    moved = (before, before)
    if before is None or before != (newest() if revision == "head" else revision):
        moved = await _move(database, lambda config: command.upgrade(config, revision))
    if revision == "head":
        with failures():
            await database.prepare()
    return moved


async def downgrade(database: Database, revision: str) -> tuple[str | None, str | None]:
    """Take the schema back to `revision`, `base` for nothing; return the revisions before and after."""
    return await _move(database, lambda config: command.downgrade(config, revision))


async def differences(database: Database) -> list[str]:
    """Return what the schema of the database lacks or has beyond the tables that the code uses."""
    with failures():
        async with database.begin(None, writes=False) as connection:
            return await connection.run_sync(_differences)


async def _move(database: Database, step: Callable[[Config], None]) -> tuple[str | None, str | None]:
    def move(connection: Connection) -> tuple[str | None, str | None]:
        before = _revision(connection)
        step(_config(connection))
        return before, _revision(connection)

    with failures():
        try:
            async with database.migrating() as connection:
                return await connection.run_sync(move)
        except CommandError as error:
            raise Unavailable(
                f"This version does not know the schema of the database ({error}): use the Bylaw that made"
                " it, or a newer one."
            ) from error
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != _NOT_ALLOWED:
                raise
            raise Forbidden(
                "This role may not change the schema: run `bylaw db upgrade` as the owner of the tables, or"
                " name that role as database_owner.",
                needs="the owner of the tables",
            ) from error


@cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())


def _config(connection: Connection | None = None) -> Config:
    config = Config()
    config.set_main_option("script_location", "bylaw.storage:migrations")
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    return config


def _revision(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _differences(connection: Connection) -> list[str]:
    options = {"compare_type": True, "compare_server_default": True, "include_object": compared}
    context = MigrationContext.configure(connection, opts=options)
    return [repr(found) for found in compare_metadata(context, metadata)]


def compared(item: SchemaItem, name: str | None, kind: str, *_: object) -> bool:
    """Return whether a table of the database is the control plane's; the receipts keep their own."""
    del item
    return kind != "table" or name in metadata.tables
