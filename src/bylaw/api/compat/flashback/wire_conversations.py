"""What goes over the wire about conversations with models, field for field; counts of tokens are strings."""

from typing import Annotated, Literal

from msgspec import UNSET, Meta, UnsetType

from bylaw.api.compat.flashback.wire import Named, Person, Wire
from bylaw.api.compat.flashback.wire_connections import AiType

Role = Literal["user", "assistant"]


class FlashbackNewConversation(Wire, frozen=True, kw_only=True):
    """A conversation to begin, with the models of a repo."""

    repo_id: str


class BegunConversation(Wire, frozen=True, kw_only=True):
    """The conversation is begun."""

    success: Literal[True] = True
    conversation_id: str


class Prompt(Wire, frozen=True, kw_only=True):
    """What is said to a model."""

    prompt: Annotated[str, Meta(min_length=1, max_length=200_000)]
    model: Annotated[str, Meta(min_length=1, max_length=256)]


class Prompted(Wire, frozen=True, kw_only=True):
    """What the model answered; or, without success, which policies stopped it, and nothing of it."""

    success: bool
    message: str


class FlashbackConversation(Wire, frozen=True, kw_only=True):
    """A conversation in a list; `title` is how it begins."""

    id: str
    org_id: str
    created_by: str
    created_at: str
    last_updated_at: str
    workspace_id: str | None
    repo_id: str | None
    tokens_in: str
    tokens_out: str
    deleted_at: str | None
    repo: Named | None
    creator: Person
    title: str


class FlashbackConversations(Wire, frozen=True, kw_only=True):
    """Conversations, newest first; `total` counts all that match."""

    success: Literal[True] = True
    conversations: tuple[FlashbackConversation, ...]
    total: int


class FlashbackMessage(Wire, frozen=True, kw_only=True):
    """Something that was said."""

    id: str
    conversation_id: str
    role: Role
    content: str
    token_count: int | UnsetType = UNSET
    model: str | UnsetType = UNSET
    created_at: str


class FlashbackMessages(Wire, frozen=True, kw_only=True):
    """What was said in a conversation, oldest first."""

    success: Literal[True] = True
    messages: tuple[FlashbackMessage, ...]
    title: str


class ModelQuery(Wire, frozen=True, kw_only=True):
    """The models of a repo that are wanted: those of a type of provider."""

    repo_id: str
    ai_type: AiType | None = None
    llm_type: str | None = None


class AiModel(Wire, frozen=True, kw_only=True):
    """A model of a provider; `llmProvider` is the name of the connection to it."""

    id: str
    name: str
    ai_type: AiType
    llm_type: str
    llm_provider: str


class AiModels(Wire, frozen=True, kw_only=True):
    """Models, by connection, the newest first."""

    success: Literal[True] = True
    models: tuple[AiModel, ...]
