"""The control plane on a database: transactions of tenants and of the operator."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bylaw.core.clock import Clock
from bylaw.core.ids import Ids, TenantId
from bylaw.storage.sql.database import Database
from bylaw.storage.sql.operator import SqlSystemUnit
from bylaw.storage.sql.session import session
from bylaw.storage.sql.unit import SqlUnit


class SqlControlStore:
    """Everything but receipts, in transactions; there is no query outside of one."""

    def __init__(self, database: Database, *, ids: Ids, clock: Clock) -> None:
        self.database = database
        self._ids = ids
        self._clock = clock

    @asynccontextmanager
    async def begin(self, tenant_id: TenantId, *, writes: bool = True) -> AsyncIterator[SqlUnit]:
        """Open the transaction of one tenant."""
        async with session(self.database, tenant_id, writes=writes) as opened:
            yield SqlUnit(opened, tenant_id, ids=self._ids, clock=self._clock)

    @asynccontextmanager
    async def system(self, *, writes: bool = True) -> AsyncIterator[SqlSystemUnit]:
        """Open the transaction of the operator."""
        async with session(self.database, None, writes=writes) as opened:
            yield SqlSystemUnit(opened, ids=self._ids, clock=self._clock)

    async def close(self) -> None:
        """Let go of every connection."""
        await self.database.close()
