"""Delivering: one job is one attempt, and leaves the job of the next.

At least once: the attempt is noted after it was made, so one that a crash interrupts is made again, under the
same id and with the same bytes. In no particular order: what fails is tried later.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Final, Generic, Protocol, TypeVar

from bylaw.core.clock import HOUR_MS, MINUTE_MS, Clock
from bylaw.jobs.forgetting import MOST, forget_all
from bylaw.jobs.model import Object
from bylaw.jobs.running import Running
from bylaw.notify.address import host_of
from bylaw.notify.deliveries import KEPT_ATTEMPTS
from bylaw.notify.effects import made
from bylaw.notify.entries import TellingUnit, approval_told
from bylaw.notify.model import Attempt, Delivery, DeliveryId, Notice, Webhook
from bylaw.notify.sending import Sender
from bylaw.notify.telling import Telling, next_job
from bylaw.notify.told import WebhookTold
from bylaw.notify.webhooks import record

AUTHOR: Final = "system:bylaw"
# Source: the schedule that the Standard Webhooks specification recommends; ten attempts in three days.
SCHEDULE_MS: Final = (
    *(5_000, 5 * MINUTE_MS, 30 * MINUTE_MS),
    *(hours * HOUR_MS for hours in (2, 5, 10, 14, 20, 24)),
)
GONE: Final = 410

U = TypeVar("U", bound=TellingUnit)
U_contra = TypeVar("U_contra", contravariant=True)


class Stopped(Protocol[U_contra]):
    """What else is done in the transaction that switches a webhook off."""

    async def __call__(self, unit: U_contra, webhook: Webhook) -> None:
        """Do it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Due:
    """What is to be delivered now."""

    delivery: Delivery
    webhook: Webhook
    notice: Notice


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliverer(Generic[U]):
    """Makes attempts, tells when calls that wait have expired, and forgets what was told long ago.

    `stopped` is called when a webhook is switched off. Units: `fail_ms` in milliseconds; who
    takes nothing for so long is switched off.
    """

    sender: Sender
    telling: Telling
    clock: Clock
    stopped: Stopped[U]
    fail_ms: int

    async def deliver(self, job: Running[U]) -> Object:
        """Make one attempt and keep what came of it."""
        async with job.begin(writes=False) as unit:
            due = await _due(unit, job.payload)
        if due is None:
            return {"outcome": "passed over"}
        if not due.webhook.is_active:
            error = "The webhook is switched off."
            attempt = Attempt(at_ms=self.clock.now_ms(), duration_ms=0, error=error)
        else:
            attempt = await self.sender.send(due.webhook, due.notice)

        async def keep(unit: U) -> Object:
            return await self._keep(unit, job.payload, attempt)

        return await job.commit("attempt", keep)

    async def expire(self, job: Running[U]) -> Object:
        """Tell that a call waited too long, unless it was refused or used in time."""

        async def tell(unit: U) -> Object:
            held = await unit.approvals.get(str(job.payload.get("approval", "")))
            if held is None or held.status not in {"pending", "approved"}:
                return {"outcome": "passed over"}
            told = approval_told(held, decision=held.occasion.receipt_id, by=held.decided_by, receipt_id=None)
            notice = made(
                f"ntc_{held.id}_expired",
                "approval.expired",
                told,
                occasion=held.occasion,
                at_ms=held.expires_ms,
            )
            await self.telling.tell(unit, [notice], await unit.notify.webhooks.listening())
            return {"outcome": "told"}

        return await job.commit("expire", tell)

    async def forget(self, job: Running[U]) -> Object:
        """Forget what was told long ago, with its deliveries, and secrets that sign no more."""
        now_ms = self.clock.now_ms()

        async def old(unit: U) -> int:
            return await unit.notify.notices.forget(before_ms=now_ms - self.telling.keep_ms, limit=MOST)

        async with job.begin() as unit:
            for webhook in await unit.notify.webhooks.listening():
                if webhook.sealed_before and webhook.overlap_ends_ms <= now_ms:
                    gone = replace(webhook, sealed_before="", revision=webhook.revision + 1)
                    await unit.notify.webhooks.save(gone)
        return {"forgotten": await forget_all(job, old)}

    async def _keep(self, unit: U, payload: Object, attempt: Attempt) -> Object:
        due = await _due(unit, payload)
        if due is None:  # replayed meanwhile, by hand
            return {"outcome": "passed over"}
        delivery = after(due.delivery, attempt, is_active=due.webhook.is_active)
        await unit.notify.deliveries.save(delivery)
        if delivery.status == "pending":
            await unit.jobs.enqueue(next_job(delivery))
        await self._note_health(unit, due.webhook, attempt)
        return {"outcome": delivery.status}

    async def _note_health(self, unit: U, webhook: Webhook, attempt: Attempt) -> None:
        since_ms = webhook.failing_since_ms
        if attempt.succeeded:
            if since_ms is not None:
                await unit.notify.webhooks.mark(webhook.id, failing_since_ms=None)
            return
        if not webhook.is_active:
            return
        if since_ms is None:
            since_ms = attempt.at_ms
            await unit.notify.webhooks.mark(webhook.id, failing_since_ms=since_ms)
        if attempt.status == GONE:
            await self._stop(unit, webhook, "The receiver answered that it is gone (410).")
        elif attempt.at_ms - since_ms >= self.fail_ms:
            days = self.fail_ms // (24 * HOUR_MS)
            await self._stop(unit, webhook, f"Nothing was delivered for {days} days.")

    async def _stop(self, unit: U, webhook: Webhook, reason: str) -> None:
        off = replace(webhook, is_active=False, stopped_reason=reason, revision=webhook.revision + 1)
        await unit.notify.webhooks.save(off)
        await record(unit, webhook, off, author=AUTHOR, change="disabled")
        told = WebhookTold(
            workspace_id=off.workspace_id,
            repo_id=None,
            links={"webhook": f"/v1/webhooks/{off.id}"},
            webhook_id=off.id,
            host=host_of(off.url),
            reason=reason,
        )
        await self.telling.of_webhook(unit, off, "webhook.disabled", told)
        await self.stopped(unit, off)


def after(delivery: Delivery, attempt: Attempt, *, is_active: bool = True) -> Delivery:
    """Return a delivery after one more attempt: over, or due again."""
    tried = delivery.tried + 1
    noted = replace(
        delivery,
        tried=tried,
        attempts=(*delivery.attempts, attempt)[-KEPT_ATTEMPTS:],
        next_ms=None,
        revision=delivery.revision + 1,
    )
    if attempt.succeeded:
        return replace(noted, status="delivered")
    if not is_active or attempt.status == GONE or tried > len(SCHEDULE_MS):
        return replace(noted, status="failed")
    wait_ms = max(SCHEDULE_MS[tried - 1], attempt.retry_after_ms)
    return replace(noted, next_ms=attempt.at_ms + attempt.duration_ms + wait_ms + _jitter(noted, wait_ms))


def _jitter(delivery: Delivery, wait_ms: int) -> int:
    """Return up to a tenth more, so that what failed together does not come back together."""
    spread = hashlib.sha256(f"{delivery.id}:{delivery.tried}".encode()).digest()
    return wait_ms * spread[0] // 2560


async def _due(unit: TellingUnit, payload: Object) -> _Due | None:
    """Return what a job is to deliver; None when that was done, or replayed, or is forgotten."""
    delivery = await unit.notify.deliveries.get(DeliveryId(str(payload.get("delivery", ""))))
    if delivery is None or delivery.status != "pending":
        return None
    if (delivery.replays, delivery.tried) != (payload.get("replays"), payload.get("tried")):
        return None
    webhook = await unit.notify.webhooks.get(delivery.webhook_id)
    notice = await unit.notify.notices.get(delivery.notice_id)
    if webhook is None or notice is None:
        return None
    return _Due(delivery=delivery, webhook=webhook, notice=notice)
