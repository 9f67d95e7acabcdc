"""How good evaluators are: their verdicts on labelled cases, counted.

A case is positive when a rule is broken. What is undecided counts against recall and for abstention, never as
right. `missed` are broken rules that were said to hold: the dearest error, as nobody looks at them again.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bylaw.backtest.labelled import Expected, LabelledCase
from bylaw.backtest.proportion import Proportion, percentile, proportion
from bylaw.decisions.compiled import compile_rules
from bylaw.decisions.consult import Matter, consult
from bylaw.decisions.judge import Tally, Waiting
from bylaw.decisions.model import Judgement, RuleResult
from bylaw.decisions.request import matter_of
from bylaw.evaluators.panel import Panel

Found = Literal["satisfied", "violated", "indeterminate"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scored:
    """What came of one case; `confidence` is that of the rule that is found broken, if it has one.

    Units: `duration_ms` in milliseconds.
    """

    case: LabelledCase
    found: Found
    basis: str
    code: str
    confidence: float | None
    judgements: tuple[Judgement, ...]
    duration_ms: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Quality:
    """How often what was said is right; `confusion` counts cases by what is expected and what was found."""

    cases: int
    precision: Proportion
    recall: Proportion
    abstention: Proportion
    missed: Proportion
    false_alarms: Proportion
    confusion: Mapping[Expected, Mapping[Found, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Threshold:
    """From which confidence on a broken rule counts, so that false alarms are at most `at_most` of the cases.

    `confidence` is None when no threshold keeps to it.
    """

    at_most: float
    confidence: float | None
    false_alarms: Proportion
    recall: Proportion


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """What evaluators are worth on these cases: in all, by rule, and by who decided on what basis.

    Units: times in milliseconds for each case, `cost_micros` in millionths of the currency.
    """

    whole: Quality
    rules: Mapping[str, Quality]
    bases: Mapping[str, int]
    undecided: Mapping[str, int]
    p50_ms: float
    p95_ms: float
    tokens_in: int
    tokens_out: int
    cost_micros: int
    threshold: Threshold | None


async def judge_cases(
    panel: Panel, cases: Iterable[LabelledCase], *, ticks: Callable[[], int] = time.perf_counter_ns
) -> Sequence[Scored]:
    """Return what the panel says about each case, one after the other. Units: `ticks` counts nanoseconds."""
    found = []
    for case in cases:
        began = ticks()
        tally = Tally(compile_rules(case.rules, "rules", evaluator=case.evaluator))
        matter = Matter(
            facts=matter_of(case.request), asker="", until=began + panel.timeout_ms * 1_000_000, ticks=ticks
        )
        judgements = await consult(panel, Waiting([(None, tally)]), matter)
        told = _foremost(tally.results)
        found.append(
            Scored(
                case=case,
                found=_found(told),
                basis="" if told.status == "indeterminate" else told.basis,
                code=told.code,
                confidence=told.confidence,
                judgements=judgements,
                duration_ms=(ticks() - began) / 1e6,
            )
        )
    return found


def score(scored: Sequence[Scored], *, at_most: float | None = None) -> Score:
    """Return the figures of what was judged; `at_most` asks for the threshold at so many false alarms."""
    by_rule: dict[str, list[Scored]] = {}
    for each in scored:
        by_rule.setdefault(each.case.label, []).append(each)
    paid = [judgement for each in scored for judgement in each.judgements]
    times = [each.duration_ms for each in scored]
    return Score(
        whole=_quality(scored),
        rules={label: _quality(some) for label, some in sorted(by_rule.items())},
        bases=dict(sorted(Counter(each.basis for each in scored if each.basis).items())),
        undecided=dict(sorted(Counter(each.code for each in scored if not each.basis).items())),
        p50_ms=round(percentile(times, 0.5), 3),
        p95_ms=round(percentile(times, 0.95), 3),
        tokens_in=sum(each.tokens_in for each in paid),
        tokens_out=sum(each.tokens_out for each in paid),
        cost_micros=sum(each.cost_micros for each in paid),
        threshold=None if at_most is None else _threshold(scored, at_most),
    )


def _quality(scored: Sequence[Scored]) -> Quality:
    seen = Counter((each.case.expected, each.found) for each in scored)
    broken, kept = ({one: seen[expected, one] for one in _FOUND} for expected in ("violated", "satisfied"))
    said = broken["violated"] + kept["violated"]
    undecided = broken["indeterminate"] + kept["indeterminate"]
    return Quality(
        cases=len(scored),
        precision=proportion(broken["violated"], said),
        recall=proportion(broken["violated"], sum(broken.values())),
        abstention=proportion(undecided, len(scored)),
        missed=proportion(broken["satisfied"], sum(broken.values())),
        false_alarms=proportion(kept["violated"], sum(kept.values())),
        confusion={"violated": broken, "satisfied": kept},
    )


def _threshold(scored: Sequence[Scored], at_most: float) -> Threshold | None:
    """Return the lowest confidence that keeps to `at_most`; None where nobody says how sure they are."""
    alarms = [each for each in scored if each.found == "violated" and each.confidence is not None]
    if not alarms:
        return None
    right = sorted(each.confidence or 0.0 for each in alarms if each.case.expected == "violated")
    wrong = sorted(each.confidence or 0.0 for each in alarms if each.case.expected == "satisfied")
    broken = sum(each.case.expected == "violated" for each in scored)
    kept = len(scored) - broken

    def above(confidences: Sequence[float], least: float) -> int:
        return sum(each >= least for each in confidences)

    fit = [least for least in sorted({*right, *wrong}) if not kept or above(wrong, least) / kept <= at_most]
    least = fit[0] if fit else None
    return Threshold(
        at_most=at_most,
        confidence=least,
        false_alarms=proportion(0 if least is None else above(wrong, least), kept),
        recall=proportion(0 if least is None else above(right, least), broken),
    )


_FOUND: tuple[Found, ...] = ("satisfied", "violated", "indeterminate")
_ORDER = ("violated", "flagged", "indeterminate", "satisfied", "not_applicable")


def _foremost(results: Sequence[RuleResult]) -> RuleResult:
    """Return the result that speaks for all rules of a case."""
    judged = [each for each in results if each.code != "not_needed"] or results
    return min(judged, key=lambda each: _ORDER.index(each.status))


def _found(result: RuleResult) -> Found:
    if result.status == "indeterminate":
        return "indeterminate"
    return "violated" if result.status in {"violated", "flagged"} else "satisfied"
