"""Places, people and the callers they let in: the nouns of tenancy as values."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from bylaw.core.ids import AgentId, ConnectionId, KeyId, PolicyId, RepoId, TenantId, UserId, WorkspaceId

OrgRole = Literal["OWNER", "ADMINISTRATORS", "WORKSPACES", "BILLING", "USER"]
WorkspaceRole = Literal["READ", "WRITE", "ADMIN"]
Provider = Literal["openai", "google", "anthropic", "aws", "other"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where something holds, inside one tenant: all of it, one workspace, or one repo of a workspace."""

    workspace_id: WorkspaceId | None = None
    repo_id: RepoId | None = None

    def contains(self, other: "Place") -> bool:
        """Return whether `other` is this place or lies inside it."""
        if self.repo_id is not None:
            return self.repo_id == other.repo_id and self.workspace_id == other.workspace_id
        return self.workspace_id is None or self.workspace_id == other.workspace_id


EVERYWHERE = Place()


def overlap(ones: Iterable[Place], others: Iterable[Place]) -> tuple[Place, ...]:
    """Return the places that lie in one of `ones` and in one of `others`, each once."""
    ones, others = tuple(ones), tuple(others)
    inside = [place for place in ones if any(other.contains(place) for other in others)]
    inside += [place for place in others if any(one.contains(place) for one in ones)]
    return tuple(dict.fromkeys(inside))


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """An organisation; nothing ever crosses tenants."""

    id: TenantId
    name: str
    created_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Workspace:
    """Part of a tenant that owns policies and keys, with its habits of review.

    `review_edits`: an edit of an approved policy waits for approval. `separate_approvers`: it waits, and
    nobody approves their own. `require_policy`: a decision to which nothing applies is a block.
    `route_decisions`: a decision without topics finds them by what the customer said.
    `context_schema`: what rules may read, as a JSON Schema subset, or None.
    """

    id: WorkspaceId
    tenant_id: TenantId
    name: str
    review_edits: bool = False
    separate_approvers: bool = False
    require_policy: bool = False
    route_decisions: bool = False
    context_schema: Mapping[str, object] | None = None
    created_ms: int
    deleted_ms: int | None = None
    revision: int = 1

    @property
    def waits_for_approval(self) -> bool:
        """Whether a new policy and an edit wait here; where nobody approves their own, all of them do."""
        return self.review_edits or self.separate_approvers


@dataclass(frozen=True, slots=True, kw_only=True)
class Repo:
    """Part of exactly one workspace."""

    id: RepoId
    tenant_id: TenantId
    workspace_id: WorkspaceId
    name: str
    created_ms: int
    deleted_ms: int | None = None
    revision: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A person with a role in the organisation and roles in workspaces.

    `name` is what they are called: the first name, where `last_name` is kept apart.
    """

    id: UserId
    tenant_id: TenantId
    email: str
    name: str
    last_name: str = ""
    org_role: OrgRole = "USER"
    workspace_roles: Mapping[WorkspaceId, WorkspaceRole] = field(default_factory=dict)
    created_ms: int
    deleted_ms: int | None = None
    revision: int = 1

    @property
    def full_name(self) -> str:
        """Their name and last name."""
        return f"{self.name} {self.last_name}".rstrip()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A key as it is stored: its hash, never its text.

    Units: `rate_per_minute` in requests, None means the server's default. `user_id`: the key speaks for that
    user and never exceeds their roles. `provider`: whose models an application calls with it, when it is a
    key for the gateway alone. `is_session`: a sign-in made it, so it ends when nobody uses it; one that was
    `made_from` another key may what that one may, and ends with it.
    """

    id: KeyId
    tenant_id: TenantId
    name: str
    prefix: str
    sha256: str
    scopes: frozenset[str]
    place: Place = EVERYWHERE
    user_id: UserId | None = None
    provider: Provider | None = None
    is_session: bool = False
    made_from: KeyId | None = None
    rate_per_minute: int | None = None
    created_ms: int
    expires_ms: int | None = None
    revoked_ms: int | None = None
    last_used_ms: int | None = None
    revision: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """How a person (`id` is theirs) shows that it is them: never a password or an invitation, but hashes.

    `password_hash` is None before the first password. `invitation` is the hash of the text with which they
    choose one, None when none is open. `issuer` and its `subject` are who they are at a sign-in service, None
    before they first came from there: nobody else of it is them, whatever address they have.
    """

    id: UserId
    tenant_id: TenantId
    password_hash: str | None = None
    invitation: str | None = None
    invitation_expires_ms: int | None = None
    issuer: str | None = None
    subject: str | None = None
    created_ms: int
    changed_ms: int
    revision: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How a workspace reaches the models of a provider.

    `endpoint` is where they are asked, empty for the provider's own address. `shown` is the part of its key
    that people may see, empty without one; `sealed` holds the credentials, which only a `Sealer` can open.
    """

    id: ConnectionId
    tenant_id: TenantId
    workspace_id: WorkspaceId
    name: str
    provider: Provider
    endpoint: str
    shown: str
    sealed: str
    created_by: str
    created_ms: int
    deleted_ms: int | None = None
    revision: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Agent:
    """A caller-named AI system; `registered` is False when it was only seen in a decision."""

    id: AgentId
    tenant_id: TenantId
    place: Place = EVERYWHERE
    name: str = ""
    policy_id: PolicyId | None = None
    require_policy: bool = False
    registered: bool = True
    created_ms: int
    revision: int = 1
