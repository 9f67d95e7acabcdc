"""Projecting: the effects of decisions become calls that wait, once however often they are projected."""

from collections.abc import Iterable

from bylaw.approvals.model import PendingApproval
from bylaw.approvals.store import Approvals
from bylaw.decisions.effects import ApprovalEffect, EffectRow


async def project_approvals(approvals: Approvals, effects: Iterable[EffectRow]) -> None:
    """Store the calls that `effects` say are waiting; other effects are left to others."""
    rows = [
        PendingApproval(
            id=effect.id,
            occasion=effect.occasion,
            tool=effect.tool,
            call_digest=effect.call_digest,
            policies=effect.policies,
            reason=effect.reason,
            expires_ms=effect.expires_ms,
        )
        for effect in effects
        if isinstance(effect, ApprovalEffect)
    ]
    if rows:
        await approvals.add(rows)
