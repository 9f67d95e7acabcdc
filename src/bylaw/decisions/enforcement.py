"""Whether anything is enforced on an agent, as far as its own place and its bound policy tell."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Literal

from bylaw.decisions.compiled import CompiledPolicy
from bylaw.decisions.snapshot import Snapshot
from bylaw.policies.model import Action
from bylaw.tenancy.model import EVERYWHERE, Agent, Place

Enforcement = Literal["none", "logged", "enforced"]


def enforcement(snapshot: Snapshot, agent: Agent) -> Enforcement:
    """Return whether a policy in force governs `agent` in its place: none, only such as log, or another.

    What it is asked about elsewhere the policies of that place govern as well: its decisions tell.
    """
    found: Enforcement = "none"
    for policy in _governing(snapshot, agent):
        if policy.action != "log":
            return "enforced"
        found = "logged"
    return found


def in_force(snapshot: Snapshot) -> Mapping[Place, Counter[Action]]:
    """Return how many policies are in force at each place itself, by what they do."""
    if not snapshot.counts:
        pairs = Counter((entry.place, entry.policy.action) for entry in snapshot.entries.values())
        for (place, action), number in pairs.items():
            snapshot.counts.setdefault(place, Counter())[action] = number
    return snapshot.counts


def _governing(snapshot: Snapshot, agent: Agent) -> Iterator[CompiledPolicy]:
    """Yield the policies in force that govern the agent's place, and its bound one."""
    bound = None if agent.policy_id is None else snapshot.entries.get(agent.policy_id)
    if bound is not None:
        yield bound.policy
    here = agent.place.workspace_id, agent.place.repo_id
    for place in snapshot.chains.get(here, (EVERYWHERE,)):
        if place in snapshot.tables:
            yield from snapshot.tables[place].find({}, None)
