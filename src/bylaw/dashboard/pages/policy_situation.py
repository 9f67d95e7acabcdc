"""A situation: what an agent is asked, says or does, as people write it, and as the API is asked about it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, TypeGuard, cast

from bylaw.dashboard.asking import Item

PHASES: Final = ("input", "output", "tool_call", "tool_result", "decision")
_TEXTS: Final = ("agent_id", "user_intent", "agent_output")


class Unreadable(Exception):
    """A field does not hold the JSON that it should; `field` is its name, the message is for the person."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """The fields of a form: text each, empty for what is not said.

    `arguments` of the tool and `rest` are JSON objects; what `rest` says wins over the other fields.
    """

    phase: str = ""
    agent_id: str = ""
    user_intent: str = ""
    agent_output: str = ""
    tool: str = ""
    arguments: str = ""
    rest: str = ""

    def __bool__(self) -> bool:
        """Return whether anything is said."""
        return any(getattr(self, name).strip() for name in FIELDS if name != "phase")

    def request(self) -> dict[str, object]:
        """Return the decision request. Raises: Unreadable."""
        said: dict[str, object] = {"phase": self.phase} if self.phase else {}
        said |= {name: getattr(self, name) for name in _TEXTS if getattr(self, name)}
        arguments = json_object(self.arguments, "arguments")
        if self.tool:
            said["tool_call"] = {"name": self.tool, "arguments": arguments}
        elif arguments:
            raise Unreadable("arguments", "Say which tool is called with these.")
        return {**said, **json_object(self.rest, "rest")}


FIELDS: Final = tuple(Situation.__dataclass_fields__)


def situation_of(request: Item) -> Situation:
    """Return a decision request as a form shows it."""
    rest = dict(request)
    said: dict[str, str] = {}
    if rest.get("phase") in PHASES:
        said["phase"] = str(rest.pop("phase"))
    for name in _TEXTS:
        if is_line(rest.get(name)):
            said[name] = str(rest.pop(name))
    call = rest.get("tool_call")
    if isinstance(call, dict) and call.keys() == {"name", "arguments"}:
        name, arguments = call["name"], call["arguments"]
        if is_line(name) and isinstance(arguments, dict):
            said |= {"tool": name, "arguments": shown_json(arguments)}
            del rest["tool_call"]
    return Situation(**said, rest=shown_json(rest))


def is_line(value: object) -> TypeGuard[str]:
    """Return whether a field of a form can hold `value` and give it back as it was."""
    return isinstance(value, str) and bool(value) and "\r" not in value


def json_object(text: str, field: str) -> dict[str, object]:
    """Return the JSON object that `text` is, empty for none. Raises: Unreadable."""
    if not text.strip():
        return {}
    try:
        found = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        where = (
            f"line {error.lineno}, column {error.colno}" if isinstance(error, json.JSONDecodeError) else ""
        )
        raise Unreadable(field, f"This is not JSON{f' at {where}' if where else ''}.") from None
    if not isinstance(found, dict):
        raise Unreadable(field, 'A JSON object is needed here, such as {"amount": 7200}.')
    return cast("dict[str, object]", found)


def shown_json(value: Mapping[str, object]) -> str:
    """Return an object as people edit it, empty for none."""
    return json.dumps(value, indent=2, ensure_ascii=False) if value else ""


def _no_number(word: str) -> float:
    raise ValueError(word)
