"""A review of a rule's wording: what is ambiguous, wordy, unclear, too wide or not to be acted on.

The score is 100 less what its issues cost: 35 for a high one, 15 for a medium, 5 for a low, and no check
costs more than twice its dearest issue. An empty text scores 0. A text in another language than English
keeps 100 and is told so: nothing was checked. The severity is that of the worst issue.

Limits: the first `MOST_READ` characters are read. The words are those of docs/explanation/advice.md.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from bylaw.policies.advice import action, ambiguity, clarity
from bylaw.policies.advice.model import Advice, Issue, Severity
from bylaw.policies.advice.reading import Reading, read

COSTS: Final[dict[Severity, int]] = {"none": 0, "low": 5, "medium": 15, "high": 35}
MOST_ISSUES: Final = 50

_RANKS: Final[tuple[Severity, ...]] = ("none", "low", "medium", "high")


def review(text: str, *, also: Sequence[Issue] = ()) -> Advice:
    """Return what a careful reader would say about the wording of one rule in plain language.

    `also` are issues that somebody else found; they cost what their severity costs.
    """
    reading = read(text)
    issues = sorted([*_issues(reading), *also], key=lambda issue: (issue.start, issue.end, issue.code))
    worst = _RANKS[max((_RANKS.index(issue.severity) for issue in issues), default=0)]
    score = 0 if not reading.words else _score(issues)
    return Advice(
        score=score,
        severity=worst,
        advice=_advice(reading, issues, worst),
        issues=tuple(issues[:MOST_ISSUES]),
    )


def _issues(reading: Reading) -> Iterator[Issue]:
    known = (*action.CHECKS, *ambiguity.CHECKS, *clarity.CHECKS) if reading.is_english else ()
    for check in (*known, *clarity.ANY_LANGUAGE):
        yield from check(reading)


def _score(issues: Sequence[Issue]) -> int:
    costs: dict[str, list[int]] = {}
    for issue in issues:
        costs.setdefault(issue.code, []).append(COSTS[issue.severity])
    return max(0, 100 - sum(min(sum(each), 2 * max(each)) for each in costs.values()))


def _advice(reading: Reading, issues: Sequence[Issue], worst: Severity) -> str:
    if not reading.words:
        return "The rule is empty: write what the agent must do, or must not do, and when."
    if not reading.is_english:
        return "The checks know English only; this text was not scored down, and needs a second reader."
    if not issues:
        return "The rule is specific and can be acted on; nothing to mend was found."
    dearest = max(issues, key=lambda issue: (COSTS[issue.severity], -issue.start))
    begin = {
        "high": "The rule cannot be applied consistently as it stands.",
        "medium": "The rule can be applied, and readers will differ on some cases.",
    }.get(worst, "The rule is clear but for details.")
    return f"{begin} Begin with this: {dearest.suggestion}"
