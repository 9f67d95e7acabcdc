"""The control plane on PostgreSQL, behind a second wall between tenants.

Every transaction says for whom it is (`bylaw.tenant`, or `bylaw.system` for the operator), and row-level
security shows it those rows alone (`walls.py`). A login role that could look over the wall is shed in each
transaction; one that cannot be shed is refused at start.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy import URL, make_url, text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine

from bylaw.core.ids import TenantId
from bylaw.storage.postgres import pgvector
from bylaw.storage.postgres.walls import raise_walls, role_behind_walls

_WAIT_S = 30
_MIGRATION_LOCK = 0x6279_6C61_77
_LOCK = text("SELECT pg_advisory_xact_lock(:key)")

_ENTER = """
SELECT set_config('bylaw.tenant', :tenant, true), set_config('bylaw.system', :system, true),
  CASE WHEN :role <> '' THEN set_config('role', :role, true) END
"""
_READ = text(_ENTER)
_WRITE = text(
    _ENTER + ", CASE WHEN :tenant <> '' THEN pg_advisory_xact_lock(hashtextextended(:tenant, 1)) END"
)


class PostgresDatabase:
    """A database; `settle` finds out under which role the tenants are served."""

    def __init__(self, url: str | URL, *, connections: int = 10) -> None:
        self._engine = create_async_engine(
            make_url(url).set(drivername="postgresql+asyncpg"),
            pool_size=connections,
            max_overflow=0,
            pool_timeout=_WAIT_S,
            pool_pre_ping=True,
        )
        self._readers = self._engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
        self._role = ""

    @asynccontextmanager
    async def begin(self, tenant_id: TenantId | None, *, writes: bool) -> AsyncIterator[AsyncConnection]:
        """Open a transaction behind the wall; a writing one waits for the others of its tenant."""
        scope = {
            "tenant": "" if tenant_id is None else tenant_id,
            "system": "on" if tenant_id is None else "off",
            "role": self._role,
        }
        async with (self._engine if writes else self._readers).begin() as connection:
            await connection.execute(_WRITE if writes else _READ, scope)
            yield connection

    @asynccontextmanager
    async def migrating(self) -> AsyncIterator[AsyncConnection]:
        """Open the transaction that may change the schema, as the login role; build the wall at its end."""
        async with self._engine.begin() as connection:
            await connection.execute(_LOCK, {"key": _MIGRATION_LOCK})
            await connection.execute(text("SELECT set_config('bylaw.system', 'on', true)"))
            yield connection
            await raise_walls(connection)
            await pgvector.give_rights(connection)

    async def prepare(self) -> None:
        """Have PostgreSQL compare vectors, where the login role may and its extension can be had."""
        if await self.note():
            async with self._engine.begin() as connection:
                await connection.execute(_LOCK, {"key": _MIGRATION_LOCK})
                await pgvector.prepare(connection)

    async def note(self) -> str:
        """Return why PostgreSQL cannot compare vectors, or an empty word."""
        async with self._engine.begin() as connection:
            return await pgvector.note_of(connection)

    async def checkpoint(self) -> None:
        """Return at once: the server does that itself."""

    async def settle(self) -> None:
        """Choose the role for transactions. Raises: Forbidden when none keeps the tenants apart."""
        async with self._engine.begin() as connection:
            self._role = await role_behind_walls(connection)

    async def close(self) -> None:
        """Close every connection."""
        await self._engine.dispose()
