"""How a process keeps up: it looks for changes that any process committed, and takes them over as a whole."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from functools import partial
from typing import Final, TypeVar

from bylaw.api.ports import ControlStore, Unit
from bylaw.core.clock import Clock
from bylaw.core.errors import BylawError, InvalidInput
from bylaw.core.ids import TenantId
from bylaw.core.paging import MAX_LIMIT, Page, Slice
from bylaw.decisions.snapshot import Material, Snapshots
from bylaw.policies.store import PolicyFilter
from bylaw.tenancy.keys import KeyTable

T = TypeVar("T")

_log = logging.getLogger("bylaw.follow")
_DORMANT: Final = (
    PolicyFilter(statuses=frozenset({"pending_review", "rejected", "archived"})),
    PolicyFilter(statuses=frozenset({"approved"}), is_active=False),
)


class Follower:
    """Holds the key table, and refreshes it and the snapshots of tenants whose change counter has moved.

    Units: `every_ms` is the time between two looks: the longest that this process lags behind the others.
    """

    def __init__(self, store: ControlStore, snapshots: Snapshots, clock: Clock, *, every_ms: int) -> None:
        self._store = store
        self._snapshots = snapshots
        self._clock = clock
        self._every_ms = every_ms
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

    async def run(self) -> None:
        """Look for changes until cancelled; what fails is logged once, and tried again at the next look."""
        failing = False
        while True:
            await asyncio.sleep(self._every_ms / 1000)
            try:
                await self.catch_up()
            except BylawError as error:
                if not failing:
                    _log.error("changes cannot be followed: %s", error.message)
                failing = True
            else:
                if failing:
                    _log.warning("changes are followed again")
                failing = False

    async def _take_over(self, tenant_id: TenantId) -> None:
        async with self._store.system(writes=False) as system:
            counter = (await system.counters()).get(tenant_id)
            if counter is None or self._seen.get(tenant_id) == counter:
                return
            self.keys = self.keys.with_tenant(tenant_id, await system.keys(tenant_id))
            found = await material(system.of(tenant_id), counter)
        try:
            self._snapshots.publish(found)
        except InvalidInput as error:
            _log.error("tenant %s decides by its last valid policies: %s", tenant_id, error.message)
        self._seen[tenant_id] = counter


async def material(unit: Unit, revision: int) -> Material:
    """Return what the snapshot of a tenant is made from."""
    policies = unit.policies
    return Material(
        tenant_id=unit.tenant_id,
        revision=revision,
        policies=await policies.in_force(),
        dormant=frozenset(
            [each.policy.id for where in _DORMANT async for each in _every(partial(policies.list, where))]
        ),
        agents=await unit.tenancy.agents.governed(),
        workspaces=await unit.tenancy.workspaces.all(),
        repos=[repo async for repo in _every(unit.tenancy.repos.list)],
    )


async def _every(read: Callable[[Slice], Awaitable[Page[T]]]) -> AsyncIterator[T]:
    """Yield every item of a list, page by page."""
    part: Slice | None = Slice(limit=MAX_LIMIT)
    while part is not None:
        page = await read(part)
        for item in page.items:
            yield item
        part = None if page.next_cursor is None else Slice(limit=MAX_LIMIT, cursor=page.next_cursor)
