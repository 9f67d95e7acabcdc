"""Conversations: imported with what was said, found again, handed over, and resolved with an outcome."""

from dataclasses import replace
from typing import Final

from bylaw.core.errors import Conflict, InvalidInput, NotFound
from bylaw.core.paging import Page, Slice
from bylaw.learning.model import OVER, Conversation, ConversationId, ConversationStatus
from bylaw.learning.store import ConversationFilter, LearningUnit
from bylaw.tenancy.model import overlap
from bylaw.tenancy.naming import checked_id, checked_reason
from bylaw.tenancy.places import require_place
from bylaw.tenancy.principal import Acting

READS: Final = "conversations:read"
WRITES: Final = "conversations:write"
MAX_MESSAGES: Final = 1_000


async def import_conversation(acting: Acting[LearningUnit], new: Conversation) -> Conversation:
    """Store a conversation that was had elsewhere and return it.

    Raises: Forbidden; NotFound for its place; Conflict (`exists`); InvalidInput for too many messages.
    """
    acting.principal.require(WRITES, new.place)
    await require_place(acting.unit, new.place)
    checked_id(new.id)
    if len(new.messages) > MAX_MESSAGES:
        message = f"At most {MAX_MESSAGES} messages; this has {len(new.messages)}."
        raise InvalidInput.of("messages", "too_many", message)
    await acting.unit.conversations.add(new)
    return new


async def read_conversation(acting: Acting[LearningUnit], ident: ConversationId) -> Conversation:
    """Return a conversation. Raises: Forbidden; NotFound, also for one out of the caller's sight."""
    acting.principal.require(READS)
    found = await acting.unit.conversations.get(ident)
    if found is None or not acting.principal.may(READS, found.place):
        raise NotFound("conversation", ident)
    return found


async def list_conversations(
    acting: Acting[LearningUnit], where: ConversationFilter, part: Slice
) -> Page[Conversation]:
    """Return a page of the conversations that the caller may read. Raises: Forbidden."""
    acting.principal.require(READS)
    seen = acting.principal.places(READS)
    within = seen if where.within is None else overlap(where.within, seen)
    return await acting.unit.conversations.list(replace(where, within=within), part)


async def resolve_conversation(
    acting: Acting[LearningUnit], ident: ConversationId, *, outcome: str
) -> Conversation:
    """Store that a conversation is resolved, and how it ended, and return it. Raises: Conflict (`over`)."""
    said = checked_reason(outcome, path="outcome")
    resolved = replace(
        await _open_conversation(acting, ident),
        status="resolved",
        outcome=said,
        resolved_by=acting.principal.actor,
        resolved_ms=acting.clock.now_ms(),
    )
    return await _save(acting, resolved)


async def hand_over(
    acting: Acting[LearningUnit], ident: ConversationId, *, human_managed: bool
) -> Conversation:
    """Store whether a person or the agent goes on with a conversation, and return it.

    Raises: Conflict (`over`).
    """
    conversation = await _open_conversation(acting, ident)
    if conversation.human_managed == human_managed:
        return conversation
    status: ConversationStatus = "in_progress" if human_managed else "open"
    return await _save(acting, replace(conversation, human_managed=human_managed, status=status))


async def _open_conversation(acting: Acting[LearningUnit], ident: ConversationId) -> Conversation:
    conversation = await read_conversation(acting, ident)
    acting.principal.require(WRITES, conversation.place)
    if conversation.status in OVER:
        raise Conflict(f"This conversation is {conversation.status} already.", reason="over")
    return conversation


async def _save(acting: Acting[LearningUnit], conversation: Conversation) -> Conversation:
    saved = replace(conversation, revision=conversation.revision + 1)
    await acting.unit.conversations.save(saved)
    return saved
