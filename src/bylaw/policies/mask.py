"""Masks: which parts of a request somebody is shown, and reading what a policy withholds of them."""

from collections.abc import Mapping
from typing import Final, get_args

from bylaw.policies.model import Mask, PersonalData, Phase
from bylaw.policies.reader import Reader, join

MAX_FIELDS = 100
MAX_FIELD = 300
MAX_STEPS = 32

# What is shown after a decision: to the agent, or to whoever gets its answer. A call is sent, not shown.
SHOWN: Final[Mapping[Phase, tuple[str, ...]]] = {
    "input": ("user_intent", "messages"),
    "tool_call": (),
    "tool_result": ("tool_result",),
    "output": ("agent_output",),
    "decision": ("user_intent", "messages", "tool_result", "agent_output"),
}
PARTS: Final = SHOWN["decision"]
EVERY: Final = "*"
FIELD_PATTERN: Final = (
    r"^(user_intent|agent_output|messages(\.\*(\.[^.]+){0,31})?|tool_result(\.[^.]+){0,32})$"
)
_TEXTS: Final = ("user_intent", "agent_output")


def read_mask(data: object, path: str, reader: Reader) -> Mask | None:
    """Return the mask in `data`, None for null, leaving what is wrong with it to the reader."""
    if data is None:
        return None
    sent = reader.fields(data, Mask.__dataclass_fields__, path)
    fields_at, kinds_at = join(path, "fields"), join(path, "personal_data")
    fields = [
        _field(item, f"{fields_at}[{index}]", reader)
        for index, item in enumerate(reader.items(sent.get("fields", ()), fields_at, most=MAX_FIELDS))
    ]
    kinds: list[PersonalData] = [
        reader.choice(item, f"{kinds_at}[{index}]", get_args(PersonalData), "email")
        for index, item in enumerate(reader.items(sent.get("personal_data", ()), kinds_at, most=MAX_FIELDS))
    ]
    if not fields and not kinds:
        reader.refuse(path, "required", "Name fields, kinds of personal_data, or both.")
    return Mask(fields=tuple(dict.fromkeys(fields)), personal_data=tuple(dict.fromkeys(kinds)))


def _field(value: object, path: str, reader: Reader) -> str:
    """Return a path that can lead somewhere: it begins with a part that is shown, and fits its shape."""
    field = reader.text(value, path, most=MAX_FIELD, blank=False)
    part, *steps = field.split(".")
    if not field:
        return ""
    reader.choice(part, path, PARTS, "tool_result")
    if not all(steps) or len(steps) > MAX_STEPS:
        reader.refuse(path, "bad_path", f"Write names or * between dots, {MAX_STEPS} of them at most.")
    elif part in _TEXTS and steps:
        reader.refuse(path, "bad_path", f"{part} is text and has no fields: mask it whole.")
    elif part == "messages" and steps and steps[0] != EVERY:
        reader.refuse(path, "bad_path", "messages is a list: write messages.* and then the field.")
    return field
