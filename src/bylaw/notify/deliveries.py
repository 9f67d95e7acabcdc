"""Deliveries as people look after them: listed, read with their attempts, replayed, and tried out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from bylaw.core.clock import HOUR_MS
from bylaw.core.errors import Conflict, NotFound, RateLimited
from bylaw.core.paging import Page, Slice
from bylaw.notify.catalog import wants
from bylaw.notify.model import Attempt, Delivery, DeliveryId, Notice, Webhook, WebhookId
from bylaw.notify.store import DeliveryFilter, NotifyUnit
from bylaw.notify.telling import Telling, next_job, send_on
from bylaw.notify.told import TestTold
from bylaw.notify.webhooks import read_webhook
from bylaw.tenancy.principal import Acting

Which = Literal["failed", "all"]
KEPT_ATTEMPTS: Final = 20
MOST_WAITING: Final = 10_000  # deliveries to one webhook beside which nothing is replayed
_AGAIN_S: Final = 60
_OFF: Final = "This webhook is switched off: switch it on first."


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """How many deliveries are on their way again, and where to go on; None at the end."""

    count: int
    next_cursor: str | None


async def list_deliveries(acting: Acting[NotifyUnit], where: DeliveryFilter, part: Slice) -> Page[Delivery]:
    """Return a page of the deliveries of a webhook, newest first. Raises: NotFound, Forbidden."""
    await read_webhook(acting, where.webhook_id)
    return await acting.unit.notify.deliveries.list(where, part)


async def read_delivery(
    acting: Acting[NotifyUnit], webhook_id: WebhookId, ident: DeliveryId
) -> tuple[Delivery, Notice]:
    """Return a delivery and the notice that it carries. Raises: NotFound, Forbidden."""
    await read_webhook(acting, webhook_id)
    delivery = await acting.unit.notify.deliveries.get(ident)
    if delivery is None or delivery.webhook_id != webhook_id:
        raise NotFound("delivery", ident)
    notice = await acting.unit.notify.notices.get(delivery.notice_id)
    if notice is None:
        raise NotFound("delivery", ident)
    return delivery, notice


async def replay(acting: Acting[NotifyUnit], webhook_id: WebhookId, ident: DeliveryId) -> Delivery:
    """Send a notice again, under the same id, and return its delivery; one that waits is tried at once.

    Raises: NotFound, Forbidden; Conflict (`disabled`) when the webhook is switched off; RateLimited.
    """
    delivery, _ = await read_delivery(acting, webhook_id, ident)
    await _require_room(acting, await read_webhook(acting, webhook_id))
    return (await _again(acting, [delivery]))[0]


async def replay_since(
    acting: Acting[NotifyUnit],
    telling: Telling,
    webhook_id: WebhookId,
    *,
    since_ms: int,
    which: Which,
    part: Slice,
) -> Replayed:
    """Send again what failed since a moment, or all that the webhook wants of what happened since then.

    Raises: as `replay`.
    """
    webhook = await read_webhook(acting, webhook_id)
    await _require_room(acting, webhook)
    if which == "failed":
        where = DeliveryFilter(webhook_id=webhook_id, status="failed", since_ms=since_ms)
        failed = await acting.unit.notify.deliveries.list(where, part)
        await _again(acting, failed.items)
        return Replayed(count=len(failed.items), next_cursor=failed.next_cursor)
    told = await acting.unit.notify.notices.since(since_ms, part)
    wanted = [each for each in told.items if _is_for(webhook, each)]
    count = await _send_all(acting, telling, webhook, wanted)
    return Replayed(count=count, next_cursor=told.next_cursor)


async def begin_test(
    acting: Acting[NotifyUnit], telling: Telling, webhook_id: WebhookId
) -> tuple[Webhook, Notice]:
    """Return a webhook and the notice by which it is tried out. Raises: NotFound, Forbidden."""
    webhook = await read_webhook(acting, webhook_id)
    told = TestTold(
        workspace_id=webhook.workspace_id,
        repo_id=None,
        links={"webhook": f"/v1/webhooks/{webhook.id}"},
        webhook_id=webhook.id,
        by=acting.principal.actor,
    )
    return webhook, telling.notice(webhook, "webhook.test", told)


async def keep_test(
    acting: Acting[NotifyUnit], delivery: Delivery, notice: Notice, *, attempt: Attempt
) -> Delivery:
    """Store what came of trying a webhook out, as a delivery that is over, and return it."""
    tried = replace(
        delivery,
        status="delivered" if attempt.succeeded else "failed",
        tried=1,
        attempts=(attempt,),
        next_ms=None,
    )
    await acting.unit.notify.notices.add([notice])
    await acting.unit.notify.deliveries.add_all([tried])
    return tried


async def _send_all(
    acting: Acting[NotifyUnit], telling: Telling, webhook: Webhook, notices: Sequence[Notice]
) -> int:
    """Send notices, again or for the first time; those that wait for their next attempt are left to it.

    One whose attempt is long overdue waits for nobody: its job was given up or cancelled.
    """
    known, new = list[Delivery](), list[Delivery]()
    overdue_ms = acting.clock.now_ms() - HOUR_MS
    for notice in notices:
        where = DeliveryFilter(webhook_id=webhook.id, notice_id=notice.id)
        found = (await acting.unit.notify.deliveries.list(where, Slice(limit=1))).items
        if not found:
            new.append(telling.delivery(webhook, notice))
        elif found[0].status != "pending" or (found[0].next_ms or 0) < overdue_ms:
            known.append(found[0])
    await _again(acting, known)
    await send_on(acting.unit, new)
    return len(known) + len(new)


async def _again(acting: Acting[NotifyUnit], deliveries: Sequence[Delivery]) -> Sequence[Delivery]:
    fresh = [
        replace(
            each,
            status="pending",
            tried=0,
            replays=each.replays + 1,
            next_ms=acting.clock.now_ms(),
            revision=each.revision + 1,
        )
        for each in deliveries
    ]
    for each in fresh:
        await acting.unit.notify.deliveries.save(each)
    await acting.unit.jobs.enqueue_all([next_job(each) for each in fresh])
    return fresh


def _is_for(webhook: Webhook, notice: Notice) -> bool:
    return webhook.workspace_id in {None, notice.workspace_id} and wants(webhook.types, notice.type)


async def _require_room(acting: Acting[NotifyUnit], webhook: Webhook) -> None:
    if not webhook.is_active:
        raise Conflict(_OFF, reason="disabled")
    if await acting.unit.jobs.waiting(webhook.id, most=MOST_WAITING) >= MOST_WAITING:
        message = f"{MOST_WAITING} deliveries to this webhook wait already: replay when they are made."
        raise RateLimited(message, retry_after_s=_AGAIN_S)
