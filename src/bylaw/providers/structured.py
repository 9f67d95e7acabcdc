"""Asking a model for one JSON object of a shape, whatever its endpoint can do to hold it to that.

1. An endpoint is asked in the strictest manner that it is not known to refuse: bound to the schema, then
   bound to JSON (Anthropic: to a tool whose arguments have the schema), then with nothing but words.
2. What it refuses (400, 415, 422, 501) is left out and asked again; what worked is remembered.
3. An answer is one JSON object, alone, in one fenced block or after its thoughts; of two, none counts.
4. An answer that cannot be used is asked for once more. What was answered is not repeated to the model: it
   may hold anything.

The shape is the reader's to check, in each manner alike: some endpoints accept a schema and ignore it.
"""

import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Generic, Literal, TypeVar

from bylaw.core import strict_json
from bylaw.core.errors import InvalidInput
from bylaw.providers.calling import Endpoint, Providers
from bylaw.providers.model import Ask, Choice, Completion, Failed, Malformed, Object, Reason, Usage

Rung = Literal["schema", "json", "plain"]
T = TypeVar("T")

_LOWER: Final[Mapping[Rung, Rung]] = {"schema": "json", "json": "plain"}
_REFUSALS: Final = frozenset({400, 415, 422, 501})
# The first call, one for the other name of a limit, one without a temperature, two rungs, and a repair.
_MOST_CALLS: Final = 6
_THOUGHTS: Final = re.compile(r"\s*<(think|thinking|reasoning)>.*?</\1>", re.DOTALL)
_SAID: Final[Mapping[Reason, str]] = {
    "declined": "The model declines to answer.",
    "truncated": "The answer was cut off at its limit of length.",
    "malformed": "The answer is not the JSON object that was asked for.",
}
_AGAIN: Final[Mapping[Reason, str]] = {
    "declined": "Your last answer declined. Nothing has to be done here but to fill in the JSON object.",
    "truncated": "Your last answer was cut off. Write one short sentence wherever a text is asked for.",
    "malformed": "Your last answer could not be used. Answer with one JSON object of the exact form.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """What is asked, and the JSON Schema of the answer, which its words describe as well.

    `system` is the part that comes again word for word. `temperature` is left out where it is refused.
    """

    system: str
    user: str
    schema: Object
    name: str = "answer"
    temperature: float | None = 0.0
    most_tokens: int = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Structured(Generic[T]):
    """What was answered, as it was read, on which rung, and what all calls for it used."""

    value: T
    model: str
    usage: Usage
    rung: Rung


@dataclass(frozen=True, slots=True, kw_only=True)
class _Manner:
    """How an endpoint is asked: `tokens` is its name for the limit of an answer."""

    rung: Rung
    tokens: str
    warm: bool = True


class StructuredModel:
    """Asks one model at one endpoint for JSON objects, and remembers what the two can do."""

    def __init__(
        self,
        providers: Providers,
        endpoint: Endpoint,
        model: str,
        *,
        ticks: Callable[[], float] = time.monotonic,
    ) -> None:
        self.endpoint = endpoint
        self.model = model
        self._providers = providers
        self._ticks = ticks
        is_openai = endpoint.provider == "openai" and not endpoint.address
        self._manner = _Manner(rung="schema", tokens="max_completion_tokens" if is_openai else "max_tokens")
        self._proven = False

    @property
    def rung(self) -> Rung:
        """The strictest way to hold this model to a shape that it is not known to refuse."""
        return self._manner.rung

    async def ask(
        self, form: Form, read: Callable[[Object], T], *, timeout_s: float
    ) -> Structured[T] | Failed:
        """Return what the model answers to `form`, as `read` reads it, or why there is nothing to read.

        `read` raises Malformed for an object of another shape. Units: `timeout_s` in seconds, for all calls.
        """
        until = self._ticks() + timeout_s
        manner, usage, again = self._manner, Usage(), ""
        failed = Failed(reason="unsupported", message="The provider refuses every way to ask.")
        for _ in range(_MOST_CALLS):
            asked = self._asked(form, manner, again)
            found = await self._providers.complete(self.endpoint, asked, timeout_s=until - self._ticks())
            if isinstance(found, Failed):
                failed, conceded = found, _conceded(manner, found)
                if conceded is None:
                    break
                manner = conceded
                continue
            usage += found.usage
            value = _answer(found, read)
            if not isinstance(value, Failed):
                self._manner, self._proven = manner, True
                return Structured(value=value, model=found.model, usage=usage, rung=manner.rung)
            failed = value
            if again:
                break
            again = _AGAIN[value.reason]
            if value.reason == "malformed" and not self._proven:
                manner = replace(manner, rung=_LOWER.get(manner.rung, manner.rung))
        return replace(failed, usage=usage)

    def _asked(self, form: Form, manner: _Manner, again: str) -> Ask:
        user = f"{form.user}\n\n{again}" if again else form.user
        options: Object = {manner.tokens: form.most_tokens}
        if manner.warm and form.temperature is not None:
            options["temperature"] = form.temperature
        messages: list[Object] = [
            {"role": "system", "content": form.system},
            {"role": "user", "content": user},
        ]
        options |= self._binding(form, manner.rung)
        return Ask(model=self.model, messages=messages, options=options, repeats=True)

    def _binding(self, form: Form, rung: Rung) -> Object:
        """Return the options that hold an answer to the form."""
        if rung == "plain":
            return {}
        if rung == "schema":
            named = {"name": form.name, "strict": True, "schema": form.schema}
            return {"response_format": {"type": "json_schema", "json_schema": named}}
        if self.endpoint.provider == "anthropic":
            function = {"name": form.name, "description": "Give the answer.", "parameters": form.schema}
            chosen = {"type": "function", "function": {"name": form.name}}
            return {"tools": [{"type": "function", "function": function}], "tool_choice": chosen}
        return {"response_format": {"type": "json_object"}}


def _conceded(manner: _Manner, failed: Failed) -> _Manner | None:
    """Return the manner without what an endpoint refuses, None when it is nothing of that kind."""
    if failed.status not in _REFUSALS and failed.reason != "unsupported":
        return None
    said = failed.message.lower()
    if manner.warm and "temperature" in said:
        return replace(manner, warm=False)
    other = "max_tokens" if manner.tokens == "max_completion_tokens" else "max_completion_tokens"
    if manner.tokens == "max_tokens" and other in said:
        return replace(manner, tokens=other)
    if manner.rung == "plain":
        return None
    return replace(manner, rung=_LOWER[manner.rung])


def _answer(completion: Completion, read: Callable[[Object], T]) -> T | Failed:
    choice = completion.choices[0]
    if choice.finish == "length":
        return _unusable("truncated")
    if choice.finish == "content_filter" or (choice.refusal and not choice.text):
        return _unusable("declined")
    try:
        return read(parsed(_said(choice)))
    except Malformed:
        return _unusable("malformed")


def _said(choice: Choice) -> str:
    """Return the text of an answer, which a model that was given a tool may have put into its arguments."""
    return choice.text if choice.text.strip() or len(choice.calls) != 1 else choice.calls[0].arguments


def parsed(text: str) -> Object:
    """Return the one JSON object in the text of an answer. Raises: Malformed when there is none, or more."""
    left = _THOUGHTS.sub("", text, count=1) if _THOUGHTS.match(text) else text
    objects: list[str] = []
    decoder, at = json.JSONDecoder(), 0
    while len(objects) < 2 and (at := left.find("{", at)) >= 0:
        try:
            _, end = decoder.raw_decode(left, at)
        except (ValueError, RecursionError):
            raise Malformed("it holds a brace that begins no object") from None
        objects.append(left[at:end])
        at = end
    if len(objects) != 1:
        raise Malformed(f"it holds {'more JSON objects than one' if objects else 'no JSON object'}")
    try:
        value = strict_json.parse(objects[0].encode())
    except (InvalidInput, UnicodeEncodeError):
        raise Malformed("its JSON is not strict") from None
    if not isinstance(value, dict):
        raise Malformed("it is no object")
    return value


def _unusable(reason: Reason) -> Failed:
    return Failed(reason=reason, message=_SAID[reason], status=200)
