"""What a change of a policy leaves behind: its revision, who and when, and an entry for the log."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final, Literal

from bylaw.core.canonical_json import Json
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
    "deleted",
]


async def record(acting: Acting[PolicyUnit], version: Version, *, change: Change, reason: str = "") -> None:
    """Queue one entry for the log and raise the tenant's change counter."""
    await _record(acting, _entry(acting, version, change=change, reason=reason))


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
