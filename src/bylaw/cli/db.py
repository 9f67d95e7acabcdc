"""`bylaw db`: bring the schema of the control plane up to date, and check it."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar, cast

import click

from bylaw.cli.data import require_data
from bylaw.cli.lazy import Lazy, LazyGroup
from bylaw.cli.lazy import load as load_named
from bylaw.settings import Storage, load
from bylaw.storage.control import control_url, open_database, reached
from bylaw.storage.migrations import history
from bylaw.storage.sql.database import Database
from bylaw.storage.sql.session import failures

T = TypeVar("T")
MakeTables = Callable[[str], Coroutine[None, None, None]]
LookFor = Callable[[str], Coroutine[None, None, tuple[int, int]]]
FILE = "receipts.db"

EXAMPLES_OF_UPGRADE = """\b
Examples:
  bylaw db upgrade --data /var/lib/bylaw
  bylaw db upgrade --database-owner postgresql://owner@db/bylaw --database postgresql://bylaw@db/bylaw
"""

_data = click.option(
    "--data", type=click.Path(path_type=Path), help="Directory of the embedded SQLite (bylaw-data)."
)
_database = click.option("--database", help="postgresql://… that holds everything instead.")


_LAZY = MappingProxyType(
    {
        "rebuild": Lazy(
            "bylaw.cli.db_rebuild:rebuild", "Make the lists for people whole again from the receipts."
        ),
        "rotate-secrets": Lazy(
            "bylaw.cli.db_secrets:rotate_secrets", "Encrypt the credentials of connections under a new key."
        ),
    }
)


EXAMPLES = """\b
Examples:
  bylaw db check --data bylaw-data
  bylaw db upgrade --database postgresql://bylaw@db/bylaw
"""


@click.group("db", cls=LazyGroup, lazy=_LAZY, epilog=EXAMPLES)
def db() -> None:
    """Bring the schema of the database up to date, check it, and rebuild what comes from the receipts."""


@db.command(epilog=EXAMPLES_OF_UPGRADE)
@_data
@_database
@click.option("--database-owner", help="postgresql://… of the role that owns the tables.")
def upgrade(**flags: object) -> None:
    """Bring the schema up to date, that of the receipts in PostgreSQL too; nothing happens when it is."""
    storage = load(flags, os.environ, signs=False).storage
    if not storage.database:
        storage.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    owner = storage.database_owner or _url(storage)
    before, after = _run(owner, history.upgrade)
    if storage.database:
        make = cast("MakeTables", load_named("bylaw.storage.postgres.receipts_schema:make_tables"))
        asyncio.run(make(owner))
    click.echo(f"at {after} already" if before == after else f"from {before or 'nothing'} to {after}")


@db.command(epilog="\b\nExample:\n  bylaw db current --data /var/lib/bylaw")
@_data
@_database
def current(**flags: object) -> int:
    """Say where the schema is in its history; exit 1 when it is not where this version needs it."""
    found = _run(_existing(load(flags, os.environ, signs=False).storage), history.current)
    click.echo(f"at {found or 'nothing'}; this version works with {history.newest()}")
    return 0 if found == history.newest() else 1


@db.command(epilog="\b\nExample:\n  bylaw db check --database postgresql://bylaw@db/bylaw")
@_data
@_database
def check(**flags: object) -> int:
    """Check that the schema is what this version needs and keeps the tenants apart; exit 1 when not."""
    storage = load(flags, os.environ, signs=False).storage
    problems = [*_run(_existing(storage), _problems), *_problems_of_receipts(storage)]
    for problem in problems:
        click.echo(problem, err=True)
    if not problems:
        click.echo(f"at {history.newest()}, and as it should be")
        note = _run(_existing(storage), lambda database: database.note())
        if note:
            click.echo(f"vectors are compared in memory, for PostgreSQL cannot: {note}")
    return 1 if problems else 0


async def _problems(database: Database) -> list[str]:
    wrong = history.behind(await history.current(database))
    if wrong:
        return [wrong]
    with failures():
        await database.settle()
    return await history.differences(database)


def _problems_of_receipts(storage: Storage) -> list[str]:
    """Return what is wrong with the version of the receipts; a server brings older ones up to date."""
    plane, place = (
        ("postgres", storage.database) if storage.database else ("sqlite", str(storage.data / FILE))
    )
    if not storage.database and not (storage.data / FILE).exists():
        return []
    look = cast("LookFor", load_named(f"bylaw.storage.{plane}.receipts_schema:version_of"))
    found, known = asyncio.run(look(place))
    if found > known:
        return [f"receipts at {found}, which a newer Bylaw made; this version knows {known}: use that one"]
    if 0 < found < known:
        return [f"receipts at {found}; this version needs {known}: the next start brings them up to date"]
    return []


def _run(url: str, work: Callable[[Database], Awaitable[T]]) -> T:
    async def done() -> T:
        database = open_database(url)
        try:
            with reached(url):
                return await work(database)
        finally:
            await database.close()

    return asyncio.run(done())


def _existing(storage: Storage) -> str:
    """Return the URL of a database that is there: looking must not make one."""
    require_data(storage)
    return _url(storage)


def _url(storage: Storage) -> str:
    return control_url(storage.data, storage.database)
