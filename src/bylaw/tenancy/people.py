"""People: users of a tenant, and their roles in the organisation and in workspaces."""

from dataclasses import dataclass, replace
from typing import TypeVar, get_args

from bylaw.core.errors import Conflict, Forbidden, InvalidInput, NotFound
from bylaw.core.ids import UserId, WorkspaceId
from bylaw.core.paging import Page, Slice
from bylaw.tenancy.entries import record
from bylaw.tenancy.model import EVERYWHERE, OrgRole, Place, User, WorkspaceRole
from bylaw.tenancy.naming import checked_email, checked_id, checked_name
from bylaw.tenancy.places import known_workspaces, read_workspace
from bylaw.tenancy.principal import Acting
from bylaw.tenancy.revisions import require_revision, save_next
from bylaw.tenancy.roles import require_rank, takes_away
from bylaw.tenancy.sessions import end_sessions_of
from bylaw.tenancy.store import TenancyUnit


@dataclass(frozen=True, slots=True, kw_only=True)
class NewUser:
    """Who is to be added; without an id they get one."""

    email: str
    name: str
    last_name: str = ""
    org_role: OrgRole = "USER"
    id: str | None = None


async def create_user(acting: Acting[TenancyUnit], new: NewUser) -> User:
    """Store a new user and return them. Raises: Conflict when the e-mail address or the id is taken."""
    acting.principal.require("workspaces:write", EVERYWHERE)
    require_rank(acting.principal, _checked_role(new.org_role, get_args(OrgRole), path="org_role"))
    user = User(
        id=UserId(acting.ids.uuid7() if new.id is None else checked_id(new.id)),
        tenant_id=acting.unit.tenant_id,
        email=checked_email(new.email),
        name=checked_name(new.name),
        last_name=_checked_last_name(new.last_name),
        org_role=new.org_role,
        created_ms=acting.clock.now_ms(),
    )
    await acting.unit.tenancy.users.add(user)
    await record(acting, None, user)
    return user


async def set_org_role(
    acting: Acting[TenancyUnit], user_id: UserId, role: OrgRole, *, revision: int | None = None
) -> User:
    """Store the user with another role in the organisation and return them.

    Raises: Forbidden when the old or the new role is above the caller's; Conflict (`last_owner`).
    """
    acting.principal.require("workspaces:write", EVERYWHERE)
    user = await _user(acting, user_id)
    require_revision(user.revision, revision)
    require_rank(acting.principal, user.org_role)
    require_rank(acting.principal, _checked_role(role, get_args(OrgRole), path="org_role"))
    if user.org_role == "OWNER" and role != "OWNER":
        await require_another_owner(acting.unit)
    return await _save_roles(acting, user, replace(user, org_role=role))


async def set_workspace_role(
    acting: Acting[TenancyUnit], user_id: UserId, workspace_id: WorkspaceId, *, role: WorkspaceRole | None
) -> User:
    """Store the user with this role in the workspace, or with none, and return them."""
    await read_workspace(acting, workspace_id)
    acting.principal.require("workspaces:write", Place(workspace_id=workspace_id))
    user = await _user(acting, user_id)
    roles = {ident: held for ident, held in user.workspace_roles.items() if ident != workspace_id}
    if role is not None:
        roles[workspace_id] = _checked_role(role, get_args(WorkspaceRole), path="role")
    return await _save_roles(acting, user, replace(user, workspace_roles=roles))


async def rename_user(
    acting: Acting[TenancyUnit],
    user_id: UserId,
    name: str | None = None,
    *,
    last_name: str | None = None,
    revision: int | None = None,
) -> User:
    """Store the user with another name, last name or both, and return them; people may rename themselves."""
    user = await _user(acting, user_id)
    if acting.principal.user_id != user_id:
        acting.principal.require("workspaces:write", EVERYWHERE)
        require_rank(acting.principal, user.org_role)
    require_revision(user.revision, revision)
    renamed = replace(
        user,
        name=user.name if name is None else checked_name(name),
        last_name=user.last_name if last_name is None else _checked_last_name(last_name),
    )
    return await save_next(acting, user, renamed, save=acting.unit.tenancy.users.save)


async def remove_user(acting: Acting[TenancyUnit], user_id: UserId) -> User:
    """Delete a user, whose keys end with them, and return them. Raises: Conflict (`last_owner`)."""
    acting.principal.require("workspaces:write", EVERYWHERE)
    user = await _user(acting, user_id)
    require_rank(acting.principal, user.org_role)
    if user.org_role == "OWNER":
        await require_another_owner(acting.unit)
    await end_sessions_of(acting, user_id)
    gone = replace(user, deleted_ms=acting.clock.now_ms())
    return await save_next(acting, user, gone, save=acting.unit.tenancy.users.save)


async def restore_user(acting: Acting[TenancyUnit], user_id: UserId) -> User:
    """Bring a removed user back with their roles and keys, and return them; one who is there stays.

    Raises: Conflict (`exists`) when somebody else has the e-mail address by now.
    """
    acting.principal.require("workspaces:write", EVERYWHERE)
    user = await acting.unit.tenancy.users.get(user_id)
    if user is None:
        raise NotFound("user", user_id)
    require_rank(acting.principal, user.org_role)
    back = replace(user, deleted_ms=None)
    return await save_next(acting, user, back, save=acting.unit.tenancy.users.save)


async def read_user(acting: Acting[TenancyUnit], user_id: UserId) -> User:
    """Return a user: oneself, or anyone who shares a workspace with the caller. Raises: NotFound."""
    user = await _user(acting, user_id)
    known = known_workspaces(acting.principal)
    shares = known is None or not known.isdisjoint(user.workspace_roles)
    if acting.principal.user_id != user_id and not shares:
        raise NotFound("user", user_id)
    return user


async def list_users(
    acting: Acting[TenancyUnit], part: Slice, *, workspace_id: WorkspaceId | None = None
) -> Page[User]:
    """Return a page of the users, of one workspace when it is given.

    Raises: Forbidden when the caller holds nothing in the whole tenant and names no workspace.
    """
    if workspace_id is not None:
        await read_workspace(acting, workspace_id)
    elif known_workspaces(acting.principal) is not None:
        raise Forbidden("Name a workspace of yours.", needs="workspace_id")
    return await acting.unit.tenancy.users.list(part, workspace_id=workspace_id)


async def require_another_owner(unit: TenancyUnit) -> None:
    """Return nothing if more than one person is OWNER. Raises: Conflict (`last_owner`)."""
    if await unit.tenancy.users.count_owners() <= 1:
        raise Conflict("The last OWNER stays: make somebody else OWNER first.", reason="last_owner")


async def _save_roles(acting: Acting[TenancyUnit], user: User, new: User) -> User:
    """Store a person with other roles; who may less than before signs in again."""
    if takes_away(user, new):
        await end_sessions_of(acting, user.id, but=acting.principal.id)
    return await save_next(acting, user, new, save=acting.unit.tenancy.users.save)


async def _user(acting: Acting[TenancyUnit], user_id: UserId) -> User:
    user = await acting.unit.tenancy.users.get(user_id)
    if user is None or user.deleted_ms is not None:
        raise NotFound("user", user_id)
    return user


def _checked_last_name(text: str) -> str:
    """Return a last name, which may be blank. Raises: InvalidInput."""
    return checked_name(text, path="last_name") if text.strip() else ""


R = TypeVar("R", bound=str)


def _checked_role(role: R, roles: tuple[str, ...], *, path: str) -> R:
    if role not in roles:
        message = f"{role!r} is not a role; use one of {', '.join(roles)}."
        raise InvalidInput.of(path, "unknown_role", message)
    return role
