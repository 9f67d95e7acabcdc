"""Long lists, search and statistics over HTTP: one tenant, 100,000 policies, a year of 1,000,000 violations.

The product serves a database that was filled beforehand (`bench.lists_filled`), SQLite and PostgreSQL side by
side, one request after another over one connection. What is timed is the whole exchange: key, transaction,
statements, rows, JSON. Beside it: how the databases go about the statements, and what the indexes cost when
violations are written.
"""

import http.client
import time
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from pathlib import Path
from urllib.parse import quote

from bench.lists_filled import filled
from bench.lists_plans import page, plans
from bench.lists_rows import DAY_MS, Sizes, seldom
from bench.lists_writes import writes
from bench.report import Table
from bench.server import ADMIN_KEY, Served, serving

VARIANTS = {"SQLite": "sqlite", "PostgreSQL": "postgres"}
COLUMNS = ("request", *(f"{kind} {part} ms" for kind in VARIANTS for part in ("p50", "p95")), "KB")
TARGET_MS = 50
PAGE = Path(__file__).parent.parent / "docs" / "explanation" / "query-plans.md"


@dataclass
class Times:
    """How long the exchanges of one request took, and the bytes of its answer."""

    ms: list[float] = field(default_factory=list)
    size: int = 0

    def at(self, part: float) -> float:
        """Return what so great a part of them took at most."""
        return sorted(self.ms)[min(int(len(self.ms) * part), len(self.ms) - 1)]


def run(*, quick: bool) -> list[Table]:
    """Measure every list, what it is read by, and what that costs to write."""
    sizes, rounds = (Sizes(2_000, 10_000), 5) if quick else (Sizes(100_000, 1_000_000), 41)
    with ExitStack() as stack:
        held = {kind: stack.enter_context(filled(kind, sizes)) for kind in VARIANTS}
        with ExitStack() as serve:
            served = {
                kind: serve.enter_context(serving(VARIANTS[kind], folder, database=url))
                for kind, (folder, url) in held.items()
            }
            asked = requests(sizes)
            found = measured(served, asked, rounds)
        told = plans(held)
        if not quick:
            PAGE.write_text(page(told), "utf-8")
        return [table(sizes, rounds, asked, found), writes(held, rounds=rounds)]


def requests(sizes: Sizes) -> list[tuple[str, str]]:
    """Return the name and the path of what is asked."""
    since, until = moment(-200), moment(-170)
    everywhere = "/v1/policies?limit=100"
    entries = "/api/workspaces/w7/policy-entries"
    seen, alerted = "/policy/violations?take=50", "/policy/alerts?take=50"
    deep = sizes.violations // 2
    told = "/v1/statistics?window="
    stats = "/v2/stats/policies?scope=org&window=365d"
    shares = "/v2/stats/policies/breakdown"
    return [
        # Policies
        ("policies, newest 100", everywhere),
        ("… of a workspace", f"{everywhere}&workspace_id=w7"),
        ("… of a repo", f"{everywhere}&workspace_id=w7&repo_id=r107"),
        ("… that govern a repo", "/v1/effective-policies?limit=100&workspace_id=w7&repo_id=r107"),
        ("… that wait", f"{everywhere}&waits=true"),
        ("… of a topic", f"{everywhere}&topic=escalation"),
        ("… HIGH that block", f"{everywhere}&risk=HIGH&action=block"),
        ("… with a seldom word (`text`)", f"{everywhere}&text={seldom()}"),
        ("… with a common phrase (`text`)", f"{everywhere}&text={quote('before a refund')}"),
        ("oHallo: 100 entries and their number", f"{entries}?limit=100"),
        ("… skipping 4,000", f"{entries}?limit=100&offset=4000"),
        ("… of a topic", f"{entries}?limit=100&topic=escalation"),
        ("… in force", f"{entries}?limit=100&status=approved"),
        ("… pending, with their number", f"{entries}/pending?limit=100"),
        ("oHallo: search, a seldom word", f"{entries}/search?limit=100&q={seldom()}"),
        ("… a common word", f"{entries}/search?limit=100&q=refund"),
        ("… a question", f"{entries}/search?limit=100&q={quote('when do we escalate an angry customer')}"),
        ("Flashback: policies of a repo (100)", "/policy?orgId=default&workspaceId=w7&repoId=r107"),
        # What decisions left
        ("violations, newest 50", "/v1/violations"),
        ("… of a policy", "/v1/violations?policy_id=pol-7"),
        ("… HIGH, blocked, of a policy", "/v1/violations?policy_id=pol-7&risk=HIGH&block=true"),
        ("… of a workspace in a month", f"/v1/violations?workspace_id=w7&since={since}&until={until}"),
        ("… of an agent", "/v1/violations?agent_id=a7"),
        ("… of a conversation", "/v1/violations?conversation_id=c7777"),
        ("Flashback: 50 of all violations, with their number", seen),
        ("… skipping half of them", f"{seen}&skip={deep}"),
        ("… of the busiest policy", f"{seen}&policyId=pol-1"),
        ("… skipping a hundredth of all", f"{seen}&policyId=pol-1&skip={sizes.violations // 100}"),
        ("… HIGH", f"{seen}&severity=HIGH"),
        ("… HIGH or MEDIUM, skipping half", f"{seen}&severity=HIGH,MEDIUM&skip={deep}"),
        ("… blocked", f"{seen}&block=true"),
        ("… HIGH and blocked", f"{seen}&severity=HIGH&block=true"),
        ("… of a policy, HIGH and blocked", f"{seen}&policyId=pol-7&severity=HIGH&block=true"),
        ("… of a workspace in a month", f"{seen}&workspaceId=w7&from={since}&to={until}"),
        ("… of a repo", f"{seen}&repoId=r7"),
        ("… of two models", f"{seen}&llmModel=m3,m7"),
        ("… of a provider", f"{seen}&llmType=ANTHROPIC"),
        ("… of a host", f"{seen}&host=host-7.example"),
        ("… of a policy and a model", f"{seen}&policyId=pol-7&llmModel=m7"),
        ("Flashback: 50 of all alerts, with their number", alerted),
        (
            "… of the busiest policy, skipping a hundredth",
            f"{alerted}&policyId=pol-1&skip={sizes.violations // 100}",
        ),
        ("alerts of a workspace", "/v1/alerts?workspace_id=w7"),
        ("open attention items", "/v1/attention?status=open"),
        ("oHallo: 100 open attention items", "/api/attention-items?status=open&limit=100"),
        ("pending approvals", "/v1/approvals?status=pending"),
        ("approvals of an agent", "/v1/approvals?agent_id=a7"),
        ("oHallo: conversations", "/api/conversations"),
        ("… of a workspace, resolved", "/api/conversations?workspaceId=w7&status=resolved"),
        ("… of a contact", "/api/conversations?contactId=contact-7"),
        ("events", "/v1/events"),
        ("… of a workspace", "/v1/events?workspace_id=w7"),
        ("receipts", "/v1/receipts"),
        ("… of an agent", "/v1/receipts?agent_id=a7"),
        ("… blocked, of a policy", "/v1/receipts?outcome=block&policy_id=pol-5"),
        # Places and people
        ("repos, 100", "/v1/repos?limit=100"),
        ("users, 100", "/v1/users?limit=100"),
        ("agents, 100", "/v1/agents?limit=100"),
        # Statistics
        ("a year by day", f"{told}365d"),
        ("… of a workspace", f"{told}365d&workspace_id=w7"),
        ("… of a policy", f"{told}365d&policy_id=pol-7"),
        ("… of a policy and a model", f"{told}365d&policy_id=pol-7&model=m7"),
        ("a year by policy", "/v1/statistics/breakdown?window=365d&by=policy"),
        ("a year by user", "/v1/statistics/breakdown?window=365d&by=user"),
        (
            "a year by policy, with the series of 20",
            "/v1/statistics/breakdown?window=365d&by=policy&series=true",
        ),
        ("a month by six hours", f"{told}30d"),
        ("a week by hour", f"{told}7d"),
        ("a day by ten minutes", f"{told}24h"),
        ("Flashback: a year by day", stats),
        ("… tokens", stats.replace("/policies?", "/policies/tokens?")),
        ("… by policy", f"{shares}/rules?scope=org&window=365d"),
        ("… by user, with their series", f"{shares}/users?scope=org&window=365d&includeSeries=true"),
    ]


def moment(days: int) -> str:
    at_ms = time.time() * 1000 + days * DAY_MS
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def measured(served: dict[str, Served], asked: list[tuple[str, str]], rounds: int) -> list[dict[str, Times]]:
    """Return how long each request took on each server, the servers by turns."""
    found: list[dict[str, Times]] = []
    connections = {kind: http.client.HTTPConnection("127.0.0.1", each.port) for kind, each in served.items()}
    for _, path in asked:
        times: dict[str, Times] = {kind: Times() for kind in served}
        for turn in range(rounds + 2):
            for kind, connection in connections.items():
                took, size = exchange(connection, path)
                if turn >= 2:  # the first ones fill caches
                    times[kind].ms.append(took)
                    times[kind].size = size
        found.append(times)
    for connection in connections.values():
        connection.close()
    return found


def exchange(connection: http.client.HTTPConnection, path: str) -> tuple[float, int]:
    """Return the milliseconds of one exchange and the bytes of its answer."""
    began = time.perf_counter()
    connection.request("GET", path, headers={"authorization": f"Bearer {ADMIN_KEY}"})
    answer = connection.getresponse()
    body = answer.read()
    took = (time.perf_counter() - began) * 1000
    if answer.status != HTTPStatus.OK:
        raise RuntimeError(f"{path}: {answer.status} {body[:300]!r}")
    return took, len(body)


def table(sizes: Sizes, rounds: int, asked: list[tuple[str, str]], found: list[dict[str, Times]]) -> Table:
    rows: list[tuple[object, ...]] = []
    for (name, _), times in zip(asked, found, strict=True):
        told = [figure for each in times.values() for figure in (each.at(0.5), each.at(0.95))]
        rows.append((name, *told, round(max(each.size for each in times.values()) / 1024, 1)))
    late = sum(each.at(0.5) > TARGET_MS for times in found for each in times.values())
    return Table(
        title=f"GET over HTTP, {sizes.policies:,} policies, {sizes.violations:,} violations in a year",
        columns=COLUMNS,
        rows=rows,
        notes=[
            f"{rounds} exchanges each over one connection.",
            f"{late} of {len(rows) * len(VARIANTS)} medians are above {TARGET_MS} ms.",
        ],
    )
