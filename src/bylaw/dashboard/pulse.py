"""The pulse of the server: asked at most once a second, however many pages follow it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

FRESH_S: Final = 1.0
# A browser has six connections to a server: those that wait leave some to those that ask.
MOST_OF_ONE: Final = 3


@dataclass(slots=True, kw_only=True)
class Pulse:
    """What was told last, and when; and who follows it, by session, whoever came last at the end."""

    told: bytes = b""
    at_s: float = float("-inf")
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    followers: dict[str, list[object]] = field(default_factory=dict)

    async def read(self, ask: Callable[[], Awaitable[bytes]]) -> bytes:
        """Return what `ask` tells, or told somebody within this second."""
        async with self.lock:
            now_s = asyncio.get_running_loop().time()
            if now_s - self.at_s >= FRESH_S:
                self.told, self.at_s = await ask(), now_s
            return self.told

    @contextmanager
    def follow(self, session: str) -> Iterator[Callable[[], bool]]:
        """Yield what tells whether this follower may stay: the oldest of a session give way to the newest."""
        followers = self.followers.setdefault(session, [])
        followers.append(own := object())
        del followers[:-MOST_OF_ONE]
        try:
            yield lambda: own in followers
        finally:
            if own in followers:
                followers.remove(own)
            if not followers and self.followers.get(session) is followers:
                del self.followers[session]
