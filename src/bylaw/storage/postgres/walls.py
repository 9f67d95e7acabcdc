"""The second wall between tenants: row-level security that even the owner of the tables is behind.

A row is visible, and may be written, when its tenant is the one that the transaction named, or when the
transaction is the operator's. With neither setting nothing is visible. Superusers and roles with BYPASSRLS
look over any wall, so transactions run as `bylaw_app`, which has only the rights it needs; migrations make
that role when the login role may.
"""

from sqlalchemy import Table, text
from sqlalchemy.ext.asyncio import AsyncConnection

from bylaw.core.errors import Forbidden
from bylaw.storage.sql.compared import COMPARED
from bylaw.storage.sql.tables import metadata, tenants

APP_ROLE = "bylaw_app"

MAKE_ROLE = f"""
DO $$ BEGIN
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN
    CREATE ROLE {APP_ROLE} NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS;
    GRANT {APP_ROLE} TO CURRENT_USER;  -- who makes a role may not yet become it
  ELSIF NOT pg_has_role(CURRENT_USER, '{APP_ROLE}', 'MEMBER') THEN
    GRANT {APP_ROLE} TO CURRENT_USER;
  END IF;
EXCEPTION WHEN insufficient_privilege OR duplicate_object OR unique_violation THEN NULL;
END $$
"""
GRANT = f"GRANT SELECT, INSERT, UPDATE, DELETE ON {{}} TO {APP_ROLE}"
ROLE_EXISTS = text("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = :role)")
_LOGIN = text(
    "SELECT rolname, rolsuper OR rolbypassrls AS bypasses,"
    " EXISTS (SELECT FROM pg_roles WHERE rolname = :role AND pg_has_role(CURRENT_USER, oid, 'MEMBER'))"
    " AS may_shed"
    " FROM pg_roles WHERE rolname = CURRENT_USER"
)
_UNWALLED = text(
    "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
    " WHERE CASE WHEN pg_table_is_visible(c.oid) THEN relname ELSE nspname || '.' || relname END"
    " = ANY (CAST(:names AS text[])) AND relkind IN ('r', 'p')"
    " AND NOT (relrowsecurity AND relforcerowsecurity)"
)


def walled_tables() -> list[Table]:
    """Return the tables whose rows belong to a tenant, and the tenants themselves."""
    return [table for table in metadata.sorted_tables if table is tenants or "tenant_id" in table.c]


async def raise_walls(connection: AsyncConnection) -> None:
    """Put every table that exists behind the wall and give the app's role its rights; repeats harmlessly."""
    await connection.execute(text(MAKE_ROLE))
    has_role = (await connection.execute(ROLE_EXISTS, {"role": APP_ROLE})).scalar_one()
    existing = (await connection.execute(text("SELECT relname FROM pg_class WHERE relkind = 'r'"))).scalars()
    names = set(existing)
    for table in walled_tables():
        if table.name in names:
            for statement in wall(table.name, column="id" if table is tenants else "tenant_id"):
                await connection.execute(text(statement))
    for name in sorted(names & metadata.tables.keys()) if has_role else ():
        await connection.execute(text(GRANT.format(name)))
    if has_role and "alembic_version" in names:
        await connection.execute(text(f"GRANT SELECT ON alembic_version TO {APP_ROLE}"))


def wall(name: str, *, column: str = "tenant_id") -> list[str]:
    """Return the statements that build the wall around one table, whose `column` names the tenant."""
    own = f"{column} = nullif(current_setting('bylaw.tenant', true), '')"
    operator = "current_setting('bylaw.system', true) = 'on'"
    return [
        f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY",
        f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY",
        f"DROP POLICY IF EXISTS own_rows ON {name}",
        f"CREATE POLICY own_rows ON {name} USING ({own}) WITH CHECK ({own})",
        f"DROP POLICY IF EXISTS operator ON {name}",
        f"CREATE POLICY operator ON {name} USING ({operator}) WITH CHECK ({operator})",
    ]


async def role_behind_walls(connection: AsyncConnection) -> str:
    """Return the role to take on in each transaction, or an empty word when the login role may stay.

    Raises: Forbidden when a wall is missing, or the login role bypasses it and may not become `bylaw_app`.
    """
    names = [COMPARED, *(table.name for table in walled_tables())]
    bare = (await connection.execute(_UNWALLED, {"names": names})).scalars().all()
    if bare:
        raise Forbidden(
            f"Row-level security is off on {', '.join(sorted(bare))}: run `bylaw db upgrade` as their owner.",
            needs="row-level security",
        )
    login = (await connection.execute(_LOGIN, {"role": APP_ROLE})).one()
    if login.may_shed:
        return APP_ROLE
    if login.bypasses:
        raise Forbidden(
            f"The database role {login.rolname} bypasses row-level security. Connect as one that does not,"
            f" or create the role {APP_ROLE} and grant it to {login.rolname}.",
            needs=APP_ROLE,
        )
    return ""
