"""What a log says about the logs: which keys sign it, and what the others looked like."""

from collections.abc import Awaitable, Callable

from bylaw.core.ids import ReceiptId
from bylaw.receipts.issue import PREFIX, Issuer, cross_anchor, key_changed
from bylaw.receipts.ports import Ledger
from bylaw.receipts.signing import KeySet


class Anchors:
    """Writes entries about keys and about other logs into the log of this process."""

    def __init__(self, ledger: Ledger, issuer: Issuer, keys: Callable[[], Awaitable[KeySet]]) -> None:
        self._ledger = ledger
        self._issuer = issuer
        self._keys = keys
        self._anchored: tuple[str, ...] = ()

    async def claim_keys(self) -> None:
        """Record the standing of every published key; what is recorded already is not recorded again."""
        for key in (await self._keys()).keys:
            changes = [("activated", key.since_ms)]
            if key.standing != "active" and key.ended_ms is not None:
                changes.append((key.standing, key.ended_ms))
            for change, at_ms in changes:
                self._issuer.follow(self._ledger.log.origin)
                claim = key_changed(key.raw, change, at_ms)
                ident = ReceiptId(f"{PREFIX}{change}_{key.kid}")
                await self._ledger.log.append([self._issuer.issue(claim, tenant=None, ident=ident)])

    async def anchor(self) -> None:
        """Record the latest checkpoints of the other logs, if any of them moved."""
        latest = await self._ledger.logs.latest()
        origin = self._ledger.log.origin
        claim = cross_anchor(origin, latest)
        if claim is None or claim.checkpoints == self._anchored:
            return
        self._issuer.follow(origin)
        await self._ledger.log.append([self._issuer.issue(claim, tenant=None)])
        self._anchored = claim.checkpoints
