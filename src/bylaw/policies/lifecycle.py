"""The life of a policy after it is written: approved or rejected, archived, switched off, deleted.

    pending_review ── approve ──▶ approved ── archive ──▶ archived
          │                          ▲                       │
          └──── reject ──▶ rejected  └─────── restore ───────┘

While an approved policy has a pending edit, approve and reject decide that edit. Deciding the same again is a
success that changes nothing; everything else that is not drawn is a Conflict (`illegal_transition`).
"""

from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final, Literal

from bylaw.core.errors import Conflict, Forbidden
from bylaw.core.ids import PolicyId
from bylaw.core.paging import Slice
from bylaw.policies.entries import Change, record, touched
from bylaw.policies.model import Policy, Reach, Status
from bylaw.policies.reading import readable_policy, stored_version, workspace_of, writable_policy
from bylaw.policies.store import PolicyUnit
from bylaw.tenancy.naming import checked_reason
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
    strictly = await _require_scope(acting, policy, decision)
    require_revision(policy.revision, revision)
    decided = _decided(policy, decision)
    if decided == policy:
        return policy
    if strictly and decision == "approve":
        await _require_another_author(acting, policy)
    if decision in {"approve", "reject"}:
        decided = replace(decided, decided_by=acting.principal.actor, decided_reason=checked_reason(reason))
    number = policy.latest if decision in {"approve", "reject"} else policy.current
    return await _save(acting, decided, number=number, change=_CHANGE[decision], reason=reason)


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
    change: Change = "activated" if is_active else "deactivated"
    switched = replace(policy, is_active=is_active)
    return await _save(acting, switched, number=policy.current, change=change, reason=reason)


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
    await _require_scope(acting, policy, "approve")
    if policy.reach == reach:
        return policy
    if reach == "place":
        await _require_unbound(acting.unit, policy)
    changed = replace(policy, reach=reach)
    return await _save(acting, changed, number=policy.current, change="reach_changed", reason=reason)


async def delete_policy(
    acting: Acting[PolicyUnit], policy_id: PolicyId, *, reason: str = "", revision: int | None = None
) -> Policy:
    """Delete a policy, whose versions stay readable, and return it. Raises: Conflict (`still_bound`)."""
    policy = await writable_policy(acting, policy_id, revision=revision)
    await _require_unbound(acting.unit, policy)
    gone = replace(policy, deleted_ms=acting.clock.now_ms())
    return await _save(acting, gone, number=policy.current, change="deleted", reason=reason)


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


async def _save(
    acting: Acting[PolicyUnit], policy: Policy, *, number: int, change: Change, reason: str
) -> Policy:
    why = checked_reason(reason)
    saved = touched(acting, policy)
    version = await stored_version(acting.unit, policy, number=number)
    await acting.unit.policies.save(saved)
    await record(acting, version, change=change, reason=why)
    return saved


async def _require_scope(acting: Acting[PolicyUnit], policy: Policy, decision: Decision) -> bool:
    """Return whether approvers are separate there, having required the scope that the decision needs.

    Archiving is writing; approving, rejecting and restoring bring a text into force or keep it out.
    """
    workspace = await workspace_of(acting.unit, policy.place)
    separate = workspace is not None and workspace.separate_approvers
    if decision == "archive":
        acting.principal.require("policy:write", policy.place)
    else:
        acting.principal.require("policy:approve", policy.place, strictly=separate)
    return separate


async def _require_another_author(acting: Acting[PolicyUnit], policy: Policy) -> None:
    """Return nothing if the caller wrote none of the versions since the approved one."""
    for number in range((policy.approved or 0) + 1, policy.latest + 1):
        version = await stored_version(acting.unit, policy, number=number)
        if version.author == acting.principal.actor:
            raise Forbidden("Somebody else approves this: nobody approves their own edit.", needs="approver")


async def _require_unbound(unit: PolicyUnit, policy: Policy) -> None:
    bound = await unit.tenancy.agents.list(Slice(limit=1), policy_id=policy.id)
    if bound.items:
        agent = bound.items[0].id
        raise Conflict(f"Agents are bound to it, {agent!r} for one: unbind them first.", reason="still_bound")
