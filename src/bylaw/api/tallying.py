"""Summing up: the hours that are over and whose sums do not hold, a day of one tenant in one transaction."""

from typing import Final

from bylaw.api.ports import ControlStore
from bylaw.core.clock import Clock

_MOST: Final = 100


class Tallying:
    """Keeps the sums behind statistics whole; they are read correctly without it, and slower."""

    def __init__(self, store: ControlStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    async def catch_up(self) -> None:
        """Return once no hour that is over waits to be summed up."""
        before_ms = self._clock.now_ms()
        while True:
            async with self._store.system(writes=False) as system:
                waiting = await system.untallied(before_ms=before_ms, limit=_MOST)
            for tenant_id, day_ms in waiting:
                async with self._store.system() as system:
                    await system.of(tenant_id).review.statistics.tally(day_ms, before_ms=before_ms)
            if len(waiting) < _MOST:
                return
