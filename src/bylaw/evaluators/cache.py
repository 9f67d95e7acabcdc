"""The cache of judgements: the same rules over the same facts are judged once, also when asked at once."""

import asyncio
import hashlib
from collections import OrderedDict
from dataclasses import replace

import msgspec

from bylaw.evaluators.protocol import Batch, Evaluator, Reply
from bylaw.evaluators.verdicts import FAULTS, verdicts


class CachedEvaluator:
    """Keeps the last `capacity` replies of another evaluator, by asker, its digest, rules and facts.

    A reply with any fault is given back and forgotten. Callers with the same batch at the same time wait for
    one; when that one fails or gives up, the next of them asks for itself. `hits` and `misses` count the
    batches that were known and those that were asked for.
    """

    def __init__(self, evaluator: Evaluator, *, capacity: int = 4_096) -> None:
        self._evaluator = evaluator
        self._capacity = capacity
        self._replies: OrderedDict[str, Reply] = OrderedDict()
        self._flights: dict[str, asyncio.Future[None]] = {}
        self.hits = self.misses = 0

    @property
    def id(self) -> str:
        """The name of the evaluator inside."""
        return self._evaluator.id

    @property
    def digest(self) -> str:
        """The digest of the evaluator inside."""
        return self._evaluator.digest

    def __len__(self) -> int:
        return len(self._replies)

    async def evaluate(self, batch: Batch) -> Reply:
        """Return the reply to the same rules and facts, asking for it when it is not known."""
        key = self._key(batch)
        while key not in self._replies and key in self._flights:
            await asyncio.shield(self._flights[key])
        known = self._replies.get(key)
        if known is not None:
            self._replies.move_to_end(key)
            self.hits += 1
            return replace(known, cached=True)
        self.misses += 1
        landed: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._flights[key] = landed
        try:
            reply = await self._evaluator.evaluate(batch)
            if not any(verdict.code in FAULTS for verdict in verdicts(batch, reply).values()):
                self._keep(key, reply)
        finally:
            del self._flights[key]
            landed.set_result(None)
        return reply

    def _key(self, batch: Batch) -> str:
        rules = [(question.id, question.digest) for question in batch.questions]
        said = msgspec.json.encode((batch.asker, self.digest, rules, batch.facts), order="deterministic")
        return hashlib.sha256(said).hexdigest()

    def _keep(self, key: str, reply: Reply) -> None:
        self._replies[key] = reply
        while len(self._replies) > self._capacity:
            self._replies.popitem(last=False)
