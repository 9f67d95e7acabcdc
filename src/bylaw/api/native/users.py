"""Users: people of a tenant, with their roles in the organisation and in workspaces."""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response
from msgspec import UNSET, UnsetType

from bylaw.api.answers import Page, Reply, page
from bylaw.api.native.query import InWorkspace
from bylaw.api.ports import Unit
from bylaw.api.route import Revision, Route, body, needs
from bylaw.core.clock import rfc3339
from bylaw.core.ids import UserId, WorkspaceId
from bylaw.tenancy import people
from bylaw.tenancy.model import OrgRole, User, WorkspaceRole
from bylaw.tenancy.principal import Acting

router = APIRouter(tags=["users"], route_class=Route)


class NewUser(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person to be added; without an id they get one."""

    email: str
    name: str
    last_name: str = ""
    org_role: OrgRole = "USER"
    id: str | None = None


class UserChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fields of a user that are to change; those left out stay."""

    name: str | UnsetType = UNSET
    last_name: str | UnsetType = UNSET
    org_role: OrgRole | UnsetType = UNSET


class RoleInWorkspace(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The role of a user in one workspace."""

    role: WorkspaceRole


class UserView(msgspec.Struct, frozen=True, kw_only=True):
    """A person; `workspace_roles` maps workspace ids to roles."""

    id: str
    email: str
    name: str
    last_name: str
    org_role: OrgRole
    workspace_roles: Mapping[str, WorkspaceRole]
    created_at: str


@router.post("/v1/users", status_code=201)
async def create_user(
    acting: Annotated[Acting[Unit], needs("workspaces:write")], new: Annotated[NewUser, body(NewUser)]
) -> Reply[UserView]:
    """Add a person. Nobody gives a role above their own."""
    wanted = people.NewUser(
        email=new.email, name=new.name, last_name=new.last_name, org_role=new.org_role, id=new.id
    )
    return _user(await people.create_user(acting, wanted))


@router.get("/v1/users")
async def list_users(
    acting: Annotated[Acting[Unit], needs(None)],
    query: Annotated[InWorkspace, Query()],
) -> Reply[Page[UserView]]:
    """List people; callers who hold nothing in the whole tenant name a workspace."""
    return Reply(page(await people.list_users(acting, query.part, workspace_id=query.workspace_id), view))


@router.get("/v1/users/{user_id}")
async def read_user(acting: Annotated[Acting[Unit], needs(None)], user_id: UserId) -> Reply[UserView]:
    """Read one person: oneself, or somebody who shares a workspace with the caller."""
    return _user(await people.read_user(acting, user_id))


@router.patch("/v1/users/{user_id}")
async def change_user(
    acting: Annotated[Acting[Unit], needs(None)],
    user_id: UserId,
    change: Annotated[UserChange, body(UserChange)],
    revision: Revision,
) -> Reply[UserView]:
    """Change a person's names (they may do so themselves) or role in the organisation."""
    user = await people.read_user(acting, user_id)
    name, last_name = (None if each is UNSET else each for each in (change.name, change.last_name))
    if name is not None or last_name is not None:
        user = await people.rename_user(acting, user_id, name, last_name=last_name, revision=revision)
        revision = None
    if change.org_role is not UNSET:
        user = await people.set_org_role(acting, user_id, change.org_role, revision=revision)
    return _user(user)


@router.delete("/v1/users/{user_id}", status_code=204)
async def remove_user(
    acting: Annotated[Acting[Unit], needs("workspaces:write")], user_id: UserId
) -> Response:
    """Remove a person; their keys end with them."""
    await people.remove_user(acting, user_id)
    return Response(status_code=204)


@router.post("/v1/users/{user_id}/restore")
async def restore_user(
    acting: Annotated[Acting[Unit], needs("workspaces:write")], user_id: UserId
) -> Reply[UserView]:
    """Bring a removed person back with their roles and keys."""
    return _user(await people.restore_user(acting, user_id))


@router.put("/v1/users/{user_id}/workspaces/{workspace_id}")
async def set_workspace_role(
    acting: Annotated[Acting[Unit], needs("workspaces:write")],
    user_id: UserId,
    workspace_id: WorkspaceId,
    wanted: Annotated[RoleInWorkspace, body(RoleInWorkspace)],
) -> Reply[UserView]:
    """Give a person a role in a workspace."""
    return _user(await people.set_workspace_role(acting, user_id, workspace_id, role=wanted.role))


@router.delete("/v1/users/{user_id}/workspaces/{workspace_id}")
async def take_workspace_role(
    acting: Annotated[Acting[Unit], needs("workspaces:write")], user_id: UserId, workspace_id: WorkspaceId
) -> Reply[UserView]:
    """Take a person's role in a workspace."""
    return _user(await people.set_workspace_role(acting, user_id, workspace_id, role=None))


def view(user: User) -> UserView:
    """Return a user as they go over the wire."""
    return UserView(
        id=user.id,
        email=user.email,
        name=user.name,
        last_name=user.last_name,
        org_role=user.org_role,
        workspace_roles={str(ident): role for ident, role in user.workspace_roles.items()},
        created_at=rfc3339(user.created_ms),
    )


def _user(user: User) -> Reply[UserView]:
    return Reply(view(user), revision=user.revision)
