"""Anthropic's messages: asked and answered in their own words, translated from and to OpenAI's."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Final

import msgspec

from bylaw.providers.model import Ask, Call, Choice, Completion, Finish, Malformed, Object, Unsupported, Usage
from bylaw.providers.openai import NAME, arguments_of, decoded

PATH: Final = "/messages"
MODELS_PATH: Final = "/models"
# What an answer may have when the caller does not say: the provider wants a number.
_MOST_TOKENS: Final = 4_096
_COUNT = Annotated[int, msgspec.Meta(ge=0, le=2**53)]
_FINISHES: Final[Mapping[str, Finish]] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}
_DATA_URL: Final = re.compile(r"data:(image/[a-z.+-]+);base64,(.+)", re.DOTALL)


class _Block(msgspec.Struct, frozen=True):
    type: str
    text: str = ""
    id: NAME = ""
    name: str = ""
    input: Object = msgspec.field(default_factory=dict)


class _Usage(msgspec.Struct, frozen=True):
    input_tokens: _COUNT = 0
    output_tokens: _COUNT = 0
    cache_creation_input_tokens: _COUNT | None = None
    cache_read_input_tokens: _COUNT | None = None


class _Answer(msgspec.Struct, frozen=True):
    content: list[_Block]
    model: NAME = ""
    stop_reason: str | None = None
    usage: _Usage = msgspec.field(default_factory=_Usage)


def body_of(ask: Ask) -> Object:
    """Return what is sent. Raises: Unsupported for what this provider has no words for."""
    options = ask.options
    if options.get("n") not in {None, 1}:
        raise Unsupported("This provider gives one answer: leave out n.")
    body: Object = {
        "model": ask.model,
        "messages": _turns(ask.messages),
        "max_tokens": options.get("max_completion_tokens") or options.get("max_tokens") or _MOST_TOKENS,
    }
    if system := "\n\n".join(_system(ask.messages)):
        body["system"] = (
            [{**_text(system), "cache_control": {"type": "ephemeral"}}] if ask.repeats else system
        )
    body |= {name: options[name] for name in ("temperature", "top_p") if options.get(name) is not None}
    stop = options.get("stop")
    if stop:
        body["stop_sequences"] = [stop] if isinstance(stop, str) else stop
    return body | _form(options.get("response_format")) | _tools(options)


def read(body: bytes) -> Completion:
    """Return what was answered. Raises: Malformed."""
    answer = decoded(body, _Answer)
    calls = [each for each in answer.content if each.type == "tool_use"]
    if not all(each.name for each in calls):
        raise Malformed("it calls a tool without a name")
    finish = _FINISHES.get(answer.stop_reason or "", "tool_calls" if calls else "stop")
    used = answer.usage
    tokens_in = used.input_tokens + (used.cache_creation_input_tokens or 0)
    choice = Choice(
        text="".join(each.text for each in answer.content if each.type == "text"),
        calls=tuple(
            Call(id=each.id or f"call_{n}", name=each.name, arguments=json.dumps(each.input))
            for n, each in enumerate(calls)
        ),
        finish=finish,
    )
    return Completion(
        model=answer.model,
        choices=(choice,),
        usage=Usage(tokens_in=tokens_in + (used.cache_read_input_tokens or 0), tokens_out=used.output_tokens),
    )


def _form(form: object) -> Object:
    if not isinstance(form, dict) or form.get("type") == "text":
        return {}
    named = form.get("json_schema")
    if not isinstance(named, dict) or not isinstance(schema := named.get("schema"), dict):
        raise Unsupported("This provider takes a response_format with a JSON Schema only.")
    return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}


def _text(text: object) -> Object:
    return {"type": "text", "text": text}


def _system(messages: Sequence[Object]) -> Iterator[str]:
    for message in messages:
        if message.get("role") in {"system", "developer"}:
            yield from (str(block.get("text", "")) for block in _blocks(message.get("content")))


def _turns(messages: Sequence[Object]) -> list[Object]:
    """Return the messages as turns of user and assistant; what one of them says in a row is one turn."""
    turns: list[Object] = []
    for message in messages:
        role = message.get("role")
        if role in {"system", "developer"}:
            continue
        speaker = "assistant" if role == "assistant" else "user"
        blocks = _said(message)
        last = turns[-1] if turns else {}
        if last.get("role") == speaker and isinstance(held := last["content"], list):
            held += blocks
        else:
            turns.append({"role": speaker, "content": blocks})
    return turns


def _said(message: Object) -> list[Object]:
    role = message.get("role")
    if role == "tool":
        content = _blocks(message.get("content"))
        return [{"type": "tool_result", "tool_use_id": message.get("tool_call_id"), "content": content}]
    if role not in {"user", "assistant"}:
        raise Unsupported(f"This provider knows no role {str(role)[:40]!r}.")
    blocks = _blocks(message.get("content"))
    calls = message.get("tool_calls")
    for call in calls if isinstance(calls, list) else ():
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict):
            raise Unsupported("A tool call has a function with a name and arguments.")
        given = arguments_of(function.get("arguments"))
        blocks.append(
            {"type": "tool_use", "id": call.get("id"), "name": function.get("name"), "input": given}
        )
    return blocks


def _blocks(content: object) -> list[Object]:
    if content is None or content == "":
        return []
    if isinstance(content, str):
        return [_text(content)]
    if not isinstance(content, list):
        raise Unsupported("The content of a message is a text or a list of parts.")
    return [_block(part) for part in content]


def _block(part: object) -> Object:
    if isinstance(part, dict) and part.get("type") == "text":
        return _text(part.get("text", ""))
    image = part.get("image_url") if isinstance(part, dict) else None
    url = image.get("url") if isinstance(image, dict) else None
    if not isinstance(url, str):
        raise Unsupported("This provider takes parts of the types text and image_url only.")
    if found := _DATA_URL.fullmatch(url):
        return {"type": "image", "source": {"type": "base64", "media_type": found[1], "data": found[2]}}
    return {"type": "image", "source": {"type": "url", "url": url}}


def _tools(options: Object) -> Object:
    tools = options.get("tools")
    if not isinstance(tools, list) or not tools:
        return {}
    functions = [each.get("function") if isinstance(each, dict) else None for each in tools]
    offered = [
        {
            "name": each.get("name"),
            "description": each.get("description") or "",
            "input_schema": each.get("parameters") or {"type": "object"},
        }
        for each in functions
        if isinstance(each, dict)
    ]
    if len(offered) < len(tools):
        raise Unsupported("This provider takes tools of the type function only.")
    chosen = _chosen(options.get("tool_choice"))
    if options.get("parallel_tool_calls") is False and chosen.get("type") != "none":
        chosen = {"type": "auto", **chosen, "disable_parallel_tool_use": True}
    return {"tools": offered, "tool_choice": chosen} if chosen else {"tools": offered}


def _chosen(choice: object) -> Object:
    if isinstance(choice, dict) and isinstance(function := choice.get("function"), dict):
        return {"type": "tool", "name": function.get("name")}
    words = {"auto": "auto", "required": "any", "none": "none"}
    return {"type": words[choice]} if isinstance(choice, str) and choice in words else {}
