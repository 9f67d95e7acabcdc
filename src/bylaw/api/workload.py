"""How much work waits, runs and failed for good: looked at now and then, for the metrics."""

from bylaw.api.metrics import Metrics
from bylaw.api.ports import ControlStore
from bylaw.core.clock import Clock
from bylaw.jobs.store import Load


class Workload:
    """What there was to do at the last look; `restarts` counts workers that had to be started again."""

    def __init__(self, store: ControlStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self.load = Load()
        self.restarts = 0

    @property
    def oldest_s(self) -> float:
        """How long the job that waits longest could have run, in seconds."""
        oldest_ms = self.load.oldest_ms
        return 0.0 if oldest_ms is None else max(0, self._clock.now_ms() - oldest_ms) / 1000

    async def look(self) -> None:
        """Look, and bring what workers wrote back into the file that they share with this process."""
        async with self._store.system(writes=False) as system:
            self.load = await system.backlog.load(now_ms=self._clock.now_ms())
        await self._store.checkpoint()

    def watch(self, metrics: Metrics) -> None:
        """Show it among the metrics."""
        metrics.watch("bylaw_jobs_waiting", "Jobs that wait.", lambda: self.load.waiting)
        metrics.watch("bylaw_jobs_running", "Jobs that run.", lambda: self.load.running)
        metrics.watch("bylaw_jobs_dead", "Jobs that failed for good.", lambda: self.load.dead)
        metrics.watch(
            "bylaw_jobs_oldest_seconds",
            "How long the job that waits longest could have run.",
            lambda: self.oldest_s,
        )
        metrics.watch(
            "bylaw_jobs_worker_restarts",
            "How often a worker process had to be started again.",
            lambda: self.restarts,
        )
