"""How often the right one is found on public sets, beside plain BM25; weights are those of the product.

Times are not measured: it may run beside other work.
"""

import asyncio
import math
import re
from collections import Counter
from collections.abc import Sequence

import numpy as np

from bench.report import Table
from bench.search_data import VARIABLE, Task, tasks
from bylaw.search.embedder import Embedder, embedded
from bylaw.search.fusion import ABOUT, MEANING, PROCEDURE, WORDS, fuse, joined, midst
from bylaw.search.ngrams import NGrams
from bylaw.search.onnx import SMALL

_WORDS = re.compile(r"\w+")
_SHARES = (0.5, 0.7, 0.9, 1.0)
_CONSTANT = 60  # of reciprocal rank fusion, as its authors chose it


def run(*, quick: bool) -> list[Table]:
    """Return the tables of what is found, of the margin and of what nothing answers."""
    grams, model, small = NGrams("for comparison."), embedded(), embedded(SMALL)
    found, margins, outside = [], [], []
    for task in tasks(200 if quick else 1_500):
        texts = [text for text, _ in task.questions]
        words = _bm25(task, texts)
        by_model, by_grams = _dense(model, task, texts), _dense(grams, task, texts)
        ways = {
            "BM25": words,
            "n-grams": by_grams,
            "n-grams + words": _fused(by_grams, words),
            "model": by_model,
            "model + words": _fused(by_model, words),
            "model in int8 + words": _fused(_dense(small, task, texts), words),
            "model + words, by ranks": _ranked(by_model, words),
        }
        right = _places(task)
        found += [(task.name, way, *_figures(scores, right)) for way, scores in ways.items()]
        margins.append((task.name, *_gated(ways["model + words"], right)))
        if task.outside:
            away = _dense(model, task, task.outside)
            outside.append(
                (task.name, *_apart(by_model, away), *_apart(by_grams, _dense(grams, task, task.outside)))
            )
    if not found:
        note = f"left out: set {VARIABLE} to a folder with the public sets (bench/search_data.py says which)"
        return [Table(title="What is found", columns=("set",), rows=[], notes=[note])]
    return [
        Table(
            title="What is found: right at first, among 5, mean of 1/place",
            columns=("set", "way", "hit@1", "hit@5", "MRR"),
            rows=found,
            notes=[
                f"model: {model.id}; {model.note}",
                f"words: plain BM25; +: {MEANING} of meaning, {WORDS:.2f} of words, as everywhere in Bylaw",
                f"meaning: {ABOUT} of the midst of name and examples, {PROCEDURE:.2f} of the procedure",
                "by ranks: reciprocal rank fusion, which Bylaw does not use",
            ],
        ),
        Table(
            title="Right at first when only the clearest are answered (model + words, best minus second)",
            columns=("set", *(f"{share:.0%} answered" for share in _SHARES)),
            rows=margins,
        ),
        Table(
            title="Telling what nothing here answers by the likeness of the best",
            columns=("set", "model AUROC", "refused at 90% kept", "n-grams AUROC", "refused at 90% kept "),
            rows=outside,
        ),
    ]


def _dense(embedder: Embedder, task: Task, texts: Sequence[str]) -> np.ndarray:
    """Return the product of each text with each document. Shape: [texts, documents]."""
    rows = []
    for each in task.documents:
        about = midst(_embed(embedder, [each.about, *each.examples]))
        rows.append(joined(about, _embed(embedder, [each.procedure])[0] if each.procedure else None))
    return _embed(embedder, texts) @ np.stack(rows).T


def _embed(embedder: Embedder, texts: Sequence[str]) -> np.ndarray:
    return asyncio.run(embedder.embed(texts))


def _bm25(task: Task, texts: Sequence[str]) -> np.ndarray:
    """Return what plain BM25 gives (k1 1.2, b 0.75). Shape: [texts, documents]."""
    held = [
        Counter(_words("\n".join((each.about, *each.examples, each.procedure)))) for each in task.documents
    ]
    sizes = np.array([each.total() for each in held])
    holders = Counter(word for each in held for word in each)
    scores = np.zeros((len(texts), len(held)))
    for place, text in enumerate(texts):
        for word in _words(text):
            if word in holders:
                rare = math.log(1 + (len(held) - holders[word] + 0.5) / (holders[word] + 0.5))
                often = np.array([each[word] for each in held])
                scores[place] += rare * often * 2.2 / (often + 1.2 * (0.25 + 0.75 * sizes / sizes.mean()))
    return scores


def _words(text: str) -> list[str]:
    return _WORDS.findall(text.casefold())


def _fused(meaning: np.ndarray, words: np.ndarray) -> np.ndarray:
    """Return what `fuse` gives each document; what holds no word of the question is not found by words."""
    scores = np.zeros_like(meaning)
    for place, (means, says) in enumerate(zip(meaning.tolist(), words.tolist(), strict=True)):
        near = {str(document): score for document, score in enumerate(means)}
        hits = {str(document): score for document, score in enumerate(says) if score > 0}
        for document, score in fuse(near, hits).items():
            scores[place, int(document)] = score
    return scores


def _ranked(meaning: np.ndarray, words: np.ndarray) -> np.ndarray:
    """Return reciprocal rank fusion, where what holds no word has no rank by words."""
    ranks = [(-each).argsort(axis=1, kind="stable").argsort(axis=1) for each in (meaning, words)]
    return 1 / (_CONSTANT + 1 + ranks[0]) + np.where(words > 0, 1 / (_CONSTANT + 1 + ranks[1]), 0)


def _places(task: Task) -> np.ndarray:
    names = [each.name for each in task.documents]
    return np.array([names.index(name) for _, name in task.questions])


def _figures(scores: np.ndarray, right: np.ndarray) -> tuple[float, float, float]:
    """Return hit@1, hit@5 and the mean of 1/place; of equals, the right one counts as their middle."""
    own = scores[np.arange(len(right)), right][:, None]
    place = (scores > own).sum(axis=1) + ((scores == own).sum(axis=1) - 1) / 2
    return tuple(
        round(float(each), 3) for each in ((place < 1).mean(), (place < 5).mean(), (1 / (place + 1)).mean())
    )


def _gated(scores: np.ndarray, right: np.ndarray) -> list[float]:
    """Return the share of right answers among the clearest shares of the questions."""
    best = np.sort(scores, axis=1)
    clearest = (best[:, -2] - best[:, -1]).argsort(kind="stable")
    hits = (scores.argmax(axis=1) == right)[clearest]
    return [round(float(hits[: max(1, round(len(hits) * share))].mean()), 3) for share in _SHARES]


def _apart(inside: np.ndarray, outside: np.ndarray) -> tuple[float, float]:
    """Return how often one inside is nearer than one outside, and the share outside below 9 of 10 inside."""
    kept, away = np.sort(inside.max(axis=1)), np.sort(outside.max(axis=1))
    below = np.searchsorted(away, kept, side="left") + np.searchsorted(away, kept, side="right")
    auroc = below.sum() / 2 / len(kept) / len(away)
    return round(float(auroc), 3), round(float((away < kept[len(kept) // 10]).mean()), 3)
