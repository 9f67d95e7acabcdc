"""Finding policies by words and meaning: 100,000 policies of one tenant, in the process, on SQLite.

What is timed is a whole search: the query embedded, the words looked up, the vectors compared, both ranked
and ten policies read; and its parts, each in a transaction of its own. A text is one of 800 sentences and 45
words of 20,000, as often as Zipf says, but for words that every text has. Questions are about those
sentences: each word of theirs stands in thousands of policies. The other queries are words of one text, with
which no meaning goes. The vectors of contents lie between those of sentences.

`BYLAW_BENCH_CACHE` names a folder in which the filled database is kept for the next run.
"""

import asyncio
import os
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from bench.report import Table
from bench.search import contents, mixed, questions
from bylaw.api.ports import Unit
from bylaw.core.clock import SystemClock
from bylaw.core.ids import Ids, PolicyId, TenantId, WorkspaceId
from bylaw.core.paging import Slice
from bylaw.policies.content import content_digest
from bylaw.policies.model import Content, Current, NaturalRule, Policy, Version
from bylaw.policies.searching import words_of
from bylaw.policies.store import PolicyFilter
from bylaw.search.embedder import Embedder, embedded
from bylaw.search.finder import Finder
from bylaw.search.floats import Floats
from bylaw.search.query import HEAD, LEAST, search_policies
from bylaw.search.store import Meaning
from bylaw.storage.control import open_control
from bylaw.storage.migrations.history import newest
from bylaw.storage.sql.control import SqlControlStore
from bylaw.tenancy.model import Place, Tenant, Workspace
from bylaw.tenancy.principal import Acting, system_principal

TENANT: Final = TenantId("bench")
WORKSPACES: Final = 20
_WORDS: Final = 20_000
_COMMON: Final = 50  # the most frequent ones stand everywhere, and nobody looks for them
_BATCH: Final = 2_000

Timed = Callable[[int], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """Texts of policies, and queries made of words that stand in them."""

    texts: Sequence[str]
    words: Sequence[str]
    questions: Sequence[str]


def run(*, quick: bool) -> list[Table]:
    """Measure searches over many policies."""
    many, rounds = (5_000, 20) if quick else (100_000, 200)
    return [asyncio.run(_measured(many, rounds))]


async def _measured(many: int, rounds: int) -> Table:
    corpus = _corpus(many, rounds)
    finder = Finder(embedded, memory_bytes=1 << 30)
    embedder = await finder.embedder()
    async with AsyncExitStack() as stack:
        store = await _filled(stack, corpus, embedder)
        began = time.perf_counter()
        async with store.begin(TENANT, writes=False) as unit:
            await finder.words(unit)
            spelled, words_mb = time.perf_counter() - began, finder.size_bytes >> 20
            await finder.nearest(unit)
        told, vectors_mb = time.perf_counter() - began - spelled, (finder.size_bytes >> 20) - words_mb
        rows = [
            (kind, name, *await _times(work, rounds))
            for kind, queries in (("a question", corpus.questions), ("words", corpus.words))
            for name, work in _parts(store, finder, queries).items()
        ]
    return Table(
        title=f"Searches over {many:,} policies, {embedder.id.partition('@')[0]}",
        columns=("query", "part", "p50 ms", "p95 ms", "processor p50 ms"),
        rows=rows,
        notes=[
            f"First read: words in {spelled:.1f} s, {words_mb} MB; vectors in {told:.1f} s, {vectors_mb} MB.",
            f"{rounds} queries of 3 to 8 words of each kind; the parts are timed apart, one thread.",
        ],
    )


async def _filled(stack: AsyncExitStack, corpus: Corpus, embedder: Embedder) -> SqlControlStore:
    """Return a store that holds the corpus, to be closed when `stack` ends."""
    cache = os.environ.get("BYLAW_BENCH_CACHE")
    if cache:
        folder = Path(cache) / f"finding-{newest()}-{len(corpus.texts)}"
        folder.mkdir(parents=True, exist_ok=True)
    else:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="bylaw-bench-")))
    done = folder / "filled"
    if not done.exists():
        for each in folder.iterdir():
            each.unlink()
    clock = SystemClock()
    store = await open_control(f"sqlite:///{folder / 'control.db'}", ids=Ids(clock), clock=clock)
    stack.push_async_callback(store.close)
    if not done.exists():
        await _fill(store, corpus, embedder)
        done.touch()
    return store


def _parts(store: SqlControlStore, finder: Finder, queries: Sequence[str]) -> dict[str, Timed]:
    meanings: dict[int, Floats | None] = {}

    async def whole(n: int, where: PolicyFilter) -> None:
        async with store.begin(TENANT, writes=False) as unit:
            clock = SystemClock()
            acting: Acting[Unit] = Acting(
                unit=unit, principal=system_principal(TENANT), clock=clock, ids=Ids(clock)
            )
            await search_policies(acting, finder, queries[n], where=where, part=Slice(limit=10))

    async def by_words(n: int) -> None:
        async with store.begin(TENANT, writes=False) as unit:
            words = await finder.words(unit)
            await words.search(words_of(queries[n]), PolicyFilter(), Slice(limit=HEAD, total=True))

    async def in_sql(n: int) -> None:
        async with store.begin(TENANT, writes=False) as unit:
            await unit.policies.search(words_of(queries[n]), PolicyFilter(), Slice(limit=HEAD, total=True))

    async def rows(n: int) -> None:
        async with store.begin(TENANT, writes=False) as unit:
            await unit.policies.currents([PolicyId(f"pol-{n * 10 + each:06}") for each in range(10)])

    async def embedding(n: int) -> None:
        meanings[n] = await finder.meant(queries[n])

    async def by_meaning(n: int) -> None:
        async with store.begin(TENANT, writes=False) as unit:
            nearest, meant = await finder.nearest(unit), meanings[n]
            if nearest is not None and meant is not None:
                await nearest.search(meant, HEAD, least=LEAST)

    place = PolicyFilter(place=Place(workspace_id=WorkspaceId("w7")), match="near")
    return {
        "a search": lambda n: whole(n, PolicyFilter()),
        "… in a workspace": lambda n: whole(n, place),
        "… for what blocks, of high risk": lambda n: whole(
            n, PolicyFilter(risks=frozenset({"HIGH"}), actions=frozenset({"block"}))
        ),
        "… in force": lambda n: whole(n, PolicyFilter(in_force=True)),
        "embedding the query": embedding,
        "looking up its words": by_words,
        "… in SQL, as while they are read": in_sql,
        "comparing the vectors": by_meaning,
        "reading ten policies": rows,
    }


async def _times(work: Timed, rounds: int) -> tuple[float, float, float]:
    """Return p50 and p95, and p50 of the processor's time, which others hardly disturb, in milliseconds."""
    for n in range(3):
        await work(n)
    found, used = [], []
    for n in range(rounds):
        began, busy = time.perf_counter(), time.process_time()
        await work(n)
        found.append((time.perf_counter() - began) * 1000)
        used.append((time.process_time() - busy) * 1000)
    return median(found), sorted(found)[int(len(found) * 0.95)], median(used)


def _corpus(many: int, rounds: int) -> Corpus:
    chance = random.Random(7)
    sounds = [f"{a}{b}" for a in "bcdfglmnprstvz" for b in ("a", "e", "i", "o", "u", "ar", "en", "ist")]
    made = ["".join(chance.choices(sounds, k=chance.randint(2, 4))) for _ in range(_WORDS)]
    odds = [*accumulate(1 / rank for rank in range(_COMMON, len(made) + _COMMON))]
    said = contents()
    texts = [
        f"{chance.choice(said)} {' '.join(chance.choices(made, cum_weights=odds, k=45))}" for _ in range(many)
    ]
    words = [
        " ".join(chance.sample(chance.choice(texts).split()[-45:], k=chance.randint(3, 8)))
        for _ in range(rounds)
    ]
    return Corpus(texts=texts, words=words, questions=questions()[:rounds])


async def _fill(store: SqlControlStore, corpus: Corpus, embedder: Embedder) -> None:
    numbers = np.random.default_rng(7)
    base = await embedder.embed(contents())
    async with store.system() as system:
        await system.add_tenant(Tenant(id=TENANT, name="Bench", created_ms=0))
    async with store.begin(TENANT) as unit:
        for n in range(WORKSPACES):
            ident = WorkspaceId(f"w{n}")
            await unit.tenancy.workspaces.add(Workspace(id=ident, tenant_id=TENANT, name=ident, created_ms=0))
    for start in range(0, len(corpus.texts), _BATCH):
        made = [_policy(start + n, text) for n, text in enumerate(corpus.texts[start : start + _BATCH])]
        about, procedure = (mixed(numbers, base, len(made)) for _ in range(2))
        async with store.begin(TENANT) as unit:
            await unit.policies.add_all(made)
            told = [
                Meaning(digest=each.version.digest, about=one, procedure=other)
                for each, one, other in zip(made, about, procedure, strict=True)
            ]
            await unit.vectors.keep(embedder.id, told)


def _policy(number: int, text: str) -> Current:
    words = text.split()
    content = Content(
        name=" ".join(words[:4]),
        topic=f"topic {number % 40}",
        rules=(NaturalRule(id="r1", text=" ".join(words[4:])),),
        risk=("LOW", "MEDIUM", "HIGH")[number % 3],
        action=("log", "alert", "review", "block")[number % 4],
    )
    ident = PolicyId(f"pol-{number:06}")
    policy = Policy(
        id=ident,
        tenant_id=TENANT,
        place=Place(workspace_id=WorkspaceId(f"w{number % WORKSPACES}")),
        created_by="bench",
        created_ms=number,
        updated_by="bench",
        updated_ms=number,
    )
    digest = content_digest(content)
    version = Version(
        policy_id=ident,
        number=1,
        content=content,
        digest=digest,
        author="bench",
        reason="",
        created_ms=number,
    )
    return Current(policy=policy, version=version)
