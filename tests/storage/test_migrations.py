"""The schema's history runs forward and back on both databases and ends at the tables that the code uses."""

import asyncio
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, Table, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bylaw.core.errors import Corrupt, Unavailable
from bylaw.storage.control import open_database
from bylaw.storage.migrations import history
from bylaw.storage.sql.tables import metadata
from tests import postgres


def revisions() -> list[str]:
    """Every revision, oldest first."""
    script = ScriptDirectory.from_config(history._config())
    return [each.revision for each in script.walk_revisions()][::-1]


@pytest.fixture(params=["sqlite", "postgres"])
def url(request: pytest.FixtureRequest, tmp_path: Path):
    """An empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'control.db'}"
        return
    with postgres.fresh_database(request.getfixturevalue("postgres_server")) as fresh:
        yield fresh


@pytest.fixture
async def database(url):
    opened = open_database(url)
    yield opened
    await opened.close()


async def reflected(connection: AsyncConnection) -> MetaData:
    found = MetaData()
    await connection.run_sync(found.reflect)
    return found


async def schema(database) -> dict[str, list[str]]:
    """Columns, keys, references and indexes of every table, as the database tells them."""

    def tell(connection) -> dict[str, list[str]]:
        inspector = inspect(connection)
        return {
            name: [
                *(
                    f"{c['name']} {c['type']} {c['nullable']} {c['default']}"
                    for c in inspector.get_columns(name)
                ),
                str(inspector.get_pk_constraint(name)),
                *sorted(str(sorted(each.items(), key=str)) for each in inspector.get_foreign_keys(name)),
                *sorted(str(sorted(each.items(), key=str)) for each in inspector.get_indexes(name)),
                *sorted(
                    str(sorted(each.items(), key=str)) for each in inspector.get_unique_constraints(name)
                ),
            ]
            for name in sorted(inspector.get_table_names())
        }

    async with database.migrating() as connection:
        if connection.dialect.name == "sqlite":
            made = await connection.execute(
                text("SELECT tbl_name, sql FROM sqlite_master ORDER BY type, name")
            )
            found: dict[str, list[str]] = {}
            for table, sql in made:
                found.setdefault(table, []).append(sql)
            return found
        return await connection.run_sync(tell)


async def test_up_down_and_up_again_is_the_same_schema(database):
    assert await history.current(database) is None
    assert await history.upgrade(database) == (None, history.newest())
    first = await schema(database)
    assert set(first) == {*metadata.tables, "alembic_version"}
    assert await history.downgrade(database, "base") == (history.newest(), None)
    assert set(await schema(database)) == {"alembic_version"}
    for revision in revisions():
        await history.upgrade(database, revision)
        assert await history.current(database) == revision
    assert await schema(database) == first
    for revision in revisions()[::-1][1:]:
        await history.downgrade(database, revision)
        assert await history.current(database) == revision


async def test_the_migrations_end_at_the_tables_that_the_code_uses(database):
    await history.upgrade(database)
    assert await history.differences(database) == []


async def test_a_schema_that_lacks_or_exceeds_something_is_told(database):
    await history.upgrade(database, revisions()[0])
    assert any("violations" in each for each in await history.differences(database))
    await history.upgrade(database)
    async with database.migrating() as connection:
        await connection.execute(text("ALTER TABLE policies ADD COLUMN stray TEXT"))
        await connection.execute(text("DROP INDEX ix_policies_tenant_id_created_ms_id"))
        await connection.execute(text("CREATE TABLE receipts_of_another_plane (id TEXT)"))
    told = " ".join(await history.differences(database))
    assert "stray" in told
    assert "ix_policies_tenant_id_created_ms_id" in told
    assert "receipts_of_another_plane" not in told


def sample(table: Table, n: int) -> dict[str, object]:
    """A row that fits, whatever the columns are; the same text everywhere, so references hold."""
    row: dict[str, object] = {}
    for column in table.columns:
        kind = column.type.python_type
        if kind is str:
            row[column.name] = "{}" if column.name.endswith("roles") else f"x{n}"
        else:
            row[column.name] = {int: n, bool: True, bytes: b"b"}[kind]
    return row


async def test_data_of_every_earlier_schema_survives_the_upgrade(database):
    kept = []
    for n, revision in enumerate(revisions()):
        await history.upgrade(database, revision)
        async with database.migrating() as connection:
            for table in (await reflected(connection)).sorted_tables:
                if table.name != "alembic_version":
                    rows = [sample(table, 2 * n + each) for each in (1, 2)]
                    await connection.execute(table.insert(), rows)
                    kept += [(revision, table.name, row) for row in rows]
    async with database.migrating() as connection:
        found = await reflected(connection)
        after = {
            name: [dict(row) for row in (await connection.execute(table.select())).mappings()]
            for name, table in found.tables.items()
        }
    lost = [
        (revision, name)
        for revision, name, row in kept
        if not any(row.items() <= each.items() for each in after[name])
    ]
    assert lost == []


async def test_processes_that_start_at_once_migrate_once(url):
    async def start():
        database = open_database(url)
        try:
            return await history.upgrade(database), await history.differences(database)
        finally:
            await database.close()

    done = await asyncio.gather(*(start() for _ in range(4)))
    moved = [each for each, _ in done]
    assert {after for _, after in moved} == {history.newest()}
    assert sum(before is None for before, _ in moved) == 1
    assert all(differences == [] for _, differences in done)


async def test_a_step_that_fails_leaves_the_schema_as_it_was(database):
    await history.upgrade(database, revisions()[0])
    before = await schema(database)

    def fail(config):
        config.attributes["connection"].execute(text("CREATE TABLE half (id TEXT)"))
        config.attributes["connection"].execute(text("DROP TABLE outbox"))
        raise RuntimeError("power cut")

    with pytest.raises(RuntimeError, match="power cut"):
        await history._move(database, fail)
    assert await schema(database) == before


async def test_a_database_of_a_newer_bylaw_is_refused_and_left_alone(database):
    await history.upgrade(database)
    before = await schema(database)
    async with database.migrating() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(Unavailable, match="newer"):
        await history.upgrade(database)
    assert await schema(database) == before


async def test_a_migration_that_would_orphan_rows_on_sqlite_is_taken_back(tmp_path):
    database = open_database(f"sqlite:///{tmp_path / 'control.db'}")
    await history.upgrade(database)

    async def orphan():
        async with database.migrating() as connection:
            await connection.execute(text("INSERT INTO outbox VALUES ('gone', 'i', 1, 'k', '{}', 1)"))

    with pytest.raises(Corrupt) as refused:
        await orphan()
    assert refused.value.place == "outbox"
    async with database.begin(None, writes=False) as connection:
        assert (await connection.execute(text("SELECT count(*) FROM outbox"))).scalar_one() == 0
    await database.close()
