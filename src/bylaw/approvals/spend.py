"""Spending: an approved call is made again with its `approval_id`, and the review is lifted, once.

An approval lifts nothing but review: never a block, never an alert. It covers one exact call (name and
arguments), of the same agent in the same place and conversation, held by no other policy versions than those
it was given for. When it does not cover the call, the decision stands and says why.

It is marked as spent before the receipt of the decision is durable: a crash in between costs an approval, and
never lets a call through twice.
"""

from dataclasses import replace

import msgspec

from bylaw.approvals.answer import record
from bylaw.approvals.model import PendingApproval
from bylaw.approvals.store import ApprovalUnit
from bylaw.core.errors import PreconditionFailed
from bylaw.decisions.effects import holding
from bylaw.decisions.judge import strictest
from bylaw.decisions.model import Decision, PolicyResult, Request, ToolCall
from bylaw.decisions.request import call_digest
from bylaw.policies.model import Outcome
from bylaw.tenancy.principal import Acting


def asks_to_spend(request: Request, decision: Decision) -> bool:
    """Return whether a transaction is needed: an approval is named, and the decision is held for review."""
    return isinstance(request.approval_id, str) and decision.outcome == "review"


async def spend(acting: Acting[ApprovalUnit], request: Request, decision: Decision) -> Decision:
    """Return `decision` with its review lifted, and the approval stored as spent; or as it is, and why.

    A dry run tells what would happen and spends nothing.
    """
    if not isinstance(request.approval_id, str) or decision.outcome != "review":
        return decision
    approval = await acting.unit.approvals.get(request.approval_id)
    if approval is None:
        return _standing(decision, f"There is no approval {request.approval_id!r} here.")
    objection = why_not(approval, request, decision, now_ms=acting.clock.now_ms())
    if objection:
        return _standing(decision, f"Approval {approval.id} does not cover this call: {objection}.")
    if decision.receipt_id is not None:
        spent = replace(
            approval,
            status="spent",
            spent_on=decision.receipt_id,
            spent_ms=acting.clock.now_ms(),
            revision=approval.revision + 1,
        )
        try:
            await acting.unit.approvals.save(spent)
        except PreconditionFailed:
            return _standing(decision, f"Approval {approval.id} was used by another call just now.")
        await record(acting, spent, change="spent", receipt_id=decision.receipt_id)
    return lift(decision, approval)


def why_not(approval: PendingApproval, request: Request, decision: Decision, *, now_ms: int) -> str:
    """Return why the approval does not cover the call, empty when it does."""
    occasion, call = approval.occasion, request.tool_call
    then = (occasion.agent_id, occasion.conversation_id, occasion.workspace_id, occasion.repo_id)
    now = (
        request.agent_id or "",
        request.conversation_id or "",
        decision.workspace_id or "",
        decision.repo_id or "",
    )
    given_for = {(policy.id, policy.digest) for policy in approval.policies}
    held_by = {(policy.id, policy.digest) for policy in holding(decision)}
    objections = {
        f"it is {approval.status}": approval.status != "approved",
        "it has expired": now_ms >= approval.expires_ms,
        "the call or its arguments changed": not isinstance(call, ToolCall)
        or request.phase != "tool_call"
        or call_digest(call) != approval.call_digest,
        "another agent, conversation or place asks": now != then,
        "other policy versions hold it now": not held_by <= given_for,
    }
    return next((said for said, holds in objections.items() if holds), "")


def lift(decision: Decision, approval: PendingApproval) -> Decision:
    """Return `decision` with what was held for review allowed; everything else stands."""
    policies = tuple(_lifted(policy, approval) for policy in decision.policies)
    flagged = any(rule.status == "flagged" for rule in decision.extra_rules)
    extra: Outcome = "flag" if flagged else "allow"
    obligations = tuple(
        each for each in decision.obligations if each.kind != "approval" and each.type != "approval"
    )
    return msgspec.structs.replace(
        decision,
        outcome=strictest((*[policy.outcome for policy in policies], extra)),
        policies=policies,
        obligations=obligations,
        reasons=(*decision.reasons, f"Approved by {approval.decided_by} ({approval.id})."),
    )


def _lifted(policy: PolicyResult, approval: PendingApproval) -> PolicyResult:
    if policy.outcome != "review":
        return policy
    flagged = any(rule.status == "flagged" for rule in policy.rules)
    return msgspec.structs.replace(
        policy,
        outcome="flag" if flagged else "allow",
        approval_id=approval.id,
        approved_by=approval.decided_by or "",
    )


def _standing(decision: Decision, reason: str) -> Decision:
    return msgspec.structs.replace(decision, reasons=(*decision.reasons, reason))
