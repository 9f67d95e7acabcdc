"""Conversations as people read them: with the calls of tools, and what was learnt from each."""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from pydantic import Field

from bylaw.api.answers import Page, Reply, page
from bylaw.api.native.learning_views import FindingView, finding_view
from bylaw.api.native.query import InWorkspace
from bylaw.api.ports import Unit
from bylaw.api.route import Route, needs
from bylaw.api.shape import place_of, when
from bylaw.core.clock import rfc3339
from bylaw.learning import conversations, learnt
from bylaw.learning.model import Conversation, ConversationId, ConversationStatus, Message, Speaker
from bylaw.learning.store import ConversationFilter
from bylaw.tenancy.principal import Acting

router = APIRouter(tags=["learning"], route_class=Route)

Reading = Annotated[Acting[Unit], needs(conversations.READS)]
_PREVIEW = 140


class ConversationQuery(InWorkspace):
    """Which conversations are wanted; filters combine with AND."""

    status: ConversationStatus | None = None
    text: Annotated[
        str | None, Field(description="Found in names, addresses and messages, whatever the case.")
    ] = None

    @property
    def where(self) -> ConversationFilter:
        """Return the filter that is meant."""
        within = None if self.workspace_id is None else (place_of(self.workspace_id, None),)
        return ConversationFilter(within=within, status=self.status, text=self.text or None)


class ConversationItem(msgspec.Struct, frozen=True, kw_only=True):
    """A conversation in a list; `preview` begins what was said last, what is not known of people is empty."""

    id: str
    workspace_id: str | None
    status: ConversationStatus
    contact: str
    account: str
    human_managed: bool
    outcome: str | None
    preview: str
    messages: int
    created_at: str
    resolved_at: str | None
    resolved_by: str | None


class CallView(msgspec.Struct, frozen=True, kw_only=True):
    """A call of a tool, and what came back of it."""

    name: str
    arguments: Mapping[str, object]
    result: str


class MessageView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was said, by the contact, the agent or a colleague, with the calls made beside it."""

    speaker: Speaker
    text: str
    model: str
    created_at: str
    calls: tuple[CallView, ...]


class LearntView(FindingView, frozen=True, kw_only=True):
    """A rule that the conversation shows, and the run that found it."""

    run_id: str


class ConversationView(ConversationItem, frozen=True, kw_only=True):
    """A conversation with what was said, and the rules that the newest 50 runs found in it."""

    said: tuple[MessageView, ...]
    learnt: tuple[LearntView, ...]


@router.get("/v1/conversations")
async def list_conversations(
    acting: Reading, query: Annotated[ConversationQuery, Query()]
) -> Reply[Page[ConversationItem]]:
    """List conversations, newest first."""
    return Reply(page(await conversations.list_conversations(acting, query.where, query.part), _item))


@router.get("/v1/conversations/{conversation_id:path}")
async def read_conversation(acting: Reading, conversation_id: ConversationId) -> Reply[ConversationView]:
    """Read one conversation with what was said, which tools were called, and what was learnt from it."""
    conversation, found = await learnt.read_learnt(acting, conversation_id)
    return Reply(
        ConversationView(
            **msgspec.structs.asdict(_item(conversation)),
            said=tuple(map(_message, conversation.messages)),
            learnt=tuple(
                LearntView(**msgspec.structs.asdict(finding_view(each.finding)), run_id=each.run_id)
                for each in found
            ),
        )
    )


def _item(conversation: Conversation) -> ConversationItem:
    last = conversation.messages[-1].text if conversation.messages else ""
    return ConversationItem(
        id=conversation.id,
        workspace_id=conversation.place.workspace_id,
        status=conversation.status,
        contact=conversation.contact_name or conversation.contact_email or conversation.contact_id,
        account=conversation.account_name or conversation.account_id,
        human_managed=conversation.human_managed,
        outcome=conversation.outcome,
        preview=last[:_PREVIEW],
        messages=len(conversation.messages),
        created_at=rfc3339(conversation.created_ms),
        resolved_at=when(conversation.resolved_ms),
        resolved_by=conversation.resolved_by,
    )


def _message(message: Message) -> MessageView:
    return MessageView(
        speaker=message.speaker,
        text=message.text,
        model=message.model,
        created_at=rfc3339(message.at_ms),
        calls=tuple(
            CallView(name=each.name, arguments=each.arguments, result=each.result) for each in message.calls
        ),
    )
