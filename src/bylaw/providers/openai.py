"""OpenAI's chat completions, and the many that speak like them."""

from typing import Annotated, Final, TypeVar

import msgspec

from bylaw.core import strict_json
from bylaw.core.errors import InvalidInput
from bylaw.providers.model import (
    Ask,
    Call,
    Choice,
    Completion,
    Finish,
    Malformed,
    Object,
    Unsupported,
    Usage,
)

T = TypeVar("T")

PATH: Final = "/chat/completions"
MODELS_PATH: Final = "/models"
NAME = Annotated[str, msgspec.Meta(max_length=4_096)]  # what reaches callers beside the text: ids, models
MOST_MODELS: Final = 10_000
_COUNT = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
_FINISHES: Final[dict[str, Finish]] = {
    "stop": "stop",
    "length": "length",
    "tool_calls": "tool_calls",
    "content_filter": "content_filter",
}


class _Function(msgspec.Struct, frozen=True):
    name: Annotated[str, msgspec.Meta(min_length=1)]
    arguments: str = "{}"


class _Call(msgspec.Struct, frozen=True):
    function: _Function
    id: NAME = ""


class _Message(msgspec.Struct, frozen=True):
    content: str | list[Object] | None = None
    refusal: str | None = None
    tool_calls: list[_Call] | None = None


class _Choice(msgspec.Struct, frozen=True):
    message: _Message
    finish_reason: str | None = None


class _Usage(msgspec.Struct, frozen=True):
    prompt_tokens: _COUNT = 0
    completion_tokens: _COUNT = 0


class _Answer(msgspec.Struct, frozen=True):
    choices: Annotated[list[_Choice], msgspec.Meta(min_length=1)]
    model: NAME = ""
    usage: _Usage | None = None


class _Model(msgspec.Struct, frozen=True):
    id: NAME


class _Models(msgspec.Struct, frozen=True):
    data: Annotated[list[_Model], msgspec.Meta(max_length=MOST_MODELS)]


def body_of(ask: Ask) -> Object:
    """Return what is sent."""
    return {**ask.options, "model": ask.model, "messages": [*ask.messages]}


def read(body: bytes) -> Completion:
    """Return what was answered. Raises: Malformed."""
    answer = decoded(body, _Answer)
    usage = answer.usage or _Usage()
    return Completion(
        model=answer.model,
        choices=tuple(map(_choice, answer.choices)),
        usage=Usage(tokens_in=usage.prompt_tokens, tokens_out=usage.completion_tokens),
    )


def read_models(body: bytes) -> tuple[str, ...]:
    """Return the models that are listed. Raises: Malformed."""
    return tuple(each.id for each in decoded(body, _Models).data)


def decoded(body: bytes, kind: type[T]) -> T:
    """Return `body` as a `kind`. Raises: Malformed, which names the place and quotes nothing."""
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        _, at, place = str(error).rpartition(" - at `")
        raise Malformed(f"its answer is not of the shape of its kind{at and f' at {place[:-1]}'}") from None


def text_of(content: str | list[Object] | None) -> str:
    """Return the text of a message: its content, or that of its parts."""
    if isinstance(content, str):
        return content
    texts = [part.get("text") for part in content or ()]
    return "\n".join(text for text in texts if isinstance(text, str))


def arguments_of(text: object) -> Object:
    """Return the arguments of a call that was made. Raises: Unsupported when they are no JSON object."""
    try:
        found = strict_json.parse(text.encode()) if isinstance(text, str) and text else {}
    except InvalidInput:
        found = None
    if not isinstance(found, dict):
        raise Unsupported("This provider takes the arguments of a tool call as a JSON object only.")
    return found


def _choice(choice: _Choice) -> Choice:
    message = choice.message
    calls = tuple(
        Call(id=each.id or f"call_{n}", name=each.function.name, arguments=each.function.arguments)
        for n, each in enumerate(message.tool_calls or ())
    )
    text, refusal = text_of(message.content), message.refusal or ""
    if text and refusal:
        text, refusal = f"{text}\n{refusal}", ""
    finish = _FINISHES.get(choice.finish_reason or "", "tool_calls" if calls else "stop")
    return Choice(text=text, refusal=refusal, calls=calls, finish=finish)
