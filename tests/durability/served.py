"""The real server as something to kill: `bylaw serve` under load over HTTP."""

import http.client
import json
import os
import selectors
import subprocess
import sys
import threading
from urllib.parse import urlsplit

from tests.durability.killing import PATIENCE_S, ROOT, environment

CALLERS = 8
ADMIN_KEY = "sf_test_v1_durability_0123456789abcdefghij"
REQUEST = json.dumps(
    {
        "agent_id": "agent-7",
        "phase": "tool_call",
        "tool_call": {"name": "refund", "arguments": {"amount": 120}},
    }
)


class Server:
    """`bylaw serve` with `options`, and callers that note every decision whose answer arrived."""

    def __init__(self, *options: str) -> None:
        self._command = [
            sys.executable,
            "-m",
            "bylaw",
            "serve",
            "--port",
            "0",
            "--access-log",
            "off",
            *options,
        ]
        self._process: subprocess.Popen[bytes] | None = None
        self._callers: list[threading.Thread] = []
        self._arrived = threading.Condition()
        self._answered: list[str] = []

    def start(self) -> None:
        self._process = subprocess.Popen(
            self._command,
            stdout=subprocess.PIPE,
            cwd=ROOT,
            env={**environment(), "BYLAW_ADMIN_KEY": ADMIN_KEY, "BYLAW_JOBS_WORKERS": "0"},
        )
        address = urlsplit(self._announced()).netloc
        ending = threading.Event()
        self._ending = ending
        self._callers = [
            threading.Thread(target=self._call, args=(address, ending), daemon=True) for _ in range(CALLERS)
        ]
        for caller in self._callers:
            caller.start()

    def load(self, count: int) -> list[str]:
        with self._arrived:
            enough = self._arrived.wait_for(lambda: len(self._answered) >= count, PATIENCE_S)
            assert enough, "it answers no more"
            answered, self._answered = self._answered, []
        return answered

    def kill(self) -> list[str]:
        process, self._process = self._process, None
        if process is None:
            return []
        process.kill()
        process.communicate(timeout=PATIENCE_S)
        self._ending.set()
        for caller in self._callers:
            caller.join(PATIENCE_S)
        answered, self._answered = self._answered, []
        return answered

    def _announced(self) -> str:
        """Return the address that it says it listens on."""
        assert self._process is not None
        assert self._process.stdout is not None
        said = b""
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while b"\n" not in said:
                assert selector.select(PATIENCE_S), "it does not start"
                part = os.read(self._process.stdout.fileno(), 1 << 16)
                assert part, "it ended by itself"
                said += part
        return said.split(b"\n")[0].decode().rpartition(" ")[2]

    def _call(self, address: str, ending: threading.Event) -> None:
        """Ask for decisions until the server is gone."""
        headers = {"Authorization": f"Bearer {ADMIN_KEY}", "Content-Type": "application/json"}
        connection = http.client.HTTPConnection(address, timeout=PATIENCE_S)
        try:
            while not ending.is_set():
                connection.request("POST", "/v1/decisions", REQUEST, headers)
                answer = connection.getresponse()
                body = answer.read()
                if answer.status == 200:
                    with self._arrived:
                        self._answered.append(json.loads(body)["receipt_id"])
                        self._arrived.notify_all()
        except (OSError, http.client.HTTPException):
            pass  # it was killed
        finally:
            connection.close()
