"""Publishing: from the commit of a policy to decisions that see it, and how long the event loop is held.

All of it happens inside the process that decides, on SQLite, with the rest of the server idle.
"""

import asyncio
import tempfile
import time
from contextlib import asynccontextmanager
from pathlib import Path

import uvloop

from bench.report import Table
from bylaw import app, settings
from bylaw.cli.serve import spare_the_collector
from bylaw.core.clock import SystemClock
from bylaw.core.ids import Ids, PolicyId, TenantId
from bylaw.policies.content import content_digest
from bylaw.policies.editing import Edit, edit_policy
from bylaw.policies.model import Current, Policy, Version
from bylaw.policies.packs.apply import Agreed, apply_packs
from bylaw.policies.packs.documents import Document
from bylaw.policies.packs.load import parse_packs
from bylaw.policies.parse import parse_content
from bylaw.tenancy.principal import Acting, system_principal

TENANT = TenantId("default")
CLOCK = SystemClock()
IDS = Ids(CLOCK)
TICK_S = 0.0005


def run(*, quick: bool) -> list[Table]:
    """Measure edits among more and more policies, and packs of new ones."""
    edits, packs = (3, (200,)) if quick else (9, (200, 2_000))
    counts = (100, 1_000) if quick else (100, 1_000, 10_000)
    return [
        Table(
            title="One edit by policies in force",
            columns=("policies in force", "published ms", "longest hold ms", "start ms"),
            rows=[uvloop.run(edited(count, edits)) for count in counts],
            notes=[
                "From the commit of a new version to the snapshot with it, its entry in the log included;",
                f"the median of {edits} edits. Hold: the longest time for which nothing else had its turn.",
                "Start: the first snapshot of all the policies, and the log's entries before it.",
            ],
        ),
        Table(
            title="A pack of policies: new, then each with a new text, then all archived",
            columns=("policies", "change", "applied s", "published s", "longest hold ms"),
            rows=[row for count in packs for row in uvloop.run(applied(count))],
            notes=[
                "Applied: read, planned and committed in one transaction. Published: logged and in force."
            ],
        ),
    ]


async def edited(count: int, edits: int) -> tuple[object, ...]:
    """Return what an edit takes among `count` policies."""
    async with serving() as server:
        async with server.stores.control.begin(TENANT) as unit:
            await unit.policies.add_all([stored(n) for n in range(count)])
            await unit.changes.bump()
        started, _ = await timed(server.settle(TENANT))
        spare_the_collector()
        found = []
        for n in range(edits):
            async with server.stores.control.begin(TENANT) as unit:
                edit = Edit(fields={"description": f"edit {n}"})
                await edit_policy(acting(unit), PolicyId(f"p{n}"), edit)
            found.append(await timed(server.settle(TENANT)))
    published = sorted(took for took, _ in found)[edits // 2]
    return count, published * 1000, max(held for _, held in found) * 1000, started * 1000


async def applied(count: int) -> list[tuple[object, ...]]:
    """Return what a pack of `count` policies takes: new, changed, and empty."""
    contents = [content(n) for n in range(count)]
    stages = {
        "created": contents,
        "updated": [{**each, "risk": "HIGH"} for each in contents],
        "archived": [],
    }
    found: list[tuple[object, ...]] = []
    async with serving() as server:
        spare_the_collector()
        for change, wanted in stages.items():
            applying, held = await timed(apply(server, wanted))
            publishing, held_then = await timed(server.settle(TENANT))
            found.append((count, change, applying, publishing, max(held, held_then) * 1000))
    return found


async def apply(server: app.App, contents: list[dict[str, object]]) -> None:
    written = {f"p{n}": each for n, each in enumerate(contents)}
    documents = [Document(file="bench.yaml", value={"pack": "bench", "policies": written})]
    packs = await asyncio.to_thread(parse_packs, documents)
    async with server.stores.control.begin(TENANT) as unit:
        await apply_packs(acting(unit), packs, Agreed(prune=True))


@asynccontextmanager
async def serving():
    with tempfile.TemporaryDirectory(prefix="bylaw-bench-") as folder:
        async with app.build(settings.build(data=Path(folder))) as server:
            yield server


async def timed(work) -> tuple[float, float]:
    """Return the seconds that `work` takes, and the longest for which the event loop was held meanwhile."""
    longest = 0.0

    async def watch() -> None:
        nonlocal longest
        last = time.perf_counter()
        while True:
            await asyncio.sleep(TICK_S)
            now = time.perf_counter()
            longest, last = max(longest, now - last - TICK_S), now

    watching = asyncio.create_task(watch())
    await asyncio.sleep(2 * TICK_S)
    began = time.perf_counter()
    await work
    took = time.perf_counter() - began
    await asyncio.sleep(2 * TICK_S)
    watching.cancel()
    return took, longest


def acting(unit) -> Acting:
    return Acting(unit=unit, principal=system_principal(TENANT), clock=CLOCK, ids=IDS)


def content(n: int) -> dict[str, object]:
    rules = [f"tool_call.arguments.amount < {n}", "!agent_output.contains('guarantee')"]
    return {
        "name": f"Policy {n}",
        "rules": [{"expr": rule} for rule in rules],
        "conditions": {"tool_call.name": f"tool{n}"},
    }


def stored(n: int) -> Current:
    ident, parsed, now = PolicyId(f"p{n}"), parse_content(content(n)), CLOCK.now_ms()
    policy = Policy(
        id=ident, tenant_id=TENANT, created_by="bench", created_ms=now, updated_by="bench", updated_ms=now
    )
    version = Version(
        policy_id=ident, number=1, content=parsed, digest=content_digest(parsed),
        author="bench", reason="", created_ms=now,
    )  # fmt: skip
    return Current(policy=policy, version=version)
