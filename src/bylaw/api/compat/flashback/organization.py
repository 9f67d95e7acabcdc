"""The organisation and its people."""

from typing import Annotated

from fastapi import APIRouter

from bylaw.api.answers import Reply
from bylaw.api.compat.flashback import translate_places as translate
from bylaw.api.compat.flashback import wire_places as wire
from bylaw.api.compat.flashback.policies import require_own
from bylaw.api.compat.flashback.wire import FlashbackConfirmation
from bylaw.api.ports import Unit
from bylaw.api.route import Route, body, needs
from bylaw.core.errors import NotFound
from bylaw.core.ids import KeyId, TenantId, UserId
from bylaw.core.paging import Slice, every
from bylaw.tenancy import people, places
from bylaw.tenancy.model import User
from bylaw.tenancy.principal import Acting
from bylaw.tenancy.roles import org_role_of

router = APIRouter(tags=["flashback"], route_class=Route)

AnyCaller = Annotated[Acting[Unit], needs(None)]
Managing = Annotated[Acting[Unit], needs("workspaces:write")]


@router.get("/organization/users")
async def list_users(acting: AnyCaller) -> Reply[wire.Users]:
    """List the people of the organisation; it is for those who hold something in all of it."""
    total = (await people.list_users(acting, Slice(limit=1, total=True))).total or 0
    found = [each async for each in every(lambda part: people.list_users(acting, part))]
    return Reply(wire.Users(data=tuple(map(translate.user, found)), total=total))


@router.post("/organization/users", status_code=201)
async def create_user(
    acting: Managing, new: Annotated[wire.FlashbackNewUser, body(wire.FlashbackNewUser)]
) -> Reply[wire.SavedUser]:
    """Add a person; nobody gives a role above their own. Mint a key that speaks for them to let them call."""
    wanted = people.NewUser(
        email=new.email, name=new.first_name, last_name=new.last_name, org_role=translate.ROLES[new.org_role]
    )
    return _saved(await people.create_user(acting, wanted), "The user is added.")


@router.get("/organization/users/{user_id}")
async def read_user(acting: AnyCaller, user_id: UserId) -> Reply[wire.User]:
    """Read a person: oneself, or somebody who shares a workspace with the caller."""
    return Reply(translate.user(await people.read_user(acting, user_id)))


@router.put("/organization/users/{user_id}")
async def change_user(
    acting: AnyCaller,
    user_id: UserId,
    change: Annotated[wire.FlashbackUserChange, body(wire.FlashbackUserChange)],
) -> Reply[wire.SavedUser]:
    """Change a person's names or role."""
    user = await people.read_user(acting, user_id)
    if change.name is not None or change.last_name is not None:
        user = await people.rename_user(acting, user_id, change.name, last_name=change.last_name)
    if change.org_role is not None:
        user = await people.set_org_role(acting, user_id, translate.ROLES[change.org_role])
    return _saved(user, "The user is changed.")


@router.delete("/organization/users/{user_id}")
async def remove_user(acting: Managing, user_id: UserId) -> Reply[FlashbackConfirmation]:
    """Remove a person, whose keys stop working; they can be activated again."""
    await people.remove_user(acting, user_id)
    return Reply(FlashbackConfirmation(message="The user is removed."))


@router.post("/organization/users/{user_id}/activate")
async def activate_user(acting: Managing, user_id: UserId) -> Reply[FlashbackConfirmation]:
    """Bring a removed person back with their roles and keys."""
    await people.restore_user(acting, user_id)
    return Reply(FlashbackConfirmation(message="The user is active."))


@router.get("/organization/{tenant_id}")
async def read_organization(acting: AnyCaller, tenant_id: TenantId) -> Reply[wire.OneOrganization]:
    """Read the caller's organisation."""
    require_own(acting, tenant_id)
    return Reply(wire.OneOrganization(data=translate.organization(await places.read_tenant(acting))))


@router.put("/organization/{tenant_id}")
async def change_organization(
    acting: Annotated[Acting[Unit], needs("admin")],
    tenant_id: TenantId,
    change: Annotated[wire.OrganizationChange, body(wire.OrganizationChange)],
) -> Reply[wire.SavedOrganization]:
    """Give the caller's organisation another name."""
    require_own(acting, tenant_id)
    if change.name is None:
        tenant = await places.read_tenant(acting)
    else:
        tenant = await places.rename_tenant(acting, change.name)
    answer = wire.SavedOrganization(
        data=translate.organization(tenant), message="The organization is changed."
    )
    return Reply(answer)


@router.get("/user/profile")
async def read_profile(acting: AnyCaller) -> Reply[wire.OneProfile]:
    """Read who is calling."""
    role = org_role_of(
        acting.principal if acting.principal.speaks_for is None else acting.principal.speaks_for
    )
    ident, name, last_name, email = await _caller(acting)
    profile = wire.Profile(
        id=ident,
        name=name,
        last_name=last_name,
        email=email,
        org_id=acting.unit.tenant_id,
        org_role=translate.NUMBERS[role],
        org_role_description=role,
        org_roles=translate.carried(role),
    )
    return Reply(wire.OneProfile(data=profile))


@router.get("/user/{user_id}")
async def read_role(acting: AnyCaller, user_id: UserId) -> Reply[wire.OneRole]:
    """Read the role of a person in the organisation."""
    return Reply(wire.OneRole(data=translate.role(await people.read_user(acting, user_id))))


@router.put("/user/{user_id}")
async def rename_user(
    acting: AnyCaller, user_id: UserId, change: Annotated[wire.NameChange, body(wire.NameChange)]
) -> Reply[FlashbackConfirmation]:
    """Change a person's names; people may do so themselves."""
    await people.read_user(acting, user_id)
    await people.rename_user(acting, user_id, change.name, last_name=change.last_name)
    return Reply(FlashbackConfirmation(message="The user is changed."))


@router.put("/user/{user_id}/role")
async def change_role(
    acting: Managing, user_id: UserId, change: Annotated[wire.RoleChange, body(wire.RoleChange)]
) -> Reply[wire.OneChangedRole]:
    """Give a person another role; nobody touches a role above their own, and the last owner stays."""
    before = await people.read_user(acting, user_id)
    after = await people.set_org_role(acting, user_id, translate.ROLES[change.org_role])
    answer = wire.ChangedRole(
        user_id=after.id,
        previous_role=translate.NUMBERS[before.org_role],
        new_role=translate.NUMBERS[after.org_role],
        message=f"The role is {after.org_role} now.",
    )
    return Reply(wire.OneChangedRole(data=answer))


async def _caller(acting: Acting[Unit]) -> tuple[str, str, str, str]:
    """Return id, name, last name and e-mail of the caller: the person behind the key, else the key."""
    user_id = acting.principal.user_id
    if user_id is not None:
        user = await people.read_user(acting, user_id)
        return user.id, user.name, user.last_name, user.email
    key = await acting.unit.tenancy.keys.get(KeyId(acting.principal.id))
    if key is None:
        raise NotFound("key", acting.principal.id)
    return key.id, key.name, "", ""


def _saved(user: User, message: str) -> Reply[wire.SavedUser]:
    return Reply(wire.SavedUser(data=translate.user(user), message=message))
