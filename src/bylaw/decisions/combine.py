"""Step 4 of a decision: from the results of rules to policies, and from those to one outcome with reasons."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Final

import msgspec

from bylaw.decisions.compiled import APPLIES, Applied, CompiledRules
from bylaw.decisions.judge import Tally, outcome_of, strictest
from bylaw.decisions.model import (
    Combined,
    ConditionResult,
    MaskResult,
    PolicyResult,
    PolicyStatus,
    RuleResult,
)
from bylaw.decisions.select import Selection
from bylaw.policies.model import Outcome, Risk

_ALL_WELL: Final = "No rule speaks against it."
_NOBODY: Final[frozenset[str]] = frozenset()
_REMEMBERED: Final = 64
_TOLD: Final = frozenset({"violated", "flagged", "indeterminate"})
_RISK_RANK: Final[dict[Risk, int]] = {"LOW": 0, "MEDIUM": 1, "HIGH": 2}


def combine(
    selection: Selection, tallies: Sequence[Tally | None], extra: CompiledRules, extra_tally: Tally | None
) -> Combined:
    """Return what the results come to; `tallies` are in the order of `selection.applied`, None where calm."""
    standing = selection.standing
    found = _findings(tallies) if selection.applied is standing.certain and not extra.calm else None
    if found is None:
        return _combine(selection, tallies, extra, extra_tally)
    known = standing.concluded.get(found)
    if known is not None:
        return known
    combined = _combine(selection, tallies, extra, extra_tally)
    if len(standing.concluded) < _REMEMBERED:
        standing.concluded[found] = combined
    return combined


def _findings(tallies: Sequence[Tally | None]) -> tuple[tuple[int, ...], ...] | None:
    """Return which rules of each policy are violated, None when that is not all there is to say."""
    found: list[tuple[int, ...]] = []
    for tally in tallies:
        if tally is None:
            found.append(())
        elif tally.is_plain:
            found.append(tuple(tally.violated))
        else:
            return None
    return tuple(found)


def _combine(
    selection: Selection, tallies: Sequence[Tally | None], extra: CompiledRules, extra_tally: Tally | None
) -> Combined:
    policies = tuple(map(policy_result, selection.applied, tallies))
    calm = extra_tally is None and tallies.count(None) == len(tallies)
    if calm and policies and not selection.lacks_policy:
        return _calm(selection, policies, extra)
    loud = [(policy, tally) for policy, tally in zip(policies, tallies, strict=True) if tally is not None]
    extra_outcome: Outcome = "allow" if extra_tally is None else outcome_of(extra_tally, None)
    outcome = strictest([extra_outcome, *[policy.outcome for policy, _ in loud]])
    reasons = _reasons(selection, loud, extra_tally)
    governed = bool(policies or extra.calm)
    if not governed:
        reasons.append("No policy applies: the decision is ungoverned.")
    if selection.lacks_policy:
        outcome = "block"
        only_named = ", other than the one that was named" if policies else ""
        reasons.append(f"A policy is required here, and none applies{only_named}.")
    found = [*[tally for _, tally in loud], *([] if extra_tally is None else [extra_tally])]
    return Combined(
        outcome=outcome,
        compliant=not any(map(_breaks, found)),
        posture="governed" if governed else "ungoverned",
        risk=_risk(loud, extra_tally),
        reasons=summed_up(reasons),
        policies=policies,
        extra_rules=extra.calm if extra_tally is None else tuple(extra_tally.results),
        extra_outcome=extra_outcome,
        attention=frozenset([policy.id for policy, tally in loud if tally.attention]),
    )


def _calm(selection: Selection, policies: tuple[PolicyResult, ...], extra: CompiledRules) -> Combined:
    """Return the same, at less cost, for policies of which every rule is satisfied."""
    return Combined(
        outcome="allow",
        compliant=True,
        posture="governed",
        risk="LOW",
        reasons=summed_up(_reasons(selection, (), None)),
        policies=policies,
        extra_rules=extra.calm,
        extra_outcome="allow",
        attention=_NOBODY,
    )


def with_masks(
    combined: Combined, found: Mapping[str, MaskResult], undecided: Mapping[str, Outcome]
) -> Combined:
    """Return `combined` with what masks came to, by policy; one that failed leaves its policy undecided.

    `undecided` are the outcomes of policies that are. A block shows nothing, so nothing is withheld from it.
    """
    failed = {ident for ident, result in found.items() if result.code}
    outcome = strictest([combined.outcome, *[undecided[ident] for ident in failed]])
    if outcome == "block":
        found = {ident: msgspec.structs.replace(found[ident], redactions=()) for ident in failed}
    policies = [
        _with_mask(policy, found[policy.id], undecided[policy.id]) if policy.id in found else policy
        for policy in combined.policies
    ]
    blamed = [policy for policy in policies if policy.id in failed]
    told = [said for policy in blamed for said in _of_mask(policy)]
    return msgspec.structs.replace(
        combined,
        outcome=outcome,
        policies=tuple(policies),
        reasons=summed_up([*combined.reasons, *told]),
        risk=max([combined.risk, *[policy.risk for policy in blamed]], key=lambda risk: _RISK_RANK[risk]),
    )


def _with_mask(policy: PolicyResult, result: MaskResult, undecided: Outcome) -> PolicyResult:
    if not result.code:
        return msgspec.structs.replace(policy, mask=result)
    return msgspec.structs.replace(
        policy,
        status="violated" if policy.status == "violated" else "indeterminate",
        outcome=strictest([policy.outcome, undecided]),
        mask=result,
    )


def policy_result(applied: Applied, tally: Tally | None) -> PolicyResult:
    """Return what one policy comes to."""
    calm = applied.policy.calm[applied.via]
    if tally is not None:
        return msgspec.structs.replace(
            calm,
            conditions=applied.conditions,
            status=_status(tally),
            outcome=outcome_of(tally, applied.policy),
            rules=tuple(tally.results),
        )
    if applied.conditions is APPLIES:
        return calm
    return msgspec.structs.replace(calm, conditions=applied.conditions)


def effective_rules_digest(applied: Iterable[Applied], extra_rules_digest: str) -> str:
    """Return the digest of all that was applied.

    Shape: `{"extra_rules_digest": …, "policies": [{"digest": …, "id": …, "version": …}]}` as RFC 8785 bytes,
    put together from ready parts; a test compares them with the canonical encoder's.
    """
    return _digest(tuple([each.policy.stamp for each in applied]), extra_rules_digest)


@lru_cache(maxsize=4_096)
def _digest(stamps: tuple[bytes, ...], extra_rules_digest: str) -> str:
    said = b'{"extra_rules_digest":"%s","policies":[%s]}' % (extra_rules_digest.encode(), b",".join(stamps))
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
    return bool(tally.violated) or (
        tally.undecided
        and any(rule.status == "indeterminate" and rule.effect == "reject" for rule in tally.results)
    )


def _risk(loud: Iterable[tuple[PolicyResult, Tally]], extra: Tally | None) -> Risk:
    """Return the highest risk of what was found; what is flagged, and the request's own rules, are HIGH."""
    risk: Risk = "LOW"
    for policy, tally in loud:
        if tally.flagged:
            return "HIGH"
        if (tally.violated or tally.undecided) and _RISK_RANK[policy.risk] > _RISK_RANK[risk]:
            risk = policy.risk
    spoken = extra is not None and bool(extra.violated or extra.undecided or extra.flagged)
    return "HIGH" if spoken else risk


def _reasons(
    selection: Selection, loud: Iterable[tuple[PolicyResult, Tally]], extra: Tally | None
) -> list[str]:
    reasons = [
        _of_conditions(each.policy.name, each.conditions)
        for each in selection.applied
        if each.conditions is not APPLIES
    ]
    for policy, _ in loud:
        reasons += _of_rules(policy.name, policy.rules)
    if extra is not None:
        reasons += _of_rules("Rule of the request", extra.results)
    if selection.standing.dormant is not None:
        reasons.append(
            f"The policy {selection.standing.dormant!r} that is bound to the agent is not in force."
        )
    return reasons


def spoken(policy: PolicyResult) -> list[str]:
    """Return all that reasons may say in the name of one policy."""
    said = [_of_conditions(policy.name, policy.conditions), *_of_rules(policy.name, policy.rules)]
    return [*said, *_of_mask(policy)]


def summed_up(reasons: Sequence[str]) -> tuple[str, ...]:
    """Return `reasons`; that all is well only when there is nothing else to say."""
    return tuple([each for each in reasons if each != _ALL_WELL]) or (_ALL_WELL,)


def _of_conditions(name: str, conditions: ConditionResult) -> str:
    keys = ", ".join((*conditions.missing, *conditions.unclear))
    return f"{name}: applied although its conditions are undetermined ({keys})."


def _of_rules(name: str, results: Iterable[RuleResult]) -> list[str]:
    return [f"{name}: {rule.message}" for rule in results if rule.status in _TOLD]


def _of_mask(policy: PolicyResult) -> list[str]:
    return [f"{policy.name}: {policy.mask.message}"] if policy.mask is not None and policy.mask.code else []
