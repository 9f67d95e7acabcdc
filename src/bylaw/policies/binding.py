"""Binding an agent to the policy that governs it wherever it acts."""

from dataclasses import replace

from bylaw.core.errors import Conflict
from bylaw.core.ids import AgentId, PolicyId
from bylaw.policies.model import Policy
from bylaw.policies.reading import readable_policy
from bylaw.policies.store import PolicyUnit
from bylaw.tenancy.agents import writable_agent
from bylaw.tenancy.model import Agent
from bylaw.tenancy.principal import Acting
from bylaw.tenancy.revisions import require_revision, save_next


async def bind_policy(
    acting: Acting[PolicyUnit], agent_id: AgentId, policy_id: PolicyId | None, *, revision: int | None = None
) -> Agent:
    """Store the agent bound to a policy, or to none, and return it; its earlier receipts stay as they are.

    Raises: Conflict when the policy governs its whole place anyway (`not_bindable`), or belongs to a place
    around which the agent reaches (`other_place`).
    """
    agent = await writable_agent(acting, agent_id)
    require_revision(agent.revision, revision)
    if policy_id is not None:
        require_bindable(await readable_policy(acting, policy_id), agent)
    bound = replace(agent, policy_id=policy_id)
    return await save_next(acting, agent, bound, save=acting.unit.tenancy.agents.save)


def require_bindable(policy: Policy, agent: Agent) -> None:
    """Return nothing if the agent may be bound to the policy. Raises: Conflict, as `bind_policy` does."""
    if policy.reach != "bound":
        message = "It governs its whole place already: bind a policy whose reach is 'bound'."
        raise Conflict(message, reason="not_bindable")
    if not policy.place.contains(agent.place):
        message = "The policy belongs to a place that does not contain the agent's place."
        raise Conflict(message, reason="other_place")
