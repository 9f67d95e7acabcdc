"""Projecting: the effects of decisions become what people look at, once however often they are projected."""

from collections.abc import Sequence
from typing import Protocol

from bylaw.decisions.effects import (
    AlertEffect,
    AttentionEffect,
    CallEffect,
    EffectRow,
    EvaluationEffect,
    ViolationEffect,
)
from bylaw.review.model import Alert, AttentionItem, Evaluation, ModelCall, Violation
from bylaw.review.naming import Naming
from bylaw.review.store import Review
from bylaw.tenancy.store import Directory


class ProjectionUnit(Protocol):
    """One transaction of one tenant, as far as projecting needs it."""

    @property
    def tenancy(self) -> Directory:
        """Its places, people, keys and agents."""

    @property
    def review(self) -> Review:
        """What its decisions left for people."""


async def project_review(unit: ProjectionUnit, effects: Sequence[EffectRow]) -> None:
    """Store what `effects` leave to look at and to count; effects of other kinds are left to others."""
    review, naming = unit.review, Naming(unit.tenancy)
    violations = [
        Violation(
            id=each.id,
            occasion=each.occasion,
            policy=each.policy,
            explanation=each.explanation,
            block=each.block,
            names=await naming.of(each.occasion),
        )
        for each in effects
        if isinstance(each, ViolationEffect)
    ]
    alerts = [
        Alert(
            id=each.id,
            occasion=each.occasion,
            policy=each.policy,
            message=each.message,
            names=await naming.of(each.occasion),
        )
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
    evaluations = [_evaluation(each) for each in effects if isinstance(each, EvaluationEffect)]
    counted: list[Violation | Alert | Evaluation] = [*violations, *alerts, *evaluations]
    if counted:
        await review.statistics.outdate({each.occasion.at_ms for each in counted})
    if violations:
        await review.violations.add(violations)
    if alerts:
        await review.alerts.add(alerts)
    if items:
        await review.attention.add(items)
    if evaluations:
        await review.evaluations.add(evaluations)
    if calls := [_call(each) for each in effects if isinstance(each, CallEffect)]:
        await review.calls.add(calls)


def _evaluation(effect: EvaluationEffect) -> Evaluation:
    return Evaluation(
        id=effect.id,
        occasion=effect.occasion,
        tokens_in=effect.tokens_in,
        tokens_out=effect.tokens_out,
        policy_id=effect.policy_id,
    )


def _call(effect: CallEffect) -> ModelCall:
    passed = effect.passed
    return ModelCall(
        id=effect.id,
        occasion=effect.occasion,
        connection_id=passed.connection_id,
        tokens_in=passed.tokens_in,
        tokens_out=passed.tokens_out,
    )
