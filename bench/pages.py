"""Pages of the dashboard over HTTP: one tenant, 100,000 policies, a year of 1,000,000 violations.

A person who owns the organisation looks at each page, SQLite and PostgreSQL by turns, over the databases of
`bench.lists`. What is timed is the whole exchange: session, every question to the API, rows, HTML and its
compression. The bytes are those that a browser takes: the page, and for a first visit what it links too.
`BYLAW_BENCH_ON=SQLite` looks at one database alone, as filling the other takes an hour.
"""

import gzip
import http.client
import json
import os
import re
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from urllib.parse import quote

from bench import lists
from bench.lists import Times
from bench.lists_filled import filled
from bench.lists_rows import Sizes, seldom
from bench.report import Table
from bench.server import ADMIN_KEY, Served, post, serving

VARIANTS = {
    kind: name
    for kind, name in lists.VARIANTS.items()
    if kind in os.environ.get("BYLAW_BENCH_ON", ",".join(lists.VARIANTS)).split(",")
}
PARTS = {"p50": 0.5, "p99": 0.99}
COLUMNS = ("page", *(f"{kind} {part} ms" for kind in VARIANTS for part in (*PARTS, "CPU")), "KB")
TARGET_MS, TARGET_KB = 100, 100
NEWEST = ("receipts?kind=decision", "policies?waits=true", "approvals", "attention", "conversations")
_LINKED = re.compile(rb'(?:href|src)="(/static/[^"]+)"')
_PASSWORD = "a long password of the bench"  # noqa: S105 - of a server that ends with the bench


@dataclass
class Looking:
    """Somebody who is signed in to a server, over one connection; `newest` are the ids that it gave last."""

    served: Served
    connection: http.client.HTTPConnection
    session: str
    newest: dict[str, str]
    times: dict[str, Times] = field(default_factory=dict)
    cpu_s: dict[str, float] = field(default_factory=dict)

    def look(self, path: str) -> tuple[float, bytes, int]:
        """Return the milliseconds of one exchange, the page, and its bytes as they were sent."""
        headers = {
            "accept": "text/html",
            "accept-encoding": "gzip",
            "cookie": f"bylaw-session={self.session}",
        }
        began = time.perf_counter()
        self.connection.request("GET", path.format_map(self.newest), headers=headers)
        answer = self.connection.getresponse()
        sent = answer.read()
        took = (time.perf_counter() - began) * 1000
        if answer.status != HTTPStatus.OK:
            raise RuntimeError(f"{path}: {answer.status} {answer.headers.get('location')} {sent[:300]!r}")
        is_zipped = answer.headers.get("content-encoding") == "gzip"
        return took, gzip.decompress(sent) if is_zipped else sent, len(sent)


def run(*, quick: bool) -> list[Table]:
    """Measure every page, and what a first visit of it loads."""
    sizes, rounds = (Sizes(2_000, 10_000), 5) if quick else (Sizes(100_000, 1_000_000), 101)
    with ExitStack() as stack:
        held = {kind: stack.enter_context(filled(kind, sizes)) for kind in VARIANTS}
        seen = {
            kind: stack.enter_context(
                signed_in(stack.enter_context(serving(VARIANTS[kind], folder, database=url)))
            )
            for kind, (folder, url) in held.items()
        }
        asked = pages()
        for _, path in asked:
            measure(seen, path, rounds)
        return [table(sizes, rounds, asked, seen), weights(asked, next(iter(seen.values())))]


@contextmanager
def signed_in(served: Served) -> Iterator[Looking]:
    """Yield an owner of the organisation, who has just joined and chosen a password."""
    mail = f"owner-{time.time_ns()}@bench.example"
    person = post(served.port, "/v1/users", {"email": mail, "name": "Ada", "org_role": "OWNER"})
    invited = post(served.port, f"/v1/users/{person['id']}/invitation", {})
    opened = post(served.port, "/v1/password", {"token": invited["token"], "password": _PASSWORD})
    connection = http.client.HTTPConnection("127.0.0.1", served.port)
    found = {path.partition("?")[0]: got(served.port, f"/v1/{path}")["data"][0]["id"] for path in NEWEST}
    try:
        yield Looking(served, connection, str(opened["session"]), found)
    finally:
        connection.close()


def pages() -> list[tuple[str, str]]:
    """Return the name and the address of each page, with places for what a server named itself."""
    return [
        ("overview", "/"),
        ("… of 90 days", "/?days=90"),
        ("… how decisions came out in 90 days", "/outcomes?days=90"),
        ("policies", "/policies"),
        ("… that wait", "/policies?tab=pending"),
        ("… deleted", "/policies?tab=deleted"),
        ("… searched: a question", f"/policies?q={quote('when do we escalate an angry customer')}"),
        ("… searched: a seldom word", f"/policies?q={seldom()}"),
        ("… of a topic", "/policies?topic=escalation"),
        ("… HIGH that block", "/policies?risk=HIGH&action=block"),
        ("… the topics that a field offers", "/policies/topics"),
        ("one policy", "/policies/pol-1"),
        ("… its first version", "/policies/pol-1/versions/1"),
        ("… in the editor", "/policies/pol-1/edit"),
        ("a new policy", "/policies/new"),
        ("review", "/review"),
        ("… one that waits", "/review/{policies}"),
        ("agents", "/agents"),
        ("… one", "/agents/a7"),
        ("receipts", "/receipts"),
        ("… blocked, of an agent", "/receipts?outcome=block&agent_id=a7"),
        ("… one", "/receipts/{receipts}"),
        ("inbox: approvals", "/inbox/approvals"),
        ("… one", "/inbox/approvals/{approvals}"),
        ("inbox: attention", "/inbox/attention"),
        ("… one", "/inbox/attention/{attention}"),
        ("inbox: violations", "/inbox/violations"),
        ("inbox: alerts", "/inbox/alerts"),
        ("learning: conversations", "/learning"),
        ("… one", "/learning/conversations/{conversations}"),
        ("learning: runs", "/learning/runs"),
        ("settings: keys", "/settings/keys"),
        ("… people", "/settings/people"),
        ("… one", "/settings/people/u7"),
        ("… workspaces", "/settings/workspaces"),
        ("… one", "/settings/workspaces/w7"),
        ("… webhooks", "/settings/webhooks"),
        ("… evaluators", "/settings/evaluators"),
        ("… packs", "/settings/packs"),
        ("… the audit log", "/settings/events"),
        ("… jobs", "/settings/jobs"),
        ("… signing keys", "/settings/signing-keys"),
        ("… one's account", "/settings/account"),
    ]


def got(port: int, path: str) -> dict[str, object]:
    """Return what the API answers the administrator."""
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", path, headers={"authorization": f"Bearer {ADMIN_KEY}"})
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def measure(seen: dict[str, Looking], path: str, rounds: int) -> None:
    """Look at a page often enough, on the servers by turns."""
    for turn in range(rounds + 2):
        for each in seen.values():
            if turn == 2:  # the first ones fill caches
                each.cpu_s[path] = -each.served.cpu_s
            took, _, size = each.look(path)
            if turn >= 2:
                times = each.times.setdefault(path, Times())
                times.ms.append(took)
                times.size = size
    for each in seen.values():
        each.cpu_s[path] += each.served.cpu_s


def table(sizes: Sizes, rounds: int, asked: list[tuple[str, str]], seen: dict[str, Looking]) -> Table:
    """Return how long each page takes, and how many bytes it has."""
    rows: list[tuple[object, ...]] = []
    for name, path in asked:
        told: list[object] = []
        for each in seen.values():
            told += [each.times[path].at(part) for part in PARTS.values()]
            told.append(each.cpu_s[path] / rounds * 1000)
        rows.append((name, *told, round(max(each.times[path].size for each in seen.values()) / 1000, 1)))
    late = sum(each.times[path].at(0.5) > TARGET_MS for each in seen.values() for _, path in asked)
    return Table(
        title=f"Pages over HTTP, {sizes.policies:,} policies, {sizes.violations:,} violations in a year",
        columns=COLUMNS,
        rows=rows,
        notes=[
            f"{rounds} exchanges each over one connection. CPU is the server's, in ms a page.",
            "KB are 1,000 bytes of compressed HTML.",
            f"{late} of {len(rows) * len(seen)} medians are above {TARGET_MS} ms.",
        ],
    )


def weights(asked: list[tuple[str, str]], one: Looking) -> Table:
    """Return what a first visit of the heaviest page loads."""
    heaviest, path = max(asked, key=lambda each: one.times[each[1]].size)
    _, page, size = one.look(path)
    linked = [each.decode() for each in dict.fromkeys(_LINKED.findall(page))]
    sizes = {each.rpartition("/")[2]: one.look(each)[2] for each in linked}
    total = size + sum(sizes.values())
    rows = [(f"the heaviest page: {heaviest}", size), *sizes.items(), ("together", total)]
    return Table(
        title="What a first visit loads",
        columns=("file", "bytes, compressed"),
        rows=rows,
        notes=[f"At most {TARGET_KB} KB are wanted. Later visits load the page alone."],
    )
