"""Conversations, as far as policies need them: imported, found, resolved, and their held calls approved."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query

from bylaw.api.answers import Reply
from bylaw.api.compat.ohallo import talk
from bylaw.api.compat.ohallo.query import ConversationQuery
from bylaw.api.compat.ohallo.wire import Conversations, Done, NewConversation, Outcome, WholeConversation
from bylaw.api.ports import Unit
from bylaw.api.route import Route, body, needs, needs_projected
from bylaw.approvals import answer as answers
from bylaw.approvals.store import ApprovalFilter
from bylaw.core.errors import Conflict, NotFound
from bylaw.core.paging import Slice
from bylaw.learning import conversations, runs
from bylaw.learning.model import ConversationId
from bylaw.tenancy.principal import Acting

router = APIRouter(tags=["ohallo"], route_class=Route)

Writing = Annotated[Acting[Unit], needs(conversations.WRITES)]


@router.post("/api/conversations", status_code=201)
async def import_conversation(
    acting: Writing, new: Annotated[NewConversation, body(NewConversation)]
) -> Reply[WholeConversation]:
    """Import a conversation that was had elsewhere."""
    imported = talk.imported(new, tenant_id=acting.unit.tenant_id, clock=acting.clock, ids=acting.ids)
    return Reply(talk.whole(await conversations.import_conversation(acting, imported)))


@router.get("/api/conversations")
async def list_conversations(
    acting: Annotated[Acting[Unit], needs_projected(conversations.READS)],
    query: Annotated[ConversationQuery, Query()],
) -> Reply[Conversations]:
    """List conversations, newest first."""
    found = await conversations.list_conversations(acting, query.where, query.part)
    cursor = msgspec.UNSET if found.next_cursor is None else found.next_cursor
    return Reply(Conversations(data=tuple(talk.item(each) for each in found.items), next_cursor=cursor))


@router.get("/api/conversations/{conversation_id}")
async def read_conversation(
    acting: Annotated[Acting[Unit], needs(conversations.READS)], conversation_id: ConversationId
) -> Reply[WholeConversation]:
    """Read one conversation with what was said."""
    return Reply(talk.whole(await conversations.read_conversation(acting, conversation_id)))


@router.post("/api/conversations/{conversation_id}/take-over")
async def take_over(acting: Writing, conversation_id: ConversationId) -> Reply[Done]:
    """Let a person go on with a conversation."""
    await conversations.hand_over(acting, conversation_id, human_managed=True)
    return Reply(Done())


@router.post("/api/conversations/{conversation_id}/release")
async def release(acting: Writing, conversation_id: ConversationId) -> Reply[Done]:
    """Let the agent go on with a conversation."""
    await conversations.hand_over(acting, conversation_id, human_managed=False)
    return Reply(Done())


@router.post("/api/conversations/{conversation_id}/resolve")
async def resolve_conversation(
    acting: Writing,
    conversation_id: ConversationId,
    end: Annotated[Outcome, body(Outcome, may_be_empty=True)],
) -> Reply[Done]:
    """Resolve a conversation, once, with how it ended; its workspace learns from it."""
    await runs.resolve(acting, conversation_id, outcome=end.outcome or "")
    return Reply(Done())


@router.post("/api/conversations/{conversation_id}/approve")
async def approve_held_call(
    acting: Annotated[Acting[Unit], needs_projected(answers.ANSWERS)], conversation_id: ConversationId
) -> Reply[Done]:
    """Approve the one tool call of a conversation that waits for a person."""
    now_ms = acting.clock.now_ms()
    where = ApprovalFilter(conversation_id=conversation_id, status="pending", open_at_ms=now_ms)
    waiting = (await answers.list_approvals(acting, where, Slice(limit=2))).items
    if not waiting:
        raise NotFound("call that waits in a conversation", conversation_id)
    if len(waiting) > 1:
        message = "Several calls of it wait: answer each with POST /v1/approvals/{approval_id}/approve."
        raise Conflict(message, reason="several")
    await answers.answer(acting, waiting[0].id, "approved")
    return Reply(Done())
