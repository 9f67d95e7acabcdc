"""Recorded messages in one form, whichever provider's they are.

chat             {role, content, tool_calls: [{id, function: {name, arguments}}]}, {role: tool, tool_call_id}
chat, older      {role: assistant, function_call: {name, arguments}}, {role: function, name}
content blocks   {role: assistant, content: [{type: tool_use, id, name, input}]},
                 {role: user, content: [{type: tool_result, tool_use_id, content}]}
items            {type: message, role, content}, {type: function_call, call_id, name, arguments},
                 {type: function_call_output, call_id, output}
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from bylaw.core.errors import InvalidInput

Data = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of a tool as the agent made it."""

    id: str
    name: str
    arguments: Data


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What one party said: `role` is user, assistant, tool or another; `index` is its place in the recording.

    `answers` is the id of the call whose result a tool message holds.
    """

    index: int
    role: str
    text: str
    calls: tuple[Call, ...] = ()
    answers: str = ""


def told(recorded: Sequence[Mapping[str, object]], *, at: str) -> list[Message]:
    """Return the messages of `recorded`; calls that follow each other with no result between are one turn.

    Raises: InvalidInput that names the message, for a call that cannot be read.
    """
    messages: list[Message] = []
    for index, raw in enumerate(recorded):
        for message in _told(raw, index, f"{at}, message {index}"):
            last = messages[-1] if messages else None
            if last is not None and "type" in raw and last.calls and message.calls:
                messages[-1] = Message(
                    index=last.index,
                    role=last.role,
                    text=last.text or message.text,
                    calls=last.calls + message.calls,
                )
            else:
                messages.append(message)
    return messages


def _told(raw: Mapping[str, object], index: int, at: str) -> Iterator[Message]:
    match raw.get("type"):
        case "function_call":
            call = _call(raw.get("call_id"), raw.get("name"), raw.get("arguments"), at)
            yield Message(index=index, role="assistant", text="", calls=(call,))
        case "function_call_output":
            yield Message(
                index=index, role="tool", text=text_of(raw.get("output")), answers=str(raw.get("call_id"))
            )
        case _:
            yield from _of_role(raw, index, at)


def _of_role(raw: Mapping[str, object], index: int, at: str) -> Iterator[Message]:
    role, content = str(raw.get("role", "")), raw.get("content")
    if role in {"tool", "function"}:
        answers = str(raw.get("tool_call_id") or raw.get("name", ""))
        yield Message(index=index, role="tool", text=text_of(content), answers=answers)
        return
    blocks = _objects(content)
    for block in blocks:
        if block.get("type") == "tool_result":
            answers = str(block.get("tool_use_id"))
            yield Message(index=index, role="tool", text=text_of(block.get("content")), answers=answers)
    text, calls = text_of(content), tuple(_calls(raw, blocks, at))
    if text or calls or not any(block.get("type") == "tool_result" for block in blocks):
        yield Message(index=index, role=role, text=text, calls=calls)


def _calls(raw: Mapping[str, object], blocks: Sequence[Data], at: str) -> Iterator[Call]:
    older = raw.get("function_call")
    if isinstance(older, dict):
        yield _call(older.get("name"), older.get("name"), older.get("arguments"), at)
    for made in _objects(raw.get("tool_calls")):
        inner = made.get("function")
        named = inner if isinstance(inner, dict) else made
        yield _call(made.get("id"), named.get("name"), named.get("arguments"), at)
    for block in blocks:
        if block.get("type") == "tool_use":
            yield _call(block.get("id"), block.get("name"), block.get("input"), at)


def _call(ident: object, name: object, arguments: object, at: str) -> Call:
    parsed = parsed_text(arguments) if isinstance(arguments, str) and arguments.strip() else arguments or {}
    if not isinstance(parsed, dict):
        raise InvalidInput(f"{at}: the arguments of {name} are no object: a call needs named arguments.")
    return Call(id=str(ident), name=str(name), arguments=parsed)


def _objects(value: object) -> list[Data]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def parsed_text(text: str) -> object:
    """Return the JSON value that `text` is, or the text itself."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def text_of(content: object) -> str:
    """Return the words of a content: a text, or blocks of which some hold text."""
    if isinstance(content, list):
        return "\n".join(str(part["text"]) for part in _objects(content) if "text" in part)
    return content if isinstance(content, str) else ""
