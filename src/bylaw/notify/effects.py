"""What decisions left for people, as notices: the same effect is the same notice, whenever it is read."""

from collections.abc import Mapping

import msgspec

from bylaw.core.clock import rfc3339
from bylaw.core.ids import TenantId
from bylaw.decisions.effects import (
    AlertEffect,
    ApprovalEffect,
    AttentionEffect,
    CallEffect,
    EffectRow,
    EvaluationEffect,
    Occasion,
    PolicySnapshot,
    ViolationEffect,
)
from bylaw.notify.model import Notice, NoticeId
from bylaw.notify.told import (
    AlertTold,
    AppliedRef,
    AttentionTold,
    DecisionRef,
    RequestTold,
    Told,
    ViolationTold,
)

TYPES: Mapping[type[EffectRow], str] = {
    ViolationEffect: "violation.created",
    AlertEffect: "alert.created",
    AttentionEffect: "attention.created",
    ApprovalEffect: "approval.requested",
}


def notice_of(effect: EffectRow) -> Notice | None:
    """Return the notice that an effect is, None for one that is not told."""
    told = _told(effect)
    if told is None:
        return None
    occasion = effect.occasion
    return made(f"ntc_{effect.id}", TYPES[type(effect)], told, occasion=occasion, at_ms=occasion.at_ms)


def made(ident: str, kind: str, told: Told, *, occasion: Occasion, at_ms: int) -> Notice:
    """Return a notice about what came from a decision."""
    return Notice(
        id=NoticeId(ident),
        tenant_id=TenantId(occasion.tenant_id),
        type=kind,
        workspace_id=occasion.workspace_id,
        data=msgspec.to_builtins(told),
        created_ms=at_ms,
    )


def links_of(occasion: Occasion, policy_id: str = "", **more: str) -> Mapping[str, str]:
    """Return where to read of a decision, its policy, and more."""
    proof = {"receipt": f"/v1/receipts/{occasion.receipt_id}"} if occasion.receipt_id else {}
    found = {**proof, **more}
    return {**found, "policy": f"/v1/policies/{policy_id}"} if policy_id else found


def _told(effect: EffectRow) -> Told | None:
    if isinstance(effect, EvaluationEffect | CallEffect):
        return None
    occasion, decision = effect.occasion, _decision(effect.occasion)
    workspace_id, repo_id = occasion.workspace_id or None, occasion.repo_id or None
    if isinstance(effect, ApprovalEffect):
        return RequestTold(
            workspace_id=workspace_id,
            repo_id=repo_id,
            links=links_of(occasion, approval=f"/v1/approvals/{effect.id}"),
            id=effect.id,
            tool=effect.tool,
            call_digest=effect.call_digest,
            expires_at=rfc3339(effect.expires_ms),
            decision=decision,
            policies=tuple(_applied(each) for each in effect.policies),
        )
    policy, links = _applied(effect.policy), links_of(occasion, effect.policy.id)
    if isinstance(effect, AttentionEffect):
        return AttentionTold(
            workspace_id=workspace_id,
            repo_id=repo_id,
            links={**links, "attention": f"/v1/attention/{effect.id}"},
            id=effect.id,
            kind=effect.type,
            reason=effect.reason,
            decision=decision,
            policy=policy,
        )
    if isinstance(effect, AlertEffect):
        return AlertTold(
            workspace_id=workspace_id,
            repo_id=repo_id,
            links=links,
            id=effect.id,
            decision=decision,
            policy=policy,
            message=effect.message,
        )
    return ViolationTold(
        workspace_id=workspace_id,
        repo_id=repo_id,
        links=links,
        id=effect.id,
        decision=decision,
        policy=policy,
        explanation=effect.explanation,
        block=effect.block,
    )


def _decision(occasion: Occasion) -> DecisionRef:
    return DecisionRef(
        receipt_id=occasion.receipt_id,
        decided_at=rfc3339(occasion.at_ms),
        phase=occasion.phase,
        agent_id=occasion.agent_id or None,
        user_id=occasion.user_id or None,
        key_id=occasion.key_id or None,
        conversation_id=occasion.conversation_id or None,
    )


def _applied(policy: PolicySnapshot) -> AppliedRef:
    return AppliedRef(
        id=policy.id,
        version=policy.version,
        digest=policy.digest,
        name=policy.name,
        risk=policy.risk,
        action=policy.action,
    )
