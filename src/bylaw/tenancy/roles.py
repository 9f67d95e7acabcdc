"""Roles: what a person may do, expressed as scopes in places."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from bylaw.core.errors import Forbidden
from bylaw.tenancy.model import EVERYWHERE, OrgRole, Place, User, WorkspaceRole
from bylaw.tenancy.principal import Grant, Principal

_ORG_RANK: Final[Mapping[OrgRole, int]] = MappingProxyType(
    {"USER": 0, "BILLING": 1, "WORKSPACES": 2, "ADMINISTRATORS": 3, "OWNER": 4}
)

ORG_SCOPES: Final[Mapping[OrgRole, frozenset[str]]] = MappingProxyType(
    {
        "OWNER": frozenset({"admin"}),
        "ADMINISTRATORS": frozenset({"admin"}),
        "WORKSPACES": frozenset({"workspaces:write"}),
        "BILLING": frozenset(),
        "USER": frozenset(),
    }
)

# What governs everybody is read by everybody.
_EVERY_MEMBER: Final = Grant(place=EVERYWHERE, scopes=frozenset({"policy:read"}), exactly=True)

_READ: Final = frozenset({"policy:read", "receipts:read", "agents:read", "conversations:read"})
_WRITE: Final = _READ | {
    "policy:write",
    "decisions:write",
    "agents:write",
    "conversations:write",
    "gateway:use",
}

WORKSPACE_SCOPES: Final[Mapping[WorkspaceRole, frozenset[str]]] = MappingProxyType(
    {"READ": _READ, "WRITE": _WRITE, "ADMIN": _WRITE | {"policy:approve", "workspaces:write"}}
)


def principal_of(user: User) -> Principal:
    """Return the principal that a user is: everything of their org role, and more in their workspaces.

    Every member reads the policies of the whole tenant: they govern all of them.
    """
    grants = [Grant(place=EVERYWHERE, scopes=ORG_SCOPES[user.org_role]), _EVERY_MEMBER]
    grants += [
        Grant(place=Place(workspace_id=workspace_id), scopes=WORKSPACE_SCOPES[role])
        for workspace_id, role in sorted(user.workspace_roles.items())
    ]
    return Principal(
        tenant_id=user.tenant_id, kind="user", id=user.id, grants=tuple(grants), org_role=user.org_role
    )


def org_role_of(principal: Principal) -> OrgRole:
    """Return the org role as which the principal acts; a key acts as the role that its scopes amount to."""
    if principal.org_role is not None:
        return principal.org_role
    if principal.may("admin", EVERYWHERE):
        return "OWNER" if principal.speaks_for is None else org_role_of(principal.speaks_for)
    return "WORKSPACES" if principal.may("workspaces:write", EVERYWHERE) else "USER"


def takes_away(old: User, new: User) -> bool:
    """Return whether a person may less as `new` than as `old`, in the organisation or a workspace.

    Roles in workspaces add nothing to `admin`, so whoever gives them takes nothing from its holders.
    """
    if _ORG_RANK[new.org_role] < _ORG_RANK[old.org_role]:
        return True
    if "admin" in ORG_SCOPES[new.org_role]:
        return False
    held = {ident: WORKSPACE_SCOPES[role] for ident, role in new.workspace_roles.items()}
    return any(
        not WORKSPACE_SCOPES[role] <= held.get(ident, frozenset())
        for ident, role in old.workspace_roles.items()
    )


def require_rank(principal: Principal, role: OrgRole) -> None:
    """Return nothing if the principal may give or take `role`: nobody touches a role above their own."""
    own = org_role_of(principal)
    if _ORG_RANK[role] > _ORG_RANK[own]:
        raise Forbidden(f"The role {role} is above yours, {own}: ask somebody who holds it.", needs=role)
