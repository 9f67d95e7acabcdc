"""The tables of the receipts plane in PostgreSQL, in a schema of their own, behind the same wall as the rest.

Many processes write, each its own log: every row of a log carries its number, and no row is shared between
writers but the rare new set of policies.
"""

import asyncpg

from bylaw.core.errors import Conflict, Forbidden
from bylaw.storage.postgres.walls import APP_ROLE, MAKE_ROLE

VERSION = 2
_MAKING = 0x6279_6C61_7701

# Rows of up to a page stay in line: a receipt is written and read whole.
_TABLES = """
CREATE SCHEMA ledger;
CREATE SEQUENCE ledger.log_numbers AS integer;
CREATE TABLE ledger.logs (number integer PRIMARY KEY, origin text NOT NULL UNIQUE);
CREATE TABLE ledger.receipts (
    log integer NOT NULL, leaf bigint NOT NULL, hash bytea NOT NULL, id text COLLATE "C" NOT NULL,
    tenant text, kind text NOT NULL, issued_ms bigint NOT NULL, agent text, outcome text, policy_set bigint,
    signature bytea, receipt bytea NOT NULL, PRIMARY KEY (log, leaf)
) WITH (toast_tuple_target = 8160);
CREATE UNIQUE INDEX receipts_by_id ON ledger.receipts (id);
CREATE INDEX receipts_listed ON ledger.receipts (tenant, issued_ms, id, kind, agent, outcome, policy_set);
CREATE INDEX receipts_about_keys ON ledger.receipts (log, leaf) WHERE kind = 'key';
CREATE TABLE ledger.parts (
    log integer NOT NULL, leaf bigint NOT NULL, name text COLLATE "C" NOT NULL, salt bytea NOT NULL,
    content bytea NOT NULL, PRIMARY KEY (log, leaf, name)
) WITH (toast_tuple_target = 8160);
CREATE TABLE ledger.effects (
    log integer NOT NULL, position bigint NOT NULL, leaf bigint NOT NULL, kind text NOT NULL,
    payload bytea NOT NULL, PRIMARY KEY (log, position)
);
CREATE TABLE ledger.idempotency (
    tenant text NOT NULL, scope text NOT NULL, key text NOT NULL, digest text NOT NULL, id text NOT NULL,
    PRIMARY KEY (tenant, scope, key)
);
CREATE TABLE ledger.policy_sets (
    tenant text NOT NULL, policy text NOT NULL, number bigint NOT NULL, PRIMARY KEY (tenant, policy, number)
);
CREATE TABLE ledger.nodes (
    log integer NOT NULL, level integer NOT NULL, position bigint NOT NULL, hash bytea NOT NULL,
    PRIMARY KEY (log, level, position)
);
CREATE TABLE ledger.checkpoints (
    log integer NOT NULL, size bigint NOT NULL, note bytea NOT NULL, PRIMARY KEY (log, size)
);
CREATE TABLE ledger.version (number integer NOT NULL);
INSERT INTO ledger.version VALUES (0);
"""
# A server of the version before may go on writing: the column is the last one, so it is left out.
_OUTCOMES = """
ALTER TABLE ledger.receipts ADD COLUMN outcome_of text;
CREATE INDEX receipts_of_outcomes ON ledger.receipts (tenant, outcome_of, issued_ms, id)
    WHERE outcome_of IS NOT NULL;
UPDATE ledger.receipts SET outcome_of = convert_from(receipt, 'UTF8')::json #>> '{claim,outcome_of}'
    WHERE position('"outcome_of":"r'::bytea IN receipt) > 0;
"""

_OPERATOR = "current_setting('bylaw.system', true) = 'on'"
_TENANT = "tenant = nullif(current_setting('bylaw.tenant', true), '')"
# What a tenant sees of each table; of the others it sees nothing.
_OWN = {
    "receipts": _TENANT,
    "idempotency": _TENANT,
    "policy_sets": _TENANT,
    "parts": "EXISTS (SELECT FROM ledger.receipts AS r WHERE r.log = parts.log AND r.leaf = parts.leaf)",
    "logs": "true",
}
_WALLED = (*_OWN, "effects", "nodes", "checkpoints")


async def make_tables(url: str) -> None:
    """Make the tables, or bring them up to date, as the owner that `url` logs in; repeats harmlessly.

    Raises: Conflict (`newer_data`) when a newer Bylaw did; Forbidden when the login role is no owner.
    """
    connection = await asyncpg.connect(url)
    try:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", _MAKING)
            found = 0
            if await connection.fetchval("SELECT to_regclass('ledger.version') IS NOT NULL"):
                found = await connection.fetchval("SELECT number FROM ledger.version")
            if found > VERSION:
                raise Conflict(
                    f"The receipts were written by a newer Bylaw (version {found} of the tables, this one"
                    f" knows {VERSION}). Start that one, or restore the backup from before.",
                    reason="newer_data",
                )
            if found < VERSION:
                await connection.execute("SELECT set_config('bylaw.system', 'on', true)")
                for step in _steps()[found:]:
                    await connection.execute(step)
                await connection.execute("UPDATE ledger.version SET number = $1", VERSION)
            if await connection.fetchval("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)", APP_ROLE):
                await connection.execute(_grants())
    except asyncpg.InsufficientPrivilegeError as error:
        raise Forbidden(
            f"This role may not make the tables of the receipts ({error}): run `bylaw db upgrade` as the"
            " owner of the database, or name that role as database_owner.",
            needs="the owner of the database",
        ) from error
    finally:
        await connection.close()


async def version_of(url: str) -> tuple[int, int]:
    """Return the version of the tables, 0 where there are none, and that which this version makes."""
    connection = await asyncpg.connect(url.replace("postgresql+asyncpg://", "postgresql://", 1))
    try:
        if await connection.fetchval("SELECT to_regclass('ledger.version') IS NULL"):
            return 0, VERSION
        role = await serving_role(connection)
        if role:
            await connection.execute(f"SET ROLE {role}")
        found: int = await connection.fetchval("SELECT number FROM ledger.version")
    finally:
        await connection.close()
    return found, VERSION


async def serving_role(connection: asyncpg.Connection) -> str:
    """Return the role to serve under, or an empty word when the login role may stay.

    Raises: Forbidden when the login role may not become `bylaw_app` and bypasses the wall, or has no rights.
    """
    login = await connection.fetchrow(
        "SELECT rolname, rolsuper OR rolbypassrls AS bypasses,"
        " has_schema_privilege(CURRENT_USER, to_regnamespace('ledger')::oid, 'USAGE') AS may_serve,"
        " EXISTS (SELECT FROM pg_roles WHERE rolname = $1 AND pg_has_role(CURRENT_USER, oid, 'MEMBER'))"
        " AS may_shed FROM pg_roles WHERE rolname = CURRENT_USER",
        APP_ROLE,
    )
    if login["may_shed"]:
        return APP_ROLE
    if login["bypasses"]:
        raise Forbidden(
            f"The database role {login['rolname']} bypasses row-level security. Connect as one that does "
            f"not, or create the role {APP_ROLE} and grant it to {login['rolname']}.",
            needs=APP_ROLE,
        )
    if login["may_serve"] is False:
        raise Forbidden(
            f"The database role {login['rolname']} may not use the tables: grant {APP_ROLE} to it.",
            needs=APP_ROLE,
        )
    return ""


def _steps() -> tuple[str, ...]:
    """Return what makes the tables: a version counts the steps that were taken."""
    return (f"{_TABLES};{_wall()};{MAKE_ROLE}", _OUTCOMES)


def _wall() -> str:
    statements = []
    for table in _WALLED:
        statements += [
            f"ALTER TABLE ledger.{table} ENABLE ROW LEVEL SECURITY",
            f"ALTER TABLE ledger.{table} FORCE ROW LEVEL SECURITY",
            f"CREATE POLICY operator ON ledger.{table} USING ({_OPERATOR}) WITH CHECK ({_OPERATOR})",
        ]
        if table in _OWN:
            statements.append(f"CREATE POLICY own_rows ON ledger.{table} FOR SELECT USING ({_OWN[table]})")
    statements.append("CREATE POLICY own_parts ON ledger.parts FOR DELETE USING (" + _OWN["parts"] + ")")
    return ";\n".join(statements)


def _grants() -> str:
    """Return the rights that serving needs: nothing that is recorded can be changed, only parts erased."""
    return (
        f"GRANT USAGE ON SCHEMA ledger TO {APP_ROLE};"
        f"GRANT USAGE ON SEQUENCE ledger.log_numbers TO {APP_ROLE};"
        f"GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA ledger TO {APP_ROLE};"
        f"GRANT DELETE ON ledger.parts TO {APP_ROLE}"
    )
