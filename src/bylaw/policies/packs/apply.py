"""Carrying out a plan: all of it in the transaction of the caller, or nothing."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from bylaw.core.errors import Conflict
from bylaw.policies.editing import Draft, NewPolicy, create_policies, edited
from bylaw.policies.entries import Changed, store
from bylaw.policies.lifecycle import reached, shelved, switched
from bylaw.policies.model import Current, Policy
from bylaw.policies.packs.model import Pack, PackedPolicy
from bylaw.policies.packs.plan import Archive, Plan, Switch, Write, plan_packs
from bylaw.policies.store import PolicyUnit
from bylaw.tenancy.model import Workspace
from bylaw.tenancy.naming import checked_reason
from bylaw.tenancy.principal import Acting


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreed:
    """What the caller agreed to: whether to prune, why, and the digest of the plan if they saw one."""

    prune: bool = False
    reason: str = ""
    plan_digest: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """The plan that was carried out, and the policies that it changed, by slug."""

    plan: Plan
    policies: dict[str, Policy]


async def apply_packs(acting: Acting[PolicyUnit], packs: Sequence[Pack], agreed: Agreed) -> Applied:
    """Make the stored policies say what `packs` say, and return what was done; twice does nothing more.

    Raises: InvalidInput; Conflict (`plan_changed`) when the plan is no longer the one that was agreed to.
    """
    plan = await plan_packs(acting, packs, prune=agreed.prune)
    if agreed.plan_digest is not None and agreed.plan_digest != plan.digest:
        raise Conflict(
            "The policies changed since the plan was made: look at it again.", reason="plan_changed"
        )
    policies = await _create(acting, plan, agreed.reason)
    changes: list[Changed] = []
    for step in plan.steps:
        found = await _changes(acting, step, reason=checked_reason(agreed.reason))
        if found:
            policies[step.slug] = found[-1].policy
            changes += found
        await asyncio.sleep(0)
    await store(acting, changes)
    return Applied(plan=plan, policies=policies)


async def _create(acting: Acting[PolicyUnit], plan: Plan, reason: str) -> dict[str, Policy]:
    """Return the policies that are new, by slug: there may be thousands, so they are made together."""
    packed = [step.packed for step in plan.steps if isinstance(step, Write) and step.current is None]
    made = await create_policies(acting, [_new(each, reason) for each in packed])
    return {each.slug: current.policy for each, current in zip(packed, made, strict=True)}


async def _changes(acting: Acting[PolicyUnit], step: Write | Archive, *, reason: str) -> list[Changed]:
    """Return what the step makes of a stored policy, one revision after the other."""
    if isinstance(step, Archive):
        return [shelved(acting, step.current, "archive", workspace=step.workspace, reason=reason)]
    current, found = step.current, list[Changed]()
    if current is None or step.base is None or step.kind == "unchanged":
        return found
    acting.principal.require("policy:write", current.policy.place)
    if step.diff is not None:
        draft = Draft(policy=current.policy, base=step.base, workspace=step.workspace, reason=reason)
        changed = edited(acting, draft, step.content)
        found += [] if changed is None else [changed]
        current = current if changed is None else _after(current, changed)
    for switch in step.switches:
        changed = await _switch(acting, current, switch, workspace=step.workspace, reason=reason)
        found.append(changed)
        current = _after(current, changed)
    return found


def _after(current: Current, changed: Changed) -> Current:
    """Return the policy as it is after a change, with the version that speaks for it then."""
    speaks = changed.version.number == changed.policy.current
    return Current(policy=changed.policy, version=changed.version if speaks else current.version)


def _new(packed: PackedPolicy, reason: str) -> NewPolicy:
    return NewPolicy(
        content=packed.fields,
        place=packed.place,
        reach=packed.reach,
        slug=packed.slug,
        is_active=packed.is_active,
        reason=reason,
        id=packed.id,
    )


async def _switch(
    acting: Acting[PolicyUnit], current: Current, switch: Switch, *, workspace: Workspace | None, reason: str
) -> Changed:
    match switch:
        case "restore":
            return shelved(acting, current, "restore", workspace=workspace, reason=reason)
        case "activate" | "deactivate":
            return switched(acting, current, is_active=switch == "activate", reason=reason)
        case "reach_place":
            return await reached(acting, current, "place", workspace=workspace, reason=reason)
        case "reach_bound":
            return await reached(acting, current, "bound", workspace=workspace, reason=reason)
        case _:
            assert_never(switch)
