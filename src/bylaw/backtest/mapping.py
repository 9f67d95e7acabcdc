"""Mappings: how recorded conversations become decision requests, written as data.

A mapping names, in expressions of the rule language, which facts a tool result shows and what a
consequential call's request carries. Nothing about any one domain is code (docs/how-to/replay.md).
"""

from collections.abc import Mapping as MappingABC
from pathlib import Path

import msgspec
import yaml

from bylaw.core.errors import InvalidInput
from bylaw.policies.packs.model import REPLAY_FORMAT
from bylaw.rules import cel


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a mapping file; unknown fields are refused."""


class Record(_Part, frozen=True):
    """Where a recorded line keeps its id and messages; expressions over `record`.

    `expected` (a list of `{name, arguments}`) and `success` are what is known afterwards: they reach the
    report, never a request.
    """

    id: str = "record.id"
    messages: str = "record.messages"
    expected: str | None = None
    success: str | None = None


class Fact(_Part, frozen=True):
    """What the result of some tools shows: `value`, kept as `facts[name]`, or as `facts[name][key]`.

    Expressions read `call`, `result`, `facts`, and `item` where `each` gives a list. `when` must be true.
    """

    name: str
    tools: tuple[str, ...]
    value: str = "result"
    key: str | None = None
    each: str | None = None
    when: str | None = None


class Decide(_Part, frozen=True):
    """Which calls become decisions; `request` is an expression that gives fields of the request.

    It reads `call`, `facts`, and `turn`: `calls` (how many calls the agent's message holds), `text` (what it
    said in the same message), `last_user` and `last_agent` (what each said last), `before` (earlier calls).
    `refused` reads `result` and says whether the tool itself refused the call; for the report only.
    """

    tools: tuple[str, ...]
    request: str = "{}"
    refused: str | None = None


class Mapping(_Part, frozen=True):
    """A mapping file. `facts_at_start` holds before the first message."""

    format: str
    decide: Decide
    record: Record = Record()
    facts_at_start: dict[str, object] = {}
    facts: tuple[Fact, ...] = ()


class MappingFailed(InvalidInput):
    """An expression of a mapping failed on a recorded line; says which and where."""

    code = "mapping_failed"


def load(path: Path) -> Mapping:
    """Return the mapping in `path`. Raises: InvalidInput that names the file and the field."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        mapping = msgspec.convert(data, Mapping)
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise InvalidInput(f"{path} is not a replay mapping: {error}") from error
    if mapping.format != REPLAY_FORMAT:
        message = f"{path} has format {mapping.format!r}; this version reads {REPLAY_FORMAT}."
        raise InvalidInput.of("format", "unknown_format", message)
    return mapping


def compute(expression: str, bindings: MappingABC[str, object], *, at: str) -> object:
    """Return what `expression` gives over `bindings`. Raises: MappingFailed that names `at`."""
    try:
        return cel.evaluate(expression, dict(bindings))
    except cel.CelError as error:
        raise MappingFailed(f"{at}: {expression.strip()!r} failed: {error}") from error


def is_true(expression: str | None, bindings: MappingABC[str, object], *, at: str) -> bool:
    """Return whether `expression` is absent or true."""
    return expression is None or compute(expression, bindings, at=at) is True
