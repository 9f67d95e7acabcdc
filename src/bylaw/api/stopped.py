"""What is told of a call that policies stopped: which of them, and where it goes on; never what was said."""

from collections.abc import Sequence
from dataclasses import dataclass

from msgspec import UNSET

from bylaw.decisions.model import Decision, PolicyResult
from bylaw.policies.outcomes import STOPS


@dataclass(frozen=True, slots=True, kw_only=True)
class Stopped:
    """Why a call was stopped: `is_held` when a person may still let it go on.

    `policies` are those that stopped it; the ids are of what its decisions left behind.
    """

    is_held: bool
    message: str
    policies: tuple[PolicyResult, ...]
    violation_ids: tuple[str, ...]
    approval_ids: tuple[str, ...]
    attention_ids: tuple[str, ...]


def stopped(decisions: Sequence[Decision]) -> Stopped:
    """Return why a call was stopped, by one of these decisions at least."""
    against = [each for each in decisions if each.outcome in STOPS]
    is_held = all(each.outcome == "review" for each in against)
    outcome = "review" if is_held else "block"
    found = {each.id: each for decision in against for each in decision.policies if each.outcome == outcome}
    policies = tuple(found.values())
    obligations = [each for decision in against for each in decision.obligations]
    return Stopped(
        is_held=is_held,
        message=_said(
            policies, is_held=is_held, can_be_approved=any(each.kind == "approval" for each in obligations)
        ),
        policies=policies,
        violation_ids=tuple(ident for decision in decisions for ident in _violations(decision)),
        approval_ids=tuple(each.id for each in obligations if each.kind == "approval"),
        attention_ids=tuple(each.id for each in obligations if each.kind == "attention"),
    )


def receipt_ids(decisions: Sequence[Decision]) -> tuple[str, ...]:
    """Return the ids of the receipts, in the order of the decisions."""
    return tuple(each.receipt_id for each in decisions if each.receipt_id is not None)


def _said(policies: Sequence[PolicyResult], *, is_held: bool, can_be_approved: bool) -> str:
    names = ", ".join(f"{each.name!r}" for each in policies)
    by = f"the policy {names}" if len(policies) == 1 else f"the policies {names}"
    if not policies:
        by = (
            "a policy of another place"
            if is_held
            else "what is required here: no policy applies, or one elsewhere"
        )
    if not is_held:
        return f"Blocked by {by}."
    if can_be_approved:
        return (
            f"Held by {by}: a person has to approve the call of a tool. Once it is approved, send the same"
            " request with metadata.approval_id."
        )
    return f"Held by {by}: it cannot be told whether this is allowed. A person was asked to look at it."


def _violations(decision: Decision) -> list[str]:
    """Return the ids of the violations: they are numbered by the policies that applied, whoever sees them."""
    elsewhere = [] if decision.elsewhere is UNSET else [each.id for each in decision.elsewhere]
    applied = sorted([*[each.id for each in decision.policies], *elsewhere])
    places = {ident: n for n, ident in enumerate(applied)}
    tail = (decision.receipt_id or "").removeprefix("rcpt_")
    return [
        f"vio_{tail}_{places[each.id]}" for each in decision.policies if each.status == "violated" and tail
    ]
