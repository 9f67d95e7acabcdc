"""Kept answers are forgotten when their time is over, a bounded number in each transaction."""

from typing import Final

from bylaw.api.ports import ControlStore
from bylaw.core.clock import Clock

_BATCH: Final = 1_000


class Forgetting:
    """Forgets kept answers. Units: `keep_ms` in milliseconds; so long an answer is repeated."""

    def __init__(self, store: ControlStore, clock: Clock, *, keep_ms: int, batch: int = _BATCH) -> None:
        self._store = store
        self._clock = clock
        self._keep_ms = keep_ms
        self._batch = batch

    @property
    def since_ms(self) -> int:
        """The moment before which an answer is not repeated any more."""
        return self._clock.now_ms() - self._keep_ms

    async def forget(self) -> None:
        """Forget everything whose time is over; others write in between."""
        dropped = self._batch
        while dropped == self._batch:
            async with self._store.system() as system:
                dropped = await system.drop_replies(before_ms=self.since_ms, limit=self._batch)
