"""Around policy entries: the tenant's API keys, and what people should look at."""

from typing import Annotated

from fastapi import APIRouter, Query, Request

from bylaw.api import notifying
from bylaw.api.answers import Reply
from bylaw.api.compat.ohallo import translate
from bylaw.api.compat.ohallo.query import MOST_ATTENTION, AttentionQuery
from bylaw.api.compat.ohallo.wire import ApiKey, AttentionItem, Done
from bylaw.api.ports import Unit
from bylaw.api.route import Route, needs, needs_projected, parts_of
from bylaw.core.paging import every
from bylaw.review import queue
from bylaw.review.store import AttentionFilter
from bylaw.tenancy import keys
from bylaw.tenancy.principal import Acting

router = APIRouter(tags=["ohallo"], route_class=Route)


@router.get("/api/api-keys")
async def list_keys(acting: Annotated[Acting[Unit], needs("admin")]) -> Reply[tuple[ApiKey, ...]]:
    """List the tenant's keys, expired ones too; revoked ones are gone."""
    found = every(lambda part: keys.list_keys(acting, part))
    return Reply(tuple([translate.key(each) async for each in found if each.revoked_ms is None]))


@router.get("/api/attention-items")
async def list_attention_items(
    acting: Annotated[Acting[Unit], needs_projected(queue.READS_ATTENTION)],
    query: Annotated[AttentionQuery, Query()],
) -> Reply[tuple[AttentionItem, ...]]:
    """List attention items, open and resolved, newest first."""
    where, most = AttentionFilter(status=query.status), min(query.limit, MOST_ATTENTION)
    items: list[AttentionItem] = []
    async for item in every(lambda part: queue.list_attention(acting, where, part)):
        items.append(translate.attention_item(item, tenant_id=acting.unit.tenant_id))
        if len(items) == most:
            break
    return Reply(tuple(items))


@router.post("/api/attention-items/{attention_id}/resolve")
async def resolve_attention_item(
    acting: Annotated[Acting[Unit], needs_projected(queue.RESOLVES)],
    request: Request,
    attention_id: str,
) -> Reply[Done]:
    """Say that an attention item was looked at; saying so again changes nothing."""
    await notifying.resolve_attention(acting, parts_of(request).notifier.telling, attention_id)
    return Reply(Done())
