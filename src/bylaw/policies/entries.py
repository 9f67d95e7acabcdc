"""What a change of a policy leaves behind: its revision, who and when, and an entry for the log."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from bylaw.core.canonical_json import Json
from bylaw.core.ids import PolicyId
from bylaw.policies.model import Current, Policy, Version
from bylaw.policies.store import PolicyUnit
from bylaw.tenancy.principal import Acting

KIND: Final = "policy_version"

# `edited` is in force at once; `proposed` waits until it is `approved`, or is dropped when `rejected`.
Change = Literal[
    "created",
    "proposed",
    "edited",
    "approved",
    "rejected",
    "archived",
    "restored",
    "activated",
    "deactivated",
    "reach_changed",
    "moved",
    "deleted",
    "undeleted",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """A policy at its next revision, and what the log is to say of it.

    `version` is the one that the entry names; it is stored too when it `is_new`.
    """

    policy: Policy
    version: Version
    change: Change
    reason: str = ""
    is_new: bool = False


async def store(acting: Acting[PolicyUnit], changes: Sequence[Changed]) -> None:
    """Store the changes in few statements, each with an entry for the log; raise the change counter once.

    Several changes of one policy are in order. Raises: PreconditionFailed that names the first outdated one.
    """
    if not changes:
        return
    rounds: list[list[tuple[Policy, Version | None]]] = []
    seen = Counter[PolicyId]()
    for each in changes:
        if seen[each.policy.id] == len(rounds):
            rounds.append([])
        rounds[seen[each.policy.id]].append((each.policy, each.version if each.is_new else None))
        seen[each.policy.id] += 1
    for saved in rounds:
        await acting.unit.policies.save_all(saved)
    entries = [_entry(acting, each.version, change=each.change, reason=each.reason) for each in changes]
    await _record(acting, *entries)


async def record_new(acting: Acting[PolicyUnit], made: Sequence[Current]) -> None:
    """Queue an entry for each new policy and raise the tenant's change counter."""
    await _record(
        acting,
        *(
            _entry(
                acting,
                current.version,
                change="created" if current.policy.status == "approved" else "proposed",
                reason=current.version.reason,
            )
            for current in made
        ),
    )


async def record_steps(
    acting: Acting[PolicyUnit], told: Sequence[tuple[Version, Sequence[Change]]], *, reason: str
) -> None:
    """Queue an entry for each step of each version and raise the tenant's change counter once."""
    entries = [
        _entry(acting, version, change=step, reason=reason) for version, steps in told for step in steps
    ]
    await _record(acting, *entries)


def touched(acting: Acting[PolicyUnit], policy: Policy) -> Policy:
    """Return the next revision of `policy`, updated now by the caller."""
    return replace(
        policy,
        updated_by=acting.principal.actor,
        updated_ms=acting.clock.now_ms(),
        revision=policy.revision + 1,
    )


def _entry(
    acting: Acting[PolicyUnit], version: Version, *, change: Change, reason: str
) -> Mapping[str, Json]:
    return {
        "author": acting.principal.actor,
        "change": change,
        "policy": {"digest": version.digest, "id": version.policy_id, "version": version.number},
        "reason": reason,
    }


async def _record(acting: Acting[PolicyUnit], *entries: Mapping[str, Json]) -> None:
    await acting.unit.outbox.add(KIND, *entries)
    await acting.unit.changes.bump()
