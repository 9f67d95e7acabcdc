"""Who mines: the offline miner, or one with a model that falls back on it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bylaw.learning.mining.model import Draft
from bylaw.learning.mining.offline import mine
from bylaw.learning.mining.transcript import Transcript
from bylaw.search.embedder import Embedder


@dataclass(frozen=True, slots=True, kw_only=True)
class Mined:
    """Drafts, the surest first, who made them, and what did not go as it should."""

    drafts: Sequence[Draft]
    by: str
    note: str = ""


class Miner(Protocol):
    """Finds rules in conversations."""

    @property
    def embedder(self) -> Embedder:
        """What it compares texts by."""

    async def mine(self, transcripts: Sequence[Transcript], *, topics: Sequence[str]) -> Mined:
        """Return what conversations show; `topics` are those that the workspace has. Raises: Unavailable."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfflineMiner:
    """Mines without a model; `why` is said where one was wanted."""

    embedder: Embedder
    why: str = ""

    async def mine(self, transcripts: Sequence[Transcript], *, topics: Sequence[str]) -> Mined:
        """Return what conversations show."""
        note = " ".join(filter(None, [self.why, self.embedder.note]))
        return Mined(drafts=await mine(transcripts, self.embedder, topics=topics), by="offline", note=note)
