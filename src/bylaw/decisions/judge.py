"""Step 3 of a decision: judging rules. The deterministic ones first, all of them; then what can still matter.

What is in words, `consult` asks evaluators about.

Each deterministic rule has its own bounded number of steps, and all rules of a decision together little more:
a rule for which the rest is not enough, and all after it, are indeterminate with the code `decision_budget`.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from bylaw import rules
from bylaw.decisions.compiled import Applied, Ask, Check, CompiledPolicy, CompiledRules, called
from bylaw.decisions.followed import Followed
from bylaw.decisions.model import Judgement, RuleResult
from bylaw.evaluators.verdicts import Verdict
from bylaw.policies.model import Outcome
from bylaw.policies.outcomes import RANK
from bylaw.rules.limits import RULE

RULE_STEPS: Final = RULE.steps
DECISION_STEPS: Final = 6 * RULE_STEPS // 5


# A verdict, and the judgement that it came with; none where nobody was asked.
Said = tuple[Verdict, Judgement | None]


class Allowance(rules.Budget):
    """The steps of one rule (`left`), and those that the whole decision may still take (`total`)."""

    __slots__ = ("total",)

    def __init__(self, total: int = DECISION_STEPS) -> None:
        super().__init__(0)
        self.total = total


class Tally:
    """What is known about the rules of one policy: their results, and what occurred among them.

    `violated` are the positions of the rules that are.
    """

    __slots__ = ("attention", "compiled", "flagged", "results", "skipped", "starved", "undecided", "violated")

    def __init__(self, compiled: CompiledRules) -> None:
        self.compiled = compiled
        self.results = list(compiled.calm)
        self.violated: list[int] = []
        self.undecided = self.flagged = self.skipped = self.starved = self.attention = False

    def put(self, position: int, result: RuleResult, *, attention: bool = False) -> None:
        """Set the result of one rule. `attention`: it asks for a person if anything is found."""
        self.results[position] = result
        status = result.status
        if status == "violated":
            self.violated.append(position)
        elif status == "flagged":
            self.flagged = True
        elif status == "indeterminate":
            self.undecided = True
        self.attention |= attention and status in {"violated", "flagged"}

    @property
    def is_plain(self) -> bool:
        """Return whether which rules are violated says all about it."""
        return not (self.undecided or self.flagged or self.starved or self.compiled.asks)


def check_all(compiled: CompiledRules, facts: dict[str, object], allowance: Allowance) -> Tally | None:
    """Return what the deterministic rules come to; None when every rule is one and satisfied."""
    tally = Tally(compiled) if compiled.asks else None
    for check in compiled.checks:
        total, given = allowance.total, RULE_STEPS
        if total < RULE_STEPS:
            if total <= 0:
                tally = Tally(compiled) if tally is None else tally
                _starve(tally, check)
                continue
            given = total
        allowance.left = given
        verdict = check.evaluate(facts, allowance)
        allowance.total = total - given + allowance.left
        if verdict.status != "satisfied":
            tally = Tally(compiled) if tally is None else tally
            if verdict.status == "violated":
                tally.put(check.position, check.violated, attention=check.attention)
            elif verdict.code == "budget" and given < RULE_STEPS:
                _starve(tally, check)
            else:
                tally.put(check.position, check.indeterminate(verdict))
    return tally


def outcome_of(tally: Tally, policy: CompiledPolicy | None) -> Outcome:
    """Return the strictest of what the results ask for; None stands for the rules of the request.

    What the decision's budget left undecided counts as violated, so that nothing gets weaker by costing more.
    """
    violated: Outcome = "block" if policy is None else policy.violated
    undecided: Outcome = "review" if policy is None else policy.undecided
    outcome: Outcome = violated if tally.violated or tally.starved else "allow"
    if tally.undecided and RANK[undecided] > RANK[outcome]:
        outcome = undecided
    return "flag" if tally.flagged and outcome == "allow" else outcome


def strictest(outcomes: Iterable[Outcome]) -> Outcome:
    """Return the strictest outcome, `allow` when there is none."""
    return max(outcomes, key=RANK.__getitem__, default="allow")


class Waiting:
    """The rules in words of one decision that no verdict settles yet, each with the policy that it is of.

    The rules of the request are of no policy.
    """

    __slots__ = ("_owned", "rules")

    def __init__(self, owned: Sequence[tuple[CompiledPolicy | None, Tally]]) -> None:
        self._owned = owned
        self.rules = [(policy, tally, ask) for policy, tally in owned for ask in tally.compiled.asks]

    def drop_idle(self) -> None:
        """Drop those that settle nothing any more: they are not needed.

        Once the outcome is a block, none of them matters; in a policy that is violated, only those that could
        make it stricter.
        """
        blocked = strictest(outcome_of(tally, policy) for policy, tally in self._owned) == "block"
        left = []
        for policy, tally, ask in self.rules:
            if blocked or not _still_matters(ask, tally, policy):
                _set_aside(tally, ask, "not_needed", "Not judged: the outcome is settled without it.")
            else:
                left.append((policy, tally, ask))
        self.rules = left

    def leave(self, followed: Followed) -> None:
        """Leave out those that were decided when it was asked: they are not asked about the answer."""
        left = []
        for policy, tally, ask in self.rules:
            if policy is not None and followed.settles(policy, ask):
                said = f"It is about what was asked: receipt {followed.receipt_id} has decided it."
                _set_aside(tally, ask, "followed", said)
            else:
                left.append((policy, tally, ask))
        self.rules = left

    def settle(self, said: Mapping[str, Said]) -> None:
        """Record what evaluators say about the rules, by the ids of their questions."""
        for _, tally, ask in self.rules:
            if ask.question.id in said:
                settle(tally, ask, *said[ask.question.id])
        self.rules = [each for each in self.rules if each[2].question.id not in said]


def waiting(
    applied: Sequence[Applied], tallies: Sequence[Tally | None], extra: Tally | None
) -> Waiting | None:
    """Return the rules in words, which evaluators judge, None when there are none."""
    if not [1 for tally in (*tallies, extra) if tally is not None and tally.compiled.asks]:
        return None
    owned: list[tuple[CompiledPolicy | None, Tally]] = [
        (each.policy, tally) for each, tally in zip(applied, tallies, strict=True) if tally is not None
    ]
    if extra is not None:
        owned.append((None, extra))
    return Waiting(owned)


def settle(tally: Tally, ask: Ask, verdict: Verdict, judgement: Judgement | None) -> None:
    """Record what an evaluator says about a rule."""
    status = verdict.status
    said = ""
    if status == "violated":
        said = ask.message
    elif status == "indeterminate":
        said = f"`{called(ask.base.id, ask.question.text)}` is not decided: {verdict.message}."
    result = RuleResult(
        id=ask.base.id,
        kind="nl",
        status="flagged" if status == "violated" and ask.effect == "flag" else status,
        effect=ask.effect,
        source=ask.base.source,
        basis=verdict.basis,
        code=verdict.code,
        message=said,
        rationale=verdict.rationale,
        evidence=verdict.evidence,
        confidence=verdict.confidence,
        judgement=judgement,
        text=ask.base.text,
    )
    tally.put(ask.position, result, attention=ask.attention)


def _starve(tally: Tally, check: Check) -> None:
    tally.starved = True
    unread = rules.Verdict(
        status="indeterminate", code="budget", message="the rules before it used up the steps of one decision"
    )
    result = check.indeterminate(unread)
    tally.put(check.position, msgspec.structs.replace(result, code="decision_budget"))


def _still_matters(ask: Ask, tally: Tally, policy: CompiledPolicy | None) -> bool:
    if not tally.violated:
        return True
    worst = Tally(tally.compiled)
    worst.violated = [ask.position] if ask.effect == "reject" else []
    worst.flagged, worst.undecided = ask.effect == "flag", True
    return RANK[outcome_of(worst, policy)] > RANK[outcome_of(tally, policy)]


def _set_aside(tally: Tally, ask: Ask, code: str, said: str) -> None:
    tally.skipped = True
    result = msgspec.structs.replace(ask.base, status="not_applicable", code=code, message=said)
    tally.put(ask.position, result)
