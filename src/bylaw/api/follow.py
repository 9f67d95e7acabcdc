"""How a process keeps up: it looks for changes that any process committed, and takes them over as a whole."""

import asyncio
from collections.abc import Mapping

from bylaw.api.ports import ControlStore
from bylaw.core.clock import Clock
from bylaw.core.ids import TenantId
from bylaw.decisions.loading import LoadedSnapshots
from bylaw.tenancy.keys import KeyTable


class Follower:
    """Holds the key table, and refreshes it and the snapshots of tenants whose change counter has moved."""

    def __init__(self, store: ControlStore, snapshots: LoadedSnapshots, clock: Clock) -> None:
        self._store = store
        self._snapshots = snapshots
        self._clock = clock
        self._seen: dict[TenantId, int] = {}
        self._looked_ms = 0
        self._refreshing = asyncio.Lock()
        self.keys = KeyTable({})

    @property
    def lag_ms(self) -> int:
        """How long ago this process last knew that it was up to date."""
        return self._clock.now_ms() - self._looked_ms

    @property
    def seen(self) -> Mapping[TenantId, int]:
        """The change counter of each tenant that this process is up to date with."""
        return self._seen

    async def catch_up(self) -> None:
        """Take over what changed since the last look."""
        async with self._refreshing:
            started_ms = self._clock.now_ms()
            async with self._store.system(writes=False) as system:
                moved = [
                    tenant_id
                    for tenant_id, counter in (await system.counters()).items()
                    if self._seen.get(tenant_id) != counter
                ]
            for tenant_id in moved:
                await self._take_over(tenant_id)
            self._looked_ms = started_ms

    async def refresh(self, tenant_id: TenantId) -> None:
        """Take over what one tenant looks like now."""
        async with self._refreshing:
            await self._take_over(tenant_id)

    async def _take_over(self, tenant_id: TenantId) -> None:
        async with self._store.system(writes=False) as system:
            counter = (await system.counters()).get(tenant_id)
            if counter is None or self._seen.get(tenant_id) == counter:
                return
            self.keys = self.keys.with_tenant(tenant_id, await system.keys(tenant_id))
            await self._snapshots.load(system.of(tenant_id), counter)
        self._seen[tenant_id] = counter
