"""The feed of events: entries for the log as people look for them, taken on their way or out of the log."""

from collections.abc import Sequence
from itertools import groupby
from typing import Final

import msgspec

from bylaw.api.entries import handed_over
from bylaw.api.ports import ControlStore, SystemUnit
from bylaw.core.ids import TenantId
from bylaw.receipts import model
from bylaw.receipts.issue import PREFIX
from bylaw.receipts.ports import Logs, StoredReceipt
from bylaw.review.events import project_events
from bylaw.tenancy.changes import Entry

_PAGE: Final = 1_000


class Feed:
    """Fills the feeds of all tenants, each entry once however often it is taken."""

    def __init__(self, store: ControlStore, logs: Logs) -> None:
        self._store = store
        self._logs = logs

    async def take(self, system: SystemUnit, entries: Sequence[Entry]) -> None:
        """Add these entries to the feeds, in the transaction of the caller."""
        for tenant_id, group in groupby(sorted(entries, key=_tenant), key=_tenant):
            await project_events(system.of(tenant_id), list(group))

    async def rebuild(self) -> None:
        """Return once every entry of every log is in its feed; what is there stays, with who read it."""
        for held in await self._logs.latest():
            start = 0
            while start < held.size:
                leaves = await self._logs.leaves(held.origin, start=start, limit=_PAGE)
                if not leaves:
                    break
                found = [_entry(leaf, leaf.tenant) for leaf in leaves if leaf.tenant is not None]
                async with self._store.system() as system:
                    await self.take(system, [each for each in found if each is not None])
                start += len(leaves)


def _entry(leaf: StoredReceipt, tenant_id: TenantId) -> Entry | None:
    """Return the entry that a leaf is, or None when it never waited in a queue."""
    receipt = model.decode(leaf.receipt)
    if not handed_over(receipt.kind):
        return None
    payload: dict[str, object] = msgspec.to_builtins(receipt.claim)
    return Entry(
        id=leaf.id.removeprefix(PREFIX),
        tenant_id=tenant_id,
        kind=receipt.kind,
        payload=payload,
        created_ms=receipt.issued_ms,
    )


def _tenant(entry: Entry) -> TenantId:
    return entry.tenant_id
