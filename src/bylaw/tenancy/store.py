"""The store that tenancy needs: what one tenant holds, and the operator's view over all of them.

Rules for every implementation. Ids are unique inside a tenant only. `get` also finds what was deleted, lists
leave it out. `add` raises Conflict (`exists`) when the id is taken, or an undeleted user's e-mail (compared
case-folded), or a key's hash (in any tenant).
`save` replaces an item whose `revision` is one above the stored one, and raises PreconditionFailed otherwise.
Lists are ordered by (`created_ms`, id), newest first, and continue after a cursor.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from bylaw.core.ids import AgentId, ConnectionId, KeyId, PolicyId, RepoId, TenantId, UserId, WorkspaceId
from bylaw.core.paging import Page, Slice
from bylaw.tenancy.changes import Changes, Outbox
from bylaw.tenancy.model import Agent, ApiKey, Connection, Credential, Place, Repo, Tenant, User, Workspace

K_contra = TypeVar("K_contra", contravariant=True)
T = TypeVar("T")


class Rows(Protocol[K_contra, T]):
    """One kind of thing that a tenant holds."""

    async def get(self, ident: K_contra, /) -> T | None:
        """Return the item, deleted or not, or None."""

    async def add(self, item: T, /) -> None:
        """Store a new item. Raises: Conflict (`exists`)."""

    async def save(self, item: T, /) -> None:
        """Store the next revision of an item. Raises: PreconditionFailed."""


class Workspaces(Rows[WorkspaceId, Workspace], Protocol):
    """The workspaces of a tenant."""

    async def list(self, part: Slice, *, only: frozenset[WorkspaceId] | None = None) -> Page[Workspace]:
        """Return a page of them, of those in `only` when it is given."""


class Repos(Rows[RepoId, Repo], Protocol):
    """The repos of a tenant."""

    async def list(self, part: Slice, *, only: frozenset[WorkspaceId] | None = None) -> Page[Repo]:
        """Return a page of them, of those in the workspaces `only` when it is given."""


class Users(Rows[UserId, User], Protocol):
    """The users of a tenant."""

    async def list(self, part: Slice, *, workspace_id: WorkspaceId | None = None) -> Page[User]:
        """Return a page of them, of those with a role in the workspace when it is given."""

    async def count_owners(self) -> int:
        """Return how many undeleted users are OWNER, held so until the transaction ends."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionFilter:
    """Whose sessions are wanted: of this person, or made from this key.

    Units: `after_ms` is before they expire, `used_ms` at or before they were used last; milliseconds since
    the epoch.
    """

    user_id: UserId | None = None
    made_from: KeyId | None = None
    after_ms: int
    used_ms: int = 0


class Keys(Rows[KeyId, ApiKey], Protocol):
    """The API keys of a tenant; expired and revoked ones stay listed. Sessions are keys with a list apart."""

    async def list(self, part: Slice, *, within: Place | None = None) -> Page[ApiKey]:
        """Return a page of them, of those limited to `within` or a place inside it when it is given."""

    async def sessions(self, part: Slice, where: SessionFilter) -> Page[ApiKey]:
        """Return a page of the sessions that were not revoked."""


class Credentials(Rows[UserId, Credential], Protocol):
    """How the people of a tenant show that it is them, by the id of the person."""


class Connections(Rows[ConnectionId, Connection], Protocol):
    """The connections of a tenant to providers of models; in a workspace each name is held once."""

    async def list(self, part: Slice, *, only: frozenset[WorkspaceId] | None = None) -> Page[Connection]:
        """Return a page of them, of those of the workspaces `only` when it is given."""


class Agents(Rows[AgentId, Agent], Protocol):
    """The agents of a tenant."""

    async def get_or_add(self, agent: Agent, /) -> Agent:
        """Return the stored agent with this id, storing `agent` when there is none; safe when raced."""

    async def list(
        self, part: Slice, *, policy_id: PolicyId | None = None, readable: tuple[Place, ...] | None = None
    ) -> Page[Agent]:
        """Return a page of them: bound to `policy_id`; with a place around or inside a `readable` one."""

    async def governed(self, part: Slice) -> Page[Agent]:
        """Return a page of those with a bound policy, a place or `require_policy`, for a snapshot."""


class Directory(Protocol):
    """All that one tenant holds of places, people, keys and agents."""

    async def tenant(self) -> Tenant:
        """Return the tenant itself."""

    async def rename(self, name: str) -> None:
        """Store another name of the tenant."""

    @property
    def workspaces(self) -> Workspaces:
        """The workspaces."""

    @property
    def repos(self) -> Repos:
        """The repos."""

    @property
    def users(self) -> Users:
        """The users."""

    @property
    def keys(self) -> Keys:
        """The API keys."""

    @property
    def credentials(self) -> Credentials:
        """How its people sign in."""

    @property
    def connections(self) -> Connections:
        """The connections to providers."""

    @property
    def agents(self) -> Agents:
        """The agents."""

    async def contents(self, place: Place) -> Mapping[str, int]:
        """Return how many undeleted `repos`, `policies` and `agents` lie in `place`, zero counts left out."""


class TenancyUnit(Protocol):
    """One transaction of one tenant, as far as tenancy needs it."""

    @property
    def tenant_id(self) -> TenantId:
        """The tenant to which everything here belongs."""

    @property
    def tenancy(self) -> Directory:
        """Its places, people, keys and agents."""

    @property
    def changes(self) -> Changes:
        """Its change counter."""

    @property
    def outbox(self) -> Outbox:
        """Its entries for the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A person of an organisation who may be the one that signs in."""

    tenant: Tenant
    user: User


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate(Member):
    """One who has a password."""

    credential: Credential


class SignIns(Protocol):
    """Signing in, as far as the tenant is not known yet; and the sessions of every tenant."""

    async def candidates(
        self, email: str, *, tenant_id: TenantId | None = None, limit: int
    ) -> Sequence[Candidate]:
        """Return the undeleted people with this address and a password, of one tenant or of all."""

    async def bound(self, issuer: str, subject: str, *, limit: int) -> Sequence[Member]:
        """Return the undeleted people who are this subject of a sign-in service."""

    async def unbound(self, email: str, *, limit: int) -> Sequence[Member]:
        """Return the undeleted people with this address who are nobody yet at a sign-in service."""

    async def organisations(self, limit: int) -> int:
        """Return in how many tenants somebody has a password, counted up to `limit`."""

    async def invited(self, sha256: str) -> Credential | None:
        """Return whose invitation has this hash, open or expired."""

    async def used(self, since_ms: int) -> Mapping[tuple[TenantId, KeyId], int]:
        """Return when each session was last used, of those that were at `since_ms` or later."""

    async def drop_sessions(self, *, before_ms: int, limit: int) -> int:
        """Forget up to `limit` sessions that expired before; return how many it were."""


class OperatorUnit(Protocol):
    """One transaction of the operator: the only view that spans tenants."""

    async def tenant(self, tenant_id: TenantId) -> Tenant | None:
        """Return the tenant or None."""

    async def add_tenant(self, tenant: Tenant) -> None:
        """Store a new tenant with a change counter of 0. Raises: Conflict (`exists`)."""

    async def tenants(self, part: Slice) -> Page[Tenant]:
        """Return a page of the tenants, newest first."""

    async def keys(self, tenant_id: TenantId | None = None) -> Sequence[tuple[ApiKey, User | None]]:
        """Return every unrevoked key, of one tenant or of all, with the user for whom it speaks."""

    @property
    def sign_ins(self) -> SignIns:
        """Signing in, and the sessions of every tenant."""

    async def touch_keys(self, used: Mapping[tuple[TenantId, KeyId], int]) -> None:
        """Set `last_used_ms` of these keys where it is earlier; changes no revision and no counter."""

    async def counters(self) -> Mapping[TenantId, int]:
        """Return the change counter of every tenant."""
