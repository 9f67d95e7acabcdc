"""Reading policies: one, a page of them, what governs a place, and every version there ever was."""

from collections.abc import AsyncIterator
from dataclasses import replace

from bylaw.core.errors import Corrupt, NotFound
from bylaw.core.ids import AgentId, PolicyId
from bylaw.core.paging import Page, Slice, every
from bylaw.policies.diff import Diff, diff_contents
from bylaw.policies.model import Current, Policy, Version
from bylaw.policies.store import PolicyFilter, PolicyUnit
from bylaw.tenancy.agents import read_agent
from bylaw.tenancy.model import Place, Workspace
from bylaw.tenancy.places import require_place
from bylaw.tenancy.principal import Acting
from bylaw.tenancy.revisions import require_revision


async def read_policy(acting: Acting[PolicyUnit], policy_id: PolicyId) -> Current:
    """Return a policy with its current version. Raises: Forbidden without the scope; NotFound."""
    policy = await readable_policy(acting, policy_id)
    return Current(policy=policy, version=await stored_version(acting.unit, policy, number=policy.current))


async def list_policies(acting: Acting[PolicyUnit], where: PolicyFilter, part: Slice) -> Page[Current]:
    """Return a page of the policies that match and that the caller may see."""
    acting.principal.require("policy:read")
    return await acting.unit.policies.list(
        replace(where, readable=acting.principal.places("policy:read")), part
    )


async def list_waiting(acting: Acting[PolicyUnit], where: PolicyFilter, part: Slice) -> Page[Current]:
    """Return a page of the policies that match and wait for review, each with the version that waits."""
    page = await list_policies(acting, replace(where, waits=True), part)
    return replace(page, items=tuple([await waiting(acting.unit, current) for current in page.items]))


async def waiting(unit: PolicyUnit, current: Current) -> Current:
    """Return a policy with the version that waits for review, or as it is when none does."""
    policy = current.policy
    if policy.pending is None:
        return current
    return replace(current, version=await stored_version(unit, policy, number=policy.pending))


async def every_policy(acting: Acting[PolicyUnit], where: PolicyFilter) -> AsyncIterator[Current]:
    """Yield all the policies that match and that the caller may see, newest first."""
    async for current in every(lambda part: list_policies(acting, where, part)):
        yield current


async def list_effective(
    acting: Acting[PolicyUnit], place: Place, part: Slice, *, agent_id: AgentId | None = None
) -> Page[Current]:
    """Return a page of what governs `place`, and an agent there if one is named.

    That is the union over the place and all that enclose it: a narrower policy supplements and never weakens.
    """
    await require_place(acting.unit, place)
    bound = None if agent_id is None else (await read_agent(acting, agent_id)).policy_id
    where = PolicyFilter(
        place=place,
        match="effective",
        reach="place",
        or_policy=bound,
        statuses=frozenset({"approved"}),
        is_active=True,
    )
    return await list_policies(acting, where, part)


async def read_version(acting: Acting[PolicyUnit], policy_id: PolicyId, *, number: int) -> Version:
    """Return one version, of a deleted policy too: a receipt may name it for ever."""
    policy = await known_policy(acting, policy_id)
    version = await acting.unit.policies.version(policy.id, number)
    if version is None:
        raise NotFound("version", f"{policy_id}/{number}")
    return version


async def list_versions(acting: Acting[PolicyUnit], policy_id: PolicyId, part: Slice) -> Page[Version]:
    """Return a page of the versions, newest first, of a deleted policy too."""
    policy = await known_policy(acting, policy_id)
    return await acting.unit.policies.versions(policy.id, part)


async def diff_versions(acting: Acting[PolicyUnit], policy_id: PolicyId, *, old: int, new: int) -> Diff:
    """Return how one version of a policy differs from another."""
    before = await read_version(acting, policy_id, number=old)
    after = await read_version(acting, policy_id, number=new)
    return diff_contents(before.content, after.content)


async def readable_policy(acting: Acting[PolicyUnit], policy_id: PolicyId) -> Policy:
    """Return a policy that is not deleted and that the caller may see. Raises: Forbidden, NotFound."""
    policy = await known_policy(acting, policy_id)
    if policy.deleted_ms is not None:
        raise NotFound("policy", policy_id)
    return policy


async def known_policy(acting: Acting[PolicyUnit], policy_id: PolicyId) -> Policy:
    """Return a policy, deleted or not, that the caller may see. Raises: Forbidden, NotFound."""
    acting.principal.require("policy:read")
    policy = await acting.unit.policies.get(policy_id)
    if policy is None or not acting.principal.sees("policy:read", policy.place):
        raise NotFound("policy", policy_id)
    return policy


async def writable_policy(acting: Acting[PolicyUnit], policy_id: PolicyId, *, revision: int | None) -> Policy:
    """Return a policy that the caller may change, at the revision they read if they say which.

    Raises: Forbidden, NotFound, PreconditionFailed.
    """
    policy = await readable_policy(acting, policy_id)
    acting.principal.require("policy:write", policy.place)
    require_revision(policy.revision, revision)
    return policy


async def stored_version(unit: PolicyUnit, policy: Policy, *, number: int) -> Version:
    """Return a version that must be there. Raises: Corrupt."""
    version = await unit.policies.version(policy.id, number)
    if version is None:
        raise Corrupt("A version of a policy is gone.", place=f"policy {policy.id}, version {number}")
    return version


async def workspace_of(unit: PolicyUnit, place: Place) -> Workspace | None:
    """Return the workspace whose habits of review hold in `place`; the whole tenant has none."""
    return None if place.workspace_id is None else await unit.tenancy.workspaces.get(place.workspace_id)
