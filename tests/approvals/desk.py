"""A tool call that is held for review, its approval in a real store, and people who may answer."""

from dataclasses import dataclass

from bylaw.approvals.answer import answer
from bylaw.approvals.model import PendingApproval
from bylaw.approvals.projection import project_approvals
from bylaw.approvals.spend import spend
from bylaw.core.clock import ManualClock
from bylaw.core.ids import Ids
from bylaw.decisions.effects import effects_of
from bylaw.decisions.model import Decision
from bylaw.decisions.request import read
from bylaw.storage.memory.control import MemoryControlStore
from bylaw.tenancy.model import EVERYWHERE
from bylaw.tenancy.principal import Acting, Grant, Principal
from tests.decisions.world import TENANT, World, caller

CALL = {
    "agent_id": "bot",
    "workspace_id": "w1",
    "conversation_id": "c1",
    "phase": "tool_call",
    "tool_call": {"name": "pay", "arguments": {"amount": 900, "to": "ann"}},
}


def person(*scopes: str, where=EVERYWHERE) -> Principal:
    grant = Grant(place=where, scopes=frozenset(scopes or {"conversations:write"}))
    return Principal(tenant_id=TENANT, kind="user", id="eve", grants=(grant,))


@dataclass(kw_only=True)
class Desk:
    """A world, its store, and one clock for both."""

    world: World
    store: MemoryControlStore
    clock: ManualClock
    ids: Ids

    async def decide(self, request=CALL, by: Principal | None = None, **changes) -> Decision:
        """Decide as a server does: spend what is named, then project what is left behind."""
        asked, by = read({**request, **changes}), caller() if by is None else by
        decision = await self.world.engine(ids=self.ids, clock=self.clock).decide(asked, by)
        async with self.store.begin(TENANT) as unit:
            acting = Acting(unit=unit, principal=by, clock=self.clock, ids=self.ids)
            decision = await spend(acting, asked, decision)
            await project_approvals(unit.approvals, effects_of(decision, asked, by))
        return decision

    async def answer(self, ident: str, said: str, by: Principal | None = None, **options) -> PendingApproval:
        async with self.store.begin(TENANT) as unit:
            principal = person() if by is None else by
            acting = Acting(unit=unit, principal=principal, clock=self.clock, ids=self.ids)
            return await answer(acting, ident, said, **options)

    async def get(self, ident: str) -> PendingApproval:
        async with self.store.begin(TENANT, writes=False) as unit:
            return await unit.approvals.get(ident)

    async def entries(self) -> list[dict]:
        async with self.store.system(writes=False) as system:
            return [dict(entry.payload) for entry in await system.queue.pending(100)]

    async def approved(self, **changes) -> str:
        """The id of an approval that a person gave to a held call."""
        held = await self.decide(**changes)
        await self.answer(held.obligations[0].id, "approved")
        return held.obligations[0].id
