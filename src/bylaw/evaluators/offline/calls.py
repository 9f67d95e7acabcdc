"""What agents called: the call to judge, and those that the messages show."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

import msgspec

from bylaw.evaluators.offline.reading import Facts, texts

_AGENTS: Final = frozenset({"assistant", "agent", "model", "ai", "bot"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of a tool; `arguments` is None when they cannot be read."""

    name: str
    arguments: Mapping[str, object] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What an agent did at once: what it said, and what it called."""

    said: str
    calls: tuple[Call, ...]


def turns(facts: Facts) -> tuple[Turn, ...] | None:
    """Return the turns of agents that the messages show, None when there are no messages to read."""
    messages = facts.get("messages")
    if not isinstance(messages, list) or not all(isinstance(each, Mapping) for each in messages):
        return None
    return tuple(
        Turn(said="\n".join(_said(message)), calls=tuple(_calls(message)))
        for message in messages
        if str(message.get("role", "")).lower() in _AGENTS
    )


def current(facts: Facts) -> Call | None:
    """Return the call to judge, if there is one."""
    call = facts.get("tool_call")
    if not isinstance(call, Mapping) or not isinstance(call.get("name"), str):
        return None
    return Call(name=str(call["name"]), arguments=_arguments(call.get("arguments")))


def is_named(call: Call, tools: tuple[str, ...]) -> bool:
    """Return whether a call is of one of the tools, of which a name may have stars."""
    return any(fnmatchcase(_key(call.name), _key(tool)) for tool in tools)


def _key(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").lower()


def _said(message: Mapping[str, object]) -> Iterator[str]:
    content = message.get("content")
    parts = content if isinstance(content, list) else [content]
    for part in parts:
        if not (isinstance(part, Mapping) and part.get("type") in {"tool_use", "tool_call"}):
            yield from (text for text in texts(part) if text.strip())


def _calls(message: Mapping[str, object]) -> Iterator[Call]:
    """Yield the calls of a message, in the forms of OpenAI, Anthropic and tau-bench."""
    content = message.get("content")
    listed = message.get("tool_calls")
    parts = listed if isinstance(listed, list) else []
    parts = parts + [each for each in content if _is_call(each)] if isinstance(content, list) else parts
    for part in parts:
        if isinstance(part, Mapping):
            inner = part.get("function")
            call = inner if isinstance(inner, Mapping) else part
            given = call.get("arguments") if "arguments" in call else call.get("input")
            yield Call(name=str(call.get("name", "")), arguments=_arguments(given))


def _is_call(part: object) -> bool:
    return isinstance(part, Mapping) and part.get("type") in {"tool_use", "tool_call"}


def _arguments(given: object) -> Mapping[str, object] | None:
    if isinstance(given, str):
        try:
            given = msgspec.json.decode(given)
        except msgspec.DecodeError:
            return None
    return given if isinstance(given, Mapping) else None
