"""Kept answers and ended sessions are forgotten in time, a bounded number in each transaction."""

from typing import Final

from bylaw.api.ports import ControlStore
from bylaw.core.clock import DAY_MS, Clock

_BATCH: Final = 1_000


class Forgetting:
    """Forgets kept answers, and sessions that expired a day ago.

    Units: `keep_ms` in milliseconds; so long an answer is repeated.
    """

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
        dropped = self._batch
        while dropped == self._batch:
            before_ms = self._clock.now_ms() - DAY_MS
            async with self._store.system() as system:
                dropped = await system.sign_ins.drop_sessions(before_ms=before_ms, limit=self._batch)
