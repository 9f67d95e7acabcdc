"""What decisions leave for people, brought from the log into lists: in order, once however often tried."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from itertools import groupby
from typing import Final

import msgspec

from bylaw.api.ports import ControlStore, SystemUnit
from bylaw.approvals.projection import project_approvals
from bylaw.core.errors import Corrupt
from bylaw.core.ids import TenantId
from bylaw.decisions.effects import EffectRow
from bylaw.notify.telling import Telling
from bylaw.receipts.ports import Effects, StoredEffect
from bylaw.review.projection import project_review

_MOST: Final = 500
_rows: msgspec.json.Decoder[EffectRow] = msgspec.json.Decoder(EffectRow)


class Projector:
    """Projects the effects of every log, a page in one transaction with the position that it ends at.

    Several processes may do so at once: what is there already stays as it is.
    """

    def __init__(self, store: ControlStore, effects: Effects, telling: Telling) -> None:
        self._store = store
        self._effects = effects
        self._telling = telling
        self._at_work = asyncio.Lock()
        self._more = asyncio.Event()
        self.lag = 0

    def wake(self) -> None:
        """Say that there is something to project."""
        self._more.set()

    async def catch_up(self) -> None:
        """Return once every effect that was durable when this was called can be seen in lists."""
        async with self._at_work:
            ends = await self._effects.ends()
            async with self._store.system(writes=False) as system:
                positions = dict(await system.progress.positions())
            self.lag = sum(end - positions.get(origin, 0) for origin, end in ends.items())
            for origin, end in ends.items():
                while positions.get(origin, 0) < end:
                    positions[origin] = await self._project(origin, positions.get(origin, 0))
            self.lag = 0

    async def rebuild(self) -> None:
        """Return once every effect was projected again from the first; what is there already stays."""
        async with self._at_work, self._store.system() as system:
            await system.progress.reset()
        await self.catch_up()

    async def wait(self, most_s: float) -> None:
        """Return once there is something to project, or after `most_s` seconds."""
        with suppress(TimeoutError):
            async with asyncio.timeout(most_s):
                await self._more.wait()
        self._more.clear()

    async def _project(self, origin: str, position: int) -> int:
        """Project one page of a log after `position` and return where it ends."""
        page = await self._effects.after(origin, position, limit=_MOST)
        if not page:
            raise Corrupt(f"The log {origin} lost effects after {position}.", place=f"effects of {origin}")
        async with self._store.system() as system:
            for tenant_id, group in groupby(sorted(page, key=_tenant), key=_tenant):
                await self._keep(system, TenantId(tenant_id), list(group))
            await system.progress.advance(origin, page[-1].position)
        return page[-1].position

    async def _keep(self, system: SystemUnit, tenant_id: TenantId, stored: Sequence[StoredEffect]) -> None:
        rows = [_rows.decode(each.effect.payload) for each in stored]
        unit = system.of(tenant_id)
        await project_review(unit, rows)
        await project_approvals(unit.approvals, rows)
        await self._telling.of_effects(unit, rows)


def _tenant(stored: StoredEffect) -> str:
    return "" if stored.tenant is None else stored.tenant
