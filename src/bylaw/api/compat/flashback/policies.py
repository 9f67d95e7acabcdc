"""Policies: made, listed, read, changed and deleted."""

from typing import Annotated

from fastapi import APIRouter, Query

from bylaw.api.answers import Reply
from bylaw.api.compat.flashback import translate
from bylaw.api.compat.flashback.query import PolicyQuery
from bylaw.api.compat.flashback.shown import Shown
from bylaw.api.compat.flashback.wire import (
    FlashbackConfirmation,
    FlashbackNewPolicy,
    OnePolicy,
    Policies,
    PolicyChange,
)
from bylaw.api.ports import Unit
from bylaw.api.route import Route, body, needs
from bylaw.core.errors import Forbidden, InvalidInput, NotFound
from bylaw.core.ids import PolicyId, RepoId, TenantId
from bylaw.policies import editing, lifecycle, reading
from bylaw.policies.model import Current
from bylaw.policies.store import PolicyFilter
from bylaw.tenancy.model import EVERYWHERE, Place
from bylaw.tenancy.principal import Acting

router = APIRouter(tags=["flashback"], route_class=Route)

Reading = Annotated[Acting[Unit], needs("policy:read")]
Writing = Annotated[Acting[Unit], needs("policy:write")]


@router.post("/policy", status_code=201)
async def create_policy(
    acting: Writing, new: Annotated[FlashbackNewPolicy, body(FlashbackNewPolicy)]
) -> Reply[OnePolicy]:
    """Make a policy. It is in force at once, unless its workspace reviews changes."""
    require_own(acting, new.org_id)
    try:
        made = await editing.create_policy(acting, translate.new_policy(new, ident=acting.ids.uuid7()))
    except NotFound as missing:
        field = translate.PATHS.get(f"{missing.noun}_id", missing.noun)
        raise InvalidInput.of(field, "unknown_reference", missing.message) from missing
    return await _one(acting, made)


@router.get("/policy")
async def list_policies(acting: Reading, query: Annotated[PolicyQuery, Query()]) -> Reply[Policies]:
    """List the policies of the organisation that the caller may see, newest first."""
    require_own(acting, query.org_id)
    shown = Shown(acting.unit)
    where = await _where(acting, query)
    found = [] if where is None else [each async for each in reading.every_policy(acting, where)]
    return Reply(Policies(policies=tuple([await shown.policy(each) for each in found])))


@router.get("/policy/{policy_id}")
async def read_policy(acting: Reading, policy_id: PolicyId) -> Reply[OnePolicy]:
    """Read a policy."""
    return await _one(acting, await reading.read_policy(acting, policy_id))


@router.put("/policy/{policy_id}")
async def change_policy(
    acting: Writing, policy_id: PolicyId, change: Annotated[PolicyChange, body(PolicyChange)]
) -> Reply[OnePolicy]:
    """Change a policy; fields left out stay. It holds at once, unless its workspace reviews changes."""
    current = await reading.read_policy(acting, policy_id)
    newest = await reading.waiting(acting.unit, current)
    fields = translate.changed_fields(current.policy, newest.version.content, change)
    return await _one(acting, await editing.edit_policy(acting, policy_id, editing.Edit(fields=fields)))


@router.delete("/policy/{policy_id}")
async def delete_policy(acting: Writing, policy_id: PolicyId) -> Reply[FlashbackConfirmation]:
    """Delete a policy; what happened under it stays."""
    await lifecycle.delete_policy(acting, policy_id)
    return Reply(FlashbackConfirmation(message="The policy is deleted and no longer enforced."))


def require_own(acting: Acting[Unit], org_id: str) -> None:
    """Return nothing if the organisation is the caller's. Raises: Forbidden."""
    if TenantId(org_id) != acting.unit.tenant_id:
        raise Forbidden("You do not belong to this organisation.", needs="orgId")


async def _where(acting: Acting[Unit], query: PolicyQuery) -> PolicyFilter | None:
    """Return the filter that is meant, or None when it can find nothing."""
    place = await _place(acting, query)
    if place is None or (place != EVERYWHERE and not acting.principal.may("policy:read", place)):
        return None
    if query.match == "effective":
        return PolicyFilter(
            place=place,
            match="effective",
            reach="place",
            statuses=frozenset({"approved"}),
            is_active=True,
        )
    return PolicyFilter(
        place=place,
        match="exact" if query.match == "exact" else "within",
        statuses=frozenset({"approved", "pending_review"}),
    )


async def _place(acting: Acting[Unit], query: PolicyQuery) -> Place | None:
    """Return the place that is named, or None when there is none such; a repo says its workspace itself."""
    if query.repo_id is None:
        return translate.place_of(query.workspace_id, None)
    repo = await acting.unit.tenancy.repos.get(RepoId(query.repo_id))
    if repo is None or query.workspace_id not in {None, repo.workspace_id}:
        return None
    return Place(workspace_id=repo.workspace_id, repo_id=repo.id)


async def _one(acting: Acting[Unit], current: Current) -> Reply[OnePolicy]:
    return Reply(OnePolicy(policy=await Shown(acting.unit).policy(current)))
