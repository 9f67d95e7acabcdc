"""Snapshots: all that decisions of one tenant are checked against, compiled, indexed and never changed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from bylaw.core.errors import NotFound, Unavailable
from bylaw.core.ids import PolicyId, TenantId, WorkspaceId
from bylaw.decisions.compiled import Applied, CompiledPolicy
from bylaw.decisions.index import Table
from bylaw.decisions.model import Combined
from bylaw.policies.model import Action, Outline, Reach
from bylaw.tenancy.model import EVERYWHERE, Agent, Place, Repo, Workspace

# How many ways to stand a snapshot remembers: an agent's name is the caller's choice.
_REMEMBERED: Final = 4_096


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What a snapshot is made from: the state of a tenant at `revision`, its change counter.

    `policies` are all that are not deleted, `compiled` holds those in force by id. `agents` are those with a
    bound policy, a place, or `require_policy`; others need not be there.
    """

    tenant_id: TenantId
    revision: int
    policies: Sequence[Outline] = ()
    compiled: Mapping[str, CompiledPolicy] = field(default_factory=dict)
    agents: Sequence[Agent] = ()
    workspaces: Sequence[Workspace] = ()
    repos: Sequence[Repo] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A policy in force: where it holds, for whom, and its version, compiled."""

    place: Place
    reach: Reach
    policy: CompiledPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Where a request stands, and all that follows from that alone.

    `places` are those whose policies govern it: around `place`, which the request or else its agent names,
    and around the agent's own; `tables` are theirs. `requires_policy`: without a policy that governs it, the
    outcome is a block. `bound` is the agent's policy, `dormant` its id if it is not in force. `certain` is
    what applies, sorted by id, unless the request names a policy or topics; None when the facts decide.
    `concluded` remembers what came of it, by what was found.
    """

    place: Place
    places: tuple[Place, ...]
    tables: tuple[Table, ...]
    requires_policy: bool
    bound: Applied | None
    dormant: PolicyId | None
    certain: tuple[Applied, ...] | None
    concluded: dict[tuple[tuple[int, ...], ...], Combined] = field(
        default_factory=dict, repr=False, compare=False
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The state of a tenant that decisions see. `build` makes it; nothing changes it.

    `entries` are the policies in force by id, `dormant` the places of the others, `chains` by (workspace,
    repo) and widest place first. `requiring` are the workspaces in which a decision without a policy is a
    block, `routing` those in which one without topics finds them. `standings` and `counts` remember what was
    worked out: of `counts`, how many policies of each action are in force at each place.
    """

    tenant_id: TenantId
    revision: int
    entries: Mapping[str, Entry]
    tables: Mapping[Place, Table]
    dormant: Mapping[str, Place]
    agents: Mapping[str, Agent]
    chains: Mapping[tuple[str | None, str | None], tuple[Place, ...]]
    requiring: frozenset[WorkspaceId | None]
    routing: frozenset[WorkspaceId | None]
    standings: dict[tuple[str | None, str | None, str | None], Standing] = field(
        default_factory=dict, repr=False, compare=False
    )
    counts: dict[Place, Counter[Action]] = field(default_factory=dict, repr=False, compare=False)

    def standing(self, agent_id: str | None, workspace_id: str | None, repo_id: str | None) -> Standing:
        """Return where a request of that agent stands that names that place. Raises: as `around`."""
        key = (agent_id, workspace_id, repo_id)
        found = self.standings.get(key)
        if found is None:
            found = self._stand(*key)
            if len(self.standings) >= _REMEMBERED:
                self.standings.clear()
            self.standings[key] = found
        return found

    def place_of(self, ident: str) -> Place | None:
        """Return the place of a policy, in force or not; None when there is no such policy."""
        entry = self.entries.get(ident)
        return self.dormant.get(ident) if entry is None else entry.place

    def around(self, workspace_id: str | None, repo_id: str | None) -> tuple[Place, ...]:
        """Return the place that the ids name, after all that enclose it.

        Raises: NotFound when there is no such place, or the repo is not of that workspace.
        """
        chain = self.chains.get((workspace_id, repo_id))
        if chain is None and repo_id is not None:
            raise NotFound("repo", repo_id)
        if chain is None:
            raise NotFound("workspace", workspace_id or "")
        return chain

    def _stand(self, agent_id: str | None, workspace_id: str | None, repo_id: str | None) -> Standing:
        agent = None if agent_id is None else self.agents.get(agent_id)
        places = self.around(workspace_id, repo_id)
        place = places[-1]
        if agent is not None and agent.place != EVERYWHERE:
            home = self.around(agent.place.workspace_id, agent.place.repo_id)
            place = home[-1] if len(places) == 1 else place
            places = tuple(dict.fromkeys((*places, *home)))
        required = agent is not None and agent.require_policy
        named = None if agent is None else agent.policy_id
        entry = None if named is None else self.entries.get(named)
        bound = None if entry is None else entry.policy.applied["bound"]
        tables = tuple([self.tables[each] for each in places if each in self.tables])
        return Standing(
            place=place,
            places=places,
            tables=tables,
            requires_policy=required or any(each.workspace_id in self.requiring for each in places),
            bound=bound,
            dormant=named if entry is None else None,
            certain=_certain(tables, bound),
        )


def _certain(tables: Sequence[Table], bound: Applied | None) -> tuple[Applied, ...] | None:
    """Return what applies if that depends on nothing that a request says, None otherwise."""
    if not all(table.certain for table in tables) or (bound and bound.policy.conditions.any_at_all):
        return None
    found = {} if bound is None else {bound.policy.id: bound}
    for table in tables:
        for policy in table.find({}, None):
            found.setdefault(policy.id, policy.applied["place"])
    return tuple([found[ident] for ident in sorted(found)])


def build(material: Material) -> Snapshot:
    """Return the snapshot of `material`."""
    entries: dict[str, Entry] = {}
    by_place: dict[Place, list[CompiledPolicy]] = {}
    for outline in sorted(material.policies, key=lambda each: each.id):
        if outline.is_in_force:
            policy = material.compiled[outline.id]
            entries[outline.id] = Entry(place=outline.place, reach=outline.reach, policy=policy)
            if outline.reach == "place":
                by_place.setdefault(outline.place, []).append(policy)
    return Snapshot(
        tenant_id=material.tenant_id,
        revision=material.revision,
        entries=entries,
        tables={place: Table(policies) for place, policies in by_place.items()},
        dormant={each.id: each.place for each in material.policies if not each.is_in_force},
        agents={agent.id: agent for agent in material.agents},
        chains=_chains(material),
        requiring=frozenset(each.id for each in material.workspaces if each.require_policy),
        routing=frozenset(each.id for each in material.workspaces if each.route_decisions),
    )


def _chains(material: Material) -> dict[tuple[str | None, str | None], tuple[Place, ...]]:
    """Return every place with all that enclose it; a repo is found with its workspace and without."""
    chains: dict[tuple[str | None, str | None], tuple[Place, ...]] = {(None, None): (EVERYWHERE,)}
    for workspace in material.workspaces:
        chains[workspace.id, None] = (EVERYWHERE, Place(workspace_id=workspace.id))
    for repo in material.repos:
        outer = chains.get((repo.workspace_id, None))
        if outer is not None:
            inner = (*outer, Place(workspace_id=repo.workspace_id, repo_id=repo.id))
            chains[repo.workspace_id, repo.id] = chains[None, repo.id] = inner
    return chains


class Snapshots:
    """The newest valid snapshot of each tenant; publishing swaps a reference."""

    def __init__(self) -> None:
        self._snapshots: dict[TenantId, Snapshot] = {}

    def of(self, tenant_id: TenantId) -> Snapshot:
        """Return the tenant's snapshot. Raises: Unavailable when none was published yet."""
        snapshot = self._snapshots.get(tenant_id)
        if snapshot is None:
            raise Unavailable("The policies of this tenant are not loaded yet; try again.")
        return snapshot

    def revision(self, tenant_id: TenantId) -> int | None:
        """Return the change counter that the tenant's snapshot has seen, None when there is none."""
        snapshot = self._snapshots.get(tenant_id)
        return None if snapshot is None else snapshot.revision

    def entries(self, tenant_id: TenantId) -> Mapping[str, Entry]:
        """Return the policies in force in the tenant's snapshot by id: none when there is no snapshot."""
        snapshot = self._snapshots.get(tenant_id)
        return {} if snapshot is None else snapshot.entries

    def publish(self, fresh: Snapshot) -> None:
        """Make `fresh` the snapshot of its tenant, unless a newer state was published before."""
        current = self._snapshots.get(fresh.tenant_id)
        if current is None or current.revision <= fresh.revision:
            self._snapshots[fresh.tenant_id] = fresh
