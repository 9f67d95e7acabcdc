"""Worker processes beside a server: started, woken, started again when they die, and gone when it is.

Each reads the pipe that is its standard input. A line means that there is work; its end, which comes however
the server ends, that it is time to stop.
"""

import asyncio
import logging
import os
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Final

from bylaw.api.workload import Workload
from bylaw.jobs.schedule import parse_cron
from bylaw.settings import OTHERS, PREFIX, Settings, environment
from bylaw.stores import fault_of_workers

_log = logging.getLogger("bylaw.jobs")

COMMAND: Final = (sys.executable, "-m", "bylaw", "worker", "--child")
_FIRST_PAUSE_S: Final = 1.0
_LONGEST_PAUSE_S: Final = 60.0
_PATIENCE_S: Final = 5.0  # beyond the time for what is accepted to end
_UNNEEDED: Final = frozenset({"BYLAW_ADMIN_KEY", "BYLAW_CONFIG"})


class Children:
    """As many workers as the settings name."""

    def __init__(self, settings: Settings, workload: Workload) -> None:
        """Raise InvalidInput for settings with which no worker could start."""
        parse_cron(settings.jobs.jobs_forget_at)
        self._count = settings.jobs.jobs_workers
        self._fault = fault_of_workers(settings)
        self._environ = environ_of(settings, os.environ)
        self._workload = workload
        self._grace_s = settings.server.shutdown_s + _PATIENCE_S
        self._processes: set[Process] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Keep them running until the block ends; then they finish, or give back, what they hold."""
        if self._fault:
            _log.warning(self._fault)
        keepers = [asyncio.create_task(self._keep()) for _ in range(self._count)]
        try:
            yield
        finally:
            for keeper in keepers:
                keeper.cancel()
            if keepers:
                await asyncio.wait(keepers)
            await asyncio.gather(*(self._stop(process) for process in self._processes))

    def wake(self) -> None:
        """Tell them that there is work; one that has been told and did not listen yet is not told again."""
        for process in self._processes:
            if process.stdin is not None and not process.stdin.transport.get_write_buffer_size():
                process.stdin.write(b"\n")

    async def _keep(self) -> None:
        pause_s = _FIRST_PAUSE_S
        while True:
            began_s = asyncio.get_running_loop().time()
            ended = await self._run_one()
            self._workload.restarts += 1
            lasted = asyncio.get_running_loop().time() - began_s > _LONGEST_PAUSE_S
            pause_s = _FIRST_PAUSE_S if lasted else pause_s
            _log.error("A worker process %s; another one starts in %.0f s.", ended, pause_s)
            await asyncio.sleep(pause_s)
            pause_s = min(pause_s * 2, _LONGEST_PAUSE_S)

    async def _run_one(self) -> str:
        """Return how a process ended once it did, or why there is none."""
        try:
            process = await asyncio.create_subprocess_exec(
                *COMMAND, stdin=PIPE, stdout=DEVNULL, env=self._environ, start_new_session=True
            )
        except OSError as error:
            return f"cannot be started ({error.strerror})"
        self._processes.add(process)
        code = await process.wait()
        self._processes.discard(process)
        return f"ended with {code}"

    async def _stop(self, process: Process) -> None:
        """Let a process end what it holds; one that still starts holds nothing and ends at once."""
        if process.stdin is not None:
            process.stdin.close()
        with suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), self._grace_s)
        except TimeoutError:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()


def environ_of(settings: Settings, environ: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a worker: the settings of its server, whatever gave them."""
    ours = {name for name in environ if name.startswith(PREFIX) and name not in OTHERS}
    kept = {name: value for name, value in environ.items() if name not in ours | _UNNEEDED}
    said = environment(settings)
    return {**kept, **{name: value for name, value in said.items() if name not in _UNNEEDED}}
