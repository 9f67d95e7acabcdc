"""`bylaw serve` as people run it: a process, its output, and a client."""

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[2]
PATIENCE_S = 60
ADMIN_KEY = "sf_test_v1_e2e_0123456789abcdefghijklmnop"


def environment(**extra: str) -> dict[str, str]:
    """The environment without settings of ours, plus `extra`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("BYLAW_")}
    return {**kept, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}", **extra}


class Running:
    """A server that serves."""

    def __init__(self, process: subprocess.Popen[str], said: list[str]) -> None:
        self.process = process
        self.said = said

    @property
    def url(self) -> str:
        return self.said[0].rpartition(" ")[2]

    def named(self, name: str) -> str:
        """What the line that begins with `name` says, empty when there is none."""
        return next((line.split(None, name.count(" ") + 1)[-1] for line in self.said if name in line), "")

    def client(self, key: str = ADMIN_KEY) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"authorization": f"Bearer {key}"}, timeout=PATIENCE_S)

    def stop(self, sent: signal.Signals = signal.SIGTERM) -> int:
        """Ask it to stop and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(sent)
        return self.process.wait(PATIENCE_S)


@contextmanager
def serving(*options: str, cwd: Path = ROOT, key: str = ADMIN_KEY, workers: int = 0) -> Iterator[Running]:
    """Start a server, with workers only where jobs matter, and yield it once it has said all that it says."""
    extra = {"BYLAW_JOBS_WORKERS": str(workers)} | ({"BYLAW_ADMIN_KEY": key} if key else {})
    command = [sys.executable, "-m", "bylaw", "serve", "--port", "0", "--access-log", "off", *options]
    said: list[str] = []
    with (
        tempfile.TemporaryFile("w+", encoding="utf-8") as errors,
        subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=errors, text=True, cwd=cwd, env=environment(**extra)
        ) as process,
    ):
        try:
            while not any("ready" in line for line in said):
                line = process.stdout.readline()
                if not line:
                    errors.seek(0)
                    raise AssertionError(f"it ended by itself: {errors.read()}")
                said.append(line.rstrip())
            yield Running(process, said)
        finally:
            process.kill()


def refused(*options: str, cwd: Path = ROOT, **extra: str) -> tuple[int, str]:
    """Start a server that refuses to start; return its exit code and what it says."""
    command = [sys.executable, "-m", "bylaw", "serve", *options]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=cwd,
        env=environment(**extra),
        timeout=PATIENCE_S,
        check=False,
    )
    return done.returncode, done.stderr
