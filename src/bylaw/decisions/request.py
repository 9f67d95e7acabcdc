"""Reading a request, and what rules and conditions see of it.

The facts of a request are its own fields over the top-level keys of `metadata`: a field that was sent always
wins over a key of the same name, and `metadata.key` reaches every key as it was sent.
"""

import re
from difflib import get_close_matches
from operator import attrgetter
from typing import Final, cast

import msgspec
from msgspec import UNSET

from bylaw.core import canonical_json
from bylaw.core.canonical_json import Json
from bylaw.core.errors import InvalidInput, Problem
from bylaw.decisions.model import Object, Request, ToolCall
from bylaw.policies.facts import FACTS
from bylaw.rules.spelling import fold

# Who and where: facts for rules, withheld from evaluators, which judge what is said and done.
IDENTITY: Final = ("agent_id", "user_id", "conversation_id", "workspace_id", "repo_id")
# Who speaks for the customer in messages.
_CUSTOMER: Final = frozenset({"user", "customer", "human"})

_values = attrgetter(*FACTS)
_PLACE = re.compile(r"^(.*?)(?: - at `(?:key in )?\$\.?(.*)`)?$", re.DOTALL)
_UNKNOWN = re.compile(r"Object contains unknown field `(.*)`", re.DOTALL)
_UNSTORABLE: Final = "Expected `str` matching regex "
_REQUIRED = re.compile(r"Object missing required field `(.*)`", re.DOTALL)


def read(value: object) -> Request:
    """Return the request that parsed JSON is. Raises: InvalidInput that names the field."""
    try:
        return msgspec.convert(value, Request)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise _invalid(error) from None


def facts_of(request: Request) -> Object:
    """Return what rules and conditions see."""
    metadata = request.metadata
    facts: Object = metadata.copy() if isinstance(metadata, dict) else {}
    for name, value in zip(FACTS, _values(request), strict=True):
        if value is not UNSET:
            facts[name] = value
    if metadata is not UNSET:
        facts["metadata"] = metadata
    call = request.tool_call
    if call is not UNSET:
        facts["tool_call"] = None if call is None else _call(call)
    return facts


def matter_of(request: Request) -> Object:
    """Return what an evaluator sees: what is said and done, with `metadata` as it was sent."""
    matter: Object = {}
    for name in (*FACTS, "metadata"):
        value = getattr(request, name)
        if value is not UNSET and value is not None and name not in IDENTITY:
            matter[name] = value
    if isinstance(request.tool_call, ToolCall):
        matter["tool_call"] = _call(request.tool_call)
    return matter


def text_of(request: Request) -> str:
    """Return the text in which keywords are looked for, folded: what was asked, answered and said."""
    texts = [text for text in (request.user_intent, request.agent_output) if isinstance(text, str)]
    for message in request.messages or ():
        texts += _content(message.get("content"))
    return fold("\n".join(texts))


def customer_turns(request: Request) -> list[str]:
    """Return what the customer said, turn by turn: in the messages, and what was asked if it is not there."""
    turns = [
        "\n".join(_content(message.get("content")))
        for message in request.messages or ()
        if message.get("role") in _CUSTOMER
    ]
    intent = request.user_intent
    if isinstance(intent, str) and intent not in turns:
        turns.append(intent)
    return [turn for turn in turns if turn.strip()]


def call_digest(call: ToolCall) -> str:
    """Return what an approval is bound to: the digest of the name and the arguments of the exact call.

    Source: docs/reference/receipt-format.md; ids of 64 bits stay apart that RFC 8785 alone would make one.
    """
    exact = {"arguments": cast("Json", call.arguments), "name": call.name}
    return canonical_json.digest(exact, long_integers=True)


def _call(call: ToolCall) -> Object:
    sent: Object = {"name": call.name, "arguments": call.arguments}
    if call.id is not UNSET:
        sent["id"] = call.id
    return sent


def _content(content: object) -> list[str]:
    """Return the texts of a message: the content itself, or those of its parts."""
    if isinstance(content, str):
        return [content]
    parts = content if isinstance(content, list) else []
    texts = [part.get("text") if isinstance(part, dict) else part for part in parts]
    return [text for text in texts if isinstance(text, str)]


def _invalid(error: Exception) -> InvalidInput:
    found = _PLACE.match(str(error))
    said, path = (found[1], found[2] or "") if found else (str(error), "")
    if named := _UNKNOWN.match(said):
        return _problem(_inside(path, named[1]), "unknown_field", _unknown(path, named[1]))
    if named := _REQUIRED.match(said):
        return _problem(_inside(path, named[1]), "required", "It has to be there.")
    if said.startswith(_UNSTORABLE):
        return _problem(path, "invalid_value", "An id holds no NUL and no half of a surrogate pair.")
    return _problem(path, "invalid_value", said + ".")


def _inside(path: str, name: str) -> str:
    return f"{path}.{name}" if path else name


def _unknown(path: str, name: str) -> str:
    """Return what to do about an unknown field, with the one that it resembles."""
    near = [] if path else get_close_matches(name[:64].lower(), Request.__struct_fields__, n=1)
    meant = f" Did you mean {near[0]}?" if near else ""
    return f"There is no such field: leave it out, or send it inside metadata.{meant}"


def _problem(path: str, code: str, message: str) -> InvalidInput:
    where = path or "the request"
    return InvalidInput(f"{where}: {message}", Problem(path=path, code=code, message=message))
