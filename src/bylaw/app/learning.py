"""The learning loop, joined from settings: who mines, and what carries out runs."""

from collections.abc import Callable, Mapping
from functools import cache
from typing import Final

from bylaw.api.ports import Unit
from bylaw.core.clock import Clock
from bylaw.core.ids import Ids
from bylaw.jobs.running import Handler
from bylaw.learning.job import EXPIRE, expiring, mining
from bylaw.learning.mining.drafting import ModelMiner
from bylaw.learning.mining.miner import Miner, OfflineMiner
from bylaw.learning.report import MinerName
from bylaw.learning.runs import JOB
from bylaw.learning.standing import Remembering
from bylaw.providers.structured import StructuredModel
from bylaw.search.embedder import Embedder

_NO_MODEL: Final = "A model is chosen to mine, and none is configured."


def learning_handlers(
    embedder: Callable[[], Embedder], model: StructuredModel | None, *, clock: Clock, ids: Ids
) -> Mapping[str, Handler[Unit]]:
    """Return what carries out runs, and forgets; where there is no model, the offline miner mines."""
    remembering = cache(lambda: Remembering(embedder()))

    def miners(name: MinerName) -> Miner:
        if name == "model" and model is not None:
            return ModelMiner(embedder=remembering(), model=model, marker=ids.marker)
        return OfflineMiner(embedder=remembering(), why=_NO_MODEL if name == "model" else "")

    return {
        JOB: mining(miners, clock=clock, ids=ids),
        EXPIRE: expiring(clock=clock, ids=ids),
    }
