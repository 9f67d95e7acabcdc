"""What goes over the wire about keys of applications and connections to AI providers, field for field."""

from typing import Literal

from bylaw.api.compat.flashback.wire import Wire

AiType = Literal["OPENAI", "GOOGLE", "ANTHROPIC", "AWS", "OTHER"]


class NewAiApiKey(Wire, frozen=True, kw_only=True):
    """A key of a repo to be made, for the models of one type."""

    name: str
    ai_type: AiType


class AiApiKeyChange(Wire, frozen=True, kw_only=True):
    """A key under another name."""

    name: str | None = None


class MadeAiApiKey(Wire, frozen=True, kw_only=True):
    """A new key: `secret` is what applications send, shown this once and null in a repeated answer."""

    success: Literal[True] = True
    id: str
    key: str
    secret: str | None
    message: str


class AiApiKey(Wire, frozen=True, kw_only=True):
    """A key of a repo; `key` is the part that people may see."""

    id: str
    name: str
    repo_id: str
    key: str | None
    ai_type: AiType
    created_at: str
    deleted_at: str | None


class AiApiKeys(Wire, frozen=True, kw_only=True):
    """The keys of a repo that are in use, newest first."""

    success: Literal[True] = True
    api_keys: tuple[AiApiKey, ...]


class NewAiLlm(Wire, frozen=True, kw_only=True):
    """A connection of a workspace to be made; without an endpoint it leads to the provider's own."""

    name: str
    ai_type: AiType
    endpoint: str | None = None
    key: str | None = None
    secret: str | None = None
    api_key_uuid: str | None = None
    workspace_id: str


class AiLlmChange(Wire, frozen=True, kw_only=True):
    """The fields that are to change; `key` and `secret` are replaced together."""

    name: str | None = None
    ai_type: AiType | None = None
    endpoint: str | None = None
    key: str | None = None
    secret: str | None = None
    api_key_uuid: str | None = None


class AiLlm(Wire, frozen=True, kw_only=True):
    """A connection; `key` shows the end of a long one, and an empty endpoint is the provider's own."""

    id: str
    org_id: str
    workspace_id: str
    user_id: str
    name: str
    ai_type: AiType
    endpoint: str
    key: str | None
    created_at: str


class AiLlms(Wire, frozen=True, kw_only=True):
    """Connections, newest first."""

    success: Literal[True] = True
    ai_llms: tuple[AiLlm, ...]


class SavedAiLlm(Wire, frozen=True, kw_only=True):
    """The connection is stored."""

    success: Literal[True] = True
    ai_llm_id: str
    message: str


class TriedAiLlm(Wire, frozen=True, kw_only=True):
    """Whether the provider accepts the connection, in words."""

    success: bool
    message: str


class AiLlmCounts(Wire, frozen=True, kw_only=True):
    """What happened in the connection's workspace to calls of its provider; every number is a string."""

    ai_llm_id: str
    total_api_calls: str
    total_tokens_in: str
    total_tokens_out: str
    total_llm_tokens_in: str
    total_llm_tokens_out: str
    total_policy_violations: str
    total_alerts: str
    total_blocks: str


class AiLlmStats(Wire, frozen=True, kw_only=True):
    """Counts of connections."""

    success: Literal[True] = True
    stats: tuple[AiLlmCounts, ...]
