"""Webhooks joined to what the server does: told of entries, and missed by people when they stop."""

from collections.abc import Sequence
from itertools import groupby

from bylaw.api.ports import SystemUnit, Unit
from bylaw.core.clock import Clock
from bylaw.core.ids import TenantId
from bylaw.decisions.effects import Occasion
from bylaw.notify.model import Webhook
from bylaw.notify.telling import Telling
from bylaw.review.model import AttentionItem
from bylaw.tenancy.changes import Entry


async def tell_of_entries(telling: Telling, system: SystemUnit, entries: Sequence[Entry]) -> None:
    """Tell the webhooks of each tenant of its entries, in the transaction of the caller."""
    for tenant_id, group in groupby(sorted(entries, key=_tenant), key=_tenant):
        await telling.of_entries(system.of(tenant_id), list(group))


async def note_stopped(unit: Unit, webhook: Webhook, clock: Clock) -> None:
    """Leave an attention item: a webhook was switched off by the server."""
    occasion = Occasion(
        tenant_id=webhook.tenant_id,
        receipt_id="",
        at_ms=clock.now_ms(),
        phase="",
        workspace_id=webhook.workspace_id or "",
    )
    item = AttentionItem(
        id=f"att_{webhook.id}_{webhook.revision}",
        occasion=occasion,
        policy=None,
        type="webhook_disabled",
        reason=f"Webhook {webhook.id} was switched off. {webhook.stopped_reason}",
    )
    await unit.review.attention.add([item])


def _tenant(entry: Entry) -> TenantId:
    return entry.tenant_id
