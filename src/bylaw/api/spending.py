"""An approved call, made again: its approval is spent in a transaction before its receipt is written."""

from bylaw.api.entries import Entries
from bylaw.api.ports import ControlStore
from bylaw.api.projection import Projector
from bylaw.approvals.spend import asks_to_spend, spend
from bylaw.core.clock import Clock
from bylaw.core.ids import Ids
from bylaw.decisions.model import Decision, Request
from bylaw.tenancy.principal import Acting, Principal


class Spending:
    """Lifts reviews for which an approval is named."""

    def __init__(
        self, store: ControlStore, projector: Projector, entries: Entries, *, clock: Clock, ids: Ids
    ) -> None:
        self._store = store
        self._projector = projector
        self._entries = entries
        self._clock = clock
        self._ids = ids

    async def lifted(self, caller: Principal, request: Request, decision: Decision) -> Decision:
        """Return `decision`, its review lifted and the approval spent if it names one that covers it."""
        if not asks_to_spend(request, decision):
            return decision
        await self._projector.catch_up()
        async with self._store.begin(caller.tenant_id, writes=not decision.dry_run) as unit:
            acting = Acting(unit=unit, principal=caller, clock=self._clock, ids=self._ids)
            spent = await spend(acting, request, decision)
        if not decision.dry_run:
            await self._entries.drain(caller.tenant_id)
        return spent
