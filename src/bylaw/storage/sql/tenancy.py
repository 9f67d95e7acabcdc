"""Places, people, keys and agents of one tenant, in SQL."""

from collections.abc import Mapping

from sqlalchemy import Table, delete, false, func, or_, select, true, update
from typing_extensions import override

from bylaw.core.errors import NotFound
from bylaw.core.ids import AgentId, ConnectionId, KeyId, PolicyId, RepoId, TenantId, UserId, WorkspaceId
from bylaw.core.paging import Page, Slice
from bylaw.storage.refusals import require_own, taken
from bylaw.storage.rows import from_row, user_row
from bylaw.storage.sql import tables
from bylaw.storage.sql.kinds import Kind
from bylaw.storage.sql.lists import Condition, equals, inside, near_any, one_of
from bylaw.storage.sql.session import Session
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


class SqlWorkspaces(Kind[WorkspaceId, Workspace]):
    """The workspaces of a tenant."""

    table = tables.workspaces
    kind = Workspace
    noun = "workspace"

    async def list(self, part: Slice, *, only: frozenset[WorkspaceId] | None = None) -> Page[Workspace]:
        """Return a page of them, of those in `only` when it is given."""
        return await self._page(part, self.table.c.deleted_ms.is_(None), *one_of(self.table.c.id, only))


class SqlRepos(Kind[RepoId, Repo]):
    """The repos of a tenant."""

    table = tables.repos
    kind = Repo
    noun = "repo"

    async def list(self, part: Slice, *, only: frozenset[WorkspaceId] | None = None) -> Page[Repo]:
        """Return a page of them, of those in the workspaces `only` when it is given."""
        columns = self.table.c
        return await self._page(part, columns.deleted_ms.is_(None), *one_of(columns.workspace_id, only))


class SqlUsers(Kind[UserId, User]):
    """The users of a tenant."""

    table = tables.users
    kind = User
    noun = "user"

    @override
    async def add(self, item: User, /) -> None:
        """Store a new user with their memberships. Raises: Conflict (`exists`)."""
        await super().add(item)
        await self._join(item)

    @override
    async def save(self, item: User, /) -> None:
        """Store the next revision. Raises: PreconditionFailed; Conflict (`exists`) for a taken e-mail."""
        columns = self.table.c
        same = self._own(
            columns.email_key == item.email.casefold(), columns.id != item.id, columns.deleted_ms.is_(None)
        )
        if item.deleted_ms is None and await self._session.row(select(columns.id).where(same)):
            raise taken(self.noun)
        await super().save(item)
        theirs = tables.members.c
        mine = (theirs.tenant_id == self._tenant_id, theirs.user_id == item.id)
        await self._session.change(delete(tables.members).where(*mine))
        await self._join(item)

    async def list(self, part: Slice, *, workspace_id: WorkspaceId | None = None) -> Page[User]:
        """Return a page of them, of those with a role in the workspace when it is given."""
        where: list[Condition] = [self.table.c.deleted_ms.is_(None)]
        if workspace_id is not None:
            theirs = tables.members.c
            members = select(theirs.user_id).where(
                theirs.tenant_id == self._tenant_id, theirs.workspace_id == workspace_id
            )
            where.append(self.table.c.id.in_(members))
        return await self._page(part, *where)

    async def count_owners(self) -> int:
        """Return how many undeleted users are OWNER; the tenant's other writers wait until this one ends."""
        columns = self.table.c
        owners = self._own(columns.org_role == "OWNER", columns.deleted_ms.is_(None))
        return await self._session.number(select(func.count()).select_from(self.table).where(owners))

    async def _join(self, user: User) -> None:
        rows = [
            {"tenant_id": self._tenant_id, "workspace_id": workspace_id, "user_id": user.id}
            for workspace_id in user.workspace_roles
        ]
        if rows:
            await self._session.insert_new(tables.members, *rows)

    @override
    def _written(self, item: User) -> Mapping[str, object]:
        return user_row(item)


class SqlKeys(Kind[KeyId, ApiKey]):
    """The API keys of a tenant."""

    table = tables.keys
    kind = ApiKey
    noun = "key"
    unsaved = frozenset({"last_used_ms"})

    async def list(self, part: Slice, *, within: Place | None = None) -> Page[ApiKey]:
        """Return a page of them, of those limited to `within` or a place inside it when it is given."""
        within = EVERYWHERE if within is None else within
        return await self._page(part, self.table.c.is_session.is_(false()), inside(self.table, within))

    async def sessions(self, part: Slice, where: SessionFilter) -> Page[ApiKey]:
        """Return a page of the sessions that were not revoked."""
        columns = self.table.c
        return await self._page(
            part,
            columns.is_session.is_(true()),
            columns.revoked_ms.is_(None),
            columns.expires_ms > where.after_ms,
            func.coalesce(columns.last_used_ms, columns.created_ms) >= where.used_ms,
            *equals(columns.user_id, where.user_id),
            *equals(columns.made_from, where.made_from),
        )


class SqlCredentials(Kind[UserId, Credential]):
    """How the people of a tenant show that it is them."""

    table = tables.credentials
    kind = Credential
    noun = "credential"


class SqlConnections(Kind[ConnectionId, Connection]):
    """The connections of a tenant to providers of models."""

    table = tables.connections
    kind = Connection
    noun = "connection"

    @override
    async def save(self, item: Connection, /) -> None:
        """Store the next revision. Raises: PreconditionFailed; Conflict (`exists`) for a taken name."""
        columns = self.table.c
        same = self._own(
            columns.workspace_id == item.workspace_id,
            columns.name == item.name,
            columns.id != item.id,
            columns.deleted_ms.is_(None),
        )
        if item.deleted_ms is None and await self._session.row(select(columns.id).where(same)):
            raise taken(self.noun)
        await super().save(item)

    async def list(self, part: Slice, *, only: frozenset[WorkspaceId] | None = None) -> Page[Connection]:
        """Return a page of them, of those of the workspaces `only` when it is given."""
        columns = self.table.c
        return await self._page(part, columns.deleted_ms.is_(None), *one_of(columns.workspace_id, only))


class SqlAgents(Kind[AgentId, Agent]):
    """The agents of a tenant."""

    table = tables.agents
    kind = Agent
    noun = "agent"

    async def get_or_add(self, agent: Agent, /) -> Agent:
        """Return the stored agent with this id, storing `agent` when there is none; safe when raced."""
        stored = await self.get(agent.id)
        if stored is not None:
            return stored
        require_own(agent, self._tenant_id)
        if await self._session.insert_new(self.table, self._written(agent)):
            return agent
        stored = await self.get(agent.id)
        return agent if stored is None else stored

    async def list(
        self, part: Slice, *, policy_id: PolicyId | None = None, readable: tuple[Place, ...] | None = None
    ) -> Page[Agent]:
        """Return a page of them: bound to `policy_id`; with a place around or inside a `readable` one."""
        placed = () if readable is None else (near_any(self.table, readable),)
        return await self._page(part, *equals(self.table.c.policy_id, policy_id), *placed)

    async def governed(self, part: Slice) -> Page[Agent]:
        """Return a page of those with a bound policy, a place or `require_policy`, for a snapshot."""
        columns = self.table.c
        bound, placed = columns.policy_id.is_not(None), columns.workspace_id.is_not(None)
        return await self._page(part, or_(bound, placed, columns.require_policy.is_(true())))


class SqlDirectory:
    """All that one tenant holds of places, people, keys and agents."""

    def __init__(self, session: Session, tenant_id: TenantId) -> None:
        self._session = session
        self._tenant_id = tenant_id
        self.workspaces = SqlWorkspaces(session, tenant_id)
        self.repos = SqlRepos(session, tenant_id)
        self.users = SqlUsers(session, tenant_id)
        self.keys = SqlKeys(session, tenant_id)
        self.credentials = SqlCredentials(session, tenant_id)
        self.connections = SqlConnections(session, tenant_id)
        self.agents = SqlAgents(session, tenant_id)

    async def tenant(self) -> Tenant:
        """Return the tenant itself."""
        row = await self._session.row(select(tables.tenants).where(tables.tenants.c.id == self._tenant_id))
        if row is None:
            raise NotFound("tenant", self._tenant_id)
        return from_row(Tenant, row)

    async def rename(self, name: str) -> None:
        """Store another name of the tenant."""
        own = update(tables.tenants).where(tables.tenants.c.id == self._tenant_id)
        await self._session.change(own.values(name=name))

    async def contents(self, place: Place) -> Mapping[str, int]:
        """Return how many undeleted `repos`, `policies` and `agents` lie in `place`, zero counts left out.

        A repo lies in its workspace, not in itself.
        """
        repos, policies = tables.repos.c, tables.policies.c
        in_workspace = (repos.deleted_ms.is_(None), *equals(repos.workspace_id, place.workspace_id))
        found = {
            "repos": 0 if place.repo_id is not None else await self._count(tables.repos, *in_workspace),
            "policies": await self._count(
                tables.policies, policies.deleted_ms.is_(None), inside(tables.policies, place)
            ),
            "agents": await self._count(tables.agents, inside(tables.agents, place)),
        }
        return {name: count for name, count in found.items() if count}

    async def _count(self, table: Table, *where: Condition) -> int:
        own = select(func.count()).select_from(table).where(table.c.tenant_id == self._tenant_id, *where)
        return await self._session.number(own)
