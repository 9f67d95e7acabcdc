"""The control plane on a database: transactions of tenants and of the operator."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bylaw.core.clock import Clock
from bylaw.core.ids import Ids, TenantId
from bylaw.storage.sql.database import Database
from bylaw.storage.sql.operator import SqlSystemUnit
from bylaw.storage.sql.session import failures, session
from bylaw.storage.sql.unit import SqlUnit


class SqlControlStore:
    """Everything but receipts, in transactions; there is no query outside of one."""

    def __init__(self, database: Database, *, ids: Ids, clock: Clock) -> None:
        self.database = database
        self._ids = ids
        self._clock = clock
        self._tell: Callable[[], None] = _nobody

    def when_enqueued(self, tell: Callable[[], None]) -> None:
        """Have `tell` called after each commit by which a job was enqueued here: a mere hint."""
        self._tell = tell

    @asynccontextmanager
    async def begin(self, tenant_id: TenantId, *, writes: bool = True) -> AsyncIterator[SqlUnit]:
        """Open the transaction of one tenant."""
        async with session(self.database, tenant_id, writes=writes) as opened:
            yield SqlUnit(opened, tenant_id, ids=self._ids, clock=self._clock)
        if opened.enqueued:
            self._tell()

    @asynccontextmanager
    async def system(self, *, writes: bool = True) -> AsyncIterator[SqlSystemUnit]:
        """Open the transaction of the operator."""
        async with session(self.database, None, writes=writes) as opened:
            yield SqlSystemUnit(opened, ids=self._ids, clock=self._clock)
        if opened.enqueued:
            self._tell()

    async def checkpoint(self) -> None:
        """Bring what other processes wrote back into the file, where the database is one."""
        with failures():
            await self.database.checkpoint()

    async def close(self) -> None:
        """Let go of every connection."""
        await self.database.close()


def _nobody() -> None:
    """Tell nobody."""
