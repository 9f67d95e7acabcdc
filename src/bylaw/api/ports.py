"""What the API needs from storage: one transaction per request, and the operator's view over all tenants."""

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from bylaw.core.ids import TenantId
from bylaw.policies.store import Policies
from bylaw.tenancy.changes import Changes, Outbox
from bylaw.tenancy.replies import Replies
from bylaw.tenancy.store import Directory, OperatorUnit


class Unit(Protocol):
    """One transaction of one tenant: commits when its block ends well, and rolls back otherwise."""

    @property
    def tenant_id(self) -> TenantId:
        """The tenant to which everything here belongs."""

    @property
    def tenancy(self) -> Directory:
        """Its places, people, keys and agents."""

    @property
    def policies(self) -> Policies:
        """Its policies."""

    @property
    def changes(self) -> Changes:
        """Its change counter."""

    @property
    def outbox(self) -> Outbox:
        """Its entries for the log."""

    @property
    def replies(self) -> Replies:
        """Its answers kept for repeats."""


class SystemUnit(OperatorUnit, Protocol):
    """One transaction of the operator, over all tenants."""

    @property
    def replies(self) -> Replies:
        """The operator's answers kept for repeats."""


class ControlStore(Protocol):
    """Everything but receipts, one transaction at a time; there is no query outside of one."""

    def begin(self, tenant_id: TenantId) -> AbstractAsyncContextManager[Unit]:
        """Return the transaction of one tenant."""

    def system(self) -> AbstractAsyncContextManager[SystemUnit]:
        """Return the transaction of the operator."""

    async def close(self) -> None:
        """Let go of every connection."""
