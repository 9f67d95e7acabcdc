"""Policies with the people and places that they name, each looked up once."""

from bylaw.api.compat.flashback import translate, wire
from bylaw.api.ports import Unit
from bylaw.core.ids import KeyId, RepoId, UserId, WorkspaceId
from bylaw.policies.model import Current


class Shown:
    """Shows the policies of one answer."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._people: dict[str, wire.Person] = {}
        self._workspaces: dict[WorkspaceId, wire.Named] = {}
        self._repos: dict[RepoId, wire.Named] = {}

    async def policy(self, current: Current) -> wire.Policy:
        """Return a policy with the names of who made and changed it, and of where it holds."""
        policy = current.policy
        return translate.policy(
            policy,
            current.version.content,
            people=(await self.person(policy.created_by), await self.person(policy.updated_by)),
            places=(
                await self._workspace(policy.place.workspace_id),
                await self.repo(policy.place.repo_id),
            ),
        )

    async def person(self, actor: str) -> wire.Person:
        """Return who an actor is."""
        if actor not in self._people:
            self._people[actor] = await self._look_up(actor)
        return self._people[actor]

    async def _look_up(self, actor: str) -> wire.Person:
        """Return who `actor` is: a person, a key by its name, or somebody of whom only the id is known."""
        kind, _, ident = actor.partition(":")
        if kind == "user":
            user = await self._unit.tenancy.users.get(UserId(ident))
            if user is not None:
                return wire.Person(id=user.id, name=user.name, last_name=user.last_name, email=user.email)
        key = await self._unit.tenancy.keys.get(KeyId(ident)) if kind == "key" else None
        return wire.Person(id=ident, name=ident if key is None else key.name, last_name="", email="")

    async def _workspace(self, ident: WorkspaceId | None) -> wire.Named | None:
        if ident is None:
            return None
        if ident not in self._workspaces:
            workspace = await self._unit.tenancy.workspaces.get(ident)
            self._workspaces[ident] = wire.Named(id=ident, name="" if workspace is None else workspace.name)
        return self._workspaces[ident]

    async def repo(self, ident: RepoId | None) -> wire.Named | None:
        """Return a repo with its name."""
        if ident is None:
            return None
        if ident not in self._repos:
            repo = await self._unit.tenancy.repos.get(ident)
            self._repos[ident] = wire.Named(id=ident, name="" if repo is None else repo.name)
        return self._repos[ident]
