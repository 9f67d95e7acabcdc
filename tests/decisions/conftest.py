from dataclasses import replace

import pytest

from bylaw.core.clock import ManualClock
from bylaw.core.ids import Ids
from bylaw.storage.memory.control import MemoryControlStore
from bylaw.tenancy.model import Repo, Tenant, Workspace
from tests.decisions.world import TENANT, agent, policy


@pytest.fixture
async def stored():
    """A store with one policy in force, a draft, one switched off, a bound agent, a workspace and a repo."""
    clock = ManualClock()
    store = MemoryControlStore(ids=Ids(clock), clock=clock)
    async with store.system() as system:
        await system.add_tenant(Tenant(id=TENANT, name="Acme", created_ms=0))
    async with store.begin(TENANT) as unit:
        await unit.tenancy.workspaces.add(Workspace(id="w1", tenant_id=TENANT, name="w1", created_ms=0))
        await unit.tenancy.repos.add(
            Repo(id="r1", tenant_id=TENANT, workspace_id="w1", name="r1", created_ms=0)
        )
        on, draft, off = (policy(ident, "amount < 5", reach="bound") for ident in ("on", "draft", "off"))
        draft = replace(draft, policy=replace(draft.policy, status="pending_review", approved=None))
        off = replace(off, policy=replace(off.policy, is_active=False))
        await unit.policies.add_all([on, draft, off])
        await unit.tenancy.agents.add(agent("bot", "on"))
    return store
