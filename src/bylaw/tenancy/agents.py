"""Agents: AI systems under the names that their callers give them, seen or registered."""

from dataclasses import dataclass, replace

from msgspec import UNSET, Struct, UnsetType

from bylaw.core.clock import Clock
from bylaw.core.errors import Conflict, NotFound
from bylaw.core.ids import AgentId, PolicyId
from bylaw.core.paging import Page, Slice
from bylaw.tenancy.entries import record
from bylaw.tenancy.model import EVERYWHERE, Agent, Place
from bylaw.tenancy.naming import checked_id, checked_name
from bylaw.tenancy.places import require_place
from bylaw.tenancy.principal import Acting
from bylaw.tenancy.revisions import changed, require_revision, save_next
from bylaw.tenancy.store import TenancyUnit


@dataclass(frozen=True, slots=True, kw_only=True)
class NewAgent:
    """Who is to be registered; `require_policy` blocks its decisions to which nothing applies."""

    id: str
    name: str = ""
    place: Place = EVERYWHERE
    require_policy: bool = False


class AgentChange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fields of an agent that are to change; those left out stay."""

    name: str | UnsetType = UNSET
    require_policy: bool | UnsetType = UNSET


async def register_agent(acting: Acting[TenancyUnit], new: NewAgent) -> Agent:
    """Store a registered agent and return it; one that was only seen so far becomes registered.

    Raises: Conflict (`exists`) when it is registered already; Forbidden when it was only seen and the caller
    does not write everywhere: it may act in other places, where the policies of its new one would follow it.
    """
    acting.principal.require("agents:write", new.place)
    await require_place(acting.unit, new.place)
    agent = Agent(
        id=AgentId(checked_id(new.id)),
        tenant_id=acting.unit.tenant_id,
        place=new.place,
        name=checked_name(new.name) if new.name else "",
        require_policy=new.require_policy,
        created_ms=acting.clock.now_ms(),
    )
    stored = await acting.unit.tenancy.agents.get_or_add(agent)
    if stored == agent:
        await record(acting, None, agent)
        return agent
    if stored.registered:
        raise Conflict(f"The agent {new.id!r} is registered already.", reason="exists")
    acting.principal.require("agents:write", EVERYWHERE)
    agent = replace(agent, created_ms=stored.created_ms)
    return await save_next(acting, stored, agent, save=acting.unit.tenancy.agents.save)


async def change_agent(
    acting: Acting[TenancyUnit], agent_id: AgentId, change: AgentChange, *, revision: int | None = None
) -> Agent:
    """Store the changed agent and return it. Raises: PreconditionFailed when `revision` is not current."""
    agent = await writable_agent(acting, agent_id)
    require_revision(agent.revision, revision)
    new = changed(agent, change)
    if new.name:
        new = replace(new, name=checked_name(new.name))
    return await save_next(acting, agent, new, save=acting.unit.tenancy.agents.save)


async def see_agent(unit: TenancyUnit, agent_id: str, *, clock: Clock) -> Agent:
    """Return the agent that a decision names, storing it as seen when it is new."""
    seen = Agent(
        id=AgentId(checked_id(agent_id, path="agent_id")),
        tenant_id=unit.tenant_id,
        registered=False,
        created_ms=clock.now_ms(),
    )
    return await unit.tenancy.agents.get_or_add(seen)


async def read_agent(acting: Acting[TenancyUnit], agent_id: AgentId) -> Agent:
    """Return an agent that the caller may see. Raises: Forbidden without the scope; NotFound."""
    acting.principal.require("agents:read")
    agent = await acting.unit.tenancy.agents.get(agent_id)
    if agent is None or not acting.principal.sees("agents:read", agent.place):
        raise NotFound("agent", agent_id)
    return agent


async def list_agents(
    acting: Acting[TenancyUnit], part: Slice, *, policy_id: PolicyId | None = None
) -> Page[Agent]:
    """Return a page of the agents that the caller may see, of those bound to `policy_id` when it is given."""
    acting.principal.require("agents:read")
    places = acting.principal.places("agents:read")
    return await acting.unit.tenancy.agents.list(part, policy_id=policy_id, readable=places)


async def writable_agent(acting: Acting[TenancyUnit], agent_id: AgentId) -> Agent:
    """Return an agent that the caller may change. Raises: Forbidden, NotFound."""
    agent = await read_agent(acting, agent_id)
    acting.principal.require("agents:write", agent.place)
    return agent
