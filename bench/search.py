"""What the parts of a search by meaning take: embedding, the index of 100,000, and who waits meanwhile.

Contents are mixtures of sentences that were really embedded, so that queries are as near as queries are.
"""

import asyncio
import random
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

import numpy as np

from bench.report import Table
from bylaw.search.arithmetic import NUMPY
from bylaw.search.embedder import Embedder, embedded
from bylaw.search.fusion import fuse, joined
from bylaw.search.index import Index
from bylaw.search.ngrams import NGrams
from bylaw.search.onnx import EXACT, SMALL

K = 10
WHO = ("customers", "agents", "suppliers", "patients", "travellers", "tenants", "students", "drivers")
WHAT = (
    "refunds above the limit of the order", "a change of the delivery address", "data of other people",
    "promises about the arrival of a parcel", "medical advice and doses", "discounts that nobody approved",
    "payments to a new account", "complaints about a courier", "the cancellation of a booking",
    "invoices that were paid twice", "passwords and one-time codes", "legal threats",
    "a loan that is late", "lost luggage at the airport", "the end of a subscription",
    "damaged goods without a photo", "gift cards that do not work", "an upgrade of the room",
    "leave without pay", "exports of the customer list",
)  # fmt: skip
HOW = (
    "Ask a supervisor when {who} mention {what}.", "Never speak of {what} with {who}.",
    "Write down who asked about {what}, and tell {who} when they will hear from us.",
    "If {who} want {what}, look at the contract first and quote the clause.",
    "Hand over to a person as soon as {who} bring up {what} for the second time.",
)  # fmt: skip
QUERIES = ("what do I do about {what}?", "{who} asking for {what}", "{what}")
# What a process that has only just begun takes for its first vector, and the memory after a page as well.
COLD = """
import asyncio, sys, time
from pathlib import Path
began = time.perf_counter()
import numpy
def held():
    lines = Path("/proc/self/status").read_text().splitlines()
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1024
bare = held()
from bylaw.search.embedder import embedded
if sys.argv[1] == "numpy":
    embedder = embedded()
else:
    from bylaw.search.onnx import EXACT, SMALL
    embedder = embedded(EXACT if sys.argv[1] == "onnxruntime" else SMALL)
asyncio.run(embedder.embed(["How do I get a refund?"]))
first = time.perf_counter() - began
asyncio.run(embedder.embed(["The agent never promises a refund above 200 dollars. " * 40]))
print(first, bare, held())
"""
RUNTIMES = {"numpy": NUMPY, "onnxruntime": EXACT, "onnxruntime-int8": SMALL}


def run(*, quick: bool) -> list[Table]:
    """Return the tables of embedding, of the index, and of the event loop meanwhile."""
    many, rounds = (20_000, 40) if quick else (100_000, 300)
    embedder = embedded()
    return [
        *_embedding(rounds),
        _index(embedder, many, rounds),
        asyncio.run(_waiting(embedder, quick=quick)),
    ]


def _embedding(rounds: int) -> list[Table]:
    texts = {
        "a word": "refund",
        "a short question": "How do I get a refund for a late flight?",
        "two sentences": "My flight was three hours late and I missed my train. How do I get my money back?",
        "a page, cut at 256 pieces": "The agent never promises a refund above 200 dollars. " * 40,
    }
    by_runtime = {name: embedded(runtime) for name, runtime in RUNTIMES.items()}
    one: list[tuple[object, ...]] = []
    with asyncio.Runner() as loop:
        for name, text in texts.items():
            for runtime, each in {**by_runtime, "n-grams": NGrams("for comparison.")}.items():
                fewer = max(10, rounds // (len(text) // 200 + 1))
                one.append((name, runtime, *_times(_embeds(loop, each, text), fewer)))
    wanted = asyncio.run(by_runtime["numpy"].embed(contents()))
    many: list[tuple[object, ...]] = []
    for runtime, each in by_runtime.items():
        began = time.perf_counter()
        told = asyncio.run(each.embed(contents()))
        pace = len(told) / (time.perf_counter() - began)
        cold = [sys.executable, "-c", COLD, runtime]
        done = subprocess.run(cold, capture_output=True, text=True, check=True)
        first, bare, held = map(float, done.stdout.split())
        alike = float((wanted.astype(np.float64) * told).sum(axis=1).min())
        many.append((runtime, pace, first, held - bare, f"{alike:.7f}"))
    return [
        Table(
            title="Embedding one text, one thread, in ms",
            columns=("text", "by", "p50", "p99"),
            rows=one,
            notes=["each time the whole way: nothing is kept of the texts before"],
        ),
        Table(
            title=f"Embedding {len(wanted)} sentences at once, and the first one of a new process",
            columns=("by", "texts/s", "first after s", "MB beside NumPy", "least cosine with numpy"),
            rows=many,
        ),
    ]


def _embeds(loop: asyncio.Runner, embedder: Embedder, text: str) -> Callable[[], object]:
    """Return what embeds `text` in a loop that goes on, as that of a server does."""
    return lambda: loop.run(embedder.embed([text]))


def _index(embedder: Embedder, many: int, rounds: int) -> Table:
    rng = np.random.default_rng(1)
    base = asyncio.run(embedder.embed(contents()))
    about, procedure = (mixed(rng, base, many) for _ in range(2))
    held = joined(about, procedure)
    asked = asyncio.run(embedder.embed(questions()[:rounds]))
    names = [f"policy-{place:06}" for place in range(many)]
    index, began = Index(embedder.dimensions), time.perf_counter()
    for begin in range(0, many, 2_000):
        index.put(dict(zip(names[begin : begin + 2_000], held[begin : begin + 2_000], strict=True)))
    built = time.perf_counter() - began
    filters = {"all": None, "a third": names[::3], "one in 100": names[::100]}
    rows: list[tuple[object, ...]] = []

    def searched(name: str, queries: np.ndarray, allowed: list[str] | None = None) -> None:
        times = _each(queries, lambda query: index.search(query, K, allowed=allowed))
        rows.append((name, *times, _recall(index, held, (names, allowed), queries)))

    for name, allowed in filters.items():
        searched(f"10 best of {name}", asked, allowed)
    at_random = np.random.default_rng(2).standard_normal((len(asked), embedder.dimensions)).astype(np.float32)
    searched("10 best of all, far from everything", at_random)
    every = _each(asked, lambda query: np.argpartition(held @ query, -K))
    rows.append(("every product, without the index", *every, 1.0))
    rows.append(("replace one", *_each(asked, lambda query: index.put({names[7]: query})), None))
    dense = index.search(asked[0], 250)
    words = dict(zip(names[:200], rng.random(200).tolist(), strict=True))
    rows.append(("fuse 250 by meaning and 200 by words", *_times(lambda: fuse(dense, words), rounds), None))
    return Table(
        title=f"The index of {many:,} policies of {embedder.dimensions} numbers, one thread, in ms",
        columns=("what", "p50", "p99", "recall@10"),
        rows=rows,
        notes=[
            f"{many * (embedder.dimensions * 4 + 64) / 1e6:.0f} MB for both fields, built in {built:.1f} s",
            "a filter is given as ids, which are looked up each time",
        ],
    )


async def _waiting(embedder: Embedder, *, quick: bool) -> Table:
    """Return how late a coroutine that sleeps for a millisecond is woken while others embed."""
    works: dict[str, Sequence[str]] = {
        "nothing": (),
        "short questions, one after another": questions()[:1],
        "pages, one after another": ["The agent never promises a refund above 200 dollars. " * 40],
    }
    rows: list[tuple[object, ...]] = []
    for name, texts in works.items():
        done, late = asyncio.Event(), list[float]()
        watching = asyncio.create_task(_watch(done, late))
        until = time.perf_counter() + (2 if quick else 10)
        while time.perf_counter() < until:
            await (embedder.embed(texts) if texts else asyncio.sleep(0.05))
        done.set()
        await watching
        rows.append((name, *_parts(late), max(late) * 1000))
    return Table(
        title="How late the event loop wakes a coroutine while a thread embeds, in ms",
        columns=("embedding", "p50", "p99", "most"),
        rows=rows,
    )


async def _watch(done: asyncio.Event, late: list[float]) -> None:
    while not done.is_set():
        began = time.perf_counter()
        await asyncio.sleep(0.001)
        late.append(time.perf_counter() - began - 0.001)


def contents() -> list[str]:
    return [how.format(who=who, what=what) for how in HOW for who in WHO for what in WHAT]


def questions() -> list[str]:
    asked = [query.format(who=who, what=what) for query in QUERIES for who in WHO for what in WHAT]
    return random.Random(3).sample(asked, len(asked))


def mixed(rng: np.random.Generator, base: np.ndarray, many: int) -> np.ndarray:
    """Return `many` directions, each between two of `base`, with some noise."""
    one, other = (base[rng.integers(0, len(base), many)] for _ in range(2))
    share = rng.random((many, 1), dtype=np.float32) * 0.4
    noise = rng.standard_normal((many, base.shape[1]), dtype=np.float32) * np.float32(
        0.3 / base.shape[1] ** 0.5
    )
    rows = (1 - share) * one + share * other + noise
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def _recall(
    index: Index, held: np.ndarray, among: tuple[list[str], list[str] | None], asked: np.ndarray
) -> float:
    """Return the share of the exactly best that the index finds, among names of which some are allowed."""
    names, allowed = among
    places = np.arange(len(names))
    if allowed is not None:
        places = np.flatnonzero(np.isin(names, allowed))
    found = 0
    for query in asked[:100]:
        best = places[np.argsort(-(held[places] @ query), kind="stable")[:K]]
        found += len({names[place] for place in best} & index.search(query, K, allowed=allowed).keys())
    return round(found / (K * len(asked[:100])), 4)


def _each(asked: np.ndarray, work: Callable[[np.ndarray], object]) -> tuple[float, float]:
    queries = iter(np.concatenate([asked, asked]))
    return _times(lambda: work(next(queries)), len(asked))


def _times(work: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Return the median and the 99th percentile of many times, in ms."""
    times = []
    work()
    for _ in range(rounds):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return _parts(times)


def _parts(times: list[float]) -> tuple[float, float]:
    ranked = sorted(times)
    return tuple(round(ranked[int(len(ranked) * part)] * 1000, 3) for part in (0.5, 0.99))
