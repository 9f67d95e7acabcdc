"""Carrying out a plan: all of it in the transaction of the caller, or nothing."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from bylaw.core.errors import Conflict
from bylaw.policies.editing import Edit, NewPolicy, create_policies, edit_policy
from bylaw.policies.lifecycle import decide_policy, set_active, set_reach
from bylaw.policies.model import Policy
from bylaw.policies.packs.model import Pack, PackedPolicy
from bylaw.policies.packs.plan import Archive, Plan, Switch, Write, plan_packs
from bylaw.policies.store import PolicyUnit
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
    for step in plan.steps:
        if isinstance(step, Archive):
            policies[step.slug] = await decide_policy(
                acting, step.current.id, "archive", reason=agreed.reason
            )
        elif step.current is not None and step.kind != "unchanged":
            policies[step.slug] = await _change(acting, step, step.current, reason=agreed.reason)
    return Applied(plan=plan, policies=policies)


async def _create(acting: Acting[PolicyUnit], plan: Plan, reason: str) -> dict[str, Policy]:
    """Return the policies that are new, by slug: there may be thousands, so they are made together."""
    packed = [step.packed for step in plan.steps if isinstance(step, Write) and step.current is None]
    made = await create_policies(acting, [_new(each, reason) for each in packed])
    return {each.slug: current.policy for each, current in zip(packed, made, strict=True)}


async def _change(acting: Acting[PolicyUnit], step: Write, policy: Policy, *, reason: str) -> Policy:
    if step.diff is not None:
        edit = Edit(fields=step.packed.fields, whole=True, reason=reason)
        policy = (await edit_policy(acting, policy.id, edit)).policy
    for switch in step.switches:
        policy = await _switch(acting, policy, switch, reason=reason)
    return policy


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


async def _switch(acting: Acting[PolicyUnit], policy: Policy, switch: Switch, *, reason: str) -> Policy:
    match switch:
        case "restore":
            return await decide_policy(acting, policy.id, "restore", reason=reason)
        case "activate" | "deactivate":
            return await set_active(acting, policy.id, is_active=switch == "activate", reason=reason)
        case "reach_place":
            return await set_reach(acting, policy.id, "place", reason=reason)
        case "reach_bound":
            return await set_reach(acting, policy.id, "bound", reason=reason)
        case _:
            assert_never(switch)
