"""Whose turn it is: what a worker starts beside what it holds, so that nobody waits for somebody else."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import chain, zip_longest
from typing import Final

from bylaw.core.ids import TenantId
from bylaw.jobs.model import Job, Lane
from bylaw.jobs.store import Backlog

_LOOKS: Final = 16  # tenants that are looked at in one round


class Turns:
    """Takes jobs of all tenants in turn.

    A tenant starts another job while it holds fewer than there are slots free: alone it has half of them, and
    whoever comes next finds room at once. Of a lane with a name `lane` jobs run at once.
    """

    def __init__(self, *, slots: int, lane: int) -> None:
        self._slots = slots
        self._lane = lane
        self._after: TenantId | None = None

    async def take(self, backlog: Backlog, held: Iterable[Job], *, now_ms: int) -> Sequence[Job]:
        """Return what is to be claimed beside what is held."""
        room = _Room(held, slots=self._slots, lane=self._lane)
        tenants = await self._tenants(backlog, room, now_ms=now_ms) if room.free else ()
        if not tenants:
            return ()
        each = -(-room.free // len(tenants))
        due = await backlog.due(tenants, now_ms=now_ms, each=each, but=room.full_lanes)
        theirs = [[job for job in due if job.tenant_id == tenant_id] for tenant_id in tenants]
        in_turn = (job for job in chain.from_iterable(zip_longest(*theirs)) if job is not None)
        taken = [job for job in in_turn if room.take(job)]
        if taken:
            self._after = taken[-1].tenant_id
        return taken

    async def _tenants(self, backlog: Backlog, room: "_Room", *, now_ms: int) -> Sequence[TenantId]:
        """Return some tenants with work and with room for it, from the one after the last on."""
        most, full = min(room.free, _LOOKS), room.full_tenants
        found = [*await backlog.tenants(now_ms=now_ms, after=self._after, limit=most, but=full)]
        if len(found) < most and self._after is not None:
            first = await backlog.tenants(now_ms=now_ms, after=None, limit=most, but=full)
            found += [each for each in first if each not in found][: most - len(found)]
        return found


class _Room:
    """How much of a worker is free, and for whom."""

    def __init__(self, held: Iterable[Job], *, slots: int, lane: int) -> None:
        self.free = slots
        self._lane = lane
        self._tenants: Counter[TenantId] = Counter()
        self._lanes: Counter[Lane] = Counter()
        for job in held:
            self._add(job)

    @property
    def full_tenants(self) -> frozenset[TenantId]:
        """Those who hold as much as is free."""
        return frozenset(each for each, count in self._tenants.items() if count >= self.free)

    @property
    def full_lanes(self) -> frozenset[Lane]:
        """Those of which no more may run."""
        return frozenset(each for each, count in self._lanes.items() if count >= self._lane)

    def take(self, job: Job) -> bool:
        """Return whether there is room for a job, which then takes it."""
        if self._tenants[job.tenant_id] >= self.free or self._lanes[job.tenant_id, job.lane] >= self._lane:
            return False
        self._add(job)
        return True

    def _add(self, job: Job) -> None:
        self.free -= 1
        self._tenants[job.tenant_id] += 1
        if job.lane:
            self._lanes[job.tenant_id, job.lane] += 1
