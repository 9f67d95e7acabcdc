"""Policy versions, compiled once: whatever a decision needs of them, with fixed results made ahead."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from bylaw import rules
from bylaw.core.canonical_json import digest
from bylaw.core.errors import InvalidInput, Problem, RuleSyntax
from bylaw.decisions.model import ConditionResult, PolicyResult, RuleResult, Via
from bylaw.evaluators.protocol import THE_REQUEST, Question
from bylaw.policies.model import (
    Action,
    Chosen,
    Current,
    DeterministicRule,
    Effect,
    Mask,
    NaturalRule,
    Outcome,
    Outline,
    Risk,
    topic_key,
)
from bylaw.policies.outcomes import is_firm, when_undecided, when_violated
from bylaw.rules.conditions import Conditions, compile_conditions
from bylaw.tenancy.model import Place

APPLIES: Final = ConditionResult(state="applies")

# The ids that rules get when nobody gives them one, and the most characters of a rule in a sentence.
_NUMBERED: Final = re.compile("[rx][0-9]+")
_LONGEST: Final = 120

Evaluate = Callable[[dict[str, object], rules.Budget], rules.Verdict]


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """A deterministic rule: where its result stands among the policy's rules, and how it is evaluated."""

    position: int
    rule: rules.Rule
    evaluate: Evaluate
    satisfied: RuleResult
    violated: RuleResult
    attention: bool

    def indeterminate(self, verdict: rules.Verdict) -> RuleResult:
        """Return the result of a rule that `verdict` leaves undecided."""
        said = f"`{called(self.satisfied.id, self.rule.source)}` cannot be decided: {verdict.message}."
        return msgspec.structs.replace(
            self.satisfied, status="indeterminate", code=verdict.code, path=verdict.path, message=said
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask:
    """A rule in plain language: where its result stands, and what an evaluator is asked."""

    position: int
    question: Question
    base: RuleResult
    message: str
    attention: bool
    effect: Effect


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledRules:
    """Rules: those that are evaluated, those that are asked, and the results in order if all is well."""

    checks: tuple[Check, ...]
    asks: tuple[Ask, ...]
    calm: tuple[RuleResult, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CompiledPolicy:
    """One policy version, ready to be applied.

    `violated` and `undecided` are the outcomes it then asks for; one that is `firm` is never left out by
    likeness. `calm` are the results when it simply
    applies and every rule is satisfied. `stamp` is the version in canonical JSON, for the digest of what was
    applied.
    """

    id: str
    version: int
    digest: str
    name: str
    topic: str | None
    topic_key: str | None
    risk: Risk
    action: Action
    violated: Outcome
    undecided: Outcome
    firm: bool
    conditions: Conditions
    rules: CompiledRules
    mask: Mask | None
    calm: Mapping[Via, PolicyResult]
    stamp: bytes
    place: Place
    applied: dict[Via, "Applied"] = field(default_factory=dict, repr=False, compare=False)

    def __post_init__(self) -> None:
        for via in self.calm:
            self.applied[via] = Applied(self, via, APPLIES)

    def is_of(self, outline: Outline) -> bool:
        """Return whether it is the version that speaks for the policy now, where it now stands."""
        now = (outline.number, outline.digest, outline.place)
        return (self.version, self.digest, self.place) == now


class Applied(msgspec.Struct, frozen=True):
    """A policy that applies: how it was selected, and what its conditions say."""

    policy: CompiledPolicy
    via: Via
    conditions: ConditionResult


def compile_policy(current: Current) -> CompiledPolicy:
    """Return the version in force, compiled. Raises: InvalidInput naming the policy and the rule."""
    policy, version, content = current.policy, current.version, current.version.content
    where = f"policies[{policy.id}].rules"
    compiled = compile_rules(content.rules, where, owner=current, evaluator=content.evaluator)
    result = PolicyResult(
        id=policy.id,
        version=version.number,
        digest=version.digest,
        name=content.name,
        topic=content.topic,
        risk=content.risk,
        action=content.action,
        via="place",
        conditions=APPLIES,
        status="satisfied",
        outcome="allow",
        rules=compiled.calm,
    )
    stamp = {"digest": version.digest, "id": str(policy.id), "version": version.number}
    return CompiledPolicy(
        id=policy.id,
        version=version.number,
        digest=version.digest,
        name=content.name,
        topic=content.topic,
        topic_key=None if content.topic is None else topic_key(content.topic),
        risk=content.risk,
        action=content.action,
        violated=when_violated(content),
        undecided=when_undecided(content),
        firm=is_firm(content),
        conditions=compile_conditions(content.conditions),
        rules=compiled,
        mask=content.mask,
        calm={
            "place": result,
            "bound": msgspec.structs.replace(result, via="bound"),
            "explicit": msgspec.structs.replace(result, via="explicit"),
        },
        stamp=msgspec.json.encode(stamp),
        place=policy.place,
    )


def compile_rules(
    written: tuple[DeterministicRule | NaturalRule, ...],
    where: str,
    *,
    owner: Current | None = None,
    evaluator: Chosen | None = None,
) -> CompiledRules:
    """Return `written` compiled; those that came with a request have no `owner`. Raises: InvalidInput.

    `evaluator` is the only one that may judge those in words, None when anyone may.
    """
    checks, asks, calm = [], [], []
    for position, rule in enumerate(written):
        if isinstance(rule, DeterministicRule):
            check = _check(rule, position, where, extra=owner is None)
            checks.append(check)
            calm.append(check.satisfied)
        else:
            ask = _ask(rule, position, owner, evaluator)
            asks.append(ask)
            calm.append(ask.base)
    return CompiledRules(checks=tuple(checks), asks=tuple(asks), calm=tuple(calm))


def called(ident: str, text: str) -> str:
    """Return what a sentence calls a rule: the id that its author chose, or else its text, cut when long."""
    return _cut(text) if _NUMBERED.fullmatch(ident) else ident


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _check(rule: DeterministicRule, position: int, where: str, *, extra: bool) -> Check:
    try:
        compiled = rules.compile(rule.expr)
    except RuleSyntax as error:
        path = f"{where}[{position}].expr"
        problem = Problem(path=path, code=error.code, message=f"{error.message}\n{error.caret}")
        raise InvalidInput(f"{path}: {error.message}", problem) from error
    satisfied = RuleResult(
        id=rule.id,
        kind="deterministic",
        status="satisfied",
        source="request" if extra else "policy",
        text=rule.expr if extra else "",
    )
    return Check(
        position=position,
        rule=compiled,
        evaluate=compiled.evaluate,
        satisfied=satisfied,
        violated=msgspec.structs.replace(
            satisfied, status="violated", message=rule.message or f"`{_cut(rule.expr)}` does not hold."
        ),
        attention=rule.attention,
    )


def _ask(rule: NaturalRule, position: int, owner: Current | None, evaluator: Chosen | None) -> Ask:
    said = digest({"effect": rule.effect, "text": rule.text, "type": "nl"})
    return Ask(
        position=position,
        question=Question(
            id=f"{THE_REQUEST if owner is None else owner.policy.id}/{rule.id}",
            text=rule.text,
            effect=rule.effect,
            digest=said,
            evaluator=evaluator,
            place=None if owner is None else owner.policy.place,
            risk="MEDIUM" if owner is None else owner.version.content.risk,
        ),
        base=RuleResult(
            id=rule.id,
            kind="nl",
            status="satisfied",
            effect=rule.effect,
            source="request" if owner is None else "policy",
            text=rule.text if owner is None else "",
        ),
        message=rule.message or rule.text,
        attention=rule.attention,
        effect=rule.effect,
    )
