"""The stores under contract, each opened again and again with the same keys, and what tests put into them."""

from bylaw.core.clock import ManualClock
from bylaw.core.ids import Ids, TenantId
from bylaw.receipts import checkpoint, export
from bylaw.receipts.audit import audit
from bylaw.receipts.issue import Issuer
from bylaw.receipts.signing import KeySet, Signer
from bylaw.receipts.verify import Trust
from bylaw.storage.memory.receipts import MemoryLedger
from bylaw.storage.postgres import receipts as on_postgres
from bylaw.storage.sqlite import receipts as on_sqlite
from tests.receipts.book import TENANT, Dice, decision, signer

OTHER = TenantId("umbrella")


def writer_origin(number: int) -> str:
    return checkpoint.origin("bylaw.test", "main", f"w{number}")


class Shelf:
    """One store and the parts around it: clock, ids, keys."""

    def __init__(self, kind: str, place: object) -> None:
        self.kind = kind
        self.place = place
        self.clock = ManualClock()
        self.dice = Dice(7)
        self.ids = Ids(self.clock, self.dice)
        self.signer: Signer = signer(1)
        self.keys = KeySet().with_active(self.signer.public, self.clock.now_ms())
        self.open_ones: list = []

    async def open(self):
        keys = {"signer": self.signer, "keys": self.keys}
        if self.kind == "memory":
            ledger = MemoryLedger(origin=writer_origin(1), signer=self.signer)
        elif self.kind == "sqlite":
            ledger = await on_sqlite.open_ledger(self.place, origin=writer_origin(1), **keys)
        else:
            ledger = await on_postgres.open_ledger(self.place, origin=writer_origin, **keys)
        self.open_ones.append(ledger)
        return ledger

    async def close(self) -> None:
        while self.open_ones:
            await self.open_ones.pop().close()

    def issue(self, ledger, **changes):
        self.clock.advance(changes.pop("after_ms", 1000))
        issuer = Issuer(ledger.log.origin, self.signer, clock=self.clock, ids=self.ids, random=self.dice)
        given = {"claim": decision(), "tenant": TENANT, "contents": {"request": b"{}"}, **changes}
        return issuer.issue(given.pop("claim"), **given)

    async def record(self, ledger, count: int = 1, **changes):
        entries = [self.issue(ledger, **changes) for _ in range(count)]
        await ledger.log.append(entries)
        return entries

    async def findings(self, ledger):
        lines = [line async for line in export.lines(ledger.logs, self.keys)]
        found = audit(lines, Trust(keys=self.keys))
        return found.status, [finding.code for finding in found.findings]
