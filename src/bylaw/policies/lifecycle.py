"""The life of a policy after it is written: approved or rejected, archived, switched off, deleted.

    pending_review ── approve ──▶ approved ── archive ──▶ archived
          │                          ▲                       │
          └──── reject ──▶ rejected  └─────── restore ───────┘

While an approved policy has a pending edit, approve and reject decide that edit. Deciding the same again is a
success that changes nothing; everything else that is not drawn is a Conflict (`illegal_transition`).
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from types import MappingProxyType
from typing import Final, Literal

from bylaw.core.errors import Conflict, Forbidden
from bylaw.core.ids import PolicyId
from bylaw.core.paging import Slice, every
from bylaw.policies.editing import require_room
from bylaw.policies.entries import Change, Changed, store, touched
from bylaw.policies.model import Current, Policy, Reach, Status, Version
from bylaw.policies.reading import (
    known_policy,
    readable_policy,
    stored_version,
    workspace_of,
    writable_policy,
)
from bylaw.policies.store import PolicyFilter, PolicyUnit
from bylaw.tenancy.model import Place, Workspace
from bylaw.tenancy.naming import checked_reason
from bylaw.tenancy.places import require_place
from bylaw.tenancy.principal import Acting
from bylaw.tenancy.revisions import require_revision

Decision = Literal["approve", "reject", "archive", "restore"]

_LEADS_TO: Final[Mapping[tuple[Status, Decision], Status]] = MappingProxyType(
    {
        ("pending_review", "approve"): "approved",
        ("pending_review", "reject"): "rejected",
        ("approved", "archive"): "archived",
        ("archived", "restore"): "approved",
    }
)

_IS_DONE: Final[Mapping[Decision, Status]] = MappingProxyType(
    {"approve": "approved", "reject": "rejected", "archive": "archived", "restore": "approved"}
)

_CHANGE: Final[Mapping[Decision, Change]] = MappingProxyType(
    {"approve": "approved", "reject": "rejected", "archive": "archived", "restore": "restored"}
)


async def decide_policy(
    acting: Acting[PolicyUnit],
    policy_id: PolicyId,
    decision: Decision,
    *,
    reason: str = "",
    revision: int | None = None,
) -> Policy:
    """Store what was decided about a policy or its pending edit, and return the policy.

    Raises: Forbidden, also to approve one's own edit where approvers are separate; Conflict
    (`illegal_transition`); PreconditionFailed.
    """
    policy = await readable_policy(acting, policy_id)
    strictly = _require_scope(acting, policy, await workspace_of(acting.unit, policy.place), decision)
    require_revision(policy.revision, revision)
    decided = _decided(policy, decision)
    if decided == policy:
        return policy
    if strictly and decision == "approve":
        await _require_another_author(acting, policy)
    if decision in {"approve", "reject"}:
        decided = replace(decided, decided_by=acting.principal.actor, decided_reason=checked_reason(reason))
    number = policy.latest if decision in {"approve", "reject"} else policy.current
    version = await stored_version(acting.unit, policy, number=number)
    return await _store(acting, _changed(acting, decided, version, change=_CHANGE[decision], reason=reason))


async def set_active(
    acting: Acting[PolicyUnit],
    policy_id: PolicyId,
    *,
    is_active: bool,
    reason: str = "",
    revision: int | None = None,
) -> Policy:
    """Switch enforcement on or off, keeping the status and all history, and return the policy."""
    policy = await writable_policy(acting, policy_id, revision=revision)
    if policy.is_active == is_active:
        return policy
    current = await _current(acting.unit, policy)
    return await _store(acting, switched(acting, current, is_active=is_active, reason=reason))


async def set_reach(
    acting: Acting[PolicyUnit],
    policy_id: PolicyId,
    reach: Reach,
    *,
    reason: str = "",
    revision: int | None = None,
) -> Policy:
    """Store whether the policy governs its place or only bound agents, and return it.

    It takes effect at once, so it needs the scope that approving needs. Raises: Conflict (`still_bound`).
    """
    policy = await writable_policy(acting, policy_id, revision=revision)
    workspace = await workspace_of(acting.unit, policy.place)
    _require_scope(acting, policy, workspace, "approve")
    if policy.reach == reach:
        return policy
    current = await _current(acting.unit, policy)
    return await _store(acting, await reached(acting, current, reach, workspace=workspace, reason=reason))


async def delete_policy(
    acting: Acting[PolicyUnit], policy_id: PolicyId, *, reason: str = "", revision: int | None = None
) -> Policy:
    """Delete a policy, whose versions stay readable, and return it. Raises: Conflict (`still_bound`)."""
    policy = await writable_policy(acting, policy_id, revision=revision)
    await _require_unbound(acting.unit, policy)
    gone = replace(policy, deleted_ms=acting.clock.now_ms())
    version = (await _current(acting.unit, policy)).version
    return await _store(acting, _changed(acting, gone, version, change="deleted", reason=reason))


async def undelete_policy(
    acting: Acting[PolicyUnit], policy_id: PolicyId, *, reason: str = "", revision: int | None = None
) -> Policy:
    """Bring a deleted policy back, switched off, and return it; one that is there stays as it is.

    Raises: Forbidden; NotFound, also when its place is gone; Conflict (`exists`) when its slug is another's
    by now, (`too_many`) when there is no room; PreconditionFailed.
    """
    policy = await known_policy(acting, policy_id)
    acting.principal.require("policy:write", policy.place)
    require_revision(policy.revision, revision)
    if policy.deleted_ms is None:
        return policy
    await require_place(acting.unit, policy.place)
    await require_room(acting.unit, 1)
    back = replace(policy, deleted_ms=None, is_active=False)
    version = (await _current(acting.unit, policy)).version
    return await _store(acting, _changed(acting, back, version, change="undeleted", reason=reason))


async def delete_policies_in(acting: Acting[PolicyUnit], place: Place, *, reason: str = "") -> int:
    """Delete every policy of a place and of what lies inside it, and return how many they were.

    Raises: Forbidden; Conflict (`still_bound`).
    """
    acting.principal.require("policy:write", place)
    where = PolicyFilter(place=place)
    held = [each async for each in every(lambda part: acting.unit.policies.list(where, part))]
    now = acting.clock.now_ms()
    for each in held:
        await _require_unbound(acting.unit, each.policy)
    gone = (replace(each.policy, deleted_ms=now) for each in held)
    changes = [
        _changed(acting, policy, each.version, change="deleted", reason=reason)
        for policy, each in zip(gone, held, strict=True)
    ]
    await store(acting, changes)
    return len(changes)


def shelved(
    acting: Acting[PolicyUnit],
    current: Current,
    decision: Literal["archive", "restore"],
    *,
    workspace: Workspace | None,
    reason: str,
) -> Changed:
    """Return the policy archived or restored, to be stored. Raises: Forbidden; Conflict."""
    _require_scope(acting, current.policy, workspace, decision)
    decided = _decided(current.policy, decision)
    return _changed(acting, decided, current.version, change=_CHANGE[decision], reason=reason)


def switched(acting: Acting[PolicyUnit], current: Current, *, is_active: bool, reason: str) -> Changed:
    """Return the policy switched on or off, to be stored. Raises: Forbidden."""
    acting.principal.require("policy:write", current.policy.place)
    change: Change = "activated" if is_active else "deactivated"
    policy = replace(current.policy, is_active=is_active)
    return _changed(acting, policy, current.version, change=change, reason=reason)


async def reached(
    acting: Acting[PolicyUnit], current: Current, reach: Reach, *, workspace: Workspace | None, reason: str
) -> Changed:
    """Return the policy with another reach, to be stored. Raises: Forbidden; Conflict (`still_bound`)."""
    acting.principal.require("policy:write", current.policy.place)
    _require_scope(acting, current.policy, workspace, "approve")
    if reach == "place":
        await _require_unbound(acting.unit, current.policy)
    policy = replace(current.policy, reach=reach)
    return _changed(acting, policy, current.version, change="reach_changed", reason=reason)


def _decided(policy: Policy, decision: Decision) -> Policy:
    """Return what the decision makes of `policy`: itself when it was decided so before."""
    if policy.status == "approved" and policy.pending is not None and decision in {"approve", "reject"}:
        return replace(
            policy, approved=policy.pending if decision == "approve" else policy.approved, pending=None
        )
    last_edit_was_rejected = policy.status == "approved" and policy.approved != policy.latest
    if last_edit_was_rejected and decision == "reject":
        return policy
    status = _LEADS_TO.get((policy.status, decision))
    if status is None:
        if policy.status == _IS_DONE[decision] and not (last_edit_was_rejected and decision == "approve"):
            return policy
        raise Conflict(
            f"A policy that is {policy.status} cannot be {_CHANGE[decision]}.", reason="illegal_transition"
        )
    if decision == "approve":
        return replace(policy, status=status, approved=policy.latest)
    return replace(policy, status=status)


async def _current(unit: PolicyUnit, policy: Policy) -> Current:
    return Current(policy=policy, version=await stored_version(unit, policy, number=policy.current))


def _changed(
    acting: Acting[PolicyUnit], policy: Policy, version: Version, *, change: Change, reason: str
) -> Changed:
    return Changed(
        policy=touched(acting, policy), version=version, change=change, reason=checked_reason(reason)
    )


async def _store(acting: Acting[PolicyUnit], changed: Changed) -> Policy:
    await store(acting, [changed])
    return changed.policy


def _require_scope(
    acting: Acting[PolicyUnit], policy: Policy, workspace: Workspace | None, decision: Decision
) -> bool:
    """Return whether approvers are separate there, having required the scope that the decision needs.

    Archiving is writing; approving, rejecting and restoring bring a text into force or keep it out.
    """
    separate = workspace is not None and workspace.separate_approvers
    if decision == "archive":
        acting.principal.require("policy:write", policy.place)
    else:
        acting.principal.require("policy:approve", policy.place, strictly=separate)
    return separate


async def _require_another_author(acting: Acting[PolicyUnit], policy: Policy) -> None:
    """Return nothing if the caller wrote none of the versions since the approved one."""
    async for version in every(partial(acting.unit.policies.versions, policy.id)):
        if version.number <= (policy.approved or 0):
            return
        if version.author == acting.principal.actor:
            raise Forbidden("Somebody else approves this: nobody approves their own edit.", needs="approver")


async def _require_unbound(unit: PolicyUnit, policy: Policy) -> None:
    bound = await unit.tenancy.agents.list(Slice(limit=1), policy_id=policy.id)
    if bound.items:
        agent = bound.items[0].id
        raise Conflict(f"Agents are bound to it, {agent!r} for one: unbind them first.", reason="still_bound")
