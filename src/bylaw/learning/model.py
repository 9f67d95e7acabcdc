"""Conversations as values: who spoke with whom, what was said, and how it ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, NewType

from bylaw.core.ids import TenantId
from bylaw.tenancy.model import Place

ConversationId = NewType("ConversationId", str)

ConversationStatus = Literal["open", "in_progress", "awaiting_contact", "resolved", "closed", "abandoned"]
Speaker = Literal["contact", "agent", "human"]

# In these nothing more is expected to happen.
OVER: Final = frozenset[ConversationStatus]({"resolved", "closed", "abandoned"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """A call of a tool that the agent made, and what came back of it."""

    name: str
    arguments: Mapping[str, object]
    result: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """Something that was said, by the contact, the agent or a human colleague, with the calls made beside it.

    Of a turn with a model are known, besides, its id, the model, and the tokens that it used: of what was
    said to the model all that it read, of its answer all that it wrote.
    """

    speaker: Speaker
    text: str
    at_ms: int
    id: str = ""
    model: str = ""
    tokens: int | None = None
    calls: tuple[ToolCall, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A conversation; its id is what decisions call `conversation_id`.

    `human_managed`: a person has taken over from the agent. `outcome` is what a person said of its end.
    What is not known of contact, account and channel is empty. `revision` rises with every change. `owner`
    is who talks with a model here, alone, as written beside every change; empty for one that was imported.
    Of a forgotten one nothing is left but whose it was: receipts of it stay closed to others.
    """

    id: ConversationId
    tenant_id: TenantId
    place: Place
    channel_id: str = ""
    contact_id: str = ""
    contact_name: str = ""
    contact_email: str = ""
    account_id: str = ""
    account_name: str = ""
    status: ConversationStatus = "open"
    human_managed: bool = False
    messages: tuple[Message, ...] = ()
    outcome: str | None = None
    resolved_by: str | None = None
    resolved_ms: int | None = None
    owner: str = ""
    created_ms: int
    deleted_ms: int | None = None
    forgotten_ms: int | None = None
    revision: int = 1


def search_text(conversation: Conversation) -> str:
    """Return what a text filter looks in: the people and what was said, case-folded, one a line."""
    people = (conversation.contact_name, conversation.contact_email, conversation.account_name)
    return "\n".join((*people, *(message.text for message in conversation.messages))).casefold()
