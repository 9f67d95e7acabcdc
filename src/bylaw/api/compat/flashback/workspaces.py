"""Workspaces with their members, and repos."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field

from bylaw.api.answers import Reply
from bylaw.api.compat.flashback import translate_places as translate
from bylaw.api.compat.flashback import wire_places as wire
from bylaw.api.compat.flashback.query import Id
from bylaw.api.compat.flashback.query import Query as Parameters
from bylaw.api.compat.flashback.wire import FlashbackConfirmation, FlashbackDone
from bylaw.api.ports import Unit
from bylaw.api.route import Route, body, needs
from bylaw.core.ids import RepoId, UserId, WorkspaceId
from bylaw.core.paging import every
from bylaw.learning.places import move_repo
from bylaw.policies.places import delete_repo as delete_repo_with_policies
from bylaw.policies.places import delete_workspace as delete_workspace_with_policies
from bylaw.tenancy import people, places
from bylaw.tenancy.model import Workspace
from bylaw.tenancy.places import WorkspaceChange
from bylaw.tenancy.principal import Acting

router = APIRouter(tags=["flashback"], route_class=Route)

AnyCaller = Annotated[Acting[Unit], needs(None)]
Managing = Annotated[Acting[Unit], needs("workspaces:write")]


class RepoQuery(Parameters):
    """Which repos are wanted."""

    workspace_id: Annotated[Id, Field(alias="workspaceId", description="Those of this workspace.")] = None
    repo_id: Annotated[Id, Field(alias="repoId", description="This one only.")] = None


@router.post("/workspace", status_code=201)
async def create_workspace(
    acting: Managing, new: Annotated[wire.FlashbackNewWorkspace, body(wire.FlashbackNewWorkspace)]
) -> Reply[wire.SavedWorkspace]:
    """Make a workspace."""
    return _saved(await places.create_workspace(acting, new.name))


@router.get("/workspace")
async def list_workspaces(acting: AnyCaller) -> Reply[wire.Workspaces]:
    """List the workspaces in which the caller holds anything, with their members."""
    found = [each async for each in every(lambda part: places.list_workspaces(acting, part))]
    return Reply(wire.Workspaces(workspaces=tuple([await _with_users(acting, each) for each in found])))


@router.get("/workspace/{workspace_id}")
async def read_workspace(acting: AnyCaller, workspace_id: WorkspaceId) -> Reply[wire.OneWorkspace]:
    """Read a workspace with its members."""
    workspace = await places.read_workspace(acting, workspace_id)
    return Reply(wire.OneWorkspace(workspace=await _with_users(acting, workspace)))


@router.put("/workspace/{workspace_id}")
async def change_workspace(
    acting: Managing,
    workspace_id: WorkspaceId,
    change: Annotated[wire.FlashbackWorkspaceChange, body(wire.FlashbackWorkspaceChange)],
) -> Reply[wire.SavedWorkspace]:
    """Give a workspace another name."""
    if change.name is None:
        return _saved(await places.read_workspace(acting, workspace_id))
    renamed = WorkspaceChange(name=change.name)
    return _saved(await places.change_workspace(acting, workspace_id, renamed, revision=None))


@router.delete("/workspace/{workspace_id}")
async def delete_workspace(acting: Managing, workspace_id: WorkspaceId) -> Reply[FlashbackDone]:
    """Delete a workspace together with its policies; it must hold no repo."""
    await delete_workspace_with_policies(acting, workspace_id)
    return Reply(FlashbackDone())


@router.post("/workspace/{workspace_id}/users", status_code=201)
async def add_member(
    acting: Managing, workspace_id: WorkspaceId, new: Annotated[wire.NewMember, body(wire.NewMember)]
) -> Reply[FlashbackDone]:
    """Give a person a role in a workspace."""
    await people.set_workspace_role(acting, UserId(new.user_id), workspace_id, role=new.role)
    return Reply(FlashbackDone())


@router.put("/workspace/{workspace_id}/users/{user_id}")
async def change_member(
    acting: Managing,
    workspace_id: WorkspaceId,
    user_id: UserId,
    change: Annotated[wire.MemberChange, body(wire.MemberChange)],
) -> Reply[FlashbackDone]:
    """Give a member of a workspace another role there."""
    await people.set_workspace_role(acting, user_id, workspace_id, role=change.role)
    return Reply(FlashbackDone())


@router.delete("/workspace/{workspace_id}/users/{user_id}")
async def remove_member(acting: Managing, workspace_id: WorkspaceId, user_id: UserId) -> Reply[FlashbackDone]:
    """Take a person's role in a workspace."""
    await people.set_workspace_role(acting, user_id, workspace_id, role=None)
    return Reply(FlashbackDone())


@router.post("/repo", status_code=201)
async def create_repo(
    acting: Managing, new: Annotated[wire.FlashbackNewRepo, body(wire.FlashbackNewRepo)]
) -> Reply[wire.SavedRepo]:
    """Make a repo in a workspace."""
    made = await places.create_repo(acting, WorkspaceId(new.workspace_id), name=new.name)
    return Reply(wire.SavedRepo(repo_id=made.id))


@router.get("/repo")
async def list_repos(acting: AnyCaller, query: Annotated[RepoQuery, Query()]) -> Reply[wire.Repos]:
    """List the repos that lie where the caller holds anything."""
    workspace = None if query.workspace_id is None else WorkspaceId(query.workspace_id)
    listed = every(lambda part: places.list_repos(acting, part, workspace_id=workspace))
    found = [each async for each in listed if query.repo_id in {None, each.id}]
    return Reply(wire.Repos(repos=tuple(map(translate.repo, found))))


@router.put("/repo/{repo_id}")
async def change_repo(
    acting: Managing,
    repo_id: RepoId,
    change: Annotated[wire.FlashbackRepoChange, body(wire.FlashbackRepoChange)],
) -> Reply[wire.SavedRepo]:
    """Give a repo another name, or move it with its policies into another workspace."""
    repo = await places.read_repo(acting, repo_id)
    if change.name is not None:
        repo = await places.rename_repo(acting, repo_id, name=change.name, revision=None)
    if change.workspace_id is not None:
        repo = await move_repo(acting, repo_id, WorkspaceId(change.workspace_id))
    return Reply(wire.SavedRepo(repo_id=repo.id))


@router.delete("/repo/{repo_id}")
async def delete_repo(acting: Managing, repo_id: RepoId) -> Reply[FlashbackConfirmation]:
    """Delete a repo together with its policies."""
    await delete_repo_with_policies(acting, repo_id)
    return Reply(FlashbackConfirmation(message="The repo is deleted, and its policies with it."))


async def _with_users(acting: Acting[Unit], workspace: Workspace) -> wire.WorkspaceWithUsers:
    listed = every(lambda part: people.list_users(acting, part, workspace_id=workspace.id))
    return translate.workspace_with(workspace, [each async for each in listed])


def _saved(workspace: Workspace) -> Reply[wire.SavedWorkspace]:
    return Reply(wire.SavedWorkspace(workspace=translate.workspace(workspace)))
