"""Between the contract's organisation, people, workspaces and repos and ours."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final

from bylaw.api.compat.flashback import wire_places as wire
from bylaw.core.clock import rfc3339
from bylaw.tenancy.model import OrgRole, Repo, Tenant, User, Workspace

NUMBERS: Final[Mapping[OrgRole, wire.OrgRoleNumber]] = MappingProxyType(
    {"USER": 0x00, "BILLING": 0x01, "WORKSPACES": 0x02, "ADMINISTRATORS": 0xFE, "OWNER": 0xFF}
)
ROLES: Final[Mapping[int, OrgRole]] = MappingProxyType({number: role for role, number in NUMBERS.items()})


def carried(role: OrgRole) -> tuple[wire.OrgRoleNumber, ...]:
    """Return the numbers of the roles that `role` carries with it, itself included, lowest first."""
    return tuple(sorted(number for number in NUMBERS.values() if number <= NUMBERS[role]))


def workspace(one: Workspace) -> wire.Workspace:
    """Return a workspace as the contract shows it."""
    return wire.Workspace(id=one.id, name=one.name, org_id=one.tenant_id)


def workspace_with(one: Workspace, users: Iterable[User]) -> wire.WorkspaceWithUsers:
    """Return a workspace with its members as the contract shows it."""
    members = tuple(
        wire.Member(
            user_id=user.id,
            role=user.workspace_roles[one.id],
            user=wire.MemberUser(
                id=user.id,
                name=user.name,
                last_name=user.last_name,
                email=user.email,
                org_role=NUMBERS[user.org_role],
            ),
        )
        for user in users
    )
    return wire.WorkspaceWithUsers(id=one.id, name=one.name, org_id=one.tenant_id, users=members)


def repo(one: Repo) -> wire.Repo:
    """Return a repo as the contract shows it."""
    return wire.Repo(
        id=one.id, name=one.name, workspace_id=one.workspace_id, created_at=rfc3339(one.created_ms)
    )


def organization(tenant: Tenant) -> wire.Organization:
    """Return a tenant as the contract shows it."""
    return wire.Organization(id=tenant.id, name=tenant.name)


def user(one: User) -> wire.User:
    """Return a person as the contract shows them."""
    return wire.User(
        id=one.id,
        email=one.email,
        name=one.name,
        last_name=one.last_name,
        org_id=one.tenant_id,
        org_role=NUMBERS[one.org_role],
        deleted_at=None if one.deleted_ms is None else rfc3339(one.deleted_ms),
        org_role_description=one.org_role,
        org_roles=carried(one.org_role),
    )


def role(one: User) -> wire.Role:
    """Return the role of a person as the contract shows it."""
    return wire.Role(
        user_id=one.id,
        org_role=NUMBERS[one.org_role],
        org_role_description=one.org_role,
        org_roles=carried(one.org_role),
    )
