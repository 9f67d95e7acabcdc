"""The second wall: PostgreSQL itself keeps the tenants apart, whatever statement runs."""

# ruff: noqa: S608 - the names of tables are our own

import uuid

import asyncpg
import pytest
from sqlalchemy import make_url, text

from bylaw.core.clock import ManualClock
from bylaw.core.errors import Forbidden
from bylaw.core.ids import Ids
from bylaw.storage.control import open_control, open_database
from bylaw.storage.migrations import history
from bylaw.storage.postgres.walls import APP_ROLE, MAKE_ROLE, walled_tables
from bylaw.storage.sql.compared import COMPARED
from bylaw.storage.sql.tables import metadata, tenants
from tests import postgres
from tests.contracts.test_transactions import write_everything
from tests.contracts.values import A, B, key, tenant, workspace

WALLED = sorted(table.name for table in walled_tables())


def own_column(name: str) -> str:
    return "id" if name == tenants.name else "tenant_id"


@pytest.fixture(scope="module")
def filled_url(postgres_url: str) -> str:
    """A database in which two tenants hold a row of everything."""

    async def fill() -> None:
        clock = ManualClock()
        store = await open_control(postgres_url, ids=Ids(clock), clock=clock)
        async with store.system() as system:
            for tenant_id in (A, B):
                await system.add_tenant(tenant(tenant_id))
                await write_everything(system.of(tenant_id))
        await store.close()

    postgres.apart(fill)
    return postgres_url


@pytest.fixture
async def app(filled_url: str):
    """A raw connection, inside a transaction, in the role under which tenants are served."""
    connection = await asyncpg.connect(postgres.plain(filled_url))
    transaction = connection.transaction()
    await transaction.start()
    await connection.execute(f"SET LOCAL ROLE {APP_ROLE}")
    yield connection
    await transaction.rollback()
    await connection.close()


async def as_tenant(connection, tenant_id: str) -> None:
    await connection.execute("SELECT set_config('bylaw.tenant', $1, true)", tenant_id)


async def test_every_table_of_tenants_is_walled_and_forced(filled_url):
    connection = await asyncpg.connect(postgres.plain(filled_url))
    rows = await connection.fetch(
        "SELECT oid::regclass::text AS name FROM pg_class WHERE relrowsecurity AND relforcerowsecurity"
    )
    # Where the extension is there, what PostgreSQL compares is behind the wall as well.
    assert sorted({row["name"] for row in rows} - {COMPARED}) == WALLED
    columns = await connection.fetch(
        "SELECT table_name FROM information_schema.columns WHERE column_name = 'tenant_id'"
    )
    assert {row["table_name"] for row in columns} | {"tenants"} == set(WALLED)
    role = await connection.fetchrow("SELECT * FROM pg_roles WHERE rolname = $1", APP_ROLE)
    assert not any(role[each] for each in ("rolsuper", "rolbypassrls", "rolcanlogin", "rolcreaterole"))
    await connection.close()


@pytest.mark.parametrize("name", WALLED)
async def test_raw_sql_sees_and_touches_only_the_tenant_of_its_transaction(app, name):
    column = own_column(name)
    await as_tenant(app, A)
    assert {row[column] for row in await app.fetch(f"SELECT * FROM {name}")} == {A}
    assert await app.fetchval(f"SELECT count(*) FROM {name} WHERE {column} = $1", B) == 0
    assert await app.execute(f"DELETE FROM {name} WHERE {column} = '{B}'") == "DELETE 0"
    assert await app.execute(f"UPDATE {name} SET {column} = {column} WHERE {column} = '{B}'") == "UPDATE 0"
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await app.execute(f"UPDATE {name} SET {column} = '{B}'")


@pytest.mark.parametrize("name", WALLED)
async def test_a_row_for_another_tenant_cannot_be_inserted(app, name):
    column = own_column(name)
    await as_tenant(app, A)
    row = dict(await app.fetchrow(f"SELECT * FROM {name}"))
    row |= {column: B} | ({"id": "stray"} if "id" in row and column != "id" else {})
    values = ", ".join(f"${n}" for n in range(1, len(row) + 1))
    names = ", ".join(f'"{each}"' for each in row)
    with pytest.raises(asyncpg.InsufficientPrivilegeError, match="row-level security"):
        await app.execute(f"INSERT INTO {name} ({names}) VALUES ({values})", *row.values())


@pytest.mark.parametrize("name", WALLED)
@pytest.mark.parametrize("nobody", [None, "", "*", "on"])
async def test_without_a_tenant_nothing_is_there(app, name, nobody):
    if nobody is not None:
        await as_tenant(app, nobody)
    assert await app.fetch(f"SELECT * FROM {name}") == []


@pytest.mark.parametrize("name", WALLED)
async def test_only_the_operators_setting_opens_every_tenant(app, name):
    await app.execute("SELECT set_config('bylaw.system', 'on', true)")
    assert {row[own_column(name)] for row in await app.fetch(f"SELECT * FROM {name}")} == {A, B}


async def test_the_apps_role_can_change_neither_tables_nor_walls(app):
    for statement in (
        "ALTER TABLE policies DISABLE ROW LEVEL SECURITY",
        "DROP POLICY own_rows ON policies",
        "CREATE TABLE mine (id TEXT)",
        "UPDATE alembic_version SET version_num = '0'",
        "TRUNCATE policies",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with app.transaction():
                await app.execute(statement)


async def test_a_forgotten_filter_in_our_own_statement_shows_one_tenant(filled_url):
    database = open_database(filled_url)
    await database.settle()
    for writes in (True, False):
        async with database.begin(B, writes=writes) as connection:
            for table in walled_tables():
                rows = (await connection.execute(table.select())).mappings().all()
                assert {row[own_column(table.name)] for row in rows} == {B}
            assert (await connection.execute(text("SELECT current_user"))).scalar_one() == APP_ROLE
    async with database.begin(None, writes=False) as connection:
        assert len((await connection.execute(tenants.select())).all()) == 2
    await database.close()


class Roles:
    """Login roles of a test, removed at its end."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.made: list[str] = []

    def url_of(self, attributes: str, *grants: str) -> str:
        name = f"bylaw_test_{uuid.uuid4().hex[:12]}"
        self.made.append(name)
        statements = [
            f"CREATE ROLE {name} LOGIN PASSWORD 'p' {attributes}",
            *(g.format(role=name) for g in grants),
        ]
        postgres.apart(lambda: postgres.execute(self.url, *statements))
        return make_url(self.url).set(username=name, password="p").render_as_string(hide_password=False)

    def remove(self) -> None:
        drop = [f"DROP OWNED BY {name} CASCADE; DROP ROLE {name}" for name in self.made]
        postgres.apart(lambda: postgres.execute(self.url, *drop))


@pytest.fixture
def roles(postgres_server: str):
    with postgres.fresh_database(postgres_server) as url:
        found = Roles(url)
        yield found
        found.remove()


async def try_out(url: str, *, owner_url: str = "") -> None:
    """Serve two tenants through `url` and look across."""
    clock = ManualClock()
    store = await open_control(url, ids=Ids(clock), clock=clock, owner_url=owner_url)
    try:
        async with store.system() as system:
            for tenant_id in (A, B):
                await system.add_tenant(tenant(tenant_id))
        for tenant_id in (A, B):
            async with store.begin(tenant_id) as unit:
                await unit.tenancy.workspaces.add(workspace(tenant_id))
                await unit.tenancy.keys.add(key(tenant_id))
        async with store.database.begin(A, writes=True) as connection:
            rows = (await connection.execute(metadata.tables["workspaces"].select())).mappings().all()
            assert [row["tenant_id"] for row in rows] == [A]
        async with store.system(writes=False) as system:
            assert len(await system.keys()) == 2
    finally:
        await store.close()


async def test_a_plain_owner_is_behind_its_own_wall(roles):
    url = roles.url_of("NOSUPERUSER NOCREATEROLE", "GRANT ALL ON SCHEMA public TO {role}")
    await try_out(url)


async def test_whoever_makes_the_role_may_become_it(roles):
    login = roles.url_of("NOSUPERUSER CREATEROLE")
    role = f"bylaw_test_{uuid.uuid4().hex[:12]}"
    made = MAKE_ROLE.replace(APP_ROLE, role)
    try:
        await postgres.execute(login, made, made, f"SET ROLE {role}")
    finally:
        await postgres.execute(roles.url, f"DROP ROLE IF EXISTS {role}")


async def test_an_app_login_serves_without_owning_anything(roles):
    database = open_database(roles.url)
    await history.upgrade(database)
    await database.close()
    url = roles.url_of("NOSUPERUSER", f"GRANT {APP_ROLE} TO {{role}}")
    await try_out(url)


async def test_migrations_can_run_as_another_role(roles):
    database = open_database(roles.url)
    await history.upgrade(database, "0001")
    await database.close()
    url = roles.url_of("NOSUPERUSER", f"GRANT {APP_ROLE} TO {{role}}")
    with pytest.raises(Forbidden, match="database_owner"):
        await try_out(url)
    await try_out(url, owner_url=roles.url)


async def test_a_login_that_bypasses_the_wall_is_refused(roles):
    database = open_database(roles.url)
    await history.upgrade(database)
    await database.close()
    url = roles.url_of("BYPASSRLS", "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    with pytest.raises(Forbidden, match="bypasses row-level security"):
        await try_out(url)


async def test_a_missing_wall_is_refused_at_start(roles):
    database = open_database(roles.url)
    await history.upgrade(database)
    await database.close()
    await postgres.execute(roles.url, "ALTER TABLE violations NO FORCE ROW LEVEL SECURITY")
    with pytest.raises(Forbidden, match="violations"):
        await try_out(roles.url)


async def test_nothing_of_a_transaction_stays_on_its_connection(filled_url):
    database = open_database(filled_url)
    await database.settle()
    async with database.begin(A, writes=True):
        pass
    async with database._engine.connect() as connection:
        settings = "current_setting('bylaw.tenant', true), current_setting('bylaw.system', true)"
        user, tenant_id, system = (await connection.execute(text(f"SELECT current_user, {settings}"))).one()
        assert (user != APP_ROLE, tenant_id, system) == (True, "", "")
    await database.close()
