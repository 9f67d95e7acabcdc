import pytest

from bylaw.core.clock import ManualClock
from bylaw.core.ids import Ids
from bylaw.storage.memory.control import MemoryControlStore
from bylaw.tenancy.model import Tenant
from tests.approvals.desk import Desk
from tests.decisions.world import TENANT, World, policy


@pytest.fixture
async def desk():
    clock = ManualClock()
    ids = Ids(clock)
    store = MemoryControlStore(ids=ids, clock=clock)
    async with store.system() as system:
        await system.add_tenant(Tenant(id=TENANT, name="Acme", created_ms=0))
    world = World(policies=[policy("limit", "tool_call.arguments.amount < 500", action="review")])
    return Desk(world=world, store=store, clock=clock, ids=ids)
