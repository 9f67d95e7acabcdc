"""Places, people, keys and agents of one tenant, in memory."""

from collections.abc import Mapping
from dataclasses import replace

from typing_extensions import override

from bylaw.core.errors import NotFound
from bylaw.core.ids import AgentId, ConnectionId, KeyId, PolicyId, RepoId, TenantId, UserId, WorkspaceId
from bylaw.core.paging import Page, Slice
from bylaw.policies.matching import near
from bylaw.storage.memory.heap import Heap
from bylaw.storage.memory.kinds import Kind
from bylaw.storage.memory.policies import Identities
from bylaw.storage.refusals import taken
from bylaw.storage.rows import from_row, to_row, user_row
from bylaw.storage.sql import tables
from bylaw.tenancy.model import (
    EVERYWHERE,
    Agent,
    ApiKey,
    Connection,
    Credential,
    Place,
    Repo,
    Tenant,
    User,
    Workspace,
)
from bylaw.tenancy.store import SessionFilter


class MemoryWorkspaces(Kind[WorkspaceId, Workspace]):
    """The workspaces of a tenant."""

    table = tables.workspaces
    kind = Workspace
    noun = "workspace"

    async def list(self, part: Slice, *, only: frozenset[WorkspaceId] | None = None) -> Page[Workspace]:
        """Return a page of them, of those in `only` when it is given."""
        return self._page(part, lambda each: each.deleted_ms is None and (only is None or each.id in only))


class MemoryRepos(Kind[RepoId, Repo]):
    """The repos of a tenant."""

    table = tables.repos
    kind = Repo
    noun = "repo"

    async def list(self, part: Slice, *, only: frozenset[WorkspaceId] | None = None) -> Page[Repo]:
        """Return a page of them, of those in the workspaces `only` when it is given."""
        return self._page(
            part, lambda each: each.deleted_ms is None and (only is None or each.workspace_id in only)
        )

    def count(self, place: Place) -> int:
        """Return how many undeleted repos lie in `place`; none lies in itself."""
        return sum(
            each.deleted_ms is None
            and place.repo_id is None
            and place.workspace_id in {None, each.workspace_id}
            for each in self._all()
        )


class MemoryUsers(Kind[UserId, User]):
    """The users of a tenant."""

    table = tables.users
    kind = User
    noun = "user"

    @override
    async def add(self, item: User, /) -> None:
        """Store a new user with their memberships. Raises: Conflict (`exists`)."""
        await super().add(item)
        self._join(item)

    @override
    async def save(self, item: User, /) -> None:
        """Store the next revision. Raises: PreconditionFailed; Conflict (`exists`) for a taken e-mail."""
        email = item.email.casefold()
        others = [each for each in self._all() if each.id != item.id and each.deleted_ms is None]
        if item.deleted_ms is None and any(each.email.casefold() == email for each in others):
            raise taken(self.noun)
        await super().save(item)
        for row in list(self._heap.all(tables.members)):
            if (row["tenant_id"], row["user_id"]) == (self._tenant_id, item.id):
                self._heap.remove(tables.members, row)
        self._join(item)

    async def list(self, part: Slice, *, workspace_id: WorkspaceId | None = None) -> Page[User]:
        """Return a page of them, of those with a role in the workspace when it is given."""
        return self._page(
            part,
            lambda each: (
                each.deleted_ms is None and (workspace_id is None or workspace_id in each.workspace_roles)
            ),
        )

    async def count_owners(self) -> int:
        """Return how many undeleted users are OWNER; the tenant's other writers wait until this one ends."""
        return sum(each.org_role == "OWNER" and each.deleted_ms is None for each in self._all())

    def _join(self, user: User) -> None:
        for workspace_id in user.workspace_roles:
            row = {"tenant_id": self._tenant_id, "workspace_id": workspace_id, "user_id": user.id}
            self._heap.insert_new(tables.members, row)

    @override
    def _written(self, item: User) -> Mapping[str, object]:
        return user_row(item)


class MemoryKeys(Kind[KeyId, ApiKey]):
    """The API keys of a tenant."""

    table = tables.keys
    kind = ApiKey
    noun = "key"

    @override
    async def save(self, item: ApiKey, /) -> None:
        """Store the next revision, but for `last_used_ms`. Raises: PreconditionFailed."""
        stored = await self.get(item.id)
        await super().save(item if stored is None else replace(item, last_used_ms=stored.last_used_ms))

    async def list(self, part: Slice, *, within: Place | None = None) -> Page[ApiKey]:
        """Return a page of them, of those limited to `within` or a place inside it when it is given."""
        place = EVERYWHERE if within is None else within
        return self._page(part, lambda each: not each.is_session and place.contains(each.place))

    async def sessions(self, part: Slice, where: SessionFilter) -> Page[ApiKey]:
        """Return a page of the sessions that were not revoked."""
        return self._page(part, lambda each: _matches(each, where))


def _matches(key: ApiKey, where: SessionFilter) -> bool:
    """Return whether a key is a session that is wanted."""
    used_ms = key.created_ms if key.last_used_ms is None else key.last_used_ms
    return (
        key.is_session
        and key.revoked_ms is None
        and key.expires_ms is not None
        and key.expires_ms > where.after_ms
        and used_ms >= where.used_ms
        and where.user_id in {None, key.user_id}
        and where.made_from in {None, key.made_from}
    )


class MemoryCredentials(Kind[UserId, Credential]):
    """How the people of a tenant show that it is them."""

    table = tables.credentials
    kind = Credential
    noun = "credential"


class MemoryConnections(Kind[ConnectionId, Connection]):
    """The connections of a tenant to providers of models."""

    table = tables.connections
    kind = Connection
    noun = "connection"

    @override
    async def save(self, item: Connection, /) -> None:
        """Store the next revision. Raises: PreconditionFailed; Conflict (`exists`) for a taken name."""
        same = (item.workspace_id, item.name)
        others = [each for each in self._all() if each.id != item.id and each.deleted_ms is None]
        if item.deleted_ms is None and same in {(each.workspace_id, each.name) for each in others}:
            raise taken(self.noun)
        await super().save(item)

    async def list(self, part: Slice, *, only: frozenset[WorkspaceId] | None = None) -> Page[Connection]:
        """Return a page of them, of those of the workspaces `only` when it is given."""
        return self._page(
            part, lambda each: each.deleted_ms is None and (only is None or each.workspace_id in only)
        )


class MemoryAgents(Kind[AgentId, Agent]):
    """The agents of a tenant."""

    table = tables.agents
    kind = Agent
    noun = "agent"

    async def get_or_add(self, agent: Agent, /) -> Agent:
        """Return the stored agent with this id, storing `agent` when there is none; safe when raced."""
        stored = await self.get(agent.id)
        if stored is not None:
            return stored
        await self.add(agent)
        return agent

    async def list(
        self, part: Slice, *, policy_id: PolicyId | None = None, readable: tuple[Place, ...] | None = None
    ) -> Page[Agent]:
        """Return a page of them: bound to `policy_id`; with a place around or inside a `readable` one."""
        return self._page(
            part,
            lambda each: (
                (policy_id is None or each.policy_id == policy_id)
                and (readable is None or any(near(each.place, place) for place in readable))
            ),
        )

    async def governed(self, part: Slice) -> Page[Agent]:
        """Return a page of those with a bound policy, a place or `require_policy`, for a snapshot."""
        return self._page(
            part,
            lambda each: each.policy_id is not None or each.place != EVERYWHERE or each.require_policy,
        )

    def count(self, place: Place) -> int:
        """Return how many agents lie in `place`."""
        return sum(place.contains(each.place) for each in self._all())


class MemoryDirectory:
    """All that one tenant holds of places, people, keys and agents."""

    def __init__(self, heap: Heap, tenant_id: TenantId) -> None:
        self._heap = heap
        self._tenant_id = tenant_id
        self._policies = Identities(heap, tenant_id)
        self.workspaces = MemoryWorkspaces(heap, tenant_id)
        self.repos = MemoryRepos(heap, tenant_id)
        self.users = MemoryUsers(heap, tenant_id)
        self.keys = MemoryKeys(heap, tenant_id)
        self.credentials = MemoryCredentials(heap, tenant_id)
        self.connections = MemoryConnections(heap, tenant_id)
        self.agents = MemoryAgents(heap, tenant_id)

    async def tenant(self) -> Tenant:
        """Return the tenant itself."""
        row = self._heap.get(tables.tenants, self._tenant_id)
        if row is None:
            raise NotFound("tenant", self._tenant_id)
        return from_row(Tenant, row)

    async def rename(self, name: str) -> None:
        """Store another name of the tenant."""
        tenant = replace(await self.tenant(), name=name)
        row = self._heap.get(tables.tenants, self._tenant_id)
        self._heap.replace(tables.tenants, {**(row or {}), **to_row(tenant)})

    async def contents(self, place: Place) -> Mapping[str, int]:
        """Return how many undeleted `repos`, `policies` and `agents` lie in `place`, zero counts left out.

        A repo lies in its workspace, not in itself.
        """
        found = {
            "repos": self.repos.count(place),
            "policies": self._policies.count(place),
            "agents": self.agents.count(place),
        }
        return {name: count for name, count in found.items() if count}
