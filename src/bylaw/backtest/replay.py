"""Replay: recorded conversations walked message by message; each consequential call becomes a decision.

A decision sees only what the conversation had shown when the call was made. Recorded calls ran whatever is
decided here, so later facts are those of the recording.
"""

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from bylaw.backtest.mapping import Mapping as ReplayMapping
from bylaw.backtest.mapping import MappingFailed, compute, is_true
from bylaw.core.errors import InvalidInput
from bylaw.decisions.model import Decision, Request

Decider = Callable[[Request], Awaitable[Decision]]
Data = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A consequential call as it was recorded, and the request that it becomes.

    `expected`: whether it is among the calls known to be right (None: nothing is known). `refused`: whether
    the tool itself refused it afterwards.
    """

    conversation: str
    message: int
    name: str
    arguments: Data
    request: Request
    expected: bool | None
    refused: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """A recorded call with what the policies say of it."""

    call: Call
    decision: Decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """A recorded conversation: its consequential calls, and whether it ended well (None: unknown)."""

    id: str
    calls: tuple[Call, ...]
    success: bool | None


@dataclass(slots=True, kw_only=True)
class _Walk:
    """What has been shown up to a message."""

    facts: Data
    last_user: str = ""
    last_agent: str = ""
    before: list[Data] = field(default_factory=list)
    open_calls: dict[str, Data] = field(default_factory=dict)


def read(record: Data, mapping: ReplayMapping, *, at: str) -> Conversation:
    """Return the conversation in a recorded line. Raises: MappingFailed, InvalidInput that name the place."""
    bound: Data = {"record": record}
    ident = str(compute(mapping.record.id, bound, at=f"{at}: record.id"))
    messages = compute(mapping.record.messages, bound, at=f"{at}: record.messages")
    if not isinstance(messages, list) or not all(isinstance(each, dict) for each in messages):
        raise InvalidInput(f"{at}: record.messages gives no list of messages, which are objects.")
    expected = _expected(mapping, bound, at)
    success = mapping.record.success
    return Conversation(
        id=ident,
        calls=tuple(_calls(ident, messages, mapping, expected)),
        success=None if success is None else compute(success, bound, at=f"{at}: record.success") is True,
    )


def _expected(mapping: ReplayMapping, bound: Data, at: str) -> set[str] | None:
    if mapping.record.expected is None:
        return None
    calls = compute(mapping.record.expected, bound, at=f"{at}: record.expected")
    if not isinstance(calls, list):
        raise MappingFailed(f"{at}: record.expected gives no list of calls.")
    return {_fingerprint(call) for call in calls}


def _fingerprint(call: Mapping[str, object]) -> str:
    return json.dumps([call["name"], call["arguments"]], sort_keys=True)


def _calls(
    ident: str, messages: Sequence[Data], mapping: ReplayMapping, expected: set[str] | None
) -> Iterator[Call]:
    walk = _Walk(facts=json.loads(json.dumps(mapping.facts_at_start)))
    for index, message in enumerate(messages):
        at = f"{ident}, message {index}"
        match message.get("role"):
            case "user":
                walk.last_user = _text(message)
            case "assistant":
                made = [_call(raw) for raw in _list(message.get("tool_calls"))]
                for call in made:
                    if call["name"] in mapping.decide.tools:
                        yield Call(
                            conversation=ident,
                            message=index,
                            name=str(call["name"]),
                            arguments=_object(call["arguments"]),
                            request=_request(
                                call, _turn(walk, message, len(made)), walk=walk, mapping=mapping, at=at
                            ),
                            expected=None if expected is None else _fingerprint(call) in expected,
                            refused=_is_refused(call, messages[index + 1 :], mapping, at),
                        )
                    walk.before.append(call)
                    walk.open_calls[str(call["id"])] = call
                walk.last_agent = _text(message) or walk.last_agent
            case "tool":
                _learn(message, walk, mapping, at)
            case _:
                continue


def _turn(walk: _Walk, message: Data, calls: int) -> Data:
    return {
        "calls": calls,
        "text": _text(message),
        "last_user": walk.last_user,
        "last_agent": walk.last_agent,
        "before": list(walk.before),
    }


def _request(call: Data, turn: Data, *, walk: _Walk, mapping: ReplayMapping, at: str) -> Request:
    bound: Data = {"call": call, "turn": turn, "facts": walk.facts}
    fields = compute(mapping.decide.request, bound, at=f"{at}: decide.request")
    if not isinstance(fields, dict):
        raise MappingFailed(f"{at}: decide.request gives no object.")
    tool = {"name": call["name"], "arguments": call["arguments"], "id": call["id"]}
    whole = {"phase": "tool_call", "tool_call": tool, "dry_run": True, **fields}
    try:
        # Through bytes, so that a replayed request is exactly one that could have been sent.
        return msgspec.json.decode(msgspec.json.encode(whole), type=Request)
    except (msgspec.ValidationError, TypeError) as error:
        raise MappingFailed(f"{at}: decide.request is not a request: {error}") from error


def _learn(message: Data, walk: _Walk, mapping: ReplayMapping, at: str) -> None:
    call = walk.open_calls.get(str(message.get("tool_call_id")))
    if call is None:
        return
    bound: Data = {"call": call, "result": _parsed(_text(message)), "facts": walk.facts}
    for number, fact in enumerate(mapping.facts):
        place = f"{at}: facts[{number}]"
        if call["name"] not in fact.tools or not is_true(fact.when, bound, at=place):
            continue
        items = [None] if fact.each is None else _list(compute(fact.each, bound, at=place))
        for item in items:
            value = compute(fact.value, {**bound, "item": item}, at=place)
            if fact.key is None:
                walk.facts[fact.name] = value
            else:
                held = walk.facts.setdefault(fact.name, {})
                _object(held)[str(compute(fact.key, {**bound, "item": item}, at=place))] = value


def _call(raw: object) -> Data:
    """Return a call as `{id, name, arguments}`, from this form or from the chat form with `function`."""
    data = _object(raw)
    inner = _object(data.get("function", data))
    arguments = inner.get("arguments", {})
    parsed = _parsed(arguments) if isinstance(arguments, str) else arguments
    return {"id": str(data.get("id", "")), "name": str(inner.get("name", "")), "arguments": _object(parsed)}


def _is_refused(call: Data, later: Sequence[Data], mapping: ReplayMapping, at: str) -> bool:
    if mapping.decide.refused is None:
        return False
    for message in later:
        if message.get("role") == "tool" and str(message.get("tool_call_id")) == call["id"]:
            bound = {"result": _parsed(_text(message))}
            return is_true(mapping.decide.refused, bound, at=f"{at}: decide.refused")
    return False


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _text(message: Data) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return "\n".join(str(_object(part).get("text", "")) for part in content)
    return content if isinstance(content, str) else ""


def _list(value: object) -> list[Data]:
    return value if isinstance(value, list) else []


def _object(value: object) -> Data:
    if not isinstance(value, dict):
        raise InvalidInput(f"Expected an object in the recording, found {type(value).__name__}.")
    return value


async def replay(conversations: Sequence[Conversation], decide: Decider) -> list[Decided]:
    """Return what `decide` says of every recorded call, in order."""
    return [
        Decided(call=call, decision=await decide(call.request))
        for conversation in conversations
        for call in conversation.calls
    ]
