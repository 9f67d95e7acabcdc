"""The store that the inbox needs: remarks about the things of one tenant.

Rules for every implementation. Lists are ordered by (`created_ms`, id), newest first, and continue after a
cursor. Nothing but the text of a comment ever changes, and that only to be erased.
"""

from collections.abc import Collection, Mapping
from typing import Protocol

from bylaw.approvals.store import Approvals
from bylaw.core.ids import TenantId
from bylaw.core.paging import Page, Slice
from bylaw.inbox.model import Remark
from bylaw.review.store import Review
from bylaw.tenancy.changes import Outbox
from bylaw.tenancy.store import Directory


class Remarks(Protocol):
    """The remarks of one tenant."""

    async def add(self, remark: Remark) -> None:
        """Store a new remark."""

    async def list(self, about: str, part: Slice) -> Page[Remark]:
        """Return a page of the remarks about one thing."""

    async def comments(self, about: Collection[str]) -> Mapping[str, int]:
        """Return how many comments there are about each of these things, those without any left out."""

    async def erase(self, receipt_id: str) -> None:
        """Erase the text of every comment about what one decision left."""


class InboxUnit(Protocol):
    """One transaction of one tenant, as far as the inbox needs it."""

    @property
    def tenant_id(self) -> TenantId:
        """The tenant to which everything here belongs."""

    @property
    def tenancy(self) -> Directory:
        """Its places, people, keys and agents."""

    @property
    def review(self) -> Review:
        """What its decisions left for people."""

    @property
    def approvals(self) -> Approvals:
        """Its calls that wait for a person."""

    @property
    def remarks(self) -> Remarks:
        """What people say about these."""

    @property
    def outbox(self) -> Outbox:
        """Its entries for the log."""
