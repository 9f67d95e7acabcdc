"""Webhooks: addresses that are told what happens, and what became of each delivery."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from bylaw.api.answers import Page, Reply, page
from bylaw.api.native.query import InWorkspace, ListQuery
from bylaw.api.native.webhook_views import (
    DeliveryDetail,
    DeliveryView,
    NewWebhookView,
    NoticeTypesView,
    NoticeTypeView,
    ReplayedView,
    WebhookView,
    delivery_detail,
    delivery_view,
    webhook_view,
    with_secret,
)
from bylaw.api.parts import Parts
from bylaw.api.ports import Unit
from bylaw.api.route import Revision, Route, admits, body, needs, parts_of, principal_of
from bylaw.api.shape import moment
from bylaw.core.ids import WorkspaceId
from bylaw.core.paging import MAX_LIMIT, Slice
from bylaw.notify import deliveries, webhooks
from bylaw.notify.catalog import TYPES
from bylaw.notify.model import DeliveryId, DeliveryStatus, NoticeId, WebhookId
from bylaw.notify.store import DeliveryFilter
from bylaw.tenancy.principal import Acting

router = APIRouter(tags=["webhooks"], route_class=Route)

Managing = Annotated[Acting[Unit], needs(webhooks.MANAGES)]


class NewWebhook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An address that is to be told: of everything, or of some `types` (`policy.*` are all of policies).

    Of the whole tenant, or of one workspace.
    """

    url: str
    types: tuple[str, ...] = ()
    workspace_id: str | None = None
    description: str = ""


class WebhookChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fields that are to change."""

    url: str | None = None
    types: tuple[str, ...] | None = None
    description: str | None = None
    is_active: bool | None = None


class Rotation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """For how many hours the secret of before signs as well."""

    overlap_h: int = 24


class Replay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is sent again: what failed since a moment (RFC 3339), or all that happened since.

    One request sends up to 500; go on with `cursor` from the answer.
    """

    since: str
    which: deliveries.Which = "failed"
    cursor: str | None = None


class DeliveryQuery(ListQuery):
    """Which deliveries are wanted; filters combine with AND."""

    status: DeliveryStatus | None = None
    type: Annotated[str | None, Field(description="Only notices of this type.")] = None
    notice_id: Annotated[
        str | None, Field(description="Only this one: the `webhook-id` it was sent with.")
    ] = None
    since: Annotated[str | None, Field(description="Queued at this moment (RFC 3339) or later.")] = None


@router.post("/v1/webhooks", status_code=201)
async def create_webhook(
    acting: Managing, request: Request, new: Annotated[NewWebhook, body(NewWebhook)]
) -> Reply[NewWebhookView]:
    """Make a webhook. Its secret is shown this once; receivers verify signatures with it."""
    parts = parts_of(request)
    wanted = webhooks.NewWebhook(
        url=new.url,
        types=new.types,
        workspace_id=None if new.workspace_id is None else WorkspaceId(new.workspace_id),
        description=new.description,
    )
    webhook, secret = await webhooks.create_webhook(
        acting, wanted, parts.sealer, outgoing=parts.notifier.outgoing
    )
    return with_secret(webhook, secret)


@router.get("/v1/webhooks")
async def list_webhooks(acting: Managing, query: Annotated[InWorkspace, Query()]) -> Reply[Page[WebhookView]]:
    """List the webhooks that the caller manages."""
    found = await webhooks.list_webhooks(acting, query.part, workspace_id=query.workspace_id)
    return Reply(page(found, webhook_view))


@router.get("/v1/webhook-types")
async def list_notice_types(acting: Managing) -> Reply[NoticeTypesView]:
    """List the types of notices that a webhook may be told of, each with what it means."""
    del acting
    types = (NoticeTypeView(type=name, text=each.text) for name, each in TYPES.items())
    return Reply(NoticeTypesView(data=tuple(types)))


@router.get("/v1/webhooks/{webhook_id}")
async def read_webhook(acting: Managing, webhook_id: WebhookId) -> Reply[WebhookView]:
    """Read one webhook, and whether its deliveries fail."""
    found = await webhooks.read_webhook(acting, webhook_id)
    return Reply(webhook_view(found), revision=found.revision)


@router.patch("/v1/webhooks/{webhook_id}")
async def change_webhook(
    acting: Managing,
    request: Request,
    webhook_id: WebhookId,
    change: Annotated[WebhookChange, body(WebhookChange)],
    *,
    revision: Revision,
) -> Reply[WebhookView]:
    """Change a webhook, or switch it off and on; what waits for one that is off fails; it can be replayed."""
    wanted = webhooks.WebhookChange(
        url=msgspec.UNSET if change.url is None else change.url,
        types=msgspec.UNSET if change.types is None else change.types,
        description=msgspec.UNSET if change.description is None else change.description,
        is_active=msgspec.UNSET if change.is_active is None else change.is_active,
    )
    changed = await webhooks.change_webhook(
        acting, webhook_id, wanted, outgoing=parts_of(request).notifier.outgoing, revision=revision
    )
    return Reply(webhook_view(changed), revision=changed.revision)


@router.delete("/v1/webhooks/{webhook_id}", status_code=204)
async def delete_webhook(acting: Managing, webhook_id: WebhookId) -> Response:
    """Delete a webhook and forget its secrets."""
    await webhooks.delete_webhook(acting, webhook_id)
    return Response(status_code=204)


@router.post("/v1/webhooks/{webhook_id}/rotate-secret")
async def rotate_secret(
    acting: Managing,
    request: Request,
    webhook_id: WebhookId,
    rotation: Annotated[Rotation, body(Rotation, may_be_empty=True)],
    *,
    revision: Revision,
) -> Reply[NewWebhookView]:
    """Give a webhook a new secret, shown this once. For a while every request carries both signatures."""
    sealer = parts_of(request).sealer
    webhook, secret = await webhooks.rotate_secret(
        acting, webhook_id, sealer, overlap_h=rotation.overlap_h, revision=revision
    )
    return with_secret(webhook, secret)


@router.post("/v1/webhooks/{webhook_id}/test")
async def test_webhook(
    parts: Annotated[Parts, admits(webhooks.MANAGES)], request: Request, webhook_id: WebhookId
) -> Reply[DeliveryDetail]:
    """Send a `webhook.test` at once, and say what came back. It is a real call, unless those are off here."""
    principal = principal_of(request)
    async with parts.acting(principal, writes=False) as acting:
        webhook, notice = await deliveries.begin_test(acting, parts.notifier.telling, webhook_id)
    attempt = await parts.notifier.sender.send(webhook, notice)
    async with parts.acting(principal) as acting:
        new = parts.notifier.telling.delivery(webhook, notice)
        tried = await deliveries.keep_test(acting, new, notice, attempt=attempt)
    return Reply(delivery_detail(tried, notice))


@router.post("/v1/webhooks/{webhook_id}/replay")
async def replay(
    acting: Managing, request: Request, webhook_id: WebhookId, wanted: Annotated[Replay, body(Replay)]
) -> Reply[ReplayedView]:
    """Send again what failed since a moment, or all that happened since, each under the id it had."""
    replayed = await deliveries.replay_since(
        acting,
        parts_of(request).notifier.telling,
        webhook_id,
        since_ms=moment(wanted.since, path="since") or 0,
        which=wanted.which,
        part=Slice(limit=MAX_LIMIT, cursor=wanted.cursor),
    )
    return Reply(ReplayedView(replayed=replayed.count, next_cursor=replayed.next_cursor))


@router.get("/v1/webhooks/{webhook_id}/deliveries")
async def list_deliveries(
    acting: Managing, webhook_id: WebhookId, query: Annotated[DeliveryQuery, Query()]
) -> Reply[Page[DeliveryView]]:
    """List the deliveries of a webhook."""
    where = DeliveryFilter(
        webhook_id=webhook_id,
        status=query.status,
        type=query.type,
        notice_id=None if query.notice_id is None else NoticeId(query.notice_id),
        since_ms=moment(query.since, path="query.since"),
    )
    return Reply(page(await deliveries.list_deliveries(acting, where, query.part), delivery_view))


@router.get("/v1/webhooks/{webhook_id}/deliveries/{delivery_id}")
async def read_delivery(
    acting: Managing, webhook_id: WebhookId, delivery_id: DeliveryId
) -> Reply[DeliveryDetail]:
    """Read one delivery: what is sent, and every attempt."""
    return Reply(delivery_detail(*await deliveries.read_delivery(acting, webhook_id, delivery_id)))


@router.post("/v1/webhooks/{webhook_id}/deliveries/{delivery_id}/replay")
async def replay_delivery(
    acting: Managing, webhook_id: WebhookId, delivery_id: DeliveryId
) -> Reply[DeliveryView]:
    """Send a notice again, under the id it had; one that waits for its next attempt is tried at once."""
    return Reply(delivery_view(await deliveries.replay(acting, webhook_id, delivery_id)))
