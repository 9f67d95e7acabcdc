"""What goes over the wire about the organisation, its people, workspaces and repos, field for field."""

from typing import Literal

from bylaw.api.compat.flashback.wire import Wire
from bylaw.tenancy.model import WorkspaceRole

OrgRoleNumber = Literal[0x00, 0x01, 0x02, 0xFE, 0xFF]


class FlashbackNewWorkspace(Wire, frozen=True, kw_only=True):
    """A workspace to be made."""

    name: str


class FlashbackWorkspaceChange(Wire, frozen=True, kw_only=True):
    """A workspace under another name."""

    name: str | None = None


class MemberUser(Wire, frozen=True, kw_only=True):
    """Who a member of a workspace is."""

    id: str
    name: str
    last_name: str
    email: str
    org_role: OrgRoleNumber


class Member(Wire, frozen=True, kw_only=True):
    """A member of a workspace with their role there."""

    user_id: str
    role: WorkspaceRole
    user: MemberUser


class Workspace(Wire, frozen=True, kw_only=True):
    """A workspace."""

    id: str
    name: str
    org_id: str


class WorkspaceWithUsers(Wire, frozen=True, kw_only=True):
    """A workspace with its members."""

    id: str
    name: str
    org_id: str
    users: tuple[Member, ...]


class SavedWorkspace(Wire, frozen=True, kw_only=True):
    """A workspace as it is stored now."""

    success: Literal[True] = True
    workspace: Workspace


class OneWorkspace(Wire, frozen=True, kw_only=True):
    """One workspace."""

    success: Literal[True] = True
    workspace: WorkspaceWithUsers


class Workspaces(Wire, frozen=True, kw_only=True):
    """Workspaces, newest first."""

    success: Literal[True] = True
    workspaces: tuple[WorkspaceWithUsers, ...]


class NewMember(Wire, frozen=True, kw_only=True):
    """Who is to be a member of a workspace."""

    user_id: str
    role: WorkspaceRole


class MemberChange(Wire, frozen=True, kw_only=True):
    """The new role of a member."""

    role: WorkspaceRole


class FlashbackNewRepo(Wire, frozen=True, kw_only=True):
    """A repo to be made. What it stores is not kept here, so nothing is asked about it."""

    name: str
    workspace_id: str


class FlashbackRepoChange(Wire, frozen=True, kw_only=True):
    """What is to change: the name, or the workspace into which the repo moves with its policies."""

    name: str | None = None
    workspace_id: str | None = None


class SavedRepo(Wire, frozen=True, kw_only=True):
    """A repo as it is stored now."""

    success: Literal[True] = True
    repo_id: str


class Repo(Wire, frozen=True, kw_only=True):
    """A repo; storage is none of this server's business, so it has no buckets."""

    id: str
    name: str
    storage_type: Literal["S3"] = "S3"
    mode: Literal["NORMAL"] = "NORMAL"
    workspace_id: str
    buckets: tuple[()] = ()
    created_at: str


class Repos(Wire, frozen=True, kw_only=True):
    """Repos, newest first."""

    success: Literal[True] = True
    repos: tuple[Repo, ...]


class OrganizationChange(Wire, frozen=True, kw_only=True):
    """An organisation under another name; other details of it are not kept here."""

    name: str | None = None


class Organization(
    Wire,
    frozen=True,
    rename={"deleted_at": "deletedAt", "repos_disabled": "reposDisabled", "mfa_enforced": "mfaEnforced"},
):
    """An organisation. Only its name is kept here; the rest of the contract's details are null."""

    id: str
    name: str
    domain: str = ""
    address1: None = None
    address2: None = None
    city: None = None
    zipcode: None = None
    phone: None = None
    state: None = None
    country: None = None
    deleted_at: None = None
    repos_disabled: Literal[False] = False
    website: None = None
    is_business: Literal[False] = False
    mfa_enforced: Literal[False] = False


class OneOrganization(Wire, frozen=True, kw_only=True):
    """One organisation."""

    success: Literal[True] = True
    data: Organization


class SavedOrganization(Wire, frozen=True, kw_only=True):
    """An organisation as it is stored now."""

    success: Literal[True] = True
    data: Organization
    message: str


class FlashbackNewUser(Wire, frozen=True, kw_only=True):
    """A person to be added; there are no passwords here, people call with keys."""

    email: str
    first_name: str
    last_name: str = ""
    org_role: OrgRoleNumber = 0x00


class FlashbackUserChange(Wire, frozen=True, kw_only=True):
    """The fields of a person that are to change."""

    name: str | None = None
    last_name: str | None = None
    org_role: OrgRoleNumber | None = None


class NameChange(Wire, frozen=True, kw_only=True):
    """The names of a person that are to change."""

    name: str | None = None
    last_name: str | None = None


class RoleChange(Wire, frozen=True, kw_only=True):
    """The new role of a person in the organisation."""

    org_role: OrgRoleNumber


class User(Wire, frozen=True, kw_only=True):
    """A person; `orgRoles` are the roles that theirs carries with it."""

    id: str
    email: str
    name: str
    last_name: str
    org_id: str
    org_role: OrgRoleNumber
    validated: Literal[True] = True
    deleted_at: str | None
    org_role_description: str
    org_roles: tuple[OrgRoleNumber, ...]


class Users(Wire, frozen=True, kw_only=True):
    """People, newest first; `total` counts all of them."""

    success: Literal[True] = True
    data: tuple[User, ...]
    total: int


class SavedUser(Wire, frozen=True, kw_only=True):
    """A person as they are stored now."""

    success: Literal[True] = True
    data: User
    message: str


class Profile(Wire, frozen=True, kw_only=True):
    """Who is calling: a person, or a key that speaks for nobody."""

    id: str
    name: str
    last_name: str
    email: str
    org_id: str
    org_role: OrgRoleNumber
    org_role_description: str
    org_roles: tuple[OrgRoleNumber, ...]
    validated: Literal[True] = True
    mfa_required: Literal[False] = False
    is_business: Literal[False] = False


class OneProfile(Wire, frozen=True, kw_only=True):
    """The profile of the caller."""

    success: Literal[True] = True
    data: Profile


class Role(Wire, frozen=True, kw_only=True):
    """The role of a person in the organisation."""

    user_id: str
    org_role: OrgRoleNumber
    org_role_description: str
    org_roles: tuple[OrgRoleNumber, ...]


class OneRole(Wire, frozen=True, kw_only=True):
    """The role of a person."""

    success: Literal[True] = True
    data: Role


class ChangedRole(Wire, frozen=True, kw_only=True):
    """What became of a person's role."""

    user_id: str
    previous_role: OrgRoleNumber
    new_role: OrgRoleNumber
    message: str


class OneChangedRole(Wire, frozen=True, kw_only=True):
    """What became of a person's role."""

    success: Literal[True] = True
    data: ChangedRole
