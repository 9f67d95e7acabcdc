"""Projecting: the effects of decisions become what people look at, once however often they are projected."""

from collections.abc import Sequence

from bylaw.decisions.effects import AlertEffect, AttentionEffect, EffectRow, ViolationEffect
from bylaw.review.model import Alert, AttentionItem, Violation
from bylaw.review.store import Review


async def project_review(review: Review, effects: Sequence[EffectRow]) -> None:
    """Store the violations, alerts and attention items among `effects`; other effects are left to others."""
    violations = [
        Violation(
            id=each.id,
            occasion=each.occasion,
            policy=each.policy,
            explanation=each.explanation,
            block=each.block,
        )
        for each in effects
        if isinstance(each, ViolationEffect)
    ]
    alerts = [
        Alert(id=each.id, occasion=each.occasion, policy=each.policy, message=each.message)
        for each in effects
        if isinstance(each, AlertEffect)
    ]
    items = [
        AttentionItem(
            id=each.id, occasion=each.occasion, policy=each.policy, type=each.type, reason=each.reason
        )
        for each in effects
        if isinstance(each, AttentionEffect)
    ]
    if violations:
        await review.violations.add(violations)
    if alerts:
        await review.alerts.add(alerts)
    if items:
        await review.attention.add(items)
