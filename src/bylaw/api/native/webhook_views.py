"""Webhooks and deliveries as they go over the wire."""

import msgspec

from bylaw.api.answers import Reply
from bylaw.api.shape import when
from bylaw.core.clock import rfc3339
from bylaw.notify.model import Attempt, Delivery, DeliveryStatus, Notice, Webhook


class WebhookView(msgspec.Struct, frozen=True, kw_only=True):
    """A webhook. `disabled_reason` says why the server switched it off, empty when it did not.

    `failing_since` is the first failure since the last success, `secret_overlap_until` until when the secret
    of before signs as well; null for neither.
    """

    id: str
    workspace_id: str | None
    url: str
    types: tuple[str, ...]
    description: str
    is_active: bool
    disabled_reason: str
    failing_since: str | None
    secret_overlap_until: str | None
    created_by: str
    created_at: str


class NewWebhookView(WebhookView, frozen=True, kw_only=True):
    """A webhook with its secret, which is shown this once: null when the answer is repeated."""

    secret: str | None


class NoticeTypeView(msgspec.Struct, frozen=True, kw_only=True):
    """A type of notice, and what happened when it is told."""

    type: str
    text: str


class NoticeTypesView(msgspec.Struct, frozen=True, kw_only=True):
    """Every type of notice there is."""

    data: tuple[NoticeTypeView, ...]


class AttemptView(msgspec.Struct, frozen=True, kw_only=True):
    """One try: the status that was answered (null for none), why it failed, and how the answer begins."""

    at: str
    duration_ms: int
    status: int | None
    error: str
    excerpt: str


class DeliveryView(msgspec.Struct, frozen=True, kw_only=True):
    """A notice on its way to a webhook. `notice_id` is the `webhook-id` that receivers see."""

    id: str
    webhook_id: str
    notice_id: str
    type: str
    status: DeliveryStatus
    attempts: int
    last_status: int | None
    last_error: str
    next_attempt_at: str | None
    created_at: str


class DeliveryDetail(DeliveryView, frozen=True, kw_only=True):
    """A delivery with its latest attempts, oldest first, and the body that is sent."""

    history: tuple[AttemptView, ...]
    body: msgspec.Raw


class ReplayedView(msgspec.Struct, frozen=True, kw_only=True):
    """How many deliveries are on their way again; `next_cursor` goes on, null at the end."""

    replayed: int
    next_cursor: str | None


def webhook_view(webhook: Webhook) -> WebhookView:
    """Return a webhook as it goes over the wire."""
    return WebhookView(
        id=webhook.id,
        workspace_id=webhook.workspace_id,
        url=webhook.url,
        types=webhook.types,
        description=webhook.description,
        is_active=webhook.is_active,
        disabled_reason=webhook.stopped_reason,
        failing_since=when(webhook.failing_since_ms),
        secret_overlap_until=when(webhook.overlap_ends_ms if webhook.sealed_before else None),
        created_by=webhook.created_by,
        created_at=rfc3339(webhook.created_ms),
    )


def with_secret(webhook: Webhook, secret: str) -> Reply[NewWebhookView]:
    """Return a webhook with its secret, which an answer that is repeated leaves out."""
    shown = msgspec.structs.asdict(webhook_view(webhook))
    return Reply(
        NewWebhookView(**shown, secret=secret),
        revision=webhook.revision,
        kept=NewWebhookView(**shown, secret=None),
    )


def delivery_view(delivery: Delivery) -> DeliveryView:
    """Return a delivery as it goes over the wire."""
    last = delivery.attempts[-1] if delivery.attempts else None
    return DeliveryView(
        id=delivery.id,
        webhook_id=delivery.webhook_id,
        notice_id=delivery.notice_id,
        type=delivery.type,
        status=delivery.status,
        attempts=delivery.tried,
        last_status=None if last is None else last.status,
        last_error="" if last is None else last.error,
        next_attempt_at=when(delivery.next_ms),
        created_at=rfc3339(delivery.created_ms),
    )


def delivery_detail(delivery: Delivery, notice: Notice) -> DeliveryDetail:
    """Return a delivery with what it carries, as it goes over the wire."""
    return DeliveryDetail(
        **msgspec.structs.asdict(delivery_view(delivery)),
        history=tuple(_attempt(each) for each in delivery.attempts),
        body=msgspec.Raw(notice.body()),
    )


def _attempt(attempt: Attempt) -> AttemptView:
    return AttemptView(
        at=rfc3339(attempt.at_ms),
        duration_ms=attempt.duration_ms,
        status=attempt.status,
        error=attempt.error,
        excerpt=attempt.excerpt,
    )
