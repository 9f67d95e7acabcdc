"""Reading a content from plain data: every bad field is named by its path."""

from collections.abc import Mapping
from typing import Final, get_args

from bylaw.core.canonical_json import Json
from bylaw.policies.mask import read_mask
from bylaw.policies.model import Action, Chosen, Content, Example, Expectation, Outcome, Phase, Risk
from bylaw.policies.reader import Reader, join
from bylaw.policies.rules import Reading, read_rules

MAX_NAME = 200
MAX_DESCRIPTION = 8_000
MAX_TOPIC = 200
MAX_CONDITIONS_BYTES = 65_536
MAX_EXAMPLES = 100
MAX_EXAMPLE_BYTES = 65_536

FIELDS: Final = (
    "name",
    "description",
    "topic",
    "rules",
    "conditions",
    "risk",
    "action",
    "on_indeterminate",
    "examples",
    "mask",
    "evaluator",
)


def parse_content(data: object, reading: Reading | None = None) -> Content:
    """Return `data` as a content. Raises: InvalidInput that names every bad field by its path."""
    reading = Reading() if reading is None else reading
    content = read_content(data, reading)
    reading.reader.finish("The policy is not usable")
    return content


def read_content(data: object, reading: Reading) -> Content:
    """Return the content in `data`, leaving what is wrong with it to the reader."""
    reader, path = reading.reader, reading.path
    fields = reader.fields(data, FIELDS, path)
    mask = read_mask(fields.get("mask"), join(path, "mask"), reader)
    without_rules = mask is not None and fields.get("rules", ()) in ([], ())
    return Content(
        name=reader.text(fields.get("name", ""), join(path, "name"), most=MAX_NAME, blank=False).strip(),
        description=reader.text(
            fields.get("description", ""), join(path, "description"), most=MAX_DESCRIPTION
        ),
        topic=_topic(reader, fields, path),
        rules=() if without_rules else read_rules(fields.get("rules"), join(path, "rules"), reading),
        conditions=_conditions(reader, fields, path),
        risk=reader.choice(fields.get("risk", "MEDIUM"), join(path, "risk"), get_args(Risk), "MEDIUM"),
        action=reader.choice(fields.get("action", "block"), join(path, "action"), get_args(Action), "block"),
        on_indeterminate=_on_indeterminate(reader, fields, path),
        examples=tuple(_examples(reader, fields.get("examples", ()), join(path, "examples"))),
        mask=mask,
        evaluator=_evaluator(reader, fields, path),
    )


def _topic(reader: Reader, fields: Mapping[str, object], path: str) -> str | None:
    topic = fields.get("topic")
    return None if topic is None else reader.text(topic, join(path, "topic"), most=MAX_TOPIC, blank=False)


def _conditions(reader: Reader, fields: Mapping[str, object], path: str) -> Mapping[str, Json] | None:
    """Return the conditions untouched: what they mean is decided when they are applied.

    Only a phase that no request can have is refused: such a policy would stand there and never apply.
    """
    conditions = fields.get("conditions")
    if conditions is None:
        return None
    at = join(path, "conditions")
    read = reader.json_object(conditions, at, most_bytes=MAX_CONDITIONS_BYTES)
    phase = read.get("phase")
    for index, named in enumerate(phase if isinstance(phase, list) else []):
        if isinstance(named, str):
            reader.choice(named, f"{at}.phase[{index}]", get_args(Phase), "decision")
    if isinstance(phase, str):
        reader.choice(phase, f"{at}.phase", get_args(Phase), "decision")
    return read


def _on_indeterminate(reader: Reader, fields: Mapping[str, object], path: str) -> Outcome | None:
    wanted = fields.get("on_indeterminate")
    if wanted is None:
        return None
    outcome: Outcome = reader.choice(wanted, join(path, "on_indeterminate"), get_args(Outcome), "review")
    return outcome


def _evaluator(reader: Reader, fields: Mapping[str, object], path: str) -> Chosen | None:
    wanted = fields.get("evaluator")
    if wanted is None:
        return None
    chosen: Chosen = reader.choice(wanted, join(path, "evaluator"), get_args(Chosen), "offline")
    return chosen


def _examples(reader: Reader, data: object, path: str) -> list[Example]:
    examples = []
    for index, item in enumerate(reader.items(data, path, most=MAX_EXAMPLES)):
        at = f"{path}[{index}]"
        fields = reader.fields(item, ("name", "expect", "request"), at)
        name = reader.text(fields.get("name", ""), join(at, "name"), most=MAX_NAME, blank=False)
        expect = reader.choice(fields.get("expect"), join(at, "expect"), get_args(Expectation), "pass")
        request = reader.json_object(fields.get("request"), join(at, "request"), most_bytes=MAX_EXAMPLE_BYTES)
        examples.append(Example(name=name, expect=expect, request=request))
    return examples
