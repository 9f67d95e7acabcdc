"""How far a decision may be trusted, in figures: a pure function of what was decided and what was found.

1. `trust` begins at 100. Each rule takes away from it: a flagged one `FLAGGED`, a violated one `VIOLATED` by
   the risk of its policy (rules of the request: HIGH), an indeterminate one half of that. A rule that was not
   judged because the outcome was settled without it counts as violated: being worse makes nothing better. An
   injection takes away `INJECTION`, sensitive data `SENSITIVE` by their level, no policy at all `UNGOVERNED`.
2. It is no more than `MOST` for the outcome, no more than `NOT_COMPLIANT` unless compliant, and at least 0.
3. `risk` is the highest of the decision's, `FLOOR` for its outcome, medium unless compliant, high when there
   is an injection, and medium when sensitive data are high.

Anything worse never raises `trust` and never lowers `risk`. docs/reference/assessment.md shows the tables.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Final

from bylaw.decisions.model import Decision, Request, RuleResult
from bylaw.decisions.request import matter_of
from bylaw.evaluators.injection.detect import MOST_READ, injection
from bylaw.evaluators.sensitive import Level, sensitive_data, texts
from bylaw.policies.model import Outcome, Risk
from bylaw.receipts.model import Assessment

FLAGGED: Final = 15
VIOLATED: Final[Mapping[Risk, int]] = {"LOW": 20, "MEDIUM": 30, "HIGH": 40}
INJECTION: Final = 40
SENSITIVE: Final[Mapping[Level, int]] = {"low": 0, "medium": 5, "high": 15}
UNGOVERNED: Final = 30
MOST: Final[Mapping[Outcome, int]] = {"allow": 100, "flag": 89, "review": 69, "block": 39}
NOT_COMPLIANT: Final = 59
FLOOR: Final[Mapping[Outcome, Level]] = {
    "allow": "low",
    "flag": "medium",
    "review": "medium",
    "block": "high",
}

# A sign of an injection is shorter than this: so much of one stretch is looked at again with the next.
_OVERLAP: Final = 500
_LEVELS: Final[tuple[Level, ...]] = ("low", "medium", "high")
_OF_RISK: Final[Mapping[Risk, Level]] = {"LOW": "low", "MEDIUM": "medium", "HIGH": "high"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What the offline finders see in a request: an attempt of an injection, and how sensitive data are."""

    injection: bool
    sensitive_data: Level


def findings(request: Request) -> Findings:
    """Return what is found in everything that the request says, its metadata included."""
    matter = matter_of(request)
    return Findings(
        injection=any(injection(part).is_attempt for part in _stretches("\n\n".join(texts(matter)))),
        sensitive_data=sensitive_data(matter).level,
    )


def assess(decision: Decision, found: Findings) -> Assessment:
    """Return how far `decision` may be trusted, given what was found in its request."""
    taken = sum(chain(_taken(decision), [INJECTION * found.injection, SENSITIVE[found.sensitive_data]]))
    most = MOST[decision.outcome] if decision.compliant else min(MOST[decision.outcome], NOT_COMPLIANT)
    levels: list[Level] = [
        _OF_RISK[decision.risk],
        FLOOR[decision.outcome],
        "low" if decision.compliant else "medium",
        "high" if found.injection else "low",
        "medium" if found.sensitive_data == "high" else "low",
    ]
    return Assessment(
        injection=found.injection,
        risk=max(levels, key=_LEVELS.index),
        sensitive_data=found.sensitive_data,
        trust=max(0, min(most, 100 - taken)),
    )


def _taken(decision: Decision) -> Iterator[int]:
    """Yield what each rule takes away, and that there was none."""
    for policy in decision.policies:
        yield from _of_rules(policy.rules, VIOLATED[policy.risk])
    yield from _of_rules(decision.extra_rules, VIOLATED["HIGH"])
    yield UNGOVERNED if decision.posture == "ungoverned" else 0


def _of_rules(rules: Iterable[RuleResult], violated: int) -> Iterator[int]:
    for rule in rules:
        if rule.status == "violated" or (rule.status == "not_applicable" and rule.code == "not_needed"):
            yield violated
        elif rule.status == "indeterminate":
            yield violated // 2
        elif rule.status == "flagged":
            yield FLAGGED


def _stretches(text: str) -> Iterator[str]:
    """Yield the text in parts that are read whole, each with the end of the one before."""
    for start in range(0, max(1, len(text)), MOST_READ - _OVERLAP):
        yield text[start : start + MOST_READ]
