"""The store that webhooks need, of one tenant.

Rules for every implementation. `save` replaces an item whose `revision` is one above the stored one, and
raises PreconditionFailed otherwise. Lists are newest first, by (`created_ms`, id).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bylaw.core.ids import WorkspaceId
from bylaw.core.paging import Page, Slice
from bylaw.jobs.store import Jobs
from bylaw.notify.model import (
    Delivery,
    DeliveryId,
    DeliveryStatus,
    Notice,
    NoticeId,
    Webhook,
    WebhookId,
)
from bylaw.tenancy.store import TenancyUnit


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryFilter:
    """Which deliveries of a webhook are wanted; fields combine with AND, None means any.

    Units: `since_ms` is included; milliseconds since the epoch.
    """

    webhook_id: WebhookId
    status: DeliveryStatus | None = None
    type: str | None = None
    notice_id: NoticeId | None = None
    since_ms: int | None = None


class Webhooks(Protocol):
    """The webhooks of one tenant."""

    async def get(self, ident: WebhookId, /) -> Webhook | None:
        """Return the webhook, deleted or not, or None."""

    async def add(self, item: Webhook, /) -> None:
        """Store a new one. Raises: Conflict (`exists`)."""

    async def save(self, item: Webhook, /) -> None:
        """Store the next revision; `failing_since_ms` stays as it is. Raises: PreconditionFailed."""

    async def list(self, part: Slice, *, only: frozenset[WorkspaceId] | None = None) -> Page[Webhook]:
        """Return a page of those that are not deleted, of these workspaces if given."""

    async def listening(self) -> Sequence[Webhook]:
        """Return every one that is not deleted, oldest first."""

    async def mark(self, ident: WebhookId, *, failing_since_ms: int | None) -> None:
        """Note since when deliveries fail, or that they do not; changes no revision."""


class Notices(Protocol):
    """What was told in one tenant, kept for a while."""

    async def add(self, told: Sequence[Notice], /) -> Sequence[Notice]:
        """Store those that are not there yet, and return them."""

    async def get(self, ident: NoticeId) -> Notice | None:
        """Return the notice or None."""

    async def since(self, at_ms: int, part: Slice) -> Page[Notice]:
        """Return a page of what happened at that moment or later."""

    async def forget(self, *, before_ms: int, limit: int) -> int:
        """Forget up to `limit` that are older, with their deliveries; return how many it were."""


class Deliveries(Protocol):
    """The deliveries of one tenant."""

    async def get(self, ident: DeliveryId, /) -> Delivery | None:
        """Return the delivery or None."""

    async def add_all(self, items: Sequence[Delivery], /) -> None:
        """Store new ones. Raises: Conflict (`exists`) when a notice is on its way to that webhook already."""

    async def save(self, item: Delivery, /) -> None:
        """Store the next revision. Raises: PreconditionFailed."""

    async def list(self, where: DeliveryFilter, part: Slice) -> Page[Delivery]:
        """Return a page of those that match."""


class Notify(Protocol):
    """All that a tenant tells others."""

    @property
    def webhooks(self) -> Webhooks:
        """Whom it tells."""

    @property
    def notices(self) -> Notices:
        """What it told."""

    @property
    def deliveries(self) -> Deliveries:
        """What became of it."""


class NotifyUnit(TenancyUnit, Protocol):
    """One transaction of one tenant, as far as webhooks need it."""

    @property
    def notify(self) -> Notify:
        """Whom it tells what."""

    @property
    def jobs(self) -> Jobs:
        """Its work that waits."""
