"""What finds the topics of a decision: the policies of its tenant, compared with what the customer said."""

from collections.abc import Sequence

from bylaw.api.ports import ControlStore
from bylaw.core.clock import Clock
from bylaw.core.ids import Ids, TenantId
from bylaw.decisions.model import Routed
from bylaw.search.finder import Finder
from bylaw.search.routing import routed
from bylaw.tenancy.model import Place
from bylaw.tenancy.principal import Acting, system_principal


class PolicyRouter:
    """Tells which topics a conversation is about, among all policies of a place."""

    def __init__(self, control: ControlStore, finder: Finder, *, clock: Clock, ids: Ids) -> None:
        self._control = control
        self._finder = finder
        self._clock = clock
        self._ids = ids

    async def route(self, tenant_id: TenantId, place: Place, turns: Sequence[str]) -> Routed:
        """Return where turns of a customer lead, among the policies of `place`. Raises: Unavailable."""
        await self._finder.embedder()  # which may take a while the first time, so outside of the transaction
        async with self._control.begin(tenant_id, writes=False) as unit:
            acting = Acting(
                unit=unit, principal=system_principal(tenant_id), clock=self._clock, ids=self._ids
            )
            return await routed(acting, self._finder, turns, place=place)
