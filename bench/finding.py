"""Finding policies by words and meaning: 100,000 policies of one tenant, in the process, on SQLite.

What is timed is a whole search: the query embedded, the words looked up, the vectors compared, both ranked
and ten policies read; and its parts. Texts are 45 words each of 20,000, as often as Zipf says, but for words
that every text has. Vectors of contents are made up: comparing takes as long whatever they say.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Final

import numpy as np

from bench.report import Table
from bylaw.api.ports import Unit
from bylaw.core.clock import SystemClock
from bylaw.core.ids import Ids, PolicyId, TenantId, WorkspaceId
from bylaw.core.paging import Slice
from bylaw.policies.content import content_digest
from bylaw.policies.model import Content, Current, NaturalRule, Policy, Version
from bylaw.policies.searching import words_of
from bylaw.policies.store import PolicyFilter
from bylaw.search.embedder import embedded
from bylaw.search.finder import Finder
from bylaw.search.query import HEAD, search_policies
from bylaw.search.store import Meaning
from bylaw.storage.control import open_control
from bylaw.storage.sql.control import SqlControlStore
from bylaw.tenancy.model import Place, Tenant, Workspace
from bylaw.tenancy.principal import Acting, system_principal

TENANT: Final = TenantId("bench")
WORKSPACES: Final = 20
_WORDS: Final = 20_000
_COMMON: Final = 50  # the most frequent ones stand everywhere, and nobody looks for them
_CLUSTERS: Final = 2_000
_BATCH: Final = 2_000

Timed = Callable[[int], Awaitable[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Corpus:
    """Texts of policies, and queries made of words that stand in them."""

    texts: Sequence[str]
    queries: Sequence[str]


def run(*, quick: bool) -> list[Table]:
    """Measure searches over many policies."""
    many, rounds = (5_000, 20) if quick else (100_000, 200)
    return [asyncio.run(_measured(many, rounds))]


async def _measured(many: int, rounds: int) -> Table:
    corpus = _corpus(many, rounds)
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="bylaw-bench-"))
        clock = SystemClock()
        store = await open_control(f"sqlite:///{Path(folder) / 'control.db'}", ids=Ids(clock), clock=clock)
        stack.push_async_callback(store.close)
        finder = Finder(embedded, memory_bytes=1 << 30)
        embedder = await finder.embedder()
        await _fill(store, corpus, embedder.id, embedder.dimensions)
        began = time.perf_counter()
        async with store.begin(TENANT, writes=False) as unit:
            await finder.index(unit)
        loaded = time.perf_counter() - began
        rows = [
            (name, *await _times(work, rounds))
            for name, work in _parts(store, finder, corpus, embedder.dimensions).items()
        ]
    return Table(
        title=f"Searches over {many:,} policies, {embedder.id.partition('@')[0]}",
        columns=("part", "p50 ms", "p95 ms"),
        rows=rows,
        notes=[
            f"Reading the vectors at the first search took {loaded:.1f} s; {finder.size_bytes >> 20} MB.",
            f"{rounds} queries of 3 to 8 words each; the parts are timed apart, one thread.",
        ],
    )


def _parts(store: SqlControlStore, finder: Finder, corpus: Corpus, dimensions: int) -> dict[str, Timed]:
    queries = corpus.queries

    async def whole(n: int, where: PolicyFilter) -> None:
        async with store.begin(TENANT, writes=False) as unit:
            clock = SystemClock()
            acting: Acting[Unit] = Acting(
                unit=unit, principal=system_principal(TENANT), clock=clock, ids=Ids(clock)
            )
            await search_policies(acting, finder, queries[n], where=where, part=Slice(limit=10))

    async def by_words(n: int) -> None:
        async with store.begin(TENANT, writes=False) as unit:
            words = words_of(queries[n])
            await unit.policies.search(words, PolicyFilter(), Slice(limit=HEAD, total=True))

    async def by_meaning(n: int) -> None:
        async with store.begin(TENANT, writes=False) as unit:
            index = await finder.index(unit)
            some = np.random.default_rng(n).standard_normal(dimensions, dtype=np.float32)
            index.search(some / np.linalg.norm(some), HEAD)

    place = PolicyFilter(place=Place(workspace_id=WorkspaceId("w7")), match="near")
    return {
        "a search": lambda n: whole(n, PolicyFilter()),
        "… in a workspace": lambda n: whole(n, place),
        "… for what blocks, of high risk": lambda n: whole(
            n, PolicyFilter(risks=frozenset({"HIGH"}), actions=frozenset({"block"}))
        ),
        "embedding the query": lambda n: finder.meant(queries[n]),
        "looking up its words": by_words,
        "comparing the vectors": by_meaning,
    }


async def _times(work: Timed, rounds: int) -> tuple[float, float]:
    """Return p50 and p95 in milliseconds."""
    for n in range(3):
        await work(n)
    found = []
    for n in range(rounds):
        began = time.perf_counter()
        await work(n)
        found.append((time.perf_counter() - began) * 1000)
    return median(found), sorted(found)[int(len(found) * 0.95)]


def _corpus(many: int, rounds: int) -> Corpus:
    chance = random.Random(7)
    sounds = [f"{a}{b}" for a in "bcdfglmnprstvz" for b in ("a", "e", "i", "o", "u", "ar", "en", "ist")]
    made = ["".join(chance.choices(sounds, k=chance.randint(2, 4))) for _ in range(_WORDS)]
    odds = [1 / rank for rank in range(_COMMON, len(made) + _COMMON)]
    texts = [" ".join(chance.choices(made, odds, k=45)) for _ in range(many)]
    queries = [
        " ".join(chance.sample(chance.choice(texts).split(), k=chance.randint(3, 8))) for _ in range(rounds)
    ]
    return Corpus(texts=texts, queries=queries)


async def _fill(store: SqlControlStore, corpus: Corpus, embedder: str, dimensions: int) -> None:
    numbers = np.random.default_rng(7)
    centres = numbers.standard_normal((_CLUSTERS, dimensions), dtype=np.float32)
    async with store.system() as system:
        await system.add_tenant(Tenant(id=TENANT, name="Bench", created_ms=0))
    async with store.begin(TENANT) as unit:
        for n in range(WORKSPACES):
            ident = WorkspaceId(f"w{n}")
            await unit.tenancy.workspaces.add(Workspace(id=ident, tenant_id=TENANT, name=ident, created_ms=0))
    for start in range(0, len(corpus.texts), _BATCH):
        made = [_policy(start + n, text) for n, text in enumerate(corpus.texts[start : start + _BATCH])]
        noise = numbers.standard_normal((len(made), dimensions), dtype=np.float32)
        rows = centres[numbers.integers(0, _CLUSTERS, len(made))] + 0.7 * noise
        rows /= np.linalg.norm(rows, axis=1, keepdims=True)
        async with store.begin(TENANT) as unit:
            await unit.policies.add_all(made)
            told = [
                Meaning(digest=each.version.digest, about=row, procedure=row)
                for each, row in zip(made, rows, strict=True)
            ]
            await unit.vectors.keep(embedder, told)


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
