"""The loops of a server: what it looks after while it runs, and once more when it starts and stops."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bylaw.api.anchors import Anchors
from bylaw.api.auth import Door
from bylaw.api.entries import Entries
from bylaw.api.feed import Feed
from bylaw.api.follow import Follower
from bylaw.api.forgetting import Forgetting
from bylaw.api.ports import ControlStore
from bylaw.api.projection import Projector
from bylaw.api.sightings import Sightings
from bylaw.api.signing import Signing
from bylaw.api.soundness import Soundness
from bylaw.api.tallying import Tallying
from bylaw.api.witness import Witness
from bylaw.api.workload import Workload
from bylaw.core.clock import Clock
from bylaw.core.errors import Unavailable
from bylaw.tenancy.sessions import IDLE_MS

_log = logging.getLogger("bylaw.upkeep")

NOTES_EVERY_S = 5.0
FORGET_EVERY_S = 60.0
TALLY_EVERY_S = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """What is looked after. Units: `follow_s` and `anchor_s` in seconds between two rounds."""

    store: ControlStore
    clock: Clock
    follower: Follower
    projector: Projector
    entries: Entries
    sightings: Sightings
    signing: Signing
    soundness: Soundness
    workload: Workload
    forgetting: Forgetting
    tallying: Tallying
    feed: Feed
    anchors: Anchors
    door: Door
    witness: Witness
    follow_s: float
    anchor_s: float

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Bring everything up to date, keep it so until the block ends, and leave nothing half done."""
        await self.signing.follow()
        await self.entries.drain()
        await self.follower.catch_up()
        await self.projector.catch_up()
        loops = [
            asyncio.create_task(_keep("changes", self.follower.catch_up, every_s=self.follow_s)),
            asyncio.create_task(_keep("effects", self._project, every_s=0)),
            asyncio.create_task(_keep("entries", self.entries.drain, every_s=NOTES_EVERY_S)),
            asyncio.create_task(_keep("known logs", self.witness.keep, every_s=NOTES_EVERY_S)),
            asyncio.create_task(_keep("notes", self.write_notes, every_s=NOTES_EVERY_S)),
            asyncio.create_task(_keep("kept answers", self.forgetting.forget, every_s=FORGET_EVERY_S)),
            asyncio.create_task(_keep("statistics", self.tallying.catch_up, every_s=TALLY_EVERY_S)),
            asyncio.create_task(_keep("soundness", self.soundness.look, every_s=NOTES_EVERY_S)),
            asyncio.create_task(_keep("workload", self.workload.look, every_s=NOTES_EVERY_S)),
            asyncio.create_task(_keep("signing keys", self.signing.follow, every_s=self.anchor_s)),
            asyncio.create_task(_keep("anchors", self.anchors.anchor, every_s=self.anchor_s)),
        ]
        try:
            yield
        finally:
            await _stop(loops)
            for work in (
                self.entries.drain,
                self.projector.catch_up,
                self.write_notes,
                self.anchors.anchor,
                self.witness.keep,
            ):
                await _try("the last round", work)

    async def rebuild(self) -> None:
        """Return once everything that is kept for people is whole again, made from the logs."""
        await self.projector.rebuild()
        await self.tallying.catch_up()
        await self.feed.rebuild()

    async def write_notes(self) -> None:
        """Store which agents were seen and when keys were last used; learn it of sessions from others."""
        await self.sightings.store()
        used = self.door.take_used()
        async with self.store.system(writes=bool(used)) as system:
            if used:
                await system.touch_keys(used)
            self.door.learn_used(await system.sign_ins.used(self.clock.now_ms() - IDLE_MS))

    async def _project(self) -> None:
        await self.projector.wait(self.follow_s)
        await self.projector.catch_up()


async def _stop(loops: Sequence[asyncio.Task[None]]) -> None:
    """Return once every loop has ended; a cancellation that something inside swallowed is sent again."""
    running = set(loops)
    while running:
        for loop in running:
            loop.cancel()
        _, running = await asyncio.wait(running, timeout=1)


async def _keep(name: str, work: Callable[[], Awaitable[None]], *, every_s: float) -> None:
    """Do `work` every so often until cancelled; a failure is logged once and tried again."""
    fails = False
    while True:
        await asyncio.sleep(every_s)
        failed = not await _try(name, work, quietly=fails)
        if failed:
            await asyncio.sleep(1)
        elif fails:
            _log.warning("%s: works again", name)
        fails = failed


async def _try(name: str, work: Callable[[], Awaitable[None]], *, quietly: bool = False) -> bool:
    """Do `work` and return whether it went well: the named boundary of background work."""
    try:
        await work()
    except Exception as error:  # noqa: BLE001 - a loop must outlive whatever happens in one round
        if not quietly:
            known = isinstance(error, Unavailable)  # of the world, and not of the code
            _log.error("%s: %s", name, error, exc_info=None if known else error)
        return False
    return True
