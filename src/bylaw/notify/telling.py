"""Telling: what happened becomes notices, each on its way to every webhook that wants it.

It is done in the transaction that takes the effects of decisions into lists, or the entries of changes into
the log: either both are kept or neither, and a notice that is there already is not told again. A tenant
without webhooks pays for one look at their table.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from bylaw.core.clock import Clock
from bylaw.core.ids import Ids
from bylaw.decisions.effects import ApprovalEffect, EffectRow
from bylaw.jobs.model import NewJob
from bylaw.notify.catalog import wants
from bylaw.notify.effects import TYPES, notice_of
from bylaw.notify.entries import TellingUnit, notices_of
from bylaw.notify.model import Delivery, DeliveryId, Notice, NoticeId, Webhook
from bylaw.notify.store import NotifyUnit
from bylaw.notify.told import Told
from bylaw.tenancy.changes import Entry

DELIVER: Final = "webhooks.deliver"
EXPIRE: Final = "webhooks.expire"
FORGET: Final = "webhooks.forget"


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """Tells webhooks. Units: `keep_ms` in milliseconds; what is older is not told any more."""

    clock: Clock
    ids: Ids
    keep_ms: int

    async def of_effects(self, unit: TellingUnit, effects: Sequence[EffectRow]) -> None:
        """Tell of what decisions left for people."""
        webhooks = await unit.notify.webhooks.listening()
        if not webhooks:
            return
        wanted = {kind for kind, name in TYPES.items() if _is_wanted(name, webhooks)}
        notices = [notice_of(each) for each in effects if type(each) in wanted]
        await self.tell(unit, [each for each in notices if each is not None], webhooks)
        if _is_wanted("approval.expired", webhooks):
            oldest_ms = self.clock.now_ms() - self.keep_ms
            await unit.jobs.enqueue_all(
                [
                    NewJob(kind=EXPIRE, payload={"approval": each.id}, dedupe=each.id, at_ms=each.expires_ms)
                    for each in effects
                    if isinstance(each, ApprovalEffect) and each.expires_ms > oldest_ms
                ]
            )

    async def of_entries(self, unit: TellingUnit, entries: Sequence[Entry]) -> None:
        """Tell of what people changed."""
        webhooks = await unit.notify.webhooks.listening()
        if webhooks:
            await self.tell(unit, await notices_of(unit, entries), webhooks)

    async def of_webhook(self, unit: NotifyUnit, webhook: Webhook, kind: str, told: Told) -> None:
        """Tell the webhooks of a tenant of one of them."""
        notice = self.notice(webhook, kind, told)
        await self.tell(unit, [notice], await unit.notify.webhooks.listening())

    def notice(self, webhook: Webhook, kind: str, told: Told) -> Notice:
        """Return a notice about a webhook, of this moment."""
        return Notice(
            id=NoticeId(f"ntc_{self.ids.uuid7()}"),
            tenant_id=webhook.tenant_id,
            type=kind,
            workspace_id=webhook.workspace_id or "",
            data=msgspec.to_builtins(told),
            created_ms=self.clock.now_ms(),
        )

    async def tell(self, unit: NotifyUnit, notices: Sequence[Notice], webhooks: Sequence[Webhook]) -> None:
        """Store those that are new and that somebody wants, and send them on their way."""
        oldest_ms = self.clock.now_ms() - self.keep_ms
        wanted = [
            each
            for each in notices
            if each.created_ms > oldest_ms and any(concerns(webhook, each) for webhook in webhooks)
        ]
        if not wanted:
            return
        fresh = await unit.notify.notices.add(wanted)
        pairs = [
            (notice, webhook)
            for notice in fresh
            for webhook in webhooks
            if webhook.is_active and concerns(webhook, notice)
        ]
        await send_on(unit, [self.delivery(webhook, notice) for notice, webhook in pairs])

    def delivery(self, webhook: Webhook, notice: Notice) -> Delivery:
        """Return a new delivery that is due now."""
        now_ms = self.clock.now_ms()
        return Delivery(
            id=DeliveryId(self.ids.uuid7()),
            tenant_id=webhook.tenant_id,
            webhook_id=webhook.id,
            notice_id=notice.id,
            type=notice.type,
            next_ms=now_ms,
            created_ms=now_ms,
        )


async def send_on(unit: NotifyUnit, deliveries: Sequence[Delivery]) -> None:
    """Store new deliveries with the job that makes the first attempt at each."""
    if deliveries:
        await unit.notify.deliveries.add_all(deliveries)
        await unit.jobs.enqueue_all([next_job(each) for each in deliveries])


def next_job(delivery: Delivery) -> NewJob:
    """Return the job that makes the next attempt; it is passed over when that was made already.

    The jobs of a webhook are a lane, so that a receiver which does not answer holds up nobody else.
    """
    payload = {"delivery": delivery.id, "replays": delivery.replays, "tried": delivery.tried}
    return NewJob(kind=DELIVER, payload=payload, at_ms=delivery.next_ms, lane=delivery.webhook_id)


def concerns(webhook: Webhook, notice: Notice) -> bool:
    """Return whether a webhook listens to what a notice tells: its type, its place, and since it is there."""
    return (
        wants(webhook.types, notice.type)
        and webhook.workspace_id in {None, notice.workspace_id}
        and notice.created_ms >= webhook.created_ms
    )


def _is_wanted(kind: str, webhooks: Sequence[Webhook]) -> bool:
    return any(wants(each.types, kind) for each in webhooks)
