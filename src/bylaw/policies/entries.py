"""What a change of a policy leaves behind: its revision, who and when, and an entry for the log."""

from dataclasses import replace
from typing import Final, Literal

from bylaw.policies.model import Policy, Version
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


async def record(
    acting: Acting[PolicyUnit], policy: Policy, version: Version, *, change: Change, reason: str = ""
) -> None:
    """Queue one entry for the log and raise the tenant's change counter."""
    await acting.unit.outbox.add(
        KIND,
        {
            "author": acting.principal.actor,
            "change": change,
            "policy": {"digest": version.digest, "id": policy.id, "version": version.number},
            "reason": reason,
        },
    )
    await acting.unit.changes.bump()


def touched(acting: Acting[PolicyUnit], policy: Policy) -> Policy:
    """Return the next revision of `policy`, updated now by the caller."""
    return replace(
        policy,
        updated_by=acting.principal.actor,
        updated_ms=acting.clock.now_ms(),
        revision=policy.revision + 1,
    )
