"""The cache of verdicts: the same rule over the same facts is judged once, also when asked at once.

It knows rules, not batches: a rule that is asked again in other company is known all the same, and of two
batches at the same time the later one waits only for what the earlier one asks as well.
"""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from bylaw.evaluators.ask import Asked, ask
from bylaw.evaluators.protocol import Batch, Evaluator, Question
from bylaw.evaluators.verdicts import LASTING, Verdict, indeterminate

# It is part of every key: raised when what a verdict means changes.
_SCHEMA: Final = 3
# Most characters of a verdict that is kept: quotes may be as long as what was sent.
_MOST_KEPT: Final = 16_384

_encoder = msgspec.json.Encoder(order="deterministic")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    verdict: Verdict
    model: str
    prompt_digest: str


class Cache:
    """Keeps the last `capacity` verdicts, by tenant, rule, facts and the evaluator with its settings.

    Rules of two places share none, and those of requests none with those of policies: who wrote their
    company may have had it speak to the judge.

    A verdict that blames the one call, of a failing or late evaluator, is given back and forgotten. Whoever
    asks what another is asking waits for that, within their own time; when that one fails or gives up, the
    next of them asks. Nobody waits before what is theirs alone is answered, so nobody waits for a circle.
    `hits` and `misses` count rules that were known and rules that were asked for.
    """

    def __init__(self, capacity: int = 4_096) -> None:
        self._capacity = capacity
        self._kept: OrderedDict[bytes, _Kept] = OrderedDict()
        self._flights: dict[bytes, asyncio.Future[None]] = {}
        self.hits = self.misses = 0

    @property
    def hit_rate(self) -> float | None:
        """The part of the rules that were known, None before anything was asked."""
        asked = self.hits + self.misses
        return round(self.hits / asked, 4) if asked else None

    def __len__(self) -> int:
        return len(self._kept)

    async def ask(
        self, evaluator: Evaluator, batch: Batch, *, ticks: Callable[[], int] = time.perf_counter_ns
    ) -> tuple[Asked, ...]:
        """Return what `evaluator` says about `batch`, asking only for what is not known; as `ask` otherwise.

        Shape: each question has its verdict in just one of them.
        Units: `ticks` counts nanoseconds.
        """
        if not self._capacity:
            return (await ask(evaluator, batch, ticks=ticks),)
        until = ticks() + batch.timeout_ms * 1_000_000
        alike = _alike(evaluator, batch)
        known: dict[bytes, _Kept] = {}
        fresh: list[Asked] = []
        while True:
            known |= self._take(alike.keys() - known.keys())
            left = {key: some for key, some in alike.items() if key not in known}
            mine = {key: some for key, some in left.items() if key not in self._flights}
            left_ms = (until - ticks()) // 1_000_000
            if mine and left_ms > 0:
                part = replace(batch, questions=tuple(some[0] for some in mine.values()), timeout_ms=left_ms)
                fresh.append(_for_all(await self._fly(evaluator, part, tuple(mine), ticks), mine.values()))
            elif left and not await self._landed(left.keys(), left_ms):
                late = {same.id: indeterminate("deadline") for some in left.values() for same in some}
                fresh.append(Asked(evaluator=evaluator.id, verdicts=late))
                mine = left
            alike = {key: some for key, some in alike.items() if key not in mine}
            if alike.keys() <= known.keys():
                return (*_told(evaluator, known, alike), *fresh)

    def _take(self, keys: Collection[bytes]) -> Mapping[bytes, _Kept]:
        found = {key: self._kept[key] for key in keys if key in self._kept}
        for key in found:
            self._kept.move_to_end(key)
        self.hits += len(found)
        return found

    async def _fly(
        self, evaluator: Evaluator, batch: Batch, keys: Sequence[bytes], ticks: Callable[[], int]
    ) -> Asked:
        """Ask for what nobody else is asking, and keep what lasts."""
        self.misses += len(keys)
        landed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._flights |= dict.fromkeys(keys, landed)
        try:
            asked = await ask(evaluator, batch, ticks=ticks)
            for key, question in zip(keys, batch.questions, strict=True):
                self._keep(key, asked, asked.verdicts[question.id])
        finally:
            for key in keys:
                del self._flights[key]
            landed.set_result(None)
        return asked

    async def _landed(self, keys: Collection[bytes], left_ms: int) -> bool:
        """Wait for whoever asks for these; return whether all were there in time."""
        flights = {self._flights[key] for key in keys if key in self._flights}
        if left_ms <= 0:
            return False
        _, pending = await asyncio.wait(flights, timeout=left_ms / 1000)
        return not pending

    def _keep(self, key: bytes, asked: Asked, verdict: Verdict) -> None:
        size = len(verdict.rationale) + sum(map(len, verdict.evidence))
        if (verdict.status == "indeterminate" and verdict.code not in LASTING) or size > _MOST_KEPT:
            return
        self._kept[key] = _Kept(verdict=verdict, model=asked.model, prompt_digest=asked.prompt_digest)
        while len(self._kept) > self._capacity:
            self._kept.popitem(last=False)


_Alike = Mapping[bytes, Sequence[Question]]


def _alike(evaluator: Evaluator, batch: Batch) -> _Alike:
    """Return the questions by key; those that ask for the same have the same."""
    facts = hashlib.sha256(_encoder.encode(batch.facts)).hexdigest()
    found: dict[bytes, list[Question]] = {}
    for question in batch.questions:
        asked = (question.digest, question.place, question.risk)
        said = _encoder.encode((_SCHEMA, batch.asker, asked, facts, evaluator.digest))
        found.setdefault(hashlib.sha256(said).digest(), []).append(question)
    return found


def _for_all(asked: Asked, alike: Collection[Sequence[Question]]) -> Asked:
    """Return what was asked for the first of each as said of all of them."""
    return replace(asked, verdicts={same.id: asked.verdicts[some[0].id] for some in alike for same in some})


def _told(evaluator: Evaluator, known: Mapping[bytes, _Kept], alike: _Alike) -> list[Asked]:
    """Return what was known, a part for each model and prompt that it came from."""
    parts: dict[tuple[str, str], dict[str, Verdict]] = {}
    for key, some in alike.items():
        kept = known[key]
        part = parts.setdefault((kept.model, kept.prompt_digest), {})
        part |= {same.id: kept.verdict for same in some}
    return [
        Asked(evaluator=evaluator.id, verdicts=verdicts, model=model, prompt_digest=prompt, cached=True)
        for (model, prompt), verdicts in parts.items()
    ]
