"""Worker processes beside a server: one that cannot be started, and one that is not there yet."""

import asyncio
import signal
import sys
from pathlib import Path

from bylaw.api.workload import Workload
from bylaw.app import children
from bylaw.settings import load


def settings(folder: Path):
    return load({"data": folder}, {})


class Counted(Workload):
    """Counts the restarts of workers, and tells of the second."""

    def __init__(self):
        self.count = 0
        self.twice = asyncio.Event()

    @property
    def restarts(self):
        return self.count

    @restarts.setter
    def restarts(self, count):
        self.count = count
        if count == 2:
            self.twice.set()


async def test_a_worker_that_cannot_be_started_is_tried_again(tmp_path, monkeypatch):
    monkeypatch.setattr(children, "COMMAND", (str(tmp_path / "nothing"),))
    monkeypatch.setattr(children, "_FIRST_PAUSE_S", 0.0)
    workload = Counted()
    async with children.Children(settings(tmp_path), workload).running():
        await workload.twice.wait()


async def test_a_worker_that_still_starts_holds_nobody_up(tmp_path, monkeypatch):
    command = (sys.executable, "-c", "import sys, time; sys.stdin.read(1); time.sleep(600)")
    monkeypatch.setattr(children, "COMMAND", command)
    beside = children.Children(settings(tmp_path), Counted())
    async with beside.running():
        while not beside._processes:  # noqa: ASYNC110 - nothing tells of it
            await asyncio.sleep(0)
        (process,) = beside._processes
    assert process.returncode == -signal.SIGTERM
