"""The pulse of the server: asked at most once a second, however many pages follow it."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

FRESH_S: Final = 1.0


@dataclass(slots=True, kw_only=True)
class Pulse:
    """What was told last, and when."""

    told: bytes = b""
    at_s: float = float("-inf")
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def read(self, ask: Callable[[], Awaitable[bytes]]) -> bytes:
        """Return what `ask` tells, or told somebody within this second."""
        async with self.lock:
            now_s = asyncio.get_running_loop().time()
            if now_s - self.at_s >= FRESH_S:
                self.told, self.at_s = await ask(), now_s
            return self.told
