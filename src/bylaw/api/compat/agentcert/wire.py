"""What Agent Cert's clients send and get, field for field."""

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from bylaw.api.certificates import CertificateView
from bylaw.decisions.model import (
    ExtraRule,
    Id,
    Object,
    Obligation,
    OptionalId,
    OptionalText,
    RuleResult,
)
from bylaw.policies.model import Phase

Rules = Annotated[list[ExtraRule], msgspec.Meta(max_length=100)]


class ToolUse(msgspec.Struct, frozen=True, kw_only=True):
    """A call of a tool that led to the decision, with what came of it."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=256)]
    arguments: Object = msgspec.field(default_factory=dict)
    result: object = UNSET


class NewReceipt(msgspec.Struct, frozen=True, kw_only=True):
    """A decision of an agent to be checked and certified; unknown fields are passed over.

    `platform` is `bedrock`, `copilot`, `langchain`, `crewai`, `custom` or another word. `policy_rules` add to
    the policy: a rule as text, or as an object. From `tool_calls` on, fields are additions to the contract.
    """

    agent_id: Id
    platform: OptionalText = UNSET
    user_intent: OptionalText = UNSET
    agent_output: OptionalText = UNSET
    tools_used: list[str] | UnsetType | None = UNSET
    retrieval_summary: OptionalText = UNSET
    policy_rules: Rules | UnsetType | None = UNSET
    policy_id: OptionalId = UNSET
    model: OptionalText = UNSET
    metadata: Object | UnsetType | None = UNSET
    tool_calls: Annotated[list[ToolUse], msgspec.Meta(max_length=100)] | UnsetType | None = UNSET
    rationale: OptionalText = UNSET
    phase: Phase = "decision"
    user_id: OptionalId = UNSET
    conversation_id: OptionalId = UNSET
    workspace_id: OptionalId = UNSET
    repo_id: OptionalId = UNSET
    dry_run: bool = False


class RuleResultView(RuleResult, frozen=True, kw_only=True, omit_defaults=True):
    """What one rule came to; `policy_id` is null for a rule of the request."""

    policy_id: str | None


class Certificate(CertificateView, frozen=True, kw_only=True):
    """The certified decision: what Agent Cert's clients know first, additions after it."""

    rule_results: tuple[RuleResultView, ...]
    obligations: tuple[Obligation, ...]
