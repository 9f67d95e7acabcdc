"""What agents called: the call to judge, and those that the messages show."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

import msgspec

from bylaw.evaluators.offline.reading import Facts, texts

# A name of fewer characters stands in too much to tell anything.
_TELLING: Final = 4
_AGENTS: Final = frozenset({"assistant", "agent", "model", "ai", "bot"})
_CALLS: Final = frozenset({"tool_use", "tool_call"})
_GIVEN: Final = ("arguments", "input", "args")
# Where a message, or a part of one, may hold calls in a form that is not read here.
_LIKE_CALLS: Final = re.compile(r"(?:tool|function)[ _-]?(?:use|calls?)|mcp", re.IGNORECASE)
_APPROVAL: Final = re.compile(
    r"approv|authori[sz]|review|confirm|consent|sign(?:ed|s|ing)?[ _-]?off|permi(?:t|ssion)|agree"
    r"|go[ _-]?ahead|\bok(?:ay)?(?:ed|'d)\b|manager|supervisor",
    re.IGNORECASE,
)
_READ: Final = frozenset({"tool_calls", "tool_call_id", "tool_use_id", "function_call"})


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
    if any(map(_holds_others, messages)):
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
    return any(fnmatchcase(key_of(call.name), key_of(tool)) for tool in tools)


def is_like(call: Call, tools: tuple[str, ...]) -> bool:
    """Return whether a call is of a tool of such a name on some server: `crm.cancel` for `cancel`."""
    last = re.split(r"__|[.:/ ]", call.name)[-1]
    return last != call.name and is_named(Call(name=last, arguments=None), tools)


def are_named(tools: tuple[str, ...], text: str) -> bool:
    """Return whether the name of one of the tools, if it is long enough to tell, stands in a text."""
    names = [tool.strip("*").lower() for tool in tools]
    return any(len(name) >= _TELLING and name in text.lower() for name in names)


def hides_calls(facts: Facts) -> bool:
    """Return whether there are messages, and they cannot be read for calls."""
    return bool(facts.get("messages")) and turns(facts) is None


def may_call(facts: Facts) -> bool:
    """Return whether tools may have been called that are not seen; asked where there is no call to judge."""
    return facts.get("phase") in {"decision", "tool_call"} or hides_calls(facts)


def made(facts: Facts) -> list[Call]:
    """Return the call to judge, or without one, those that the messages show."""
    call = current(facts)
    return [call] if call else [each for turn in turns(facts) or () for each in turn.calls]


def speaks_of_approval(facts: Facts) -> bool:
    """Return whether anything in the facts has a word of an approval: what it covers takes a judge."""
    waiting: list[object] = [facts]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            waiting += [*map(str, item), *item.values()]
        elif isinstance(item, list):
            waiting += item
        elif isinstance(item, str) and _APPROVAL.search(item):
            return True
    return False


def leaves(arguments: object) -> Iterator[tuple[str, str, object]]:
    """Yield each value that is no list and no object, with the name next to it and the one around that.

    A text that is a list or an object in JSON is read as one.
    """
    waiting: list[tuple[str, str, object]] = [("", "", arguments)]
    while waiting:
        name, around, value = waiting.pop()
        inner = _opened(value)
        if isinstance(inner, Mapping):
            waiting += [(key_of(str(key)), name, each) for key, each in reversed([*inner.items()])]
        elif isinstance(inner, list):
            waiting += [(name, around, each) for each in reversed(inner)]
        elif value is not None:
            yield name, around, value


def key_of(name: str) -> str:
    """Return how names of tools are compared: in one spelling."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).replace("-", "_").lower()


def _said(message: Mapping[str, object]) -> Iterator[str]:
    content = message.get("content")
    parts = content if isinstance(content, list) else [content]
    for part in parts:
        if not (isinstance(part, Mapping) and part.get("type") in _CALLS):
            yield from (text for text in texts(part) if text.strip())


def _calls(message: Mapping[str, object]) -> Iterator[Call]:
    """Yield the calls of a message, in the forms of OpenAI, Anthropic and tau-bench."""
    content = message.get("content")
    listed = message.get("tool_calls")
    parts = listed if isinstance(listed, list) else []
    parts = parts + [each for each in content if _is_call(each)] if isinstance(content, list) else parts
    legacy = message.get("function_call")
    for part in [*parts, legacy]:
        if isinstance(part, Mapping):
            inner = part.get("function")
            call = inner if isinstance(inner, Mapping) else part
            given = next((call[name] for name in _GIVEN if name in call), None)
            yield Call(name=str(call.get("name", "")), arguments=_arguments(given))


def _is_call(part: object) -> bool:
    return isinstance(part, Mapping) and part.get("type") in _CALLS


def _holds_others(message: Mapping[str, object]) -> bool:
    """Return whether a message may hold calls in another form, or comes from nobody who is known."""
    if "role" not in message:
        return True
    if any(_LIKE_CALLS.search(name) and message[name] for name in message.keys() - _READ):
        return True
    content, parts = message.get("content"), message.get("parts")
    return any(
        isinstance(part, Mapping)
        and (
            _LIKE_CALLS.search(str(part.get("type", ""))) or any(map(_LIKE_CALLS.search, part.keys() - _READ))
        )
        and part.get("type") not in _CALLS
        for held in (content, parts)
        for part in (held if isinstance(held, list) else [held])
    )


def _arguments(given: object) -> Mapping[str, object] | None:
    opened = _opened(given)
    return opened if isinstance(opened, Mapping) else None


def _opened(value: object) -> object:
    """Return what a text says that is a list or an object in JSON; any other value as it is."""
    if not isinstance(value, str) or not value.lstrip().startswith(("{", "[")):
        return value
    try:
        opened: object = msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError):
        return value
    return opened
