"""Queued entries on their way into the log: what was decided about policies, approvals and callers."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

import msgspec

from bylaw.api.ports import ControlStore, SystemUnit
from bylaw.core.errors import Corrupt
from bylaw.core.ids import ReceiptId, TenantId
from bylaw.receipts.issue import PREFIX, Issuer
from bylaw.receipts.model import ApprovalClaim, ChangeClaim, Claim, Kind, PolicyVersionClaim
from bylaw.receipts.ports import PendingEntry, ReceiptLog
from bylaw.tenancy.changes import Entry

_MOST: Final = 200
_CLAIMS: Final[Mapping[str, type[Claim]]] = {
    "policy_version": PolicyVersionClaim,
    "approval": ApprovalClaim,
    "change": ChangeClaim,
}


class Entries:
    """Brings queued entries into the log of this process, each recorded once however often it is tried.

    `tell` takes them into the feeds of events and `keep` keeps how far the logs are, in the transaction that
    forgets them.
    """

    def __init__(
        self,
        store: ControlStore,
        issuer: Issuer,
        log: ReceiptLog,
        *,
        tell: Callable[[SystemUnit, Sequence[Entry]], Awaitable[None]],
        keep: Callable[[SystemUnit], Awaitable[None]],
    ) -> None:
        self._store = store
        self._issuer = issuer
        self._log = log
        self._tell = tell
        self._keep = keep
        self._draining = asyncio.Lock()

    async def drain(self, tenant_id: TenantId | None = None) -> None:
        """Return once every entry queued so far, of one tenant or of all, is durable in the log."""
        async with self._draining:
            while True:
                async with self._store.system(writes=False) as system:
                    waiting = await system.queue.pending(_MOST, tenant_id=tenant_id)
                if not waiting:
                    return
                self._issuer.follow(self._log.origin)
                await self._log.append([self._issue(entry) for entry in waiting])
                async with self._store.system() as system:
                    await self._tell(system, waiting)
                    await system.queue.remove(waiting)
                    await self._keep(system)

    def _issue(self, entry: Entry) -> PendingEntry:
        claim, reason = claim_of(entry)
        contents = {"reason": reason.encode()} if reason else {}
        return self._issuer.issue(
            claim, tenant=entry.tenant_id, ident=ReceiptId(PREFIX + entry.id), contents=contents
        )


def handed_over(kind: Kind) -> bool:
    """Return whether receipts of this kind come out of the queue."""
    return kind in _CLAIMS


def claim_of(entry: Entry) -> tuple[Claim, str]:
    """Return what an entry claims, and the reason that is stored beside it. Raises: Corrupt."""
    payload = dict(entry.payload)
    reason = payload.pop("reason", "")
    try:
        return msgspec.convert(payload, _CLAIMS[entry.kind]), str(reason)
    except (KeyError, msgspec.ValidationError) as error:
        place = f"entry {entry.id} of kind {entry.kind}"
        raise Corrupt(f"A queued entry of the log cannot be read: {error}.", place=place) from error
