"""What is sent to the routes of evaluators, and what they answer."""

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from bylaw.decisions.model import Judgement, RuleResult
from bylaw.evaluators.judging import Judging, Left
from bylaw.policies.model import Chosen, Effect
from bylaw.policies.rules import MAX_RULE_TEXT, MAX_RULES

Wording = Annotated[str, Meta(min_length=1, max_length=MAX_RULE_TEXT)]


class _Sent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A part of a request; unknown fields are refused."""


class WordedRule(_Sent, frozen=True):
    """A rule in words; its `effect` is read from the wording when it is not given."""

    text: Wording
    effect: Effect | UnsetType = UNSET


class RulesToExplain(_Sent, frozen=True):
    """The rules of which it is asked: one by its `text`, several, or those of a policy's newest version.

    `evaluator` is the only one that may judge them; null is for the usual order. A policy has its own.
    """

    text: Wording | None = None
    rules: Annotated[tuple[WordedRule, ...], Meta(max_length=MAX_RULES)] = ()
    policy_id: str | None = None
    evaluator: Chosen | None = None


class RuleToTry(_Sent, frozen=True):
    """A rule in words, and a decision request in whose facts it is judged."""

    rule: Wording
    context: dict[str, object]
    effect: Effect | UnsetType = UNSET
    evaluator: Chosen | None = None


class EvaluatorView(msgspec.Struct, frozen=True, kw_only=True):
    """One evaluator: whether there is one of this kind here, and how it does.

    `digest` identifies it with its settings. `model` names the model it asks. `breaker` is `closed` while the
    model is asked, `open` while it is left alone because it failed several times in a row, `half_open` while
    one call tries it again; null where nothing can fail. `tokens_today` are those that this tenant used in
    this process today (UTC), `tokens_per_day` how many it may, 0 for any number.
    """

    id: Chosen
    is_configured: bool
    digest: str
    model: str
    breaker: Literal["closed", "open", "half_open"] | None
    tokens_today: int
    tokens_per_day: int


class EvaluatorsView(msgspec.Struct, frozen=True, kw_only=True):
    """Who judges rules in words here, in the order in which they are asked.

    `hit_rate` is the part of the rules whose verdict this process knew from before, null before the first.
    """

    evaluators: tuple[EvaluatorView, ...]
    hit_rate: float | None


class JudgedRuleView(msgspec.Struct, frozen=True, kw_only=True):
    """How one rule in words is judged here.

    `judged_by` are the evaluators that are asked, in order. `left` says which of its cases nobody here can
    judge, so that they are undecided. `how` says what the offline evaluator looks for, and `shape` which kind
    of wording that is; with `needs_judge`, it leaves some or all cases to a model or a person, for the reason
    `why`, and `rewording` says what could be written instead.
    """

    rule_id: str
    text: str
    effect: Effect
    judged_by: tuple[Chosen, ...]
    left: Left
    shape: str
    how: str
    needs_judge: bool
    why: str
    rewording: str


class JudgedRulesView(msgspec.Struct, frozen=True, kw_only=True):
    """How rules are judged here, in their order."""

    rules: tuple[JudgedRuleView, ...]


class TriedRuleView(msgspec.Struct, frozen=True, kw_only=True):
    """What the rule came to, and who was asked at what cost. Nothing of it is kept, and no receipt made."""

    result: RuleResult
    evaluators: tuple[Judgement, ...]


def judged_rule_view(rule_id: str, text: str, effect: Effect, found: Judging) -> JudgedRuleView:
    """Return how a rule is judged as it goes over the wire."""
    offline = found.offline
    return JudgedRuleView(
        rule_id=rule_id,
        text=text,
        effect=effect,
        judged_by=found.by,
        left=found.left,
        shape=offline.shape,
        how=offline.how,
        needs_judge=offline.needs_judge,
        why=offline.why,
        rewording=offline.rewording,
    )
