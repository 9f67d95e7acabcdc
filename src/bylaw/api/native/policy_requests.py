"""What is sent to the routes of policies."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, UnsetType
from pydantic import Field

from bylaw.api.native.route import ListQuery, StrictQuery
from bylaw.api.native.shape import place_of
from bylaw.core.ids import AgentId
from bylaw.policies.model import Action, Effect, Outcome, Reach, Risk, Status
from bylaw.policies.store import Match, PolicyFilter

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

    `status`: null is `approved`, or `pending_review` where the workspace reviews edits.
    """

    workspace_id: str | None = None
    repo_id: str | None = None
    reach: Reach = "place"
    slug: str | None = None
    source: SourceIn = SourceIn()
    status: Literal["approved", "pending_review"] | None = None
    is_active: bool = True
    reason: str = ""
    id: str | None = None


class NewPolicy(PolicyFrame, frozen=True, kw_only=True):
    """A policy to be written: where it holds, and what it says."""

    name: str
    rules: list[RuleIn]
    description: str = ""
    topic: str | None = None
    conditions: Object | None = None
    risk: Risk = "MEDIUM"
    action: Action = "block"
    on_indeterminate: Outcome | None = None
    examples: list[ExampleIn] = []


class PolicyEdit(_Sent, frozen=True):
    """The fields that are to change; those left out stay."""

    reason: str = ""
    reach: Reach | UnsetType = UNSET
    name: str | UnsetType = UNSET
    rules: list[RuleIn] | UnsetType = UNSET
    description: str | UnsetType = UNSET
    topic: str | UnsetType | None = UNSET
    conditions: Object | UnsetType | None = UNSET
    risk: Risk | UnsetType = UNSET
    action: Action | UnsetType = UNSET
    on_indeterminate: Outcome | UnsetType | None = UNSET
    examples: list[ExampleIn] | UnsetType = UNSET


class Reason(_Sent, frozen=True):
    """Why something is done; it is kept with the change."""

    reason: str = ""


class Rollback(_Sent, frozen=True):
    """The version whose content is wanted again, and why."""

    version: int
    reason: str = ""


class PolicyQuery(ListQuery):
    """Which policies are wanted; filters combine with AND."""

    workspace_id: str | None = None
    repo_id: str | None = None
    match: Annotated[Match, Field(description="The place itself, all inside it, or all that governs it.")] = (
        "within"
    )
    status: Annotated[list[Status], Field(default_factory=list)]
    is_active: bool | None = None
    has_pending: bool | None = None
    reach: Reach | None = None
    slug: str | None = None
    source_type: str | None = None
    topic: str | None = None
    action: Annotated[list[Action], Field(default_factory=list)]
    risk: Annotated[list[Risk], Field(default_factory=list)]
    text: Annotated[
        str | None, Field(description="Found in name, description, topic and rules, whatever the case.")
    ] = None

    @property
    def where(self) -> PolicyFilter:
        """Return the filter that is meant."""
        everywhere = self.workspace_id is None and self.repo_id is None and self.match == "within"
        return PolicyFilter(
            place=None if everywhere else place_of(self.workspace_id, self.repo_id),
            match=self.match,
            statuses=frozenset(self.status) or None,
            is_active=self.is_active,
            has_pending=self.has_pending,
            reach=self.reach,
            slugs=None if self.slug is None else frozenset({self.slug}),
            source_types=None if self.source_type is None else frozenset({self.source_type}),
            topic=self.topic,
            actions=frozenset(self.action) or None,
            risks=frozenset(self.risk) or None,
            text=self.text,
        )


class EffectiveQuery(ListQuery):
    """Whose policies are wanted."""

    workspace_id: str | None = None
    repo_id: str | None = None
    agent_id: Annotated[AgentId | None, Field(description="Its bound policy is included.")] = None


class DiffQuery(StrictQuery):
    """Which versions are compared."""

    old: Annotated[int, Field(ge=1)]
    new: Annotated[int, Field(ge=1)]
