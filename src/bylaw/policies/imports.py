"""Importing: a batch of what another server has, taken over in one transaction.

A batch says all that its policies hang on: their workspaces and repos, and for agents the policies to which
they are bound. So batches may come in any order, and any number of times: what is here already and says the
same stays as it is. One thing that may not come is refused by itself; the others do not wait for it.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Final, Literal, TypeVar

from bylaw.core.errors import Conflict, Forbidden, InvalidInput, NotFound, Problem
from bylaw.core.ids import PolicyId, RepoId, UserId, WorkspaceId
from bylaw.policies.arrivals import PolicyArrival, PolicyElsewhere, bring_policies, meet_policy
from bylaw.policies.binding import require_bindable
from bylaw.policies.model import Policy
from bylaw.policies.store import PolicyUnit
from bylaw.tenancy.arrivals import Arrival, Outcome, addresses, bring, meet, require_admissible
from bylaw.tenancy.model import EVERYWHERE, Agent, Place, Repo, User, Workspace
from bylaw.tenancy.principal import Acting

# The name of a workspace of which none is told: it keeps the one it has here, or is called by its id.
UNNAMED: Final = ""

Noun = Literal["workspace", "repo", "user", "policy", "agent"]
R = TypeVar("R", Workspace, Repo, User, Agent)
# What is to become of a thing, and the fields in which it differs from what is here.
Met = tuple[Outcome, tuple[str, ...]]
Meeting = Callable[[], Awaitable[Met]]
Bringing = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """What is to come. `update`: what is here already follows. `dry_run`: nothing is stored."""

    workspaces: Sequence[Workspace] = ()
    repos: Sequence[Repo] = ()
    users: Sequence[User] = ()
    policies: Sequence[PolicyElsewhere] = ()
    agents: Sequence[Agent] = ()
    update: bool = False
    dry_run: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of one thing; `fields` are those that differ here, `problems` say why it is refused."""

    noun: Noun
    id: str
    outcome: Outcome | Literal["refused"]
    fields: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()


async def import_batch(acting: Acting[PolicyUnit], batch: Batch) -> Sequence[Result]:
    """Take over what a batch holds, and return what became of each thing in it.

    Raises: Forbidden for anyone but who administers the whole tenant; Conflict when somebody was faster.
    """
    acting.principal.require("admin", EVERYWHERE)
    importing = _Import(acting=acting, batch=batch)
    results = await importing.meet()
    if not batch.dry_run:
        await importing.bring()
    return results


@dataclass(slots=True, kw_only=True)
class _Import:
    """A batch under way: the places that come or are here, the policies that come, what is to be stored."""

    acting: Acting[PolicyUnit]
    batch: Batch
    workspaces: dict[WorkspaceId, Workspace] = field(default_factory=dict)
    repos: dict[RepoId, Repo] = field(default_factory=dict)
    policies: dict[PolicyId, PolicyArrival] = field(default_factory=dict)
    addresses: dict[str, UserId] = field(default_factory=dict)
    slugs: dict[str, PolicyId] = field(default_factory=dict)
    places: list[Bringing] = field(default_factory=list)
    agents: list[Bringing] = field(default_factory=list)

    async def meet(self) -> Sequence[Result]:
        """Return what is to become of each thing."""
        batch = self.batch
        if batch.users:
            self.addresses = await addresses(self.acting.unit)
        meetings: list[tuple[Noun, str, Meeting]] = [
            *(("workspace", each.id, partial(self._workspace, each)) for each in batch.workspaces),
            *(("repo", each.id, partial(self._repo, each)) for each in batch.repos),
            *(("user", each.id, partial(self._user, each)) for each in batch.users),
            *(("policy", each.new.id or "", partial(self._policy, each)) for each in batch.policies),
            *(("agent", each.id, partial(self._agent, each)) for each in batch.agents),
        ]
        results: dict[tuple[Noun, str], Result] = {}
        for noun, ident, meeting in meetings:
            if (noun, ident) in results:
                raise InvalidInput.of(noun, "repeated", f"The {noun} {ident!r} is in the batch twice.")
            results[noun, ident] = await _met(noun, ident, meeting)
            await asyncio.sleep(0)
        return tuple(results.values())

    async def bring(self) -> None:
        """Store what is to be stored, each thing after those on which it hangs."""
        for place in self.places:
            await place()
        storing = [each for each in self.policies.values() if self._stores(each.outcome)]
        if storing:
            await bring_policies(self.acting, storing, reason=self.batch.reason)
        for agent in self.agents:
            await agent()

    async def _workspace(self, wanted: Workspace) -> Met:
        if wanted.name == UNNAMED:
            stored = await self.acting.unit.tenancy.workspaces.get(wanted.id)
            wanted = replace(wanted, name=wanted.id if stored is None else stored.name)
        came = await meet(self.acting, wanted)
        self.workspaces[wanted.id] = came.wanted if came.stored is None else came.stored
        return self._take(came, self.places)

    async def _repo(self, wanted: Repo) -> Met:
        await self._known_workspace(wanted.workspace_id)
        came = await meet(self.acting, wanted)
        self.repos[wanted.id] = came.wanted if came.stored is None else came.stored
        return self._take(came, self.places)

    async def _user(self, wanted: User) -> Met:
        for workspace_id in wanted.workspace_roles:
            await self._known_workspace(workspace_id)
        came = await meet(self.acting, wanted)
        if self._stores(came.outcome):
            await require_admissible(self.acting, came, self.addresses)
        return self._take(came, self.places)

    async def _policy(self, foreign: PolicyElsewhere) -> Met:
        workspace = await self._known_place(foreign.new.place)
        came = await meet_policy(self.acting, foreign, workspace)
        slug = came.wanted.slug
        if slug is not None and self.slugs.setdefault(slug, came.wanted.id) != came.wanted.id:
            raise InvalidInput.of("slug", "exists", f"Another policy of the batch is called {slug!r}.")
        self.policies[came.wanted.id] = came
        return came.outcome(update=self.batch.update), came.differs

    async def _agent(self, wanted: Agent) -> Met:
        await self._known_place(wanted.place)
        came = await meet(self.acting, wanted)
        if self._stores(came.outcome):
            await self._require_bindable(came.wanted)
        return self._take(came, self.agents)

    def _take(self, came: Arrival[R], todo: list[Bringing]) -> Met:
        """Return what becomes of a thing, which is stored in its turn if it is to be."""
        if self._stores(came.outcome):
            todo.append(partial(bring, self.acting, came))
        return came.outcome(update=self.batch.update), came.differs

    def _stores(self, outcome: Callable[..., Outcome]) -> bool:
        return outcome(update=self.batch.update) in {"imported", "updated"}

    async def _require_bindable(self, agent: Agent) -> None:
        """Return nothing if an agent may be bound as it comes. Raises: NotFound; Conflict."""
        if agent.policy_id is None:
            return
        coming = self.policies.get(agent.policy_id)
        if coming is not None and coming.stored is None:
            policy: Policy | None = coming.wanted
        else:
            policy = await self.acting.unit.policies.get(agent.policy_id)
        if policy is None or policy.deleted_ms is not None:
            raise NotFound("policy", agent.policy_id)
        require_bindable(policy, agent)

    async def _known_workspace(self, workspace_id: WorkspaceId) -> Workspace:
        """Return a workspace that comes or is here. Raises: NotFound."""
        found = self.workspaces.get(workspace_id)
        if found is None:
            found = await self.acting.unit.tenancy.workspaces.get(workspace_id)
        if found is None or found.deleted_ms is not None:
            raise NotFound("workspace", workspace_id)
        self.workspaces[workspace_id] = found
        return found

    async def _known_place(self, place: Place) -> Workspace | None:
        """Return the workspace of a place that comes or is here. Raises: NotFound; InvalidInput."""
        if place.workspace_id is None and place.repo_id is None:
            return None
        workspace = None if place.workspace_id is None else await self._known_workspace(place.workspace_id)
        if place.repo_id is not None:
            found = self.repos.get(place.repo_id)
            if found is None:
                found = await self.acting.unit.tenancy.repos.get(place.repo_id)
            if found is None or found.deleted_ms is not None:
                raise NotFound("repo", place.repo_id)
            if found.workspace_id != place.workspace_id:
                raise InvalidInput.of("repo_id", "wrong_workspace", "The repo belongs to another workspace.")
        return workspace


async def _met(noun: Noun, ident: str, meeting: Meeting) -> Result:
    """Return what is to become of a thing, or why it is refused."""
    try:
        outcome, fields = await meeting()
    except InvalidInput as error:
        return Result(noun=noun, id=ident, outcome="refused", problems=error.problems)
    except (NotFound, Conflict, Forbidden) as error:
        path = f"{error.noun}_id" if isinstance(error, NotFound) else ""
        problem = Problem(path=path, code=error.code, message=error.message)
        return Result(noun=noun, id=ident, outcome="refused", problems=(problem,))
    return Result(noun=noun, id=ident, outcome=outcome, fields=fields)
