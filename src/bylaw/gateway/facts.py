"""What decisions see of a call of a model, and what of it goes on when policies withhold something."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final

import msgspec
from msgspec import UNSET, UnsetType

from bylaw.core import strict_json
from bylaw.core.errors import InvalidInput
from bylaw.decisions.mask import MASKED
from bylaw.decisions.model import Decision, Request, ToolCall
from bylaw.providers.model import Ask, Call, Choice, Completion, Malformed, Object
from bylaw.providers.openai import text_of

MAX_CALLS: Final = 128
_MAX_NAME: Final = 256


def of_input(context: Request, ask: Ask) -> Request:
    """Return what is decided on before a model is asked.

    `user_intent` is what the user said last. Tools that are offered and all other options are in `metadata`.
    """
    last = _last_of_user(ask.messages)
    options = {name: value for name, value in ask.options.items() if name != "tools"}
    said = {"tools": ask.options.get("tools"), "options": options or None}
    used = [*_names(ask.messages)]
    return msgspec.structs.replace(
        context,
        phase="input",
        approval_id=UNSET,
        model=ask.model,
        messages=[*ask.messages],
        user_intent=UNSET if last is None else _text(ask.messages[last]),
        tools_used=used or UNSET,
        metadata=_with(context.metadata, {key: value for key, value in said.items() if value}),
    )


def of_output(context: Request, ask: Ask, completion: Completion) -> list[list[Request]]:
    """Return what is decided on before an answer is delivered, for each choice.

    A choice is its text, if it has any or nothing else, and then each call of a tool that it asks for.
    Raises: Malformed for a text or a call that cannot be judged, and for more choices than were asked for.
    """
    wanted = ask.options.get("n") or 1
    if not isinstance(wanted, int) or len(completion.choices) > wanted:
        raise Malformed("it has more choices than were asked for")
    usage = {"tokens_in": completion.usage.tokens_in, "tokens_out": completion.usage.tokens_out}
    base = msgspec.structs.replace(
        context, model=ask.model, metadata=_with(context.metadata, {"usage": usage})
    )
    if sum(len(choice.calls) for choice in completion.choices) > MAX_CALLS:
        raise Malformed(f"it asks for more than {MAX_CALLS} calls of tools")
    return [[*_of_choice(base, choice)] for choice in completion.choices]


def shown_messages(ask: Ask, decision: Decision) -> Ask:
    """Return what is asked without what policies withhold of it."""
    masked: Object = {} if decision.masked is UNSET else decision.masked
    if not masked:
        return ask
    shown = masked.get("messages")
    messages: list[Object] = [*ask.messages] if not isinstance(shown, list) else shown
    if not all(isinstance(each, dict) for each in messages) or shown == MASKED:
        messages = [{"role": "user", "content": MASKED}]
    last = _last_of_user(messages)
    if masked.get("user_intent") == MASKED and last is not None:
        messages = [*messages]
        messages[last] = {**messages[last], "content": MASKED}
    return replace(ask, messages=messages)


def shown_text(choice: Choice, decision: Decision) -> Choice:
    """Return a choice without what policies withhold of its text."""
    masked: Object = {} if decision.masked is UNSET else decision.masked
    text = masked.get("agent_output")
    if not isinstance(text, str):
        return choice
    if choice.text:
        return replace(choice, text=text)
    return replace(choice, refusal=text)


def _of_choice(base: Request, choice: Choice) -> Iterator[Request]:
    text = choice.text or choice.refusal
    if "\0" in text or any("\0" in call.name for call in choice.calls):
        raise Malformed("a text in it holds NUL")
    names = [call.name for call in choice.calls]
    if text or not names:
        yield msgspec.structs.replace(
            base, phase="output", agent_output=text, tools_used=names or UNSET, approval_id=UNSET
        )
    for call in choice.calls:
        yield msgspec.structs.replace(base, phase="tool_call", tool_call=_tool_call(call))


def _tool_call(call: Call) -> ToolCall:
    """Return a call as it is judged. Raises: Malformed."""
    try:
        arguments = strict_json.parse(call.arguments.encode() or b"{}")
    except (InvalidInput, UnicodeEncodeError):
        arguments = None
    if not isinstance(arguments, dict) or not 0 < len(call.name) <= _MAX_NAME:
        raise Malformed("it asks for a call whose arguments are no JSON object, or of a tool without a name")
    return ToolCall(name=call.name, arguments=arguments)


def _with(metadata: Object | UnsetType | None, said: Object) -> Object | UnsetType | None:
    if not said:
        return metadata
    return {**(metadata or {}), **said}


def _last_of_user(messages: Sequence[Object]) -> int | None:
    return next((n for n in reversed(range(len(messages))) if messages[n].get("role") == "user"), None)


def _text(message: Object) -> str:
    content = message.get("content")
    if isinstance(content, list):
        return text_of([part for part in content if isinstance(part, dict)])
    return content if isinstance(content, str) else ""


def _names(messages: Sequence[Object]) -> Iterator[str]:
    """Yield the names of the tools that were called so far."""
    for message in messages:
        calls = message.get("tool_calls")
        for call in calls if isinstance(calls, list) else ():
            function = call.get("function") if isinstance(call, dict) else None
            name = function.get("name") if isinstance(function, dict) else None
            if isinstance(name, str):
                yield name
