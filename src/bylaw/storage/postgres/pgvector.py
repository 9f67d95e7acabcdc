"""Where PostgreSQL compares vectors: in a schema of its own, with a partition and a graph for each tenant.

It is no part of the schema's history, for it needs the extension `vector`, which may be missing, come later
or go again, and it holds nothing that is not kept elsewhere. Partitions are made by a function that runs as
the owner, for the tenant of the transaction alone; nobody has a right on them but through the table.
"""

import logging
from dataclasses import replace
from typing import Final

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from bylaw.storage.postgres.walls import APP_ROLE, GRANT, ROLE_EXISTS, wall
from bylaw.storage.sql.compared import COMPARED, LOOK, Seen, why_not

_log = logging.getLogger("bylaw.storage")

_AVAILABLE: Final = text(
    "SELECT EXISTS (SELECT FROM pg_available_extensions WHERE name = 'vector' AND installed_version IS NULL)"
)
_IS_MADE: Final = text(
    "SELECT EXISTS (SELECT FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace"
    " WHERE nspname || '.' || relname = :name AND pg_has_role(CURRENT_USER, relowner, 'USAGE'))"
).bindparams(name=COMPARED)
_WHERE: Final = text(
    "SELECT quote_ident(nspname) FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace"
    " WHERE extname = 'vector'"
)
# The table, what makes the partition of a tenant, and what takes out of it whatever is not kept any more.
_SCHEMA: Final = (
    "DROP SCHEMA IF EXISTS compared CASCADE",
    "CREATE SCHEMA compared",
    """
    CREATE TABLE compared.vectors (
      tenant_id text COLLATE "C" NOT NULL,
      digest text COLLATE "C" NOT NULL,
      embedder text COLLATE "C" NOT NULL,
      number bigint NOT NULL,
      meant vector NOT NULL,
      PRIMARY KEY (tenant_id, digest)
    ) PARTITION BY LIST (tenant_id)
    """,
    "CREATE INDEX ON compared.vectors (tenant_id, number)",
    """
    CREATE FUNCTION compared.make(dimensions int) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = compared, {schema}, pg_temp AS $$
    DECLARE
      tenant text := nullif(current_setting('bylaw.tenant', true), '');
      part text := 'of_' || left(encode(sha256(convert_to(tenant, 'UTF8')), 'hex'), 32);
      graph text := part || '_graph';
    BEGIN
      IF to_regclass(part) IS NULL THEN
        EXECUTE format('CREATE TABLE %I (LIKE vectors)', part);
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY', part);
        EXECUTE format('ALTER TABLE vectors ATTACH PARTITION %I FOR VALUES IN (%L)', part, tenant);
      ELSE
        EXECUTE format('TRUNCATE %I', part);
        EXECUTE format('DROP INDEX IF EXISTS %I', graph);
      END IF;
      EXECUTE format('CREATE INDEX %I ON %I USING hnsw ((meant::halfvec(%s)) halfvec_ip_ops)',
        graph, part, dimensions);
    END $$
    """,
    "REVOKE EXECUTE ON FUNCTION compared.make FROM PUBLIC",
    """
    CREATE FUNCTION compared.forget() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
      IF to_regclass('compared.vectors') IS NOT NULL THEN
        DELETE FROM compared.vectors WHERE tenant_id = OLD.tenant_id AND digest = OLD.digest;
      END IF;
      RETURN NULL;
    END $$
    """,
    """
    CREATE TRIGGER forget AFTER UPDATE OR DELETE ON vectors FOR EACH ROW
    WHEN (OLD.embedder <> '') EXECUTE FUNCTION compared.forget()
    """,
)
_RIGHTS: Final = (
    GRANT.format("compared.vectors"),
    f"GRANT USAGE ON SCHEMA compared TO {APP_ROLE}",
    f"GRANT EXECUTE ON FUNCTION compared.make TO {APP_ROLE}",
)


async def note_of(connection: AsyncConnection) -> str:
    """Return why PostgreSQL cannot compare vectors for this role, or an empty word."""
    return why_not(await _seen(connection))


async def prepare(connection: AsyncConnection) -> None:
    """Have PostgreSQL compare vectors, as far as this role may and the extension can be had.

    Repeats harmlessly; what others did meanwhile stays.
    """
    for step in (_extend, _make):
        try:
            async with connection.begin_nested():
                await step(connection)
        except DBAPIError as error:
            _log.info("PostgreSQL is not made to compare vectors: %s", error.orig)


async def give_rights(connection: AsyncConnection) -> None:
    """Give the app's role its rights, where it and the table are there; repeats harmlessly."""
    is_made = (await connection.execute(_IS_MADE)).scalar_one()
    if is_made and (await connection.execute(ROLE_EXISTS, {"role": APP_ROLE})).scalar_one():
        for statement in _RIGHTS:
            await connection.execute(text(statement))


async def _extend(connection: AsyncConnection) -> None:
    if (await connection.execute(_AVAILABLE)).scalar_one():
        await connection.execute(text("CREATE EXTENSION vector"))


async def _make(connection: AsyncConnection) -> None:
    """Make the schema anew: without the extension its table lost what it is for."""
    found = await _seen(connection)
    if found.is_made or why_not(replace(found, is_made=True)):
        return
    schema = (await connection.execute(_WHERE)).scalar_one()
    for statement in (*_SCHEMA, *wall(COMPARED)):
        await connection.execute(text(statement.format(schema=schema)))
    await give_rights(connection)


async def _seen(connection: AsyncConnection) -> Seen:
    return Seen(**(await connection.execute(LOOK)).mappings().one())
