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
from bylaw.backtest.messages import Call as Made
from bylaw.backtest.messages import Data, Message, parsed_text, told
from bylaw.core.errors import InvalidInput
from bylaw.decisions.model import Decision, Request

Decider = Callable[[Request], Awaitable[Decision]]


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
    open_calls: dict[str, Made] = field(default_factory=dict)


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
        calls=tuple(_calls(ident, told(messages, at=ident), mapping, expected)),
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
    ident: str, messages: Sequence[Message], mapping: ReplayMapping, expected: set[str] | None
) -> Iterator[Call]:
    walk = _Walk(facts=json.loads(json.dumps(mapping.facts_at_start)))
    for position, message in enumerate(messages):
        at = f"{ident}, message {message.index}"
        match message.role:
            case "user":
                walk.last_user = message.text
            case "assistant":
                for call in message.calls:
                    if call.name in mapping.decide.tools:
                        yield Call(
                            conversation=ident,
                            message=message.index,
                            name=call.name,
                            arguments=call.arguments,
                            request=_request(call, _turn(walk, message), walk=walk, mapping=mapping, at=at),
                            expected=None if expected is None else _fingerprint(_data(call)) in expected,
                            refused=_is_refused(call, messages[position + 1 :], mapping, at),
                        )
                    walk.before.append(_data(call))
                    walk.open_calls[call.id] = call
                walk.last_agent = message.text or walk.last_agent
            case "tool":
                _learn(message, walk, mapping, at)
            case _:
                continue


def _data(call: Made) -> Data:
    return {"id": call.id, "name": call.name, "arguments": call.arguments}


def _turn(walk: _Walk, message: Message) -> Data:
    return {
        "calls": len(message.calls),
        "text": message.text,
        "last_user": walk.last_user,
        "last_agent": walk.last_agent,
        "before": list(walk.before),
    }


def _request(call: Made, turn: Data, *, walk: _Walk, mapping: ReplayMapping, at: str) -> Request:
    bound: Data = {"call": _data(call), "turn": turn, "facts": walk.facts}
    fields = compute(mapping.decide.request, bound, at=f"{at}: decide.request")
    if not isinstance(fields, dict):
        raise MappingFailed(f"{at}: decide.request gives no object.")
    whole = {"phase": "tool_call", "tool_call": _data(call), "dry_run": True, **fields}
    try:
        # Through bytes, so that a replayed request is exactly one that could have been sent.
        return msgspec.json.decode(msgspec.json.encode(whole), type=Request)
    except (msgspec.ValidationError, TypeError) as error:
        raise MappingFailed(f"{at}: decide.request is not a request: {error}") from error


def _learn(message: Message, walk: _Walk, mapping: ReplayMapping, at: str) -> None:
    call = walk.open_calls.get(message.answers)
    if call is None:
        return
    bound: Data = {"call": _data(call), "result": parsed_text(message.text), "facts": walk.facts}
    for number, fact in enumerate(mapping.facts):
        place = f"{at}: facts[{number}]"
        if call.name not in fact.tools or not is_true(fact.when, bound, at=place):
            continue
        items = [None] if fact.each is None else _list(compute(fact.each, bound, at=place))
        for item in items:
            value = compute(fact.value, {**bound, "item": item}, at=place)
            if fact.key is None:
                walk.facts[fact.name] = value
            else:
                held = walk.facts.setdefault(fact.name, {})
                _object(held)[str(compute(fact.key, {**bound, "item": item}, at=place))] = value


def _is_refused(call: Made, later: Sequence[Message], mapping: ReplayMapping, at: str) -> bool:
    if mapping.decide.refused is None:
        return False
    for message in later:
        if message.role == "tool" and message.answers == call.id:
            bound: Data = {"result": parsed_text(message.text)}
            return is_true(mapping.decide.refused, bound, at=f"{at}: decide.refused")
    return False


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
