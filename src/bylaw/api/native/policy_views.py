"""How policies, their versions and their differences go over the wire."""

from collections.abc import Iterable, Mapping
from typing import Literal

import msgspec

from bylaw.api.native.evaluator_views import JudgedRuleView
from bylaw.api.native.policy_requests import SourceIn
from bylaw.api.problems import FieldProblem
from bylaw.api.shape import when
from bylaw.core.clock import rfc3339
from bylaw.core.errors import Problem
from bylaw.policies.content import RuleDocument
from bylaw.policies.diff import Diff
from bylaw.policies.direction import Direction
from bylaw.policies.model import (
    Action,
    Chosen,
    Content,
    Current,
    DeterministicRule,
    Effect,
    Mask,
    Outcome,
    PersonalData,
    Reach,
    Risk,
    Rule,
    Status,
    Version,
)


class _Shown(msgspec.Struct, frozen=True, kw_only=True):
    """A part of an answer."""


class ExpressionView(_Shown, frozen=True, tag_field="type", tag="deterministic"):
    """An expression of the rule language that must be true to comply."""

    id: str
    expr: str
    lang: str
    message: str
    attention: bool


class TextView(_Shown, frozen=True, tag_field="type", tag="nl"):
    """A rule in plain language, judged by an evaluator."""

    id: str
    text: str
    effect: Effect
    message: str
    attention: bool


RuleView = ExpressionView | TextView


class ExampleView(_Shown, frozen=True):
    """A case that the policy must pass or must find violated."""

    name: str
    expect: Literal["pass", "violate"]
    request: Mapping[str, object]


class MaskView(_Shown, frozen=True):
    """What is withheld: fields by path, and kinds of personal data in any text."""

    fields: tuple[str, ...]
    personal_data: tuple[PersonalData, ...]


class ContentView(_Shown, frozen=True):
    """What a version says."""

    name: str
    description: str
    topic: str | None
    rules: tuple[RuleView, ...]
    conditions: Mapping[str, object] | None
    risk: Risk
    action: Action
    on_indeterminate: Outcome | None
    examples: tuple[ExampleView, ...]
    mask: MaskView | None
    evaluator: Chosen | None


class PolicyView(ContentView, frozen=True):
    """A policy with what its current version says.

    `version` is the current one: the newest that was approved, or else the newest. `pending` waits for
    approval while `approved` stays in force.
    """

    id: str
    workspace_id: str | None
    repo_id: str | None
    reach: Reach
    slug: str | None
    status: Status
    is_active: bool
    is_in_force: bool
    source: SourceIn
    version: int
    digest: str
    latest: int
    approved: int | None
    pending: int | None
    decided_by: str | None
    decided_reason: str | None
    created_by: str
    created_at: str
    updated_by: str
    updated_at: str
    deleted_at: str | None


class SavedPolicyView(PolicyView, frozen=True):
    """A policy that was just saved, and what there is to say about its newest version.

    `judged` says how each of its rules in words will be judged, `warnings` what is probably not meant.
    """

    judged: tuple[JudgedRuleView, ...]
    warnings: tuple[FieldProblem, ...]


class VersionView(ContentView, frozen=True):
    """An immutable version; `digest` covers the canonical bytes of what it says."""

    policy_id: str
    number: int
    digest: str
    author: str
    reason: str
    created_at: str


class FieldChangeView(_Shown, frozen=True):
    """One field that differs, and whether more or less is allowed through it."""

    field: str
    old: object
    new: object
    direction: Direction


class RuleChangeView(_Shown, frozen=True):
    """One rule that was added, removed or changed."""

    change: Literal["added", "removed", "changed"]
    id: str
    old: RuleView | None
    new: RuleView | None
    direction: Direction


class DiffView(_Shown, frozen=True):
    """Everything in which two versions differ; `text` is a unified rendering for people."""

    fields: tuple[FieldChangeView, ...]
    rules: tuple[RuleChangeView, ...]
    direction: Direction
    text: str


def view(current: Current) -> PolicyView:
    """Return a policy as it goes over the wire."""
    policy, version = current.policy, current.version
    source = policy.source
    return PolicyView(
        **msgspec.structs.asdict(content_view(version.content)),
        id=policy.id,
        workspace_id=policy.place.workspace_id,
        repo_id=policy.place.repo_id,
        reach=policy.reach,
        slug=policy.slug,
        status=policy.status,
        is_active=policy.is_active,
        is_in_force=policy.is_in_force,
        source=SourceIn(
            type=source.type,
            conversation_id=source.conversation_id,
            confidence=source.confidence,
            rationale=source.rationale,
            evidence=source.evidence,
        ),
        version=version.number,
        digest=version.digest,
        latest=policy.latest,
        approved=policy.approved,
        pending=policy.pending,
        decided_by=policy.decided_by,
        decided_reason=policy.decided_reason,
        created_by=policy.created_by,
        created_at=rfc3339(policy.created_ms),
        updated_by=policy.updated_by,
        updated_at=rfc3339(policy.updated_ms),
        deleted_at=when(policy.deleted_ms),
    )


def saved_view(
    current: Current, judged: tuple[JudgedRuleView, ...], warnings: Iterable[Problem]
) -> SavedPolicyView:
    """Return a policy that was just saved as it goes over the wire."""
    shown = msgspec.structs.asdict(view(current))
    return SavedPolicyView(**shown, judged=judged, warnings=warnings_view(warnings))


def warnings_view(warnings: Iterable[Problem]) -> tuple[FieldProblem, ...]:
    """Return warnings as they go over the wire."""
    return tuple(FieldProblem(path=each.path, code=each.code, message=each.message) for each in warnings)


def version_view(version: Version) -> VersionView:
    """Return a version as it goes over the wire."""
    return VersionView(
        **msgspec.structs.asdict(content_view(version.content)),
        policy_id=version.policy_id,
        number=version.number,
        digest=version.digest,
        author=version.author,
        reason=version.reason,
        created_at=rfc3339(version.created_ms),
    )


def content_view(content: Content) -> ContentView:
    """Return what a version says as it goes over the wire."""
    return ContentView(
        name=content.name,
        description=content.description,
        topic=content.topic,
        rules=tuple(_rule(rule) for rule in content.rules),
        conditions=content.conditions,
        risk=content.risk,
        action=content.action,
        on_indeterminate=content.on_indeterminate,
        examples=tuple(
            ExampleView(name=each.name, expect=each.expect, request=each.request) for each in content.examples
        ),
        mask=_mask(content.mask),
        evaluator=content.evaluator,
    )


def diff_view(diff: Diff) -> DiffView:
    """Return a difference as it goes over the wire."""
    return DiffView(
        fields=tuple(
            FieldChangeView(field=each.field, old=each.old, new=each.new, direction=each.direction)
            for each in diff.fields
        ),
        rules=tuple(
            RuleChangeView(
                change=each.change,
                id=each.id,
                old=_document(each.old),
                new=_document(each.new),
                direction=each.direction,
            )
            for each in diff.rules
        ),
        direction=diff.direction,
        text=diff.text,
    )


def _mask(mask: Mask | None) -> MaskView | None:
    return None if mask is None else MaskView(fields=mask.fields, personal_data=mask.personal_data)


def _rule(rule: Rule) -> RuleView:
    if isinstance(rule, DeterministicRule):
        return ExpressionView(
            id=rule.id, expr=rule.expr, lang=rule.lang, message=rule.message, attention=rule.attention
        )
    return TextView(
        id=rule.id, text=rule.text, effect=rule.effect, message=rule.message, attention=rule.attention
    )


def _document(rule: RuleDocument | None) -> RuleView | None:
    return None if rule is None else msgspec.convert(rule, RuleView)
