"""Ollama's own chat: asked and answered in its own words, translated from and to OpenAI's."""

import json
from collections.abc import Mapping
from typing import Annotated, Final

import msgspec

from bylaw.providers.model import Ask, Call, Choice, Completion, Finish, Object, Unsupported, Usage
from bylaw.providers.openai import MOST_MODELS, NAME, arguments_of, decoded, text_of

PATH: Final = "/chat"
MODELS_PATH: Final = "/tags"
_COUNT = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
# What OpenAI calls them, and what they are called among `options` here.
_OPTIONS: Final[Mapping[str, str]] = {
    "temperature": "temperature",
    "top_p": "top_p",
    "seed": "seed",
    "stop": "stop",
    "presence_penalty": "presence_penalty",
    "frequency_penalty": "frequency_penalty",
    "max_tokens": "num_predict",
    "max_completion_tokens": "num_predict",
}


class _Function(msgspec.Struct, frozen=True):
    name: Annotated[str, msgspec.Meta(min_length=1)]
    arguments: Object = msgspec.field(default_factory=dict)


class _Call(msgspec.Struct, frozen=True):
    function: _Function


class _Message(msgspec.Struct, frozen=True):
    content: str = ""
    tool_calls: list[_Call] | None = None


class _Answer(msgspec.Struct, frozen=True):
    message: _Message
    model: NAME = ""
    done_reason: str = "stop"
    prompt_eval_count: _COUNT = 0
    eval_count: _COUNT = 0


class _Model(msgspec.Struct, frozen=True):
    name: NAME


class _Models(msgspec.Struct, frozen=True):
    models: Annotated[list[_Model], msgspec.Meta(max_length=MOST_MODELS)]


def body_of(ask: Ask) -> Object:
    """Return what is sent. Raises: Unsupported for what this provider has no words for."""
    options = ask.options
    if options.get("n") not in {None, 1}:
        raise Unsupported("This provider gives one answer: leave out n.")
    body: Object = {"model": ask.model, "messages": [*map(_message, ask.messages)], "stream": False}
    chosen = {ours: options[name] for name, ours in _OPTIONS.items() if options.get(name) is not None}
    if chosen:
        body["options"] = chosen
    if options.get("tools") and options.get("tool_choice") != "none":
        body["tools"] = options["tools"]
    form = options.get("response_format")
    if isinstance(form, dict) and form.get("type") == "json_object":
        body["format"] = "json"
    elif isinstance(form, dict) and isinstance(schema := form.get("json_schema"), dict):
        body["format"] = schema.get("schema", "json")
    return body


def read(body: bytes) -> Completion:
    """Return what was answered. Raises: Malformed."""
    answer = decoded(body, _Answer)
    calls = tuple(
        Call(id=f"call_{n}", name=each.function.name, arguments=json.dumps(each.function.arguments))
        for n, each in enumerate(answer.message.tool_calls or ())
    )
    finish: Finish = "length" if answer.done_reason == "length" else "tool_calls" if calls else "stop"
    return Completion(
        model=answer.model,
        choices=(Choice(text=answer.message.content, calls=calls, finish=finish),),
        usage=Usage(tokens_in=answer.prompt_eval_count, tokens_out=answer.eval_count),
    )


def read_models(body: bytes) -> tuple[str, ...]:
    """Return the models that are listed. Raises: Malformed."""
    return tuple(each.name for each in decoded(body, _Models).models)


def _message(message: Object) -> Object:
    content = message.get("content")
    parts = content if isinstance(content, list) else []
    if not all(isinstance(part, dict) for part in parts):
        raise Unsupported("A part of a message is an object with a type.")
    said: Object = {
        "role": "system" if message.get("role") == "developer" else message.get("role"),
        "content": text_of(parts) if isinstance(content, list) else content or "",
    }
    if images := [_image(part) for part in parts if part.get("type") != "text"]:
        said["images"] = images
    if calls := message.get("tool_calls"):
        said["tool_calls"] = [_call(each) for each in calls] if isinstance(calls, list) else []
    return said


def _image(part: Object) -> str:
    image = part.get("image_url")
    url = image.get("url") if isinstance(image, dict) else None
    head, comma, data = str(url).partition(";base64,")
    if not comma or not head.startswith("data:image/"):
        raise Unsupported("This provider takes texts, and images as data: addresses.")
    return data


def _call(call: object) -> Object:
    function = call.get("function") if isinstance(call, dict) else None
    if not isinstance(function, dict):
        raise Unsupported("A tool call has a function with a name and arguments.")
    return {"function": {"name": function.get("name"), "arguments": arguments_of(function.get("arguments"))}}
