"""Between conversations as the contract shows them and as they are kept."""

from typing import Final

from msgspec import UNSET, UnsetType

from bylaw.api.compat.ohallo import wire
from bylaw.api.shape import moment
from bylaw.core.clock import Clock, rfc3339
from bylaw.core.ids import Ids, TenantId, WorkspaceId
from bylaw.learning.model import Conversation, ConversationId, Message
from bylaw.tenancy.model import Place

_PREVIEW: Final = 140


def imported(new: wire.NewConversation, *, tenant_id: TenantId, clock: Clock, ids: Ids) -> Conversation:
    """Return a conversation to be kept. Raises: InvalidInput for a moment that is none."""
    now_ms = clock.now_ms()
    times = [moment(each.created_at, path=f"messages[{n}].createdAt") for n, each in enumerate(new.messages)]
    messages = tuple(
        Message(speaker=each.speaker, text=each.text, at_ms=now_ms if at_ms is None else at_ms)
        for each, at_ms in zip(new.messages, times, strict=True)
    )
    return Conversation(
        id=ConversationId(ids.uuid7() if new.id is None else new.id),
        tenant_id=tenant_id,
        place=Place(workspace_id=WorkspaceId(new.workspace_id)),
        channel_id=new.channel_id,
        contact_id=new.contact_id,
        contact_name=new.contact_name,
        contact_email=new.contact_email,
        account_id=new.account_id,
        account_name=new.account_name,
        status=new.status,
        human_managed=new.human_managed,
        messages=messages,
        created_ms=min([now_ms, *(message.at_ms for message in messages)]),
    )


def item(kept: Conversation) -> wire.Conversation:
    """Return a conversation as lists show it."""
    last = kept.messages[-1] if kept.messages else None
    return wire.Conversation(
        id=kept.id,
        workspace_id=kept.place.workspace_id,
        channel_id=kept.channel_id,
        contact_id=kept.contact_id,
        status=kept.status,
        last_message_preview="" if last is None else last.text[:_PREVIEW],
        last_message_at=rfc3339(kept.created_ms if last is None else last.at_ms),
        contact_name=_known(kept.contact_name),
        contact_email=_known(kept.contact_email),
        account_id=_known(kept.account_id),
        account_name=_known(kept.account_name),
        human_managed=kept.human_managed,
        outcome=kept.outcome,
        created_at=rfc3339(kept.created_ms),
    )


def whole(kept: Conversation) -> wire.WholeConversation:
    """Return a conversation with what was said."""
    shown = item(kept)
    messages = tuple(
        wire.Message(speaker=each.speaker, text=each.text, created_at=rfc3339(each.at_ms))
        for each in kept.messages
    )
    return wire.WholeConversation(
        **{name: getattr(shown, name) for name in shown.__struct_fields__}, messages=messages
    )


def _known(text: str) -> str | UnsetType:
    return text or UNSET
