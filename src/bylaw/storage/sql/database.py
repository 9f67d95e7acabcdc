"""What a database must offer so that the control plane can live on it."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from sqlalchemy.ext.asyncio import AsyncConnection

from bylaw.core.ids import TenantId


class Database(Protocol):
    """One database of the control plane.

    Writing transactions of one tenant run one after another, so that what one has read still holds when it
    writes. Reading ones see one state of everything, wait for nobody, and cannot write.
    """

    def begin(
        self, tenant_id: TenantId | None, *, writes: bool
    ) -> AbstractAsyncContextManager[AsyncConnection]:
        """Open a transaction of a tenant, or of the operator for None; it commits on a clean exit."""

    def migrating(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Open the one transaction that may change the schema; others that want to wait for it."""

    async def prepare(self) -> None:
        """Make what the schema cannot hold everywhere, as far as this role may."""

    async def note(self) -> str:
        """Return why the database does not compare vectors although it could, or an empty word."""

    async def checkpoint(self) -> None:
        """Bring what other processes wrote back into the file, where the database is one."""

    async def settle(self) -> None:
        """Get ready for transactions, once the schema is there. Raises: Forbidden when it would be unsafe."""

    async def close(self) -> None:
        """Close every connection."""
