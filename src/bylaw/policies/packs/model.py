"""What stands in the files of a pack: the structures whose JSON Schema is published for editors."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from bylaw.core.canonical_json import Json
from bylaw.core.errors import Problem
from bylaw.policies.mask import FIELD_PATTERN, MAX_FIELD, MAX_FIELDS
from bylaw.policies.model import (
    Action,
    Chosen,
    Content,
    Effect,
    Expectation,
    Outcome,
    PersonalData,
    Reach,
    Risk,
)
from bylaw.policies.packs.documents import Document
from bylaw.policies.parse import MAX_DESCRIPTION, MAX_EXAMPLES, MAX_NAME, MAX_TOPIC
from bylaw.policies.rules import MAX_MESSAGE, MAX_RULE_TEXT, MAX_RULES
from bylaw.tenancy.model import EVERYWHERE, Place

PACK_FORMAT: Final = "bylaw.pack/1"
CASES_FORMAT: Final = "bylaw.cases/1"
REPLAY_FORMAT: Final = "bylaw.replay/1"
NAME_PATTERN: Final = "^[a-z0-9][a-z0-9._-]{0,63}$"

Name = Annotated[str, Meta(pattern=NAME_PATTERN)]
Object = dict[str, Annotated[object, Meta(extra_json_schema={"description": "any JSON"})]]


def _with(name: str, **asked: object) -> dict[str, object]:
    """Return the schema of what has a field `name` of which this is `asked`."""
    return {"required": [name], "properties": {name: asked}}


class _Written(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a file: unknown fields are refused."""


class WrittenPlace(_Written, frozen=True, kw_only=True):
    """Where a policy holds: a workspace, a repo of it, or the whole tenant when left out."""

    workspace: str
    repo: str | UnsetType = UNSET


class WrittenRule(_Written, frozen=True, kw_only=True):
    """One rule: `expr`, an expression that must be true, or `text`, a rule in words.

    `effect` and `attention` of a rule in words are proposed from the wording when left out.
    """

    id: Annotated[str, Meta(max_length=64)] | UnsetType = UNSET
    type: Literal["deterministic", "nl"] | UnsetType = UNSET
    expr: Annotated[str, Meta(min_length=1, max_length=MAX_RULE_TEXT)] | UnsetType = UNSET
    text: Annotated[str, Meta(min_length=1, max_length=MAX_RULE_TEXT)] | UnsetType = UNSET
    effect: Effect | UnsetType = UNSET
    message: Annotated[str, Meta(max_length=MAX_MESSAGE)] | UnsetType = UNSET
    attention: bool | UnsetType = UNSET
    lang: Literal["cel/1"] | UnsetType = UNSET


OneRule = Annotated[
    WrittenRule, Meta(extra_json_schema={"oneOf": [{"required": ["expr"]}, {"required": ["text"]}]})
]


class WrittenExample(_Written, frozen=True, kw_only=True):
    """A decision request that the policy must pass, or must find violated."""

    name: Annotated[str, Meta(min_length=1, max_length=MAX_NAME)]
    expect: Expectation
    request: Object


class WrittenMask(_Written, frozen=True, kw_only=True):
    """What is withheld: `fields` by path (`*` for every item of a list), `personal_data` in any text."""

    fields: (
        Annotated[
            list[Annotated[str, Meta(max_length=MAX_FIELD, pattern=FIELD_PATTERN)]],
            Meta(max_length=MAX_FIELDS),
        ]
        | UnsetType
    ) = UNSET
    personal_data: Annotated[list[PersonalData], Meta(max_length=MAX_FIELDS)] | UnsetType = UNSET


OneMask = Annotated[
    WrittenMask | UnsetType | None,
    Meta(
        extra_json_schema={
            "allOf": [{"anyOf": [_with("fields", minItems=1), _with("personal_data", minItems=1)]}]
        }
    ),
]


class _Habits(_Written, frozen=True):
    """What a policy has, and what a file may set for all its policies."""

    place: WrittenPlace | UnsetType | None = UNSET
    reach: Reach | UnsetType = UNSET
    active: bool | UnsetType = UNSET
    topic: Annotated[str, Meta(min_length=1, max_length=MAX_TOPIC)] | UnsetType | None = UNSET
    risk: Risk | UnsetType = UNSET
    action: Action | UnsetType = UNSET
    on_indeterminate: Outcome | UnsetType | None = UNSET
    evaluator: Chosen | UnsetType | None = UNSET


class WrittenDefaults(_Habits, frozen=True, kw_only=True):
    """What holds for every policy of the file that does not say otherwise."""


class WrittenPolicy(_Habits, frozen=True, kw_only=True):
    """One policy, with rules, a mask or both.

    `id` names a stored one that no pack made, as `bylaw policies export` writes it.
    """

    name: Annotated[str, Meta(min_length=1, max_length=MAX_NAME)]
    description: Annotated[str, Meta(max_length=MAX_DESCRIPTION)] | UnsetType = UNSET
    rules: Annotated[list[OneRule], Meta(max_length=MAX_RULES)] | UnsetType = UNSET
    mask: OneMask = UNSET
    conditions: Object | UnsetType | None = UNSET
    examples: Annotated[list[WrittenExample], Meta(max_length=MAX_EXAMPLES)] | UnsetType = UNSET
    id: str | UnsetType = UNSET


OnePolicy = Annotated[
    WrittenPolicy,
    Meta(extra_json_schema={"anyOf": [_with("rules", minItems=1), _with("mask", type="object")]}),
]


class PackFile(_Written, frozen=True, kw_only=True):
    """A file of policies. Files of one `pack` belong together; each policy is known by its key for ever."""

    format: Literal["bylaw.pack/1"] | UnsetType = UNSET
    pack: Name
    description: str | UnsetType = UNSET
    defaults: WrittenDefaults | UnsetType = UNSET
    policies: dict[Name, OnePolicy]


class WrittenPolicyResult(_Written, frozen=True, kw_only=True):
    """What a case expects of one policy; what is left out is not checked."""

    outcome: Outcome | UnsetType = UNSET
    applies: bool | UnsetType = UNSET
    rules: (
        dict[str, Literal["satisfied", "violated", "flagged", "not_applicable", "indeterminate"]] | UnsetType
    ) = UNSET


class WrittenExpectation(_Written, frozen=True, kw_only=True):
    """What a case expects of the decision; what is left out is not checked.

    `masked` are the parts to show in place of those of the request: `{}` when nothing is withheld.
    """

    outcome: Outcome | UnsetType = UNSET
    compliant: bool | UnsetType = UNSET
    policies: dict[str, WrittenPolicyResult] | UnsetType = UNSET
    masked: Object | UnsetType = UNSET


class WrittenCase(_Written, frozen=True, kw_only=True):
    """One case: a decision request and what is expected of it.

    `verdicts` answers for rules in words, by `policy-key/rule-id`: no model is asked.
    """

    name: Annotated[str, Meta(min_length=1, max_length=MAX_NAME)]
    description: str | UnsetType = UNSET
    request: Object
    verdicts: dict[str, Literal["satisfied", "violated", "indeterminate"]] | UnsetType = UNSET
    expect: WrittenExpectation


class CasesFile(_Written, frozen=True, kw_only=True):
    """A file of cases, kept in `cases/` beside the packs that it tries."""

    format: Literal["bylaw.cases/1"] | UnsetType = UNSET
    cases: Annotated[list[WrittenCase], Meta(min_length=1)]


@dataclass(frozen=True, slots=True, kw_only=True)
class PackedPolicy:
    """One policy of a pack.

    `fields` is its content as plain data, checked already but for the context schema. `slug` is `pack/key`.
    `file` and `path` say where it stands. `warnings` are what is probably not meant.
    """

    slug: str
    id: str | None
    place: Place = EVERYWHERE
    reach: Reach = "place"
    is_active: bool = True
    fields: Mapping[str, Json]
    content: Content
    file: str
    path: str
    warnings: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Pack:
    """The policies of one pack, from all its files, in the order of their keys."""

    name: str
    policies: tuple[PackedPolicy, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case of a cases file; `line` is where it begins."""

    file: str
    line: int
    written: WrittenCase


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """All that a directory holds: its packs with their files, its cases, and what is probably not meant."""

    packs: tuple[Pack, ...]
    documents: tuple[Document, ...]
    cases: tuple[Case, ...]
    warnings: tuple[Problem, ...] = ()


def pack_schema() -> dict[str, object]:
    """Return the JSON Schema of a file of policies."""
    return _schema(PackFile, "A file of Bylaw policies")


def cases_schema() -> dict[str, object]:
    """Return the JSON Schema of a file of cases."""
    return _schema(CasesFile, "A file of cases for Bylaw policies")


def schema_text(schema: dict[str, object]) -> str:
    """Return a schema as it is published: indented, with its keys in the order of the fields."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def _schema(kind: type[msgspec.Struct], title: str) -> dict[str, object]:
    schema = msgspec.json.schema(kind)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema, "title": title}
