"""What goes over the wire, field for field as OpenAI has it.

A parameter that is not named here is refused: what nobody knows cannot be held against policies, and would
reach the provider unseen. So are those that deliver parts of an answer a second time (`logprobs`, `audio`).
"""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from bylaw.providers.model import Finish, Object

Role = Literal["system", "developer", "user", "assistant", "tool"]


class _Wire(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an answer."""


class _Known(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a message: what is not named here would reach a model unread."""


class TextPart(_Known, frozen=True, tag_field="type", tag="text"):
    """A text."""

    text: str


class ImagePart(_Known, frozen=True, tag_field="type", tag="image_url"):
    """An image."""

    image_url: Object


class AudioPart(_Known, frozen=True, tag_field="type", tag="input_audio"):
    """A sound."""

    input_audio: Object


class FilePart(_Known, frozen=True, tag_field="type", tag="file"):
    """A file."""

    file: Object


class Said(_Known, frozen=True):
    """A message as it may be sent; what clients repeat of an answer may be there as long as it is empty."""

    role: Role
    content: str | list[TextPart | ImagePart | AudioPart | FilePart] | None = None
    name: Annotated[str, Meta(max_length=64)] | None = None
    tool_calls: list[Object] | None = None
    tool_call_id: str | None = None
    refusal: str | None = None
    audio: None = None
    function_call: None = None
    annotations: Annotated[list[Object], Meta(max_length=0)] | None = None


class AllSaid(msgspec.Struct, frozen=True, kw_only=True):
    """The messages of a request."""

    messages: list[Said]


class StreamOptions(msgspec.Struct, frozen=True, kw_only=True):
    """How a stream is sent."""

    include_usage: bool = False


class ChatRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is asked of a model.

    `metadata` is known to policies and stays here: `user_id`, `conversation_id` and `agent_id` say who asks,
    `workspace_id` has to be that of the key, `approval_id` names the approval of a held call of a tool.
    """

    model: Annotated[str, Meta(min_length=1, max_length=256)]
    messages: Annotated[list[Object], Meta(min_length=1, max_length=2_000)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    metadata: Object | None = None
    n: Annotated[int, Meta(ge=1, le=8)] | None = None
    tools: Annotated[list[Object], Meta(max_length=128)] | None = None
    tool_choice: str | Object | None = None
    parallel_tool_calls: bool | None = None
    response_format: Object | None = None
    temperature: float | None = None
    top_p: float | None = None
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    max_completion_tokens: Annotated[int, Meta(ge=1)] | None = None
    stop: str | Annotated[list[str], Meta(max_length=16)] | None = None
    seed: int | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    logit_bias: dict[str, float] | None = None
    reasoning_effort: str | None = None
    verbosity: str | None = None
    service_tier: str | None = None
    store: bool | None = None
    user: str | None = None
    safety_identifier: Annotated[str, Meta(max_length=128)] | None = None
    prompt_cache_key: Annotated[str, Meta(max_length=1_024)] | None = None
    prompt_cache_retention: Literal["in_memory", "in-memory", "24h"] | None = None
    prompt_cache_options: dict[Literal["mode", "ttl"], Annotated[str, Meta(max_length=16)]] | None = None
    modalities: Annotated[list[Literal["text"]], Meta(max_length=1)] | None = None
    logprobs: Literal[False] | None = None
    top_logprobs: Literal[0] | None = None


class CalledFunction(_Wire, frozen=True, kw_only=True):
    """The function that a model asks for; `arguments` is a JSON object as text."""

    name: str
    arguments: str


class ChatToolCall(_Wire, frozen=True, kw_only=True):
    """A call of a tool that a model asks for; `index` is there in a stream."""

    index: int | UnsetType = UNSET
    id: str
    type: Literal["function"] = "function"
    function: CalledFunction


class ChatMessage(_Wire, frozen=True, kw_only=True):
    """What a model says."""

    role: Literal["assistant"] = "assistant"
    content: str | None
    refusal: str | None
    tool_calls: tuple[ChatToolCall, ...] | UnsetType = UNSET


class ChatChoice(_Wire, frozen=True, kw_only=True):
    """One answer."""

    index: int
    message: ChatMessage
    logprobs: None = None
    finish_reason: Finish


class ChatUsage(_Wire, frozen=True, kw_only=True):
    """What a call used, in tokens."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class ChatCompletion(_Wire, frozen=True, kw_only=True):
    """What a model answered; its id holds that of the last receipt. Units: `created` in seconds."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: tuple[ChatChoice, ...]
    usage: ChatUsage


class ChatDelta(_Wire, frozen=True, kw_only=True, omit_defaults=True):
    """A part of an answer in a stream."""

    role: Literal["assistant", ""] = ""
    content: str | None = None
    refusal: str | None = None
    tool_calls: tuple[ChatToolCall, ...] = ()


class ChunkChoice(_Wire, frozen=True, kw_only=True):
    """A part of one answer in a stream."""

    index: int
    delta: ChatDelta
    logprobs: None = None
    finish_reason: Finish | None = None


class ChatChunk(_Wire, frozen=True, kw_only=True):
    """One event of a stream; the last one may have no choices and say what was used."""

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    choices: tuple[ChunkChoice, ...]
    usage: ChatUsage | UnsetType | None = UNSET


class OfferedModel(_Wire, frozen=True, kw_only=True):
    """A model that may be asked; `owned_by` is its provider."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str


class OfferedModels(_Wire, frozen=True, kw_only=True):
    """The models that may be asked with a key."""

    object: Literal["list"] = "list"
    data: tuple[OfferedModel, ...]


class StoppingPolicy(_Wire, frozen=True, kw_only=True):
    """A policy that stopped a call."""

    id: str
    name: str
    version: int


class OpenAiError(_Wire, frozen=True, kw_only=True):
    """What went wrong.

    `type` is `policy_violation` when policies stopped the call: `code` is `policy_blocked`, or `policy_held`
    while a person may still let it go on. Then the ids are there of what its decisions left behind.
    """

    message: str
    type: str
    param: str | None
    code: str | None
    policy_id: str | UnsetType | None = UNSET
    policy_name: str | UnsetType | None = UNSET
    policies: tuple[StoppingPolicy, ...] | UnsetType = UNSET
    violation_ids: tuple[str, ...] | UnsetType = UNSET
    approval_ids: tuple[str, ...] | UnsetType = UNSET
    attention_ids: tuple[str, ...] | UnsetType = UNSET
    receipt_ids: tuple[str, ...] | UnsetType = UNSET


class OpenAiFailure(_Wire, frozen=True, kw_only=True):
    """What every failed request is answered with."""

    error: OpenAiError
