"""Contents as plain data: the canonical document of a version, its digest, and the way back.

The document always holds every field of today's `Content`. A field that is added later is written only when
it differs from its default, so the digest of an old version never changes.
"""

from collections.abc import Mapping
from typing import Literal, NotRequired, TypedDict, cast

from bylaw.core import canonical_json
from bylaw.core.canonical_json import Json
from bylaw.policies.model import (
    Action,
    Chosen,
    Content,
    DeterministicRule,
    Effect,
    Example,
    Expectation,
    Mask,
    NaturalRule,
    Outcome,
    PersonalData,
    Risk,
    Rule,
)


class DeterministicDocument(TypedDict):
    """A deterministic rule as plain data."""

    id: str
    type: Literal["deterministic"]
    expr: str
    lang: str
    message: str
    attention: bool


class NaturalDocument(TypedDict):
    """A rule in plain language as plain data."""

    id: str
    type: Literal["nl"]
    text: str
    effect: Effect
    message: str
    attention: bool


RuleDocument = DeterministicDocument | NaturalDocument


class ExampleDocument(TypedDict):
    """An example as plain data."""

    name: str
    expect: Expectation
    request: Mapping[str, Json]


class MaskDocument(TypedDict):
    """A mask as plain data."""

    fields: list[str]
    personal_data: list[PersonalData]


class ContentDocument(TypedDict):
    """A content as plain data: what is stored, and what the digest covers."""

    name: str
    description: str
    topic: str | None
    rules: list[RuleDocument]
    conditions: Mapping[str, Json] | None
    risk: Risk
    action: Action
    on_indeterminate: Outcome | None
    examples: list[ExampleDocument]
    mask: NotRequired[MaskDocument]
    evaluator: NotRequired[Chosen]


def document(content: Content) -> ContentDocument:
    """Return `content` as plain data, ready for JSON."""
    written = ContentDocument(
        name=content.name,
        description=content.description,
        topic=content.topic,
        rules=[rule_document(rule) for rule in content.rules],
        conditions=content.conditions,
        risk=content.risk,
        action=content.action,
        on_indeterminate=content.on_indeterminate,
        examples=[
            ExampleDocument(name=example.name, expect=example.expect, request=example.request)
            for example in content.examples
        ],
    )
    if content.mask is not None:
        written["mask"] = mask_document(content.mask)
    if content.evaluator is not None:
        written["evaluator"] = content.evaluator
    return written


def mask_document(mask: Mask) -> MaskDocument:
    """Return a mask as plain data."""
    return MaskDocument(fields=list(mask.fields), personal_data=list(mask.personal_data))


def rule_document(rule: Rule) -> RuleDocument:
    """Return one rule as plain data."""
    if isinstance(rule, DeterministicRule):
        return DeterministicDocument(
            id=rule.id,
            type="deterministic",
            expr=rule.expr,
            lang=rule.lang,
            message=rule.message,
            attention=rule.attention,
        )
    return NaturalDocument(
        id=rule.id,
        type="nl",
        text=rule.text,
        effect=rule.effect,
        message=rule.message,
        attention=rule.attention,
    )


def content_digest(content: Content) -> str:
    """Return `sha256:` and the hexadecimal SHA-256 of the canonical document."""
    return canonical_json.digest(cast("Json", document(content)))


def restore_content(stored: ContentDocument) -> Content:
    """Return the content that `document` wrote; it is for stored documents, so nothing is checked again."""
    return Content(
        name=stored["name"],
        description=stored["description"],
        topic=stored["topic"],
        rules=tuple(_restore_rule(rule) for rule in stored["rules"]),
        conditions=stored["conditions"],
        risk=stored["risk"],
        action=stored["action"],
        on_indeterminate=stored["on_indeterminate"],
        examples=tuple(
            Example(name=example["name"], expect=example["expect"], request=example["request"])
            for example in stored["examples"]
        ),
        mask=_restore_mask(stored["mask"]) if "mask" in stored else None,
        evaluator=stored.get("evaluator"),
    )


def _restore_mask(mask: MaskDocument) -> Mask:
    return Mask(fields=tuple(mask["fields"]), personal_data=tuple(mask["personal_data"]))


def _restore_rule(rule: RuleDocument) -> Rule:
    if rule["type"] == "deterministic":
        return DeterministicRule(
            id=rule["id"],
            expr=rule["expr"],
            lang=rule["lang"],
            message=rule["message"],
            attention=rule["attention"],
        )
    return NaturalRule(
        id=rule["id"],
        text=rule["text"],
        effect=rule["effect"],
        message=rule["message"],
        attention=rule["attention"],
    )
