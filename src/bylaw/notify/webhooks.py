"""Webhooks as people look after them: made, changed, rotated, deleted, each with an entry for the log.

Whoever manages a webhook manages the workspaces where it listens, and may read all that it is told there: a
webhook never tells more than its maker may see.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from bylaw.core.clock import HOUR_MS
from bylaw.core.errors import Conflict, InvalidInput, NotFound
from bylaw.core.ids import WorkspaceId
from bylaw.core.paging import Page, Slice
from bylaw.notify.address import checked_url, host_of
from bylaw.notify.catalog import checked_types
from bylaw.notify.model import Webhook, WebhookId
from bylaw.notify.sending import owner_of
from bylaw.notify.signing import new_secret
from bylaw.notify.store import NotifyUnit
from bylaw.providers.http import Outgoing
from bylaw.tenancy.entries import KIND, change_entry, differences
from bylaw.tenancy.model import EVERYWHERE, Place, overlap
from bylaw.tenancy.places import require_place
from bylaw.tenancy.principal import Acting
from bylaw.tenancy.revisions import require_revision
from bylaw.tenancy.sealing import Sealer

MANAGES: Final = "workspaces:write"
TOLD: Final = ("policy:read", "receipts:read", "conversations:read", "agents:read")
MOST: Final = 50  # of one tenant: each notice is compared with all of them
LONGEST_OVERLAP_H: Final = 7 * 24
_LONGEST_TEXT: Final = 500

Change = Literal["created", "changed", "deleted", "disabled"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NewWebhook:
    """A webhook to be made; without types it wants all of them."""

    url: str
    types: tuple[str, ...] = ()
    workspace_id: WorkspaceId | None = None
    description: str = ""


class WebhookChange(msgspec.Struct, frozen=True, kw_only=True):
    """The fields that are to change. To switch it on forgets why it was off."""

    url: str | UnsetType = UNSET
    types: tuple[str, ...] | UnsetType = UNSET
    description: str | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET


async def create_webhook(
    acting: Acting[NotifyUnit], new: NewWebhook, sealer: Sealer, *, outgoing: Outgoing
) -> tuple[Webhook, str]:
    """Store a new webhook; return it with its secret, which is not shown again.

    Raises: Forbidden, NotFound, InvalidInput; Conflict (`too_many`).
    """
    place = Place(workspace_id=new.workspace_id)
    require_managing(acting, place)
    await require_place(acting.unit, place)
    if len(await acting.unit.notify.webhooks.listening()) >= MOST:
        raise Conflict(f"A tenant has at most {MOST} webhooks: delete one.", reason="too_many")
    ident, secret = WebhookId(acting.ids.uuid7()), new_secret(acting.ids)
    webhook = Webhook(
        id=ident,
        tenant_id=acting.unit.tenant_id,
        workspace_id=new.workspace_id,
        url=checked_url(new.url, outgoing),
        types=checked_types(new.types),
        description=_checked_text(new.description),
        sealed=sealer.seal(secret.encode(), *owner_of(acting.unit.tenant_id, ident)),
        created_by=acting.principal.actor,
        created_ms=acting.clock.now_ms(),
    )
    await acting.unit.notify.webhooks.add(webhook)
    await record(acting.unit, None, webhook, author=acting.principal.actor, change="created")
    return webhook, secret


async def change_webhook(
    acting: Acting[NotifyUnit],
    ident: WebhookId,
    change: WebhookChange,
    *,
    outgoing: Outgoing,
    revision: int | None = None,
) -> Webhook:
    """Store a changed webhook and return it.

    Raises: NotFound, Forbidden, InvalidInput, PreconditionFailed.
    """
    old = await read_webhook(acting, ident)
    require_revision(old.revision, revision)
    new = replace(
        old,
        url=old.url if change.url is UNSET else checked_url(change.url, outgoing),
        types=old.types if change.types is UNSET else checked_types(change.types),
        description=old.description if change.description is UNSET else _checked_text(change.description),
        is_active=old.is_active if change.is_active is UNSET else change.is_active,
    )
    if new.is_active and not old.is_active:
        new = replace(new, stopped_reason="")
        await acting.unit.notify.webhooks.mark(ident, failing_since_ms=None)
    return await _save(acting, old, new)


async def rotate_secret(
    acting: Acting[NotifyUnit],
    ident: WebhookId,
    sealer: Sealer,
    *,
    overlap_h: int,
    revision: int | None = None,
) -> tuple[Webhook, str]:
    """Store a new secret and return it with the webhook; the one before signs as well for `overlap_h` hours.

    Raises: NotFound, Forbidden, InvalidInput, PreconditionFailed.
    """
    old = await read_webhook(acting, ident)
    require_revision(old.revision, revision)
    if not 0 <= overlap_h <= LONGEST_OVERLAP_H:
        message = f"Two secrets sign side by side for 0 to {LONGEST_OVERLAP_H} hours."
        raise InvalidInput.of("overlap_h", "out_of_range", message)
    secret = new_secret(acting.ids)
    new = replace(
        old,
        sealed=sealer.seal(secret.encode(), *owner_of(old.tenant_id, ident)),
        sealed_before=old.sealed if overlap_h else "",
        overlap_ends_ms=acting.clock.now_ms() + overlap_h * HOUR_MS,
    )
    return await _save(acting, old, new), secret


async def delete_webhook(acting: Acting[NotifyUnit], ident: WebhookId) -> Webhook:
    """Delete a webhook, forget its secrets, and return it. Raises: NotFound, Forbidden."""
    old = await read_webhook(acting, ident)
    gone = replace(
        old, deleted_ms=acting.clock.now_ms(), is_active=False, sealed="", sealed_before="", overlap_ends_ms=0
    )
    return await _save(acting, old, gone, change="deleted")


async def read_webhook(acting: Acting[NotifyUnit], ident: WebhookId) -> Webhook:
    """Return a webhook. Raises: Forbidden; NotFound, also for one that the caller does not manage."""
    acting.principal.require(MANAGES)
    found = await acting.unit.notify.webhooks.get(ident)
    if found is None or found.deleted_ms is not None or not may_manage(acting, found.place):
        raise NotFound("webhook", ident)
    return found


async def list_webhooks(
    acting: Acting[NotifyUnit], part: Slice, *, workspace_id: WorkspaceId | None = None
) -> Page[Webhook]:
    """Return a page of the webhooks that the caller manages, newest first. Raises: Forbidden."""
    acting.principal.require(MANAGES)
    places = acting.principal.places(MANAGES)
    for scope in TOLD:
        places = overlap(places, acting.principal.places(scope))
    known = frozenset(each.workspace_id for each in places if each.workspace_id and each.repo_id is None)
    only = None if EVERYWHERE in places else known
    if workspace_id is not None:
        wanted = frozenset({workspace_id})
        only = wanted if only is None else wanted & only
    return await acting.unit.notify.webhooks.list(part, only=only)


def may_manage(acting: Acting[NotifyUnit], place: Place) -> bool:
    """Return whether the caller manages webhooks of this place."""
    return all(acting.principal.may(scope, place) for scope in (MANAGES, *TOLD))


def require_managing(acting: Acting[NotifyUnit], place: Place) -> None:
    """Return nothing if the caller manages webhooks of this place. Raises: Forbidden."""
    for scope in (MANAGES, *TOLD):
        acting.principal.require(scope, place)


def resealed(webhook: Webhook, sealer: Sealer) -> Webhook:
    """Return the next revision of a webhook, its secrets sealed anew. Raises: Corrupt."""

    def again(sealed: str) -> str:
        owner = owner_of(webhook.tenant_id, webhook.id)
        return sealer.seal(sealer.open(sealed, *owner), *owner) if sealed else ""

    return replace(
        webhook,
        sealed=again(webhook.sealed),
        sealed_before=again(webhook.sealed_before),
        revision=webhook.revision + 1,
    )


async def record(unit: NotifyUnit, old: Webhook | None, new: Webhook, *, author: str, change: Change) -> None:
    """Queue the entry for the log: of the address its host, of a secret only that there is another."""
    fields = differences({} if old is None else _fields(old), _fields(new))
    if old is not None and new.sealed and old.sealed != new.sealed:
        fields.append({"name": "secret", "now": "", "was": ""})
    await unit.outbox.add(KIND, change_entry("webhook", new.id, change=change, author=author, fields=fields))


async def _save(
    acting: Acting[NotifyUnit], old: Webhook, new: Webhook, *, change: Change = "changed"
) -> Webhook:
    if new == old:
        return old
    following = replace(new, revision=old.revision + 1)
    await acting.unit.notify.webhooks.save(following)
    await record(acting.unit, old, following, author=acting.principal.actor, change=change)
    return following


def _fields(webhook: Webhook) -> dict[str, str]:
    told = {
        "host": host_of(webhook.url),
        "is_active": webhook.is_active,
        "types": webhook.types,
        "workspace_id": webhook.workspace_id,
    }
    return {name: msgspec.json.encode(value).decode() for name, value in told.items()}


def _checked_text(text: str) -> str:
    if len(text) > _LONGEST_TEXT or not text.isprintable():
        message = f"At most {_LONGEST_TEXT} printable characters."
        raise InvalidInput.of("description", "bad_text", message)
    return text.strip()
