"""Step 4 of a decision: from the results of rules to policies, and from those to one outcome with reasons."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from bylaw.decisions.judge import Tally, outcome_of, strictest
from bylaw.decisions.model import PolicyResult, PolicyStatus, Posture, RuleResult
from bylaw.decisions.select import Applied, Selection
from bylaw.policies.model import Outcome, Risk

_RISK_RANK: Final[dict[Risk, int]] = {"LOW": 0, "MEDIUM": 1, "HIGH": 2}


class Combined(msgspec.Struct, frozen=True, kw_only=True):
    """What the results of all rules come to; `attention`: policies with a rule that asks for a person."""

    outcome: Outcome
    compliant: bool
    posture: Posture
    risk: Risk
    reasons: tuple[str, ...]
    policies: tuple[PolicyResult, ...]
    extra_rules: tuple[RuleResult, ...]
    extra_outcome: Outcome
    attention: frozenset[str]


def combine(selection: Selection, tallies: Sequence[Tally], extra: Tally) -> Combined:
    """Return what the results come to; `tallies` stand in the order of `selection.applied`."""
    policies = tuple(map(policy_result, selection.applied, tallies))
    extra_rules = extra.compiled.calm if extra.results is None else tuple(extra.results)
    extra_outcome = outcome_of(extra, None)
    outcome = strictest((*[policy.outcome for policy in policies], extra_outcome))
    governed = bool(policies or extra_rules)
    reasons = list(_reasons(policies, tallies, extra))
    if selection.dormant is not None:
        reasons.append(f"The policy {selection.dormant!r} that is bound to the agent is not in force.")
    if not governed:
        reasons.append("No policy applies: the decision is ungoverned.")
    if not policies and selection.standing.requires_policy:
        outcome = "block"
        reasons.append("A policy is required here, and none applies.")
    if not reasons:
        count = sum(len(policy.rules) for policy in policies) + len(extra_rules)
        reasons.append(f"Every rule is satisfied ({count} of {len(policies)} policies and the request).")
    return Combined(
        outcome=outcome,
        compliant=not any(_breaks(tally) for tally in tallies) and not _breaks(extra),
        posture="governed" if governed else "ungoverned",
        risk=_risk(policies, extra),
        reasons=tuple(reasons),
        policies=policies,
        extra_rules=extra_rules,
        extra_outcome=extra_outcome,
        attention=frozenset(p.id for p, tally in zip(policies, tallies, strict=True) if tally.attention),
    )


def policy_result(applied: Applied, tally: Tally) -> PolicyResult:
    """Return what one policy comes to."""
    calm = applied.policy.calm[applied.via]
    if tally.results is None:
        if applied.conditions.state == "applies":
            return calm
        return msgspec.structs.replace(calm, conditions=applied.conditions)
    return msgspec.structs.replace(
        calm,
        conditions=applied.conditions,
        status=_status(tally),
        outcome=outcome_of(tally, applied.policy),
        rules=tuple(tally.results),
    )


def effective_rules_digest(applied: Iterable[Applied], extra_rules_digest: str) -> str:
    """Return the digest of all that was applied.

    Shape: `{"extra_rules_digest": …, "policies": [{"digest": …, "id": …, "version": …}]}` as RFC 8785 bytes,
    put together from ready parts; a test compares them with the canonical encoder's.
    """
    stamps = b",".join([each.policy.stamp for each in applied])
    said = b'{"extra_rules_digest":"%s","policies":[%s]}' % (extra_rules_digest.encode(), stamps)
    return "sha256:" + hashlib.sha256(said).hexdigest()


def _status(tally: Tally) -> PolicyStatus:
    if tally.violated:
        return "violated"
    if tally.undecided:
        return "indeterminate"
    if tally.flagged:
        return "flagged"
    return "not_judged" if tally.skipped else "satisfied"


def _breaks(tally: Tally) -> bool:
    """Return whether a rule is violated, or one that rejects is indeterminate."""
    return tally.violated or (
        tally.undecided
        and any(rule.status == "indeterminate" and rule.effect == "reject" for rule in tally.results or ())
    )


def _risk(policies: Iterable[PolicyResult], extra: Tally) -> Risk:
    """Return the highest risk of what was found; what is flagged, and the request's own rules, are HIGH."""
    risks: list[Risk] = ["LOW"]
    for policy in policies:
        if policy.status in {"violated", "indeterminate"}:
            risks.append(policy.risk)
        if any(rule.status == "flagged" for rule in policy.rules):
            risks.append("HIGH")
    if extra.violated or extra.undecided or extra.flagged:
        risks.append("HIGH")
    return max(risks, key=_RISK_RANK.__getitem__)


def _reasons(policies: Iterable[PolicyResult], tallies: Iterable[Tally], extra: Tally) -> Iterable[str]:
    for policy, tally in zip(policies, tallies, strict=True):
        if policy.conditions.state == "undetermined":
            keys = ", ".join((*policy.conditions.missing, *policy.conditions.unclear))
            yield f"{policy.name}: applied although it is undetermined whether it does ({keys})."
        yield from _told(policy.name, tally)
    yield from _told("Rule of the request", extra)


def _told(name: str, tally: Tally) -> Iterable[str]:
    for rule in tally.results or ():
        if rule.status in {"violated", "flagged", "indeterminate"}:
            yield f"{name}: {rule.message}"
