"""The store that approvals need, of one tenant.

Rules for every implementation. `add` does nothing when the id is already there, so that a projection may run
again. Lists are ordered by (`occasion.at_ms`, id), newest first, and continue after a cursor. `save` replaces
an approval whose `revision` is one above the stored one, and raises PreconditionFailed otherwise: of two that
spend the same approval at once, one wins.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bylaw.approvals.model import ApprovalStatus, PendingApproval
from bylaw.core.ids import TenantId, UserId
from bylaw.core.paging import Page, Slice
from bylaw.tenancy.changes import Outbox
from bylaw.tenancy.model import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalFilter:
    """Which approvals are wanted; fields combine with AND, None means any.

    `within`: only those of decisions made in one of these places. `open_at_ms`: only those that have not
    expired at that moment.
    `assignee`: those that this person has. `is_assigned`: those that somebody has, or nobody.
    """

    within: tuple[Place, ...] | None = None
    status: ApprovalStatus | None = None
    open_at_ms: int | None = None
    conversation_id: str | None = None
    agent_id: str | None = None
    policy_id: str | None = None
    assignee: UserId | None = None
    is_assigned: bool | None = None


class Approvals(Protocol):
    """The approvals of one tenant."""

    async def add(self, rows: Sequence[PendingApproval]) -> None:
        """Store those that are not there yet; one that was decided since stays decided."""

    async def get(self, ident: str) -> PendingApproval | None:
        """Return the approval or None."""

    async def save(self, item: PendingApproval) -> None:
        """Store the next revision of an approval. Raises: PreconditionFailed."""

    async def list(self, where: ApprovalFilter, part: Slice) -> Page[PendingApproval]:
        """Return a page of those that match."""


class ApprovalUnit(Protocol):
    """One transaction of one tenant, as far as approvals need it."""

    @property
    def tenant_id(self) -> TenantId:
        """The tenant to which everything here belongs."""

    @property
    def approvals(self) -> Approvals:
        """Its approvals."""

    @property
    def outbox(self) -> Outbox:
        """Its entries for the log."""
