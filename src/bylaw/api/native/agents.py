"""Agents: AI systems under the names that their callers give them, and the policies they are bound to."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request
from pydantic import Field

from bylaw.api.answers import Page, Reply, page
from bylaw.api.native.query import ListQuery
from bylaw.api.ports import Unit
from bylaw.api.route import Revision, Route, body, needs, parts_of
from bylaw.api.shape import place_of
from bylaw.core.clock import rfc3339
from bylaw.core.ids import AgentId, PolicyId
from bylaw.decisions.enforcement import Enforcement, enforcement
from bylaw.decisions.snapshot import Snapshot
from bylaw.policies import binding
from bylaw.tenancy import agents
from bylaw.tenancy.agents import AgentChange
from bylaw.tenancy.model import Agent
from bylaw.tenancy.principal import Acting

router = APIRouter(tags=["agents"], route_class=Route)


class AgentQuery(ListQuery):
    """Which agents are wanted."""

    policy_id: Annotated[PolicyId | None, Field(description="Only those bound to this policy.")] = None


class NewAgent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An agent to be registered under the `agent_id` that its decisions name.

    `agent_id` is another word for `id`. `policy_id`: it is bound to this policy at once. `require_policy`:
    its decisions to which nothing applies are blocked.
    """

    id: str = ""
    agent_id: str = ""
    name: str = ""
    policy_id: str | None = None
    workspace_id: str | None = None
    repo_id: str | None = None
    require_policy: bool = False


class Binding(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The policy that is to govern an agent; its reach must be `bound`."""

    policy_id: str


class AgentView(msgspec.Struct, frozen=True, kw_only=True):
    """An agent; `registered` is false when it was only seen in a decision. `agent_id` repeats its `id`.

    `policy_in_force`: whether its bound policy is, null when it has none. One that is not governs nothing.
    `enforcement`: whether a policy in force governs it in its own place, its bound one included: `none`, only
    such as are `logged`, or one that does more (`enforced`). Elsewhere its decisions tell.
    """

    id: str
    agent_id: str
    name: str
    workspace_id: str | None
    repo_id: str | None
    policy_id: str | None
    policy_in_force: bool | None
    require_policy: bool
    registered: bool
    created_at: str
    enforcement: Enforcement


@router.post("/v1/agents", status_code=201)
async def register_agent(
    acting: Annotated[Acting[Unit], needs("agents:write")],
    new: Annotated[NewAgent, body(NewAgent)],
    request: Request,
) -> Reply[AgentView]:
    """Register an agent; one that was only seen so far becomes registered."""
    wanted = agents.NewAgent(
        id=new.id or new.agent_id,
        name=new.name,
        place=place_of(new.workspace_id, new.repo_id),
        require_policy=new.require_policy,
    )
    agent = await agents.register_agent(acting, wanted)
    if new.policy_id is not None:
        agent = await binding.bind_policy(acting, agent.id, PolicyId(new.policy_id))
    return await _agent(acting, agent, request)


@router.get("/v1/agents")
async def list_agents(
    acting: Annotated[Acting[Unit], needs("agents:read")],
    query: Annotated[AgentQuery, Query()],
    request: Request,
) -> Reply[Page[AgentView]]:
    """List the agents in the caller's places."""
    found = await agents.list_agents(acting, query.part, policy_id=query.policy_id)
    in_force, snapshot = await _in_force(acting, *found.items), _snapshot(acting, request)
    return Reply(page(found, lambda agent: _view(agent, in_force, snapshot)))


@router.put("/v1/bindings/{agent_id:path}")
async def bind_policy(
    acting: Annotated[Acting[Unit], needs("agents:write")],
    agent_id: AgentId,
    wanted: Annotated[Binding, body(Binding)],
    *,
    revision: Revision,
    request: Request,
) -> Reply[AgentView]:
    """Bind an agent to a policy, which then governs it wherever it acts."""
    policy_id = PolicyId(wanted.policy_id)
    agent = await binding.bind_policy(acting, agent_id, policy_id, revision=revision)
    return await _agent(acting, agent, request)


@router.delete("/v1/bindings/{agent_id:path}")
async def unbind_policy(
    acting: Annotated[Acting[Unit], needs("agents:write")],
    agent_id: AgentId,
    *,
    revision: Revision,
    request: Request,
) -> Reply[AgentView]:
    """Take an agent's bound policy from it; its earlier receipts stay as they are."""
    agent = await binding.bind_policy(acting, agent_id, None, revision=revision)
    return await _agent(acting, agent, request)


@router.get("/v1/agents/{agent_id:path}")
async def read_agent(
    acting: Annotated[Acting[Unit], needs("agents:read")], agent_id: AgentId, request: Request
) -> Reply[AgentView]:
    """Read one agent."""
    return await _agent(acting, await agents.read_agent(acting, agent_id), request)


@router.patch("/v1/agents/{agent_id:path}")
async def change_agent(
    acting: Annotated[Acting[Unit], needs("agents:write")],
    agent_id: AgentId,
    change: Annotated[AgentChange, body(AgentChange)],
    *,
    revision: Revision,
    request: Request,
) -> Reply[AgentView]:
    """Change an agent; fields left out stay."""
    agent = await agents.change_agent(acting, agent_id, change, revision=revision)
    return await _agent(acting, agent, request)


async def _in_force(acting: Acting[Unit], *shown: Agent) -> frozenset[PolicyId]:
    """Return which of the policies that these agents are bound to are in force."""
    bound = {agent.policy_id for agent in shown if agent.policy_id is not None}
    found = await acting.unit.policies.currents(bound) if bound else ()
    return frozenset(each.policy.id for each in found if each.policy.is_in_force)


def _snapshot(acting: Acting[Unit], request: Request) -> Snapshot:
    """Return what decisions are checked against now."""
    return parts_of(request).engine.snapshots.of(acting.unit.tenant_id)


def _view(agent: Agent, in_force: frozenset[PolicyId], snapshot: Snapshot) -> AgentView:
    return AgentView(
        id=agent.id,
        agent_id=agent.id,
        name=agent.name,
        workspace_id=agent.place.workspace_id,
        repo_id=agent.place.repo_id,
        policy_id=agent.policy_id,
        policy_in_force=None if agent.policy_id is None else agent.policy_id in in_force,
        require_policy=agent.require_policy,
        registered=agent.registered,
        created_at=rfc3339(agent.created_ms),
        enforcement=enforcement(snapshot, agent),
    )


async def _agent(acting: Acting[Unit], agent: Agent, request: Request) -> Reply[AgentView]:
    in_force = await _in_force(acting, agent)
    return Reply(_view(agent, in_force, _snapshot(acting, request)), revision=agent.revision)
