"""Cross-anchoring: what the other logs looked like, written into the log of this process."""

from typing import Final

from bylaw.receipts import model
from bylaw.receipts.issue import Issuer, cross_anchor
from bylaw.receipts.ports import Ledger, StoredCheckpoint

_ECHOES: Final = 64


class Anchors:
    """Writes the checkpoints of the other logs into the log of this process."""

    def __init__(self, ledger: Ledger, issuer: Issuer) -> None:
        self._ledger = ledger
        self._issuer = issuer
        self._seen: dict[str, int] = {}

    async def anchor(self) -> None:
        """Record the latest checkpoints of the other logs that have news since the last time.

        A log that grew only by anchors of its own has none: two idle logs would anchor each other for ever.
        """
        origin = self._ledger.log.origin
        others = [held for held in await self._ledger.logs.latest() if held.origin != origin]
        claim = cross_anchor(origin, [held for held in others if await self._has_news(held)])
        if claim is not None:
            self._issuer.follow(origin)
            await self._ledger.log.append([self._issuer.issue(claim, tenant=None)])
        self._seen |= {held.origin: held.size for held in others}

    async def _has_news(self, held: StoredCheckpoint) -> bool:
        seen = self._seen.get(held.origin, 0)
        if seen == 0 or held.size - seen > _ECHOES:
            return held.size > seen
        leaves = await self._ledger.logs.leaves(held.origin, start=seen, limit=held.size - seen)
        return any(model.decode(leaf.receipt).kind != "cross_anchor" for leaf in leaves)
