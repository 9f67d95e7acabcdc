"""What each tenant may ask of a model: so many calls at once, so many tokens a day (UTC)."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bylaw.core.clock import DAY_MS, Clock


class Tokens:
    """Counts the tokens of each asker, within a limit for each day; 0 is no limit.

    What a call is expected to take is held while it is under way: calls at once do not pass the limit
    together.
    """

    def __init__(self, per_day: int, clock: Clock) -> None:
        self._per_day = per_day
        self._clock = clock
        self._day = 0
        self._spent: dict[str, int] = {}

    def spent(self, asker: str) -> int:
        """Return what an asker used today, with what is held for calls under way."""
        self._turn()
        return self._spent.get(asker, 0)

    def hold(self, asker: str, tokens: int) -> bool:
        """Hold what a call is expected to take; return False when the day has not as many left."""
        if self._per_day and self.spent(asker) + tokens > self._per_day:
            return False
        self._turn()
        self._spent[asker] = self._spent.get(asker, 0) + tokens
        return True

    def settle(self, asker: str, held: int, used: int) -> None:
        """Count what a call used in place of what was held for it."""
        self._turn()
        self._spent[asker] = max(0, self._spent.get(asker, 0) - held + used)

    def _turn(self) -> None:
        day = self._clock.now_ms() // DAY_MS
        if day != self._day:
            self._day = day
            self._spent.clear()


class Places:
    """Lets so many calls of each asker be under way; the others wait."""

    def __init__(self, each: int) -> None:
        self._each = each
        self._held: dict[str, tuple[asyncio.Semaphore, int]] = {}

    @asynccontextmanager
    async def one(self, asker: str, timeout_s: float) -> AsyncIterator[bool]:
        """Hold a place of `asker` until the block ends, False when there was none in time."""
        places, users = self._held.get(asker, (asyncio.Semaphore(self._each), 0))
        self._held[asker] = (places, users + 1)
        is_held = False
        try:
            try:
                async with asyncio.timeout(timeout_s):
                    is_held = await places.acquire()
            except TimeoutError:
                is_held = False
            yield is_held
        finally:
            if is_held:
                places.release()
            places, users = self._held[asker]
            if users == 1:
                del self._held[asker]
            else:
                self._held[asker] = (places, users - 1)
