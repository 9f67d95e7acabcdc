"""Conversations that people have with the models of a repo, each turn held against its policies."""

from typing import Annotated
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from fastapi import Query as FromQuery
from msgspec import UNSET
from pydantic import Field

from bylaw.api.answers import Reply
from bylaw.api.compat.flashback import translate_conversations as translate
from bylaw.api.compat.flashback import wire_conversations as wire
from bylaw.api.compat.flashback.ai_keys import PROVIDERS
from bylaw.api.compat.flashback.query import Id, PartQuery, Query
from bylaw.api.compat.flashback.shown import Shown
from bylaw.api.compat.flashback.translate import place_of
from bylaw.api.compat.flashback.wire import FlashbackConfirmation
from bylaw.api.parts import Parts
from bylaw.api.ports import Unit
from bylaw.api.route import Route, admits, body, incoming_of, needs, principal_of
from bylaw.api.stopped import stopped
from bylaw.core.ids import RepoId
from bylaw.decisions import model as decisions
from bylaw.learning import conversations, corrections
from bylaw.learning.model import ConversationId
from bylaw.learning.store import ConversationFilter
from bylaw.providers.model import Failed
from bylaw.tenancy.principal import Acting

router = APIRouter(tags=["flashback"], route_class=Route)

# Whoever reads a workspace may have conversations of their own there.
Reading = Annotated[Acting[Unit], needs(conversations.READS)]


class ConversationQuery(PartQuery):
    """Which conversations are wanted; filters combine with AND."""

    user_id: Annotated[Id, Field(alias="userId", description="Those of this person.")] = None
    show_deleted: Annotated[bool, Field(alias="showDeleted", description="Deleted ones too.")] = False

    @property
    def where(self) -> ConversationFilter:
        """Return the filter that is meant. Raises: InvalidInput."""
        from_ms, to_ms = self.span
        whose = None if self.user_id is None else {f"user:{self.user_id}", f"key:{self.user_id}"}
        return ConversationFilter(
            within=None if self.workspace_id is None else (place_of(self.workspace_id, None),),
            owned=True,
            owners=None if whose is None else frozenset(whose),
            repo_id=self.repo_id,
            from_ms=from_ms,
            to_ms=to_ms,
            deleted=self.show_deleted,
        )


class DeletionQuery(Query):
    """How much is to be gone."""

    hard_delete: Annotated[bool, Field(alias="hardDelete", description="Forget what was said, for good.")] = (
        False
    )


@router.post("/conversation")
async def begin_conversation(
    acting: Reading,
    new: Annotated[wire.FlashbackNewConversation, body(wire.FlashbackNewConversation)],
) -> Reply[wire.BegunConversation]:
    """Begin a conversation with the models of a repo; nobody but you goes on with it."""
    begun = await conversations.begin_conversation(acting, RepoId(new.repo_id))
    return Reply(wire.BegunConversation(conversation_id=begun.id))


@router.get("/conversation")
async def list_conversations(
    acting: Reading, query: Annotated[ConversationQuery, FromQuery()]
) -> Reply[wire.FlashbackConversations]:
    """List your conversations, newest first; those of all in the workspaces that you may change."""
    found = await conversations.list_conversations(acting, query.where, query.part)
    shown = Shown(acting.unit)
    listed = [await translate.shown(each, shown) for each in found.items[: query.taken]]
    return Reply(wire.FlashbackConversations(conversations=tuple(listed), total=found.total or 0))


@router.get("/conversation/{conversation_id}/messages")
async def list_messages(acting: Reading, conversation_id: ConversationId) -> Reply[wire.FlashbackMessages]:
    """List what was said in a conversation, oldest first."""
    return Reply(translate.messages(await conversations.read_conversation(acting, conversation_id)))


@router.delete("/conversation/{conversation_id}")
async def delete_conversation(
    acting: Reading,
    conversation_id: ConversationId,
    query: Annotated[DeletionQuery, FromQuery()],
) -> Reply[FlashbackConfirmation]:
    """Delete a conversation."""
    await conversations.delete_conversation(acting, conversation_id, for_good=query.hard_delete)
    if query.hard_delete:
        await corrections.forget_conversation(acting, conversation_id)
    return Reply(FlashbackConfirmation(message="The conversation is deleted."))


@router.post("/conversation/{conversation_id}/prompt")
async def send_prompt(
    parts: Annotated[Parts, admits(conversations.READS)],
    request: Request,
    conversation_id: ConversationId,
    said: Annotated[wire.Prompt, body(wire.Prompt)],
) -> Reply[wire.Prompted]:
    """Say something to a model, as far as policies allow.

    What is stopped on either way is not kept in the conversation; its receipts are.
    """
    principal, incoming = principal_of(request), incoming_of(request)
    async with parts.acting(principal, writes=False) as acting:
        conversation = await conversations.own_conversation(acting, conversation_id)
    context = decisions.Request(
        phase="input",
        conversation_id=conversation.id,
        user_id=principal.user_id or UNSET,
        host=urlsplit(parts.links.to("", incoming.headers)).hostname or "",
    )
    repo_id = RepoId(conversation.place.repo_id or "")
    ask = translate.ask(conversation, said)
    passage = await incoming.attended(parts.gateway.pass_on(principal, repo_id, ask, context))
    if passage.failed is not None:
        raise translate.failure(passage.failed)
    if passage.completion is None:
        return Reply(wire.Prompted(success=False, message=stopped(passage.decisions).message))
    turn = translate.turn(said, passage.asked, passage.completion, clock=parts.clock, ids=parts.ids)
    async with parts.acting(principal) as acting:
        await conversations.go_on(acting, conversation_id, turn)
    return Reply(wire.Prompted(success=True, message=turn[-1].text))


@router.post("/ai/models")
async def list_models(
    parts: Annotated[Parts, admits(conversations.READS)],
    request: Request,
    wanted: Annotated[wire.ModelQuery, body(wire.ModelQuery)],
) -> Reply[wire.AiModels]:
    """List the models that may be asked in a repo, as their providers list them now."""
    principal, repo_id = principal_of(request), RepoId(wanted.repo_id)
    async with parts.acting(principal, writes=False) as acting:
        await conversations.require_repo(acting, repo_id)
    providers = {
        provider
        for ai_type, provider in PROVIDERS.items()
        if wanted.ai_type in {None, ai_type} and wanted.llm_type in {None, "", ai_type}
    }
    listing = parts.gateway.models(principal, repo_id, providers=providers)
    found = await incoming_of(request).attended(listing)
    if isinstance(found, Failed):
        raise translate.failure(found)
    return Reply(wire.AiModels(models=tuple(translate.model(*each) for each in found)))
