"""Tenants, workspaces and repos: made, changed, and deleted once they are empty."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from msgspec import UNSET, Struct, UnsetType

from bylaw.core.clock import Clock
from bylaw.core.errors import Conflict, Forbidden, InvalidInput, NotFound
from bylaw.core.ids import Ids, RepoId, TenantId, WorkspaceId
from bylaw.core.paging import Page, Slice
from bylaw.tenancy.entries import record
from bylaw.tenancy.model import EVERYWHERE, Place, Repo, Tenant, Workspace
from bylaw.tenancy.naming import checked_id, checked_name
from bylaw.tenancy.principal import Acting, Principal
from bylaw.tenancy.revisions import changed, require_revision, save_next
from bylaw.tenancy.store import OperatorUnit, TenancyUnit


class WorkspaceChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fields of a workspace that are to change; those left out stay."""

    name: str | UnsetType = UNSET
    review_edits: bool | UnsetType = UNSET
    separate_approvers: bool | UnsetType = UNSET
    require_policy: bool | UnsetType = UNSET
    route_decisions: bool | UnsetType = UNSET
    context_schema: Mapping[str, object] | UnsetType | None = UNSET


_USUAL: Final = WorkspaceChange()


@dataclass(frozen=True, slots=True, kw_only=True)
class NewTenant:
    """What a new tenant is to be; without an id it gets one."""

    name: str
    id: str | None = None


async def create_tenant(
    unit: OperatorUnit, principal: Principal, new: NewTenant, *, clock: Clock, ids: Ids
) -> Tenant:
    """Store a new tenant and return it. Raises: Forbidden for anyone but the operator; Conflict."""
    require_operator(principal)
    tenant = Tenant(
        id=TenantId(ids.uuid7() if new.id is None else checked_id(new.id)),
        name=checked_name(new.name),
        created_ms=clock.now_ms(),
    )
    await unit.add_tenant(tenant)
    return tenant


def require_operator(principal: Principal) -> None:
    """Return nothing if the principal runs this server. Raises: Forbidden."""
    if not principal.is_operator:
        raise Forbidden("Only the operator does this: a key of the first tenant with admin.", needs="admin")


async def read_tenant(acting: Acting[TenancyUnit]) -> Tenant:
    """Return the tenant of the caller."""
    return await acting.unit.tenancy.tenant()


async def rename_tenant(acting: Acting[TenancyUnit], name: str) -> Tenant:
    """Store the tenant of the caller under another name and return it."""
    acting.principal.require("admin", EVERYWHERE)
    tenant = replace(await read_tenant(acting), name=checked_name(name))
    await acting.unit.tenancy.rename(tenant.name)
    return tenant


async def create_workspace(
    acting: Acting[TenancyUnit],
    name: str,
    *,
    workspace_id: str | None = None,
    habits: WorkspaceChange = _USUAL,
) -> Workspace:
    """Store a new workspace with its habits of review and return it; without an id it gets one."""
    acting.principal.require("workspaces:write", EVERYWHERE)
    _require_to_say_who_reviews(acting, habits)
    plain = Workspace(
        id=WorkspaceId(acting.ids.uuid7() if workspace_id is None else checked_id(workspace_id)),
        tenant_id=acting.unit.tenant_id,
        name=checked_name(name),
        created_ms=acting.clock.now_ms(),
    )
    workspace = changed(plain, habits)
    await acting.unit.tenancy.workspaces.add(workspace)
    await record(acting, None, workspace)
    return workspace


async def change_workspace(
    acting: Acting[TenancyUnit], workspace_id: WorkspaceId, change: WorkspaceChange, *, revision: int | None
) -> Workspace:
    """Store the changed workspace and return it. Raises: PreconditionFailed for an old `revision`."""
    workspace = await _writable_workspace(acting, workspace_id)
    require_revision(workspace.revision, revision)
    _require_to_say_who_reviews(acting, change)
    new = changed(workspace, change)
    if change.name is not UNSET:
        new = replace(new, name=checked_name(change.name))
    return await save_next(acting, workspace, new, save=acting.unit.tenancy.workspaces.save)


def _require_to_say_who_reviews(acting: Acting[TenancyUnit], change: WorkspaceChange) -> None:
    """Return nothing if the caller may set how edits are reviewed, or leaves it alone. Raises: Forbidden.

    It is for those who administer the whole tenant, not for the people it binds.
    """
    if change.review_edits is not UNSET or change.separate_approvers is not UNSET:
        acting.principal.require("admin", EVERYWHERE)


async def delete_workspace(acting: Acting[TenancyUnit], workspace_id: WorkspaceId) -> Workspace:
    """Delete an empty workspace and return it. Raises: Conflict (`not_empty`) that says what it holds."""
    workspace = await _writable_workspace(acting, workspace_id)
    await _require_empty(acting.unit, Place(workspace_id=workspace_id))
    gone = replace(workspace, deleted_ms=acting.clock.now_ms())
    return await save_next(acting, workspace, gone, save=acting.unit.tenancy.workspaces.save)


async def read_workspace(acting: Acting[TenancyUnit], workspace_id: WorkspaceId) -> Workspace:
    """Return a workspace in which the caller holds anything. Raises: NotFound."""
    workspace = await acting.unit.tenancy.workspaces.get(workspace_id)
    known = known_workspaces(acting.principal)
    if workspace is None or workspace.deleted_ms is not None or not (known is None or workspace_id in known):
        raise NotFound("workspace", workspace_id)
    return workspace


async def list_workspaces(acting: Acting[TenancyUnit], part: Slice) -> Page[Workspace]:
    """Return a page of the workspaces in which the caller holds anything."""
    return await acting.unit.tenancy.workspaces.list(part, only=known_workspaces(acting.principal))


async def create_repo(
    acting: Acting[TenancyUnit], workspace_id: WorkspaceId, *, name: str, repo_id: str | None = None
) -> Repo:
    """Store a new repo of a workspace and return it; without an id it gets one."""
    await _writable_workspace(acting, workspace_id)
    repo = Repo(
        id=RepoId(acting.ids.uuid7() if repo_id is None else checked_id(repo_id)),
        tenant_id=acting.unit.tenant_id,
        workspace_id=workspace_id,
        name=checked_name(name),
        created_ms=acting.clock.now_ms(),
    )
    await acting.unit.tenancy.repos.add(repo)
    await record(acting, None, repo)
    return repo


async def rename_repo(
    acting: Acting[TenancyUnit], repo_id: RepoId, *, name: str, revision: int | None
) -> Repo:
    """Store the repo under a new name and return it. Raises: PreconditionFailed."""
    repo = await _writable_repo(acting, repo_id)
    require_revision(repo.revision, revision)
    renamed = replace(repo, name=checked_name(name))
    return await save_next(acting, repo, renamed, save=acting.unit.tenancy.repos.save)


async def delete_repo(acting: Acting[TenancyUnit], repo_id: RepoId) -> Repo:
    """Delete an empty repo and return it. Raises: Conflict (`not_empty`) that says what it holds."""
    repo = await _writable_repo(acting, repo_id)
    await _require_empty(acting.unit, Place(workspace_id=repo.workspace_id, repo_id=repo.id))
    gone = replace(repo, deleted_ms=acting.clock.now_ms())
    return await save_next(acting, repo, gone, save=acting.unit.tenancy.repos.save)


async def read_repo(acting: Acting[TenancyUnit], repo_id: RepoId) -> Repo:
    """Return a repo of a workspace in which the caller holds anything. Raises: NotFound."""
    repo = await acting.unit.tenancy.repos.get(repo_id)
    known = known_workspaces(acting.principal)
    if repo is None or repo.deleted_ms is not None or not (known is None or repo.workspace_id in known):
        raise NotFound("repo", repo_id)
    return repo


async def list_repos(
    acting: Acting[TenancyUnit], part: Slice, *, workspace_id: WorkspaceId | None = None
) -> Page[Repo]:
    """Return a page of the repos that lie where the caller holds anything, of one workspace when given."""
    known = known_workspaces(acting.principal)
    if workspace_id is not None:
        wanted = frozenset({workspace_id})
        known = wanted if known is None else wanted & known
    return await acting.unit.tenancy.repos.list(part, only=known)


async def require_place(unit: TenancyUnit, place: Place) -> None:
    """Return nothing if `place` exists: its repo belongs to its workspace, and neither is deleted.

    Raises: InvalidInput when a repo comes without, or with another, workspace; NotFound.
    """
    if place.workspace_id is None:
        if place.repo_id is not None:
            raise _misplaced("Name the workspace to which the repo belongs.")
        return
    workspace = await unit.tenancy.workspaces.get(place.workspace_id)
    if workspace is None or workspace.deleted_ms is not None:
        raise NotFound("workspace", place.workspace_id)
    if place.repo_id is not None:
        repo = await unit.tenancy.repos.get(place.repo_id)
        if repo is None or repo.deleted_ms is not None:
            raise NotFound("repo", place.repo_id)
        if repo.workspace_id != place.workspace_id:
            raise _misplaced("The repo belongs to another workspace.")


def known_workspaces(principal: Principal) -> frozenset[WorkspaceId] | None:
    """Return the workspaces in which the principal holds anything, or None for all of them."""
    held = {grant.place.workspace_id for grant in principal.grants if grant.scopes and not grant.exactly}
    own = None if None in held else frozenset(ident for ident in held if ident is not None)
    theirs = None if principal.speaks_for is None else known_workspaces(principal.speaks_for)
    if own is None or theirs is None:
        return theirs if own is None else own
    return own & theirs


async def _writable_workspace(acting: Acting[TenancyUnit], workspace_id: WorkspaceId) -> Workspace:
    workspace = await read_workspace(acting, workspace_id)
    acting.principal.require("workspaces:write", Place(workspace_id=workspace_id))
    return workspace


async def _writable_repo(acting: Acting[TenancyUnit], repo_id: RepoId) -> Repo:
    repo = await read_repo(acting, repo_id)
    acting.principal.require("workspaces:write", Place(workspace_id=repo.workspace_id))
    return repo


async def _require_empty(unit: TenancyUnit, place: Place) -> None:
    held = await unit.tenancy.contents(place)
    if held:
        listed = ", ".join(f"{noun} ({count})" for noun, count in sorted(held.items()))
        raise Conflict(f"It still holds {listed}: delete these first.", reason="not_empty")


def _misplaced(message: str) -> InvalidInput:
    return InvalidInput.of("repo_id", "wrong_workspace", message)
