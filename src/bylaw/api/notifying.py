"""Webhooks joined to what the server does: told of changes and of what people did, missed when they stop."""

from collections.abc import Sequence
from itertools import groupby

from bylaw.api.ports import SystemUnit, Unit
from bylaw.core.clock import Clock
from bylaw.core.ids import TenantId
from bylaw.decisions.effects import Occasion
from bylaw.notify.effects import links_of, made
from bylaw.notify.model import Webhook
from bylaw.notify.telling import Telling
from bylaw.notify.told import ResolvedTold
from bylaw.review import queue
from bylaw.review.model import AttentionItem
from bylaw.tenancy.changes import Entry
from bylaw.tenancy.principal import Acting


async def tell_of_entries(telling: Telling, system: SystemUnit, entries: Sequence[Entry]) -> None:
    """Tell the webhooks of each tenant of its entries, in the transaction of the caller."""
    for tenant_id, group in groupby(sorted(entries, key=_tenant), key=_tenant):
        await telling.of_entries(system.of(tenant_id), list(group))


async def resolve_attention(
    acting: Acting[Unit], telling: Telling, ident: str, *, reason: str = "", revision: int | None = None
) -> AttentionItem:
    """Store an attention item as resolved, tell webhooks of it once, and return it.

    Raises: NotFound, Forbidden, PreconditionFailed, InvalidInput.
    """
    item = await queue.resolve_attention(acting, ident, reason=reason, revision=revision)
    occasion = item.occasion
    links = links_of(
        occasion, "" if item.policy is None else item.policy.id, attention=f"/v1/attention/{ident}"
    )
    told = ResolvedTold(
        workspace_id=occasion.workspace_id or None,
        repo_id=occasion.repo_id or None,
        links=links,
        id=item.id,
        kind=item.type,
        by=item.resolved_by or acting.principal.actor,
        decision_receipt_id=occasion.receipt_id or None,
    )
    at_ms = item.resolved_ms or acting.clock.now_ms()
    notice = made(f"ntc_{item.id}_resolved", "attention.resolved", told, occasion=occasion, at_ms=at_ms)
    await telling.tell(acting.unit, [notice], await acting.unit.notify.webhooks.listening())
    return item


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
