"""Policies as values: an identity with a lifecycle, and versions that never change."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

from bylaw.core.canonical_json import Json
from bylaw.core.ids import PolicyId, TenantId
from bylaw.tenancy.model import EVERYWHERE, Place

Status = Literal["pending_review", "approved", "rejected", "archived"]
Reach = Literal["place", "bound"]
Risk = Literal["LOW", "MEDIUM", "HIGH"]
Action = Literal["log", "alert", "review", "block"]
Outcome = Literal["allow", "flag", "review", "block"]
Effect = Literal["reject", "flag"]
Phase = Literal["input", "output", "tool_call", "tool_result", "decision"]
Expectation = Literal["pass", "violate"]
PersonalData = Literal["email", "iban", "card", "phone"]
Chosen = Literal["offline", "model"]


_FRAME: Final = frozenset({"role", "phase"})


@dataclass(frozen=True, slots=True, kw_only=True)
class DeterministicRule:
    """A boolean expression of the rule language that must be true to comply.

    `message` is what a person reads when it is not; `attention` asks for an attention item.
    """

    id: str
    expr: str
    lang: str = "cel/1"
    message: str = ""
    attention: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class NaturalRule:
    """A rule in plain language, judged by an evaluator; `effect` was settled when it was saved."""

    id: str
    text: str
    effect: Effect = "reject"
    message: str = ""
    attention: bool = False


Rule = DeterministicRule | NaturalRule


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A case that the policy must pass or must find violated; `request` is a decision request as data."""

    name: str
    expect: Expectation
    request: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mask:
    """What is withheld from those who are shown what was said or done.

    `fields` are paths into it (`tool_result.orders.*.email`), `personal_data` the kinds that are found in its
    text.
    """

    fields: tuple[str, ...] = ()
    personal_data: tuple[PersonalData, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """What a version says; its canonical bytes are what the digest covers.

    `on_indeterminate` is None for the default of the action: review for block and review, flag for alert,
    allow for log. Without rules, it has a mask. `evaluator` is the only one that may judge its rules in
    words; None is for the usual order, the offline one first and then the model on what that leaves open.
    """

    name: str
    description: str = ""
    topic: str | None = None
    rules: tuple[Rule, ...]
    conditions: Mapping[str, Json] | None = None
    risk: Risk = "MEDIUM"
    action: Action = "block"
    on_indeterminate: Outcome | None = None
    examples: tuple[Example, ...] = ()
    mask: Mask | None = None
    evaluator: Chosen | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """An immutable content with its number, author and reason; `digest` covers its canonical bytes."""

    policy_id: PolicyId
    number: int
    content: Content
    digest: str
    author: str
    reason: str
    created_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a policy came from; a proposal carries its conversation, confidence and evidence."""

    type: str = "manual"
    conversation_id: str | None = None
    confidence: float | None = None
    rationale: str | None = None
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """An identity with a lifecycle.

    `latest` is the newest version; `approved` the newest one that was approved, which is the one in force;
    `pending` one that waits for approval while `approved` stays in force. `revision` rises with every change
    and is the ETag. `slug` is the name under which a pack of files knows it, or None.
    """

    id: PolicyId
    tenant_id: TenantId
    place: Place = EVERYWHERE
    reach: Reach = "place"
    slug: str | None = None
    status: Status = "approved"
    is_active: bool = True
    source: Source = Source()
    latest: int = 1
    approved: int | None = 1
    pending: int | None = None
    decided_by: str | None = None
    decided_reason: str | None = None
    created_by: str
    created_ms: int
    updated_by: str
    updated_ms: int
    deleted_ms: int | None = None
    revision: int = 1

    @property
    def current(self) -> int:
        """The number of the version that speaks for it: the approved one, or the newest if none ever was."""
        return self.latest if self.approved is None else self.approved

    @property
    def is_in_force(self) -> bool:
        """Whether decisions are checked against it."""
        return (
            self.status == "approved"
            and self.is_active
            and self.deleted_ms is None
            and self.approved is not None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Current:
    """A policy together with its current version."""

    policy: Policy
    version: Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Outline:
    """A policy without its text: where it stands, and which version speaks for it."""

    id: PolicyId
    place: Place
    reach: Reach
    is_in_force: bool
    number: int
    digest: str


def outline(current: Current) -> Outline:
    """Return a policy with its current version as an outline."""
    policy, version = current.policy, current.version
    return Outline(
        id=policy.id,
        place=policy.place,
        reach=policy.reach,
        is_in_force=policy.is_in_force,
        number=version.number,
        digest=version.digest,
    )


def topic_key(topic: str) -> str:
    """Return what topics are compared by: case folded, with `_`, `-` and spaces as one space."""
    return " ".join(topic.casefold().replace("_", " ").replace("-", " ").split())


def search_text(content: Content) -> str:
    """Return what a text filter looks in, case-folded, one a line: all that `content` says in words.

    That is name, description, topic, rules, examples and conditions.
    """
    rules = [rule.text if isinstance(rule, NaturalRule) else rule.expr for rule in content.rules]
    examples = [text for each in content.examples for text in (each.name, *told_in(each.request))]
    wanted = {} if content.conditions is None else content.conditions
    conditions = [text for key, value in wanted.items() for text in (key, *told_in(value))]
    said = [content.name, content.description, content.topic or "", *rules, *examples, *conditions]
    return "\n".join(said).casefold()


def told_in(value: Json) -> Iterator[str]:
    """Yield the texts inside a JSON value, but for those that only say who speaks and when."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if key not in _FRAME:
                yield from told_in(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from told_in(inner)
