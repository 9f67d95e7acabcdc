"""The decision that something came from, and the policy version, as lists show them."""

import msgspec

from bylaw.core.clock import rfc3339
from bylaw.decisions.effects import Occasion, PolicySnapshot
from bylaw.policies.model import Action, Risk


class OccasionView(msgspec.Struct, frozen=True, kw_only=True):
    """A decision: its receipt, when, who and where; null means that it was not given."""

    receipt_id: str
    at: str
    phase: str
    agent_id: str | None
    user_id: str | None
    conversation_id: str | None
    workspace_id: str | None
    repo_id: str | None
    model: str | None


class AppliedView(msgspec.Struct, frozen=True, kw_only=True):
    """A policy version as it was applied; an empty id stands for the rules of the request."""

    id: str
    name: str
    version: int
    digest: str
    risk: Risk
    action: Action


def occasion_view(occasion: Occasion) -> OccasionView:
    """Return a decision as lists show it."""
    return OccasionView(
        receipt_id=occasion.receipt_id,
        at=rfc3339(occasion.at_ms),
        phase=occasion.phase,
        agent_id=occasion.agent_id or None,
        user_id=occasion.user_id or None,
        conversation_id=occasion.conversation_id or None,
        workspace_id=occasion.workspace_id or None,
        repo_id=occasion.repo_id or None,
        model=occasion.model or None,
    )


def applied_view(policy: PolicySnapshot) -> AppliedView:
    """Return a policy version as lists show it."""
    return AppliedView(
        id=policy.id,
        name=policy.name,
        version=policy.version,
        digest=policy.digest,
        risk=policy.risk,
        action=policy.action,
    )
