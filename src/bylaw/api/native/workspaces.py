"""Workspaces and their repos."""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response
from msgspec import UNSET, UnsetType

from bylaw import rules
from bylaw.api.answers import Page, Reply, page
from bylaw.api.native.query import InWorkspace, ListQuery
from bylaw.api.ports import Unit
from bylaw.api.route import Revision, Route, body, needs
from bylaw.core.clock import rfc3339
from bylaw.core.errors import InvalidInput, Problem
from bylaw.core.ids import RepoId, WorkspaceId
from bylaw.learning.places import move_repo
from bylaw.tenancy import places
from bylaw.tenancy.model import Repo, Workspace
from bylaw.tenancy.places import WorkspaceChange
from bylaw.tenancy.principal import Acting
from bylaw.tenancy.revisions import require_revision

router = APIRouter(tags=["workspaces"], route_class=Route)


class NewWorkspace(WorkspaceChange, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A workspace to be made; without an id it gets one, and what is left out is off."""

    name: str
    id: str | None = None


class WorkspaceView(msgspec.Struct, frozen=True, kw_only=True):
    """Part of a tenant that owns policies and keys, with its habits of review.

    `review_edits`: an edit of an approved policy waits for approval. `separate_approvers`: it waits, and
    nobody approves their own. `require_policy`: a decision to which nothing applies is a block.
    `route_decisions`: a decision without topics finds them by what the customer said, as with `route`.
    `context_schema`: what rules may read, as a JSON Schema subset.
    """

    id: str
    name: str
    review_edits: bool
    separate_approvers: bool
    require_policy: bool
    route_decisions: bool
    context_schema: Mapping[str, object] | None
    created_at: str


class NewRepo(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A repo to be made; without an id it gets one."""

    name: str
    id: str | None = None


class RepoChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fields of a repo that are to change; its policies, keys and agents go with it when it moves."""

    name: str | UnsetType = UNSET
    workspace_id: str | UnsetType = UNSET


class RepoView(msgspec.Struct, frozen=True, kw_only=True):
    """Part of exactly one workspace."""

    id: str
    workspace_id: str
    name: str
    created_at: str


@router.post("/v1/workspaces", status_code=201)
async def create_workspace(
    acting: Annotated[Acting[Unit], needs("workspaces:write")],
    new: Annotated[NewWorkspace, body(NewWorkspace)],
) -> Reply[WorkspaceView]:
    """Make a workspace."""
    _require_schema(new)
    habits = WorkspaceChange(
        review_edits=new.review_edits,
        separate_approvers=new.separate_approvers,
        require_policy=new.require_policy,
        route_decisions=new.route_decisions,
        context_schema=new.context_schema,
    )
    return _workspace(await places.create_workspace(acting, new.name, workspace_id=new.id, habits=habits))


@router.get("/v1/workspaces")
async def list_workspaces(
    acting: Annotated[Acting[Unit], needs(None)], query: Annotated[ListQuery, Query()]
) -> Reply[Page[WorkspaceView]]:
    """List the workspaces in which the caller holds anything."""
    return Reply(page(await places.list_workspaces(acting, query.part), view))


@router.get("/v1/workspaces/{workspace_id}")
async def read_workspace(
    acting: Annotated[Acting[Unit], needs(None)], workspace_id: WorkspaceId
) -> Reply[WorkspaceView]:
    """Read one workspace."""
    return _workspace(await places.read_workspace(acting, workspace_id))


@router.patch("/v1/workspaces/{workspace_id}")
async def change_workspace(
    acting: Annotated[Acting[Unit], needs("workspaces:write")],
    workspace_id: WorkspaceId,
    change: Annotated[WorkspaceChange, body(WorkspaceChange)],
    revision: Revision,
) -> Reply[WorkspaceView]:
    """Change a workspace; fields left out stay."""
    _require_schema(change)
    return _workspace(await places.change_workspace(acting, workspace_id, change, revision=revision))


@router.delete("/v1/workspaces/{workspace_id}", status_code=204)
async def delete_workspace(
    acting: Annotated[Acting[Unit], needs("workspaces:write")], workspace_id: WorkspaceId
) -> Response:
    """Delete an empty workspace."""
    await places.delete_workspace(acting, workspace_id)
    return Response(status_code=204)


@router.post("/v1/workspaces/{workspace_id}/repos", status_code=201)
async def create_repo(
    acting: Annotated[Acting[Unit], needs("workspaces:write")],
    workspace_id: WorkspaceId,
    new: Annotated[NewRepo, body(NewRepo)],
) -> Reply[RepoView]:
    """Make a repo in a workspace."""
    return _repo(await places.create_repo(acting, workspace_id, name=new.name, repo_id=new.id))


@router.get("/v1/repos")
async def list_repos(
    acting: Annotated[Acting[Unit], needs(None)],
    query: Annotated[InWorkspace, Query()],
) -> Reply[Page[RepoView]]:
    """List the repos that lie where the caller holds anything."""
    return Reply(
        page(await places.list_repos(acting, query.part, workspace_id=query.workspace_id), repo_view)
    )


@router.get("/v1/repos/{repo_id}")
async def read_repo(acting: Annotated[Acting[Unit], needs(None)], repo_id: RepoId) -> Reply[RepoView]:
    """Read one repo."""
    return _repo(await places.read_repo(acting, repo_id))


@router.patch("/v1/repos/{repo_id}")
async def change_repo(
    acting: Annotated[Acting[Unit], needs("workspaces:write")],
    repo_id: RepoId,
    change: Annotated[RepoChange, body(RepoChange)],
    revision: Revision,
) -> Reply[RepoView]:
    """Give a repo a new name, or move it with all in it into another workspace."""
    repo = await places.read_repo(acting, repo_id)
    require_revision(repo.revision, revision)
    if change.workspace_id is not UNSET:
        repo = await move_repo(acting, repo_id, WorkspaceId(change.workspace_id))
    if change.name is not UNSET:
        repo = await places.rename_repo(acting, repo_id, name=change.name, revision=None)
    return _repo(repo)


@router.delete("/v1/repos/{repo_id}", status_code=204)
async def delete_repo(
    acting: Annotated[Acting[Unit], needs("workspaces:write")], repo_id: RepoId
) -> Response:
    """Delete an empty repo."""
    await places.delete_repo(acting, repo_id)
    return Response(status_code=204)


def view(workspace: Workspace) -> WorkspaceView:
    """Return a workspace as it goes over the wire."""
    return WorkspaceView(
        id=workspace.id,
        name=workspace.name,
        review_edits=workspace.review_edits,
        separate_approvers=workspace.separate_approvers,
        require_policy=workspace.require_policy,
        route_decisions=workspace.route_decisions,
        context_schema=workspace.context_schema,
        created_at=rfc3339(workspace.created_ms),
    )


def repo_view(repo: Repo) -> RepoView:
    """Return a repo as it goes over the wire."""
    return RepoView(
        id=repo.id, workspace_id=repo.workspace_id, name=repo.name, created_at=rfc3339(repo.created_ms)
    )


def _require_schema(change: WorkspaceChange) -> None:
    """Return nothing if rules can be checked against its schema. Raises: InvalidInput that names where."""
    if change.context_schema is UNSET:
        return
    try:
        rules.compile("true", schema=change.context_schema)
    except InvalidInput as error:
        problems = (
            Problem(path=f"context_{each.path}", code=each.code, message=f"context_{each.message}")
            for each in error.problems
        )
        raise InvalidInput(error.message, *problems) from None


def _workspace(workspace: Workspace) -> Reply[WorkspaceView]:
    return Reply(view(workspace), revision=workspace.revision)


def _repo(repo: Repo) -> Reply[RepoView]:
    return Reply(repo_view(repo), revision=repo.revision)
