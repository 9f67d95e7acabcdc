"""Whether a conversation is led to the right topic on public sets, with the margin and floor of the product.

Each document of a set is a policy with a topic of its own; each question goes the whole way of a decision
that is routed, in memory. Where several topics are chosen, all of them stay; where none is, nothing is left
out. Nothing here chooses the margin: it is what it was before these sets were looked at.

A second table says what is gained by corrections: so many texts of each policy, none of them asked, are led
to it as people would lead them, and the same questions are asked again.
"""

import asyncio
from collections.abc import Sequence
from contextlib import asynccontextmanager

from bench.report import Table
from bench.search_data import VARIABLE, Document, Task, tasks
from bylaw.core.clock import SystemClock
from bylaw.core.ids import Ids, PolicyId, TenantId
from bylaw.decisions.model import Routed
from bylaw.evaluators.patterns.masked import masked
from bylaw.policies.content import content_digest
from bylaw.policies.model import Content, Current, DeterministicRule, Example, NaturalRule, Policy, Version
from bylaw.search.embedder import Embedder, embedded
from bylaw.search.embedding import embed_waiting
from bylaw.search.finder import Finder
from bylaw.search.ngrams import NGrams
from bylaw.search.query import LEAST
from bylaw.search.routing import MARGIN, MOST, routed
from bylaw.search.store import Correction, CorrectionId, said_digest
from bylaw.storage.memory.control import MemoryControlStore
from bylaw.tenancy.model import EVERYWHERE, Tenant
from bylaw.tenancy.principal import Acting, system_principal

_TENANT = TenantId("bench")
_STEPS = (0, 1, 5, 10)
_TAUGHT = ("STAR, first 3 turns", "banking77, names only", "clinc150, names only", "banking77, 5 examples")


def run(*, quick: bool) -> list[Table]:
    """Return the tables of what is chosen, how often that is right, and what corrections change of it."""
    most = 60 if quick else 300
    plain, taught = [], []
    for task in tasks(most):
        for name, embedder in (("model", embedded()), ("n-grams", NGrams("for comparison."))):
            steps = _STEPS if name == "model" and task.name in _TAUGHT else (0,)
            for lessons, (inside, outside) in zip(
                steps, asyncio.run(_led(task, embedder, steps)), strict=True
            ):
                figures = (*_figures(task, inside), _none(outside))
                if not lessons:
                    plain.append((task.name, name, *figures))
                if len(steps) > 1:
                    taught.append((task.name, lessons, *figures))
    notes = [f"margin {MARGIN}, at most {MOST} topics, floor {LEAST}; {embedded().id}"]
    if not plain:
        notes = [
            f"left out: set {VARIABLE} to a folder with the public sets (bench/search_data.py says which)"
        ]
    said = ("one", "right", "several", "right ", "none", "left out wrongly", "outside: none")
    return [
        Table(title="Where conversations are led", columns=("set", "by", *said), rows=plain, notes=notes),
        Table(
            title="What corrections change", columns=("set", "corrections each", *said), rows=taught, notes=[]
        ),
    ]


async def _led(
    task: Task, embedder: Embedder, steps: Sequence[int]
) -> list[tuple[list[Routed], list[Routed]]]:
    """Return where the questions of a task lead, and those that nothing there answers.

    That is once for each of `steps`: after so many corrections for each policy.
    """
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

    finder = Finder(lambda: embedder, memory_bytes=1 << 28)
    found, done = [], 0
    for step in steps:
        async with begin() as unit:
            for name, texts in task.lessons.items():
                for text in texts[done:step]:
                    await unit.corrections.add(_correction(ids, name, text))
        done = step
        await embed_waiting(begin, embedder, progress=told)
        async with begin(writes=False) as unit:
            acting = Acting(unit=unit, principal=system_principal(_TENANT), clock=clock, ids=ids)
            inside = [await routed(acting, finder, [text], place=EVERYWHERE) for text, _ in task.questions]
            outside = [await routed(acting, finder, [text], place=EVERYWHERE) for text in task.outside]
        found.append((inside, outside))
    return found


def _correction(ids: Ids, name: str, text: str) -> Correction:
    said = masked(text)
    return Correction(
        id=CorrectionId(ids.uuid7()),
        tenant_id=_TENANT,
        policy_id=PolicyId(name),
        digest=said_digest(said),
        text=said,
        created_by="bench",
        created_ms=0,
    )


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
