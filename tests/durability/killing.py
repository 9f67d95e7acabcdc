"""Kill a process under load, again and again, and account for every receipt that it acknowledged."""

import os
import selectors
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Protocol

from bylaw.core.errors import NotFound
from bylaw.receipts import export
from bylaw.receipts.audit import audit
from bylaw.receipts.signing import KeySet
from bylaw.receipts.verify import Trust

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60


class Target(Protocol):
    """A command that records receipts under load."""

    def start(self) -> None:
        """Start it; return once it serves."""

    def load(self, count: int) -> list[str]:
        """Return at least `count` receipts that it acknowledged by now, and leave the load on."""

    def kill(self) -> list[str]:
        """Kill it with SIGKILL, if it lives; return the receipts that it acknowledged meanwhile."""


@dataclass
class Account:
    """What was acknowledged over all rounds, and how long each start took until it served."""

    acknowledged: list[str] = field(default_factory=list)
    starts_s: list[float] = field(default_factory=list)

    def __str__(self) -> str:
        return (
            f"{len(self.starts_s)} starts, {len(self.acknowledged)} acknowledged,"
            f" serving after {max(self.starts_s):.2f} s at most"
        )


def kill_again_and_again(target: Target, rounds: int, *, seed: int = 1) -> Account:
    """Run `target` under load and kill it at a random moment, `rounds` times."""
    random, account = Random(seed), Account()
    for _ in range(rounds):
        began = time.perf_counter()
        with started(target):
            account.starts_s.append(time.perf_counter() - began)
            account.acknowledged += target.load(random.randrange(50, 800))
            account.acknowledged += target.kill()
    return account


@contextmanager
def started(target: Target) -> Iterator[None]:
    """Start `target`; it does not outlive the block."""
    try:
        target.start()
        yield
    finally:
        target.kill()


async def account_for(ledger, keys: KeySet, acknowledged: list[str]) -> list[str]:
    """Return the acknowledged receipts that are missing; the logs audit clean and hold together."""
    missing = []
    for ident in acknowledged:
        try:
            await ledger.logs.find(ident)
        except NotFound:
            missing.append(ident)
    found = audit([line async for line in export.lines(ledger.logs, keys)], Trust(keys=keys))
    assert (found.status, found.findings) == ("verified", ())
    assert sum(log.size for log in found.logs) >= len(acknowledged)
    await ledger.close()
    return missing


class Recorder:
    """The process of `acknowledging.py`: the store without a server."""

    def __init__(self, kind: str, place: str) -> None:
        self._command = [sys.executable, "-m", "tests.durability.acknowledging", kind, place]
        self._process: subprocess.Popen[bytes] | None = None
        self._buffer = b""

    def start(self) -> None:
        self._buffer = b""
        self._process = subprocess.Popen(self._command, stdout=subprocess.PIPE, cwd=ROOT, env=environment())
        assert self._line() == "ready"

    def load(self, count: int) -> list[str]:
        return [self._line() for _ in range(count)]

    def kill(self) -> list[str]:
        process, self._process = self._process, None
        if process is None:
            return []
        process.kill()
        rest, _ = process.communicate(timeout=PATIENCE_S)
        return (self._buffer + rest).decode().split("\n")[:-1]

    def _line(self) -> str:
        """Return the next whole line of its output."""
        assert self._process is not None
        assert self._process.stdout is not None
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while b"\n" not in self._buffer:
                assert selector.select(PATIENCE_S), "it says nothing any more"
                said = os.read(self._process.stdout.fileno(), 1 << 16)
                assert said, "it ended by itself"
                self._buffer += said
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line.decode()


def environment() -> dict[str, str]:
    """The environment of a process that is started from the tests."""
    return {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}"}
