"""Effects: what a decision leaves behind for people, as plain rows with deterministic ids.

The rows are committed with the receipt and projected from there, any number of times, to the same result.
"""

import msgspec

from bylaw.policies.model import Action, Risk


class _Row(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A part of an effect."""


class Occasion(_Row, frozen=True, kw_only=True):
    """The decision that something came from: who, where, when. An empty text means that it was not given.

    Units: `at_ms` in milliseconds since the epoch.
    """

    tenant_id: str
    receipt_id: str
    at_ms: int
    phase: str
    agent_id: str = ""
    user_id: str = ""
    key_id: str = ""
    conversation_id: str = ""
    workspace_id: str = ""
    repo_id: str = ""
    model: str = ""
    provider: str = ""
    host: str = ""


class PolicySnapshot(_Row, frozen=True, kw_only=True):
    """A policy version as it was when it was applied."""

    id: str
    name: str
    version: int
    digest: str
    risk: Risk
    action: Action


class ViolationEffect(_Row, frozen=True, kw_only=True, tag_field="kind", tag="violation"):
    """A policy was violated; `block` says whether the call was stopped by it."""

    id: str
    occasion: Occasion
    policy: PolicySnapshot
    explanation: str
    block: bool


class AlertEffect(_Row, frozen=True, kw_only=True, tag_field="kind", tag="alert"):
    """A policy asked that people be told."""

    id: str
    occasion: Occasion
    policy: PolicySnapshot
    message: str


class AttentionEffect(_Row, frozen=True, kw_only=True, tag_field="kind", tag="attention"):
    """A person should look: `type` is `approval`, `policy_review` or `escalation` (a rule asks for it)."""

    id: str
    occasion: Occasion
    policy: PolicySnapshot
    type: str
    reason: str


class ApprovalEffect(_Row, frozen=True, kw_only=True, tag_field="kind", tag="approval"):
    """A tool call waits for an approval, bound to the exact call and to the versions that ask for it."""

    id: str
    occasion: Occasion
    tool: str
    call_digest: str
    policies: tuple[PolicySnapshot, ...]
    reason: str
    expires_ms: int


EffectRow = ViolationEffect | AlertEffect | AttentionEffect | ApprovalEffect
