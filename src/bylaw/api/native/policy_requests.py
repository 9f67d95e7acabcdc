"""What is sent to the routes of policies."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType

from bylaw.policies.model import Action, Chosen, Effect, Outcome, PersonalData, Reach, Risk

Object = dict[str, object]


class _Sent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a request; unknown fields are refused."""


class RuleIn(_Sent, frozen=True):
    """A rule: `expr`, an expression that must be true, or `text`, a rule in words with its `effect`.

    An unchanged rule keeps its `id`. `message` is what a person reads when it is broken; `attention` asks for
    an attention item.
    """

    id: str | UnsetType = UNSET
    type: Literal["deterministic", "nl"] | UnsetType = UNSET
    expr: str | UnsetType = UNSET
    text: str | UnsetType = UNSET
    effect: Effect | UnsetType = UNSET
    message: str | UnsetType = UNSET
    attention: bool | UnsetType = UNSET
    lang: Literal["cel/1"] | UnsetType = UNSET


class MaskIn(_Sent, frozen=True):
    """What is withheld: `fields` by path (`*` for every item of a list), `personal_data` in any text."""

    fields: list[str] = []
    personal_data: list[PersonalData] = []


class ExampleIn(_Sent, frozen=True):
    """A case that the policy must pass or must find violated; `request` is a decision request."""

    name: str
    expect: Literal["pass", "violate"]
    request: Object


class SourceIn(_Sent, frozen=True):
    """Where a policy came from; a proposal carries its conversation, confidence and evidence."""

    type: str = "manual"
    conversation_id: str | None = None
    confidence: float | None = None
    rationale: str | None = None
    evidence: tuple[str, ...] = ()


class PolicyFrame(_Sent, frozen=True):
    """What is said about a new policy beside its content.

    `status`: null is `approved`, or `pending_review` where the workspace reviews edits. `version` is the
    number of its first version, for one that goes on from another server. `reach`: null is `place`, and
    `bound` for one that comes with its version, as Agent Cert's do, which govern no one but bound agents.
    """

    workspace_id: str | None = None
    repo_id: str | None = None
    reach: Reach | None = None
    slug: str | None = None
    source: SourceIn = SourceIn()
    status: Literal["approved", "pending_review"] | None = None
    is_active: bool = True
    reason: str = ""
    id: str | None = None
    version: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1


class NewPolicy(PolicyFrame, frozen=True, kw_only=True):
    """A policy to be written: where it holds, and what it says, in rules, a mask or both."""

    name: str
    rules: list[RuleIn] = []
    description: str = ""
    topic: str | None = None
    conditions: Object | None = None
    risk: Risk = "MEDIUM"
    action: Action = "block"
    on_indeterminate: Outcome | None = None
    examples: list[ExampleIn] = []
    mask: MaskIn | None = None
    evaluator: Chosen | None = None


class PolicyEdit(_Sent, frozen=True):
    """The fields that are to change; those left out stay."""

    reason: str = ""
    reach: Reach | UnsetType = UNSET
    is_active: bool | UnsetType = UNSET
    name: str | UnsetType = UNSET
    rules: list[RuleIn] | UnsetType = UNSET
    description: str | UnsetType = UNSET
    topic: str | UnsetType | None = UNSET
    conditions: Object | UnsetType | None = UNSET
    risk: Risk | UnsetType = UNSET
    action: Action | UnsetType = UNSET
    on_indeterminate: Outcome | UnsetType | None = UNSET
    examples: list[ExampleIn] | UnsetType = UNSET
    mask: MaskIn | UnsetType | None = UNSET
    evaluator: Chosen | UnsetType | None = UNSET


class Reason(_Sent, frozen=True):
    """Why something is done; it is kept with the change."""

    reason: str = ""


class Rollback(_Sent, frozen=True):
    """The version whose content is wanted again, and why."""

    version: int
    reason: str = ""
