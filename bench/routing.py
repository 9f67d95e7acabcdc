"""Whether a conversation is led to the right topic on public sets, with the margin and floor of the product.

Each document of a set is a policy with a topic of its own; each question goes the whole way of a decision
that is routed, in memory. Where several topics are chosen, all of them stay; where none is, nothing is left
out. Nothing here chooses the margin: it is what it was before these sets were looked at.
"""

import asyncio
from contextlib import asynccontextmanager

from bench.report import Table
from bench.search_data import VARIABLE, Document, Task, tasks
from bylaw.core.clock import SystemClock
from bylaw.core.ids import Ids, PolicyId, TenantId
from bylaw.decisions.model import Routed
from bylaw.policies.content import content_digest
from bylaw.policies.model import Content, Current, DeterministicRule, Example, NaturalRule, Policy, Version
from bylaw.search.embedder import Embedder, embedded
from bylaw.search.embedding import embed_waiting
from bylaw.search.finder import Finder
from bylaw.search.ngrams import NGrams
from bylaw.search.query import LEAST
from bylaw.search.routing import MARGIN, MOST, routed
from bylaw.storage.memory.control import MemoryControlStore
from bylaw.tenancy.model import EVERYWHERE, Tenant
from bylaw.tenancy.principal import Acting, system_principal

_TENANT = TenantId("bench")


def run(*, quick: bool) -> list[Table]:
    """Return the table of what is chosen, and how often that is right."""
    rows = []
    for task in tasks(60 if quick else 300):
        for name, embedder in (("model", embedded()), ("n-grams", NGrams("for comparison."))):
            inside, outside = asyncio.run(_led(task, embedder))
            rows.append((task.name, name, *_figures(task, inside), _none(outside)))
    notes = [f"margin {MARGIN}, at most {MOST} topics, floor {LEAST}; {embedded().id}"]
    if not rows:
        notes = [
            f"left out: set {VARIABLE} to a folder with the public sets (bench/search_data.py says which)"
        ]
    columns = ("set", "by", "one", "right", "several", "right ", "none", "left out wrongly", "outside: none")
    return [Table(title="Where conversations are led", columns=columns, rows=rows, notes=notes)]


async def _led(task: Task, embedder: Embedder) -> tuple[list[Routed], list[Routed]]:
    """Return where the questions of a task lead, and those that nothing there answers."""
    clock = SystemClock()
    ids = Ids(clock)
    store = MemoryControlStore(ids=ids, clock=clock)
    async with store.system() as system:
        await system.add_tenant(Tenant(id=_TENANT, name="bench", created_ms=0))
    async with store.begin(_TENANT) as unit:
        await unit.policies.add_all([_policy(each) for each in task.documents])

    @asynccontextmanager
    async def begin(*, writes: bool = True):
        async with store.begin(_TENANT, writes=writes) as unit:
            yield unit

    async def told(_done: int, _total: int) -> None:
        return None

    await embed_waiting(begin, embedder, progress=told)
    finder = Finder(lambda: embedder, memory_bytes=1 << 28)
    async with begin(writes=False) as unit:
        acting = Acting(unit=unit, principal=system_principal(_TENANT), clock=clock, ids=ids)
        inside = [await routed(acting, finder, [text], place=EVERYWHERE) for text, _ in task.questions]
        outside = [await routed(acting, finder, [text], place=EVERYWHERE) for text in task.outside]
    return inside, outside


def _policy(document: Document) -> Current:
    asks = document.procedure
    rule = NaturalRule(id="r", text=asks) if asks else DeterministicRule(id="r", expr="true")
    said = Content(
        name=document.about.partition("\n")[0],
        description=document.about.partition("\n")[2],
        topic=document.name,
        rules=(rule,),
        action="alert",
        examples=tuple(
            Example(name="said", expect="pass", request={"user_intent": each}) for each in document.examples
        ),
    )
    ident = PolicyId(document.name)
    policy = Policy(
        id=ident, tenant_id=_TENANT, created_by="bench", created_ms=0, updated_by="bench", updated_ms=0
    )
    version = Version(
        policy_id=ident,
        number=1,
        content=said,
        digest=content_digest(said),
        author="bench",
        reason="",
        created_ms=0,
    )
    return Current(policy=policy, version=version)


def _figures(task: Task, led: list[Routed]) -> tuple[float | None, ...]:
    """Return the shares with one topic and with several, each with that of the right; none; lost ones."""
    wanted = [name for _, name in task.questions]
    pairs = list(zip(led, wanted, strict=True))
    one = [name in found.topics for found, name in pairs if len(found.topics) == 1]
    several = [name in found.topics for found, name in pairs if len(found.topics) > 1]
    lost = len(one) + len(several) - sum(one) - sum(several)
    every = len(pairs)
    return (
        round(len(one) / every, 3),
        _share(one),
        round(len(several) / every, 3),
        _share(several),
        _none(led),
        round(lost / every, 3),
    )


def _share(hits: list[bool]) -> float | None:
    return round(sum(hits) / len(hits), 3) if hits else None


def _none(led: list[Routed]) -> float | None:
    return _share([not found.topics for found in led])
