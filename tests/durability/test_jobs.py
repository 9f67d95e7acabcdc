"""Kill and pause workers in the middle of jobs: whatever happens to them, every job has its effect once."""

import asyncio
import os
import resource
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from bylaw.core.clock import SystemClock
from bylaw.core.ids import Ids
from bylaw.core.paging import every
from bylaw.jobs.model import NewJob
from bylaw.jobs.store import JobFilter
from bylaw.storage.control import open_control
from tests.contracts.values import tenant
from tests.durability.killing import PATIENCE_S, ROOT, environment
from tests.durability.working import TENANT


class Crew:
    """Processes that work on one database."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.folder = folder
        self.processes: list[subprocess.Popen[bytes]] = []

    def start(self, what: str = "work") -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "tests.durability.working", what, self.url, str(self.folder)]
        with (self.folder / "said").open("ab") as said:
            process = subprocess.Popen(command, cwd=ROOT, env=environment(), stderr=said)
        self.processes.append(process)
        return process

    def trace(self) -> list[str]:
        path = self.folder / "trace"
        return path.read_text().splitlines() if path.exists() else []

    def until(self, holds: Callable[[list[str]], bool]) -> None:
        until(lambda: holds(self.trace()))


def until(holds: Callable[[], bool]) -> None:
    """Return once it holds."""
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, "it does not come to that"
        time.sleep(0.01)


def pause(process: subprocess.Popen[bytes], file: Path) -> None:
    """Stop a process, but not while it writes to the file: then nobody else could."""
    process.send_signal(signal.SIGSTOP)
    os.waitpid(process.pid, os.WUNTRACED)
    while file.exists() and is_locked(file):
        process.send_signal(signal.SIGCONT)
        process.send_signal(signal.SIGSTOP)
        os.waitpid(process.pid, os.WUNTRACED)


def is_locked(file: Path) -> bool:
    connection = sqlite3.connect(file, timeout=0, isolation_level=None)
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.OperationalError:
        return True
    else:
        return False
    finally:
        connection.close()


def kill(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait(PATIENCE_S)


@pytest.fixture(params=["sqlite", "postgres"])
def url(request, tmp_path):
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'control.db'}"
    return request.getfixturevalue("postgres_url")


@pytest.fixture
async def store(url):
    clock = SystemClock()
    opened = await open_control(url, ids=Ids(clock), clock=clock)
    async with opened.system() as system:
        if await system.tenant(TENANT) is None:
            await system.add_tenant(tenant(TENANT))
        # whatever an earlier test of this database left
        jobs = system.of(TENANT).jobs
        await system.backlog.replace([cancelled_for_ever(job) for job in await every_job(system.of(TENANT))])
        await jobs.forget(frozenset({"cancelled"}), before_ms=1 << 60, limit=10_000)
    yield opened
    await opened.close()


def cancelled_for_ever(job):
    return replace(job, status="cancelled", ended_ms=1, revision=job.revision + 1)


@pytest.fixture
def crew(url, store, tmp_path):  # noqa: ARG001 - the store empties the database first
    made = Crew(url, tmp_path)
    yield made
    for process in made.processes:
        if process.poll() is None:
            process.send_signal(signal.SIGCONT)
            kill(process)


async def every_job(unit, **where):
    return [job async for job in every(lambda part: unit.jobs.list(JobFilter(**where), part))]


async def jobs_of(store, **where):
    async with store.begin(TENANT, writes=False) as unit:
        return await every_job(unit, **where)


async def enqueue(store, *new):
    async with store.begin(TENANT) as unit:
        return list(await unit.jobs.enqueue_all(new))


async def settled(store, kind):
    """Return the jobs of a kind once all of them are done."""
    end = time.monotonic() + PATIENCE_S
    while True:
        found = await jobs_of(store, kind=kind)
        if all(job.status == "done" for job in found):
            return found
        assert time.monotonic() < end, Counter(job.status for job in found)
        await asyncio.sleep(0.02)


async def test_a_killed_worker_is_taken_over_and_its_finished_step_kept(store, crew):
    await enqueue(store, NewJob(kind="staged"))
    first = crew.start()
    crew.until(lambda trace: "second" in trace)
    kill(first)
    (crew.folder / "go").touch()
    second = crew.start()
    (job,) = await settled(store, "staged")
    assert job.result == {"first_by": first.pid, "by": second.pid, "attempt": 2}
    assert crew.trace() == ["first", "second", "second"]
    assert len(await jobs_of(store, kind="effect")) == 1


async def test_a_paused_worker_cannot_overwrite_its_successor(store, crew):
    await enqueue(store, NewJob(kind="staged"))
    paused = crew.start()
    crew.until(lambda trace: "second" in trace)
    pause(paused, crew.folder / "control.db")
    (crew.folder / "go").touch()
    successor = crew.start()
    (job,) = await settled(store, "staged")
    paused.send_signal(signal.SIGCONT)
    paused.send_signal(signal.SIGTERM)
    assert paused.wait(PATIENCE_S) == 0
    assert await jobs_of(store, kind="staged") == [job]
    assert job.result == {"first_by": paused.pid, "by": successor.pid, "attempt": 2}
    assert len(await jobs_of(store, kind="effect")) == 1


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="another process cannot be limited here")
@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
async def test_a_worker_whose_disk_is_full_goes_on_when_there_is_room(store, crew):
    await enqueue(store, NewJob(kind="counted", payload={"n": 0}))
    worker = crew.start()
    await settled(store, "counted")
    _, most = resource.prlimit(worker.pid, resource.RLIMIT_FSIZE)
    full = (crew.folder / "control.db-wal").stat().st_size  # nothing is added to it
    resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (full, most))
    await enqueue(store, *[NewJob(kind="counted", payload={"n": n}) for n in range(1, 9)])
    until(lambda: b"cannot do this now" in (crew.folder / "said").read_bytes())
    assert {job.status for job in await jobs_of(store, kind="counted")} == {"done", "waiting"}
    resource.prlimit(worker.pid, resource.RLIMIT_FSIZE, (most, most))
    done = await settled(store, "counted")
    assert (len(done), len(await jobs_of(store, kind="effect"))) == (9, 9)
    assert worker.poll() is None


async def race(store, crew, *, count, kills):
    """Let two workers race for jobs while one or the other of them is killed."""
    await enqueue(store, *[NewJob(kind="counted", payload={"n": n}) for n in range(count)])
    random = Random(7)
    racing = [crew.start(), crew.start()]
    for n in range(kills):
        crew.until(lambda trace, n=n: len(trace) >= count * (n + 1) // (kills + 2))
        kill(racing.pop(random.randrange(2)))
        racing.append(crew.start())
    done = await settled(store, "counted")
    assert len(done) == count
    assert {int(n) for n in crew.trace()} == set(range(count))
    assert len(await jobs_of(store, kind="effect")) == count


async def test_jobs_that_killed_workers_race_for_have_their_effect_once(store, crew):
    await race(store, crew, count=60, kills=1)


@pytest.mark.soak
async def test_two_thousand_jobs_and_ten_kills(store, crew):
    await race(store, crew, count=2_000, kills=10)


async def test_what_a_killed_process_committed_is_enqueued_whole(store, crew):
    enqueuer = crew.start("enqueue")
    crew.until(lambda trace: len(trace) >= 30)
    kill(enqueuer)
    traced = {ident for line in crew.trace() if line.count(" ") == 1 for ident in line.split()}
    there = {job.id for job in await jobs_of(store, kind="pair")}
    assert len(there) % 2 == 0
    assert traced <= there
    assert len(there) - len(traced) in {0, 2}


def children(pid: int) -> list[int]:
    """Return the live children of a process."""
    path = Path(f"/proc/{pid}/task/{pid}/children")
    return [int(each) for each in path.read_text().split() if lives(int(each))]


def lives(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


@pytest.mark.skipif(
    not Path("/proc/self/task").exists(), reason="the children of a process are not told here"
)
def test_the_worker_of_a_server_comes_back_and_never_outlives_it(tmp_path):
    command = [sys.executable, "-m", "bylaw", "serve", "--port", "0", "--data", str(tmp_path)]
    server = subprocess.Popen(command, cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL)
    try:
        until(lambda: bool(children(server.pid)))
        (first,) = children(server.pid)
        os.kill(first, signal.SIGKILL)
        until(lambda: children(server.pid) not in ([], [first]))
        (second,) = children(server.pid)
    finally:
        kill(server)
    until(lambda: not lives(second))
