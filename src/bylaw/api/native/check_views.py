"""What is sent to have a draft of a policy checked, and what is answered."""

from typing import Literal

import msgspec

from bylaw.api.native.evaluator_views import JudgedRuleView
from bylaw.api.native.policy_requests import NewPolicy, Object
from bylaw.api.problems import FieldProblem
from bylaw.decisions.drafts import CameTo
from bylaw.decisions.explain import Explanation
from bylaw.decisions.model import RuleResult
from bylaw.policies.advice.model import Advice, IssueType, Severity
from bylaw.policies.model import Outcome


class DraftPolicy(NewPolicy, frozen=True, kw_only=True):
    """A policy as it might be written.

    `policy_id` is the one that it would change, where that is. `request` is a decision request that is tried
    on it. `asks_model`: the model, where there is one, judges what the offline evaluator leaves open; that
    costs tokens.
    """

    policy_id: str | None = None
    request: Object | None = None
    asks_model: bool = False


class IssueView(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to mend in a wording: `quote` stands in it from `start` to `end`, in code points."""

    type: IssueType
    code: str
    severity: Severity
    start: int
    end: int
    quote: str
    description: str
    suggestion: str


class AdviceView(msgspec.Struct, frozen=True, kw_only=True):
    """What a careful reader would say about the wording of one rule; `score`, 0 to 100, higher is better."""

    rule_id: str
    score: int
    severity: Severity
    advice: str
    issues: tuple[IssueView, ...]


class TriedExampleView(msgspec.Struct, frozen=True, kw_only=True):
    """What an example came to by the draft alone.

    `came_to` is `unusable` where its request is none; `message` says why. `rules` are what each rule came to,
    none where the draft did not apply.
    """

    name: str
    expect: Literal["pass", "violate"]
    came_to: CameTo | Literal["unusable"]
    is_as_expected: bool
    outcome: Outcome
    message: str
    rules: tuple[RuleResult, ...] = ()


class CheckedPolicyView(msgspec.Struct, frozen=True, kw_only=True):
    """What there is to say about a draft.

    `problems` have to be mended before it can be saved; while there are any, examples and the request are not
    tried. `warnings` are what is probably not meant. `judged` says how each rule in words will be judged,
    `advice` how it is worded. `waits`: saved, it would wait for review. `explanation` is that of the request
    by the draft alone, null where none was sent.
    """

    problems: tuple[FieldProblem, ...]
    warnings: tuple[FieldProblem, ...]
    judged: tuple[JudgedRuleView, ...]
    advice: tuple[AdviceView, ...]
    examples: tuple[TriedExampleView, ...]
    waits: bool
    explanation: Explanation | None


def advice_view(rule_id: str, text: str, advice: Advice) -> AdviceView:
    """Return the review of a rule's wording as it goes over the wire."""
    return AdviceView(
        rule_id=rule_id,
        score=advice.score,
        severity=advice.severity,
        advice=advice.advice,
        issues=tuple(
            IssueView(
                type=each.type,
                code=each.code,
                severity=each.severity,
                start=each.start,
                end=each.end,
                quote=text[each.start : each.end],
                description=each.description,
                suggestion=each.suggestion,
            )
            for each in advice.issues
        ),
    )
