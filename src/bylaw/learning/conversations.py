"""Conversations: imported with what was said, found again, handed over, and resolved with an outcome.

One that a person has alone with a model is read by them, and by who may change its workspace; nobody else.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from bylaw.core.errors import Conflict, Forbidden, InvalidInput, NotFound
from bylaw.core.ids import RepoId
from bylaw.core.paging import Page, Slice
from bylaw.learning.model import OVER, Conversation, ConversationId, ConversationStatus, Message
from bylaw.learning.store import ConversationFilter, LearningUnit
from bylaw.tenancy.model import Place, overlap
from bylaw.tenancy.naming import checked_id, checked_reason
from bylaw.tenancy.places import require_place
from bylaw.tenancy.principal import Acting, Principal

READS: Final = "conversations:read"
WRITES: Final = "conversations:write"
# Who may change a workspace reads what others have alone there.
OPENS: Final = "workspaces:write"
MAX_MESSAGES: Final = 1_000
# What one that a person has with a model says in all, since each turn says all of it again. In characters.
MAX_SAID: Final = 1_000_000


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
    if found is None or found.deleted_ms is not None or not _may_read(acting.principal, found):
        raise NotFound("conversation", ident)
    return found


async def list_conversations(
    acting: Acting[LearningUnit], where: ConversationFilter, part: Slice
) -> Page[Conversation]:
    """Return a page of the conversations that the caller may read. Raises: Forbidden."""
    acting.principal.require(READS)
    seen = acting.principal.places(READS)
    wanted = replace(
        where,
        within=seen if where.within is None else overlap(where.within, seen),
        reader=acting.principal.actor,
        open_in=overlap(seen, acting.principal.places(OPENS)),
    )
    return await acting.unit.conversations.list(wanted, part)


async def begin_conversation(acting: Acting[LearningUnit], repo_id: RepoId) -> Conversation:
    """Store a conversation that the caller has alone with models of a repo, and return it.

    Raises: Forbidden; NotFound for the repo.
    """
    place = await require_repo(acting, repo_id)
    begun = Conversation(
        id=ConversationId(acting.ids.uuid7()),
        tenant_id=acting.unit.tenant_id,
        place=place,
        owner=acting.principal.actor,
        created_ms=acting.clock.now_ms(),
    )
    await acting.unit.conversations.add(begun)
    return begun


async def require_repo(acting: Acting[LearningUnit], repo_id: RepoId) -> Place:
    """Return where a repo is, with whose models the caller may talk. Raises: Forbidden, NotFound."""
    acting.principal.require(READS)
    repo = await acting.unit.tenancy.repos.get(repo_id)
    if repo is None or repo.deleted_ms is not None:
        raise NotFound("repo", repo_id)
    place = Place(workspace_id=repo.workspace_id, repo_id=repo.id)
    if not acting.principal.may(READS, place):
        raise NotFound("repo", repo_id)
    return place


async def own_conversation(acting: Acting[LearningUnit], ident: ConversationId) -> Conversation:
    """Return a conversation that the caller has alone and that can go on.

    Raises: NotFound; Forbidden for another's; Conflict (`too_long`) when it holds no more.
    """
    found = await read_conversation(acting, ident)
    if found.owner != acting.principal.actor:
        raise Forbidden("Only whose conversation it is goes on with it: begin your own.")
    said = sum(len(each.text) for each in found.messages)
    if len(found.messages) >= MAX_MESSAGES or said >= MAX_SAID:
        most = f"{MAX_MESSAGES} messages and {MAX_SAID} characters"
        message = f"A conversation has at most {most}: begin another."
        raise Conflict(message, reason="too_long")
    return found


async def go_on(acting: Acting[LearningUnit], ident: ConversationId, said: Sequence[Message]) -> Conversation:
    """Store what was said in the caller's own conversation, and return it. Raises: as `own_conversation`."""
    conversation = await own_conversation(acting, ident)
    return await _save(acting, replace(conversation, messages=(*conversation.messages, *said)))


async def delete_conversation(acting: Acting[LearningUnit], ident: ConversationId, *, for_good: bool) -> None:
    """Delete a conversation that somebody has alone, or forget it with everything that was said.

    Raises: Forbidden; NotFound, also for one that was deleted, unless it is `for_good` now.
    """
    acting.principal.require(READS)
    found = await acting.unit.conversations.get(ident)
    if found is None or not found.owner or not _may_read(acting.principal, found):
        raise NotFound("conversation", ident)
    if found.forgotten_ms is not None or (found.deleted_ms is not None and not for_good):
        raise NotFound("conversation", ident)
    now_ms = acting.clock.now_ms()
    if for_good:
        await acting.unit.conversations.save(emptied(found, now_ms=now_ms))
    else:
        await _save(acting, replace(found, deleted_ms=now_ms))


def emptied(conversation: Conversation, *, now_ms: int) -> Conversation:
    """Return the next revision of a conversation of which nothing is left but where and whose it was."""
    return Conversation(
        id=conversation.id,
        tenant_id=conversation.tenant_id,
        place=conversation.place,
        status=conversation.status,
        owner=conversation.owner,
        created_ms=conversation.created_ms,
        deleted_ms=now_ms if conversation.deleted_ms is None else conversation.deleted_ms,
        forgotten_ms=now_ms,
        revision=conversation.revision + 1,
    )


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


async def is_others_alone(acting: Acting[LearningUnit], ident: ConversationId) -> bool:
    """Return whether somebody has a conversation alone, and the caller may not read it."""
    found = await acting.unit.conversations.get(ident)
    return found is not None and bool(found.owner) and not _may_read(acting.principal, found)


def _may_read(principal: Principal, conversation: Conversation) -> bool:
    if not principal.may(READS, conversation.place):
        return False
    return conversation.owner in {"", principal.actor} or principal.may(OPENS, conversation.place)


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
