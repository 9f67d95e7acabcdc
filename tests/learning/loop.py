"""The loop over one workspace, as tests drive it without a worker."""

from dataclasses import replace

from bylaw.core.ids import Ids, WorkspaceId
from bylaw.core.paging import Slice
from bylaw.learning import choosing, runs
from bylaw.learning.mining.miner import OfflineMiner
from bylaw.learning.report import Choices
from bylaw.policies.lifecycle import decide_policy
from bylaw.policies.store import PolicyFilter
from bylaw.tenancy.principal import Acting, Grant, Principal, system_principal
from tests.contracts.values import A, place
from tests.learning.talk import EMBEDDER

W = WorkspaceId("w")
ALL = Slice(limit=100)
CORRECTED = (
    "contact: Money back!",
    "agent: I refunded it.",
    "human: No, we never refund before the return arrives.",
)


class Loop:
    """A workspace with conversations, and the loop over it."""

    def __init__(self, store, clock):
        self.store, self.clock, self.ids = store, clock, Ids(clock)

    def acting(self, unit, *scopes, where=None):
        principal = system_principal(A)
        if scopes:
            grant = Grant(place=where or place("w"), scopes=frozenset(scopes))
            principal = Principal(tenant_id=A, kind="key", id="k", grants=(grant,))
        return Acting(unit=unit, principal=principal, clock=self.clock, ids=self.ids)

    async def hold(self, *conversations, workspace_id="w"):
        async with self.store.begin(A) as unit:
            for each in conversations:
                there = place(workspace_id) if each.place == place() else each.place
                await unit.conversations.add(replace(each, place=there))

    async def start(self, *, dry_run=False, workspace_id=W):
        async with self.store.begin(A) as unit:
            return await runs.start_run(self.acting(unit), workspace_id, dry_run=dry_run)

    async def carry_out(self, run, begin=None):
        return await runs.carry_out(
            begin or (lambda *, writes=True: self.store.begin(A, writes=writes)),
            A,
            run.id,
            miners=lambda _: OfflineMiner(embedder=EMBEDDER),
            clock=self.clock,
            ids=self.ids,
        )

    async def learn(self, **options):
        return (await self.carry_out(await self.start(**options))).report

    async def policies(self):
        async with self.store.begin(A, writes=False) as unit:
            return (await unit.policies.list(PolicyFilter(), ALL)).items

    async def decide(self, decision, reason=""):
        (current,) = await self.policies()
        async with self.store.begin(A) as unit:
            await decide_policy(self.acting(unit), current.policy.id, decision, reason=reason)
        return current

    async def choose(self, **chosen):
        async with self.store.begin(A) as unit:
            await choosing.choose(self.acting(unit), W, Choices(**chosen), revision=None)
