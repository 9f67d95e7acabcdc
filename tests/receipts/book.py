"""A log kept in lists, with fixed keys, time and randomness: the real parts without a store."""

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence

from bylaw.core.canonical_json import canonical
from bylaw.core.clock import ManualClock
from bylaw.core.errors import NotFound
from bylaw.core.ids import Ids, ReceiptId, TenantId
from bylaw.receipts import bundle as bundles
from bylaw.receipts import export, proof
from bylaw.receipts.append import Appender, Leaf
from bylaw.receipts.issue import Issuer
from bylaw.receipts.log import TILE_WIDTH, Frontier, Tile
from bylaw.receipts.model import AppliedPolicy, DecisionClaim, RuleResult, effective_rules_digest
from bylaw.receipts.ports import PendingEntry, StoredCheckpoint, StoredReceipt
from bylaw.receipts.signing import KeySet, Signer

ORIGIN = "example.org/main/w1"
TENANT = TenantId("acme")
CONTENT = canonical({"name": "Refunds", "rules": [{"expr": "amount < 500", "id": "r1"}]})
DIGEST = "sha256:" + hashlib.sha256(CONTENT).hexdigest()
POLICY_TEXT = bundles.PolicyText(content=CONTENT.decode(), id="pol_refunds", version=3)
CONTENTS = {"request": b'{"user_intent":"refund 120"}', "detail": b'{"rules":{"r1":"120 < 500"}}'}


class Dice:
    """Random bytes that are the same in every run."""

    def __init__(self, seed: int) -> None:
        self._seed, self._drawn = seed, 0

    def __call__(self, count: int) -> bytes:
        self._drawn += 1
        return hashlib.shake_256(b"%d/%d" % (self._seed, self._drawn)).digest(count)


def signer(seed: int) -> Signer:
    return Signer.from_seed(hashlib.sha256(b"key %d" % seed).digest())


def decision(outcome: str = "allow", *, agent: str = "agent-7", outcome_of: str = "") -> DecisionClaim:
    rule = RuleResult(basis="cel/1", id="r1", kind="deterministic", status="satisfied")
    applied = AppliedPolicy(
        digest=DIGEST, id="pol_refunds", outcome=outcome, rules=(rule,), version=3, via="place"
    )
    return DecisionClaim(
        agent=agent,
        asked_by="user:ana",
        compliant=outcome == "allow",
        effective_rules_digest=effective_rules_digest([applied], ""),
        key="key-3",
        outcome=outcome,
        outcome_of=outcome_of,
        phase="decision",
        policies=(applied,),
        posture="governed",
        user="ana",
        workspace="support",
    )


class Book:
    """One log: issue, record, prove."""

    def __init__(self, origin: str = ORIGIN, *, seed: int = 1, clock: ManualClock | None = None) -> None:
        self.clock = ManualClock() if clock is None else clock
        self.signer = signer(seed)
        self.keys = KeySet().with_active(self.signer.public, self.clock.now_ms())
        dice = Dice(seed)
        ids = Ids(self.clock, dice)
        self.issuer = Issuer(origin, self.signer, clock=self.clock, ids=ids, random=dice)
        self.appender = Appender(origin, Frontier(), self.signer)
        self.origin = origin
        self.leaves: list[Leaf] = []
        self.nodes: dict[tuple[int, int], bytes] = {}
        self.checkpoints: list[StoredCheckpoint] = []

    def issue(self, **changes: object) -> PendingEntry:
        self.clock.advance(1000)
        given = {"claim": decision(), "tenant": TENANT, "contents": CONTENTS, **changes}
        return self.issuer.issue(given.pop("claim"), **given)

    def record(self, *entries: PendingEntry) -> None:
        batch = self.appender.stage(entries)
        self.leaves += batch.leaves
        self.nodes |= {(node.level, node.index): node.hash for node in batch.nodes}
        self.checkpoints.append(batch.checkpoint)
        self.appender.commit()

    def fill(self, *sizes: int) -> "Book":
        for size in sizes:
            self.record(*(self.issue() for _ in range(size)))
        return self

    def rotate(self, seed: int) -> None:
        new = signer(seed)
        self.keys = self.keys.with_retired(self.signer.kid, self.clock.now_ms())
        self.keys = self.keys.with_active(new.public, self.clock.now_ms())
        self.issuer.rotate(new, self.clock.now_ms())
        self.appender.rotate(new)
        self.signer = new

    def tiles(self, wanted: Iterable[Tile], size: int) -> dict[Tile, bytes]:
        return {tile: self._tile(tile, size) for tile in wanted}

    def _tile(self, tile: Tile, size: int) -> bytes:
        first = tile.index * TILE_WIDTH
        if tile.level == 0:
            return b"".join(leaf.hash for leaf in self.leaves[first : min(first + TILE_WIDTH, size)])
        full = size >> (8 * tile.level)
        return b"".join(self.nodes[tile.level, at] for at in range(first, min(first + TILE_WIDTH, full)))

    def stored(self, index: int) -> StoredReceipt:
        entry = self.leaves[index].entry
        return StoredReceipt(
            id=entry.id,
            tenant=entry.tenant,
            receipt=entry.receipt,
            signature=entry.signature,
            origin=self.origin,
            index=index,
        )

    def bundle(self, index: int, *, parts: Collection[str] = (), at: int = -1) -> bundles.Bundle:
        held = self.checkpoints[at]
        tiles = self.tiles(proof.tiles_of_inclusion(index, held.size), held.size)
        shown = [part for part in self.leaves[index].entry.parts if part.name in parts]
        return bundles.assemble(
            self.stored(index), held, tiles, keys=self.keys, policies=[POLICY_TEXT], parts=shown
        )


class Shelf:
    """Several books, read as a store would let them be read."""

    def __init__(self, *books: Book) -> None:
        self.books = {book.origin: book for book in books}

    async def find(self, ident: ReceiptId) -> StoredReceipt:
        for book in self.books.values():
            for leaf in book.leaves:
                if leaf.entry.id == ident:
                    return book.stored(leaf.index)
        raise NotFound("receipt", ident)

    async def latest(self) -> Sequence[StoredCheckpoint]:
        return [self.books[origin].checkpoints[-1] for origin in sorted(self.books)]

    async def checkpoint(self, origin: str, *, covering: int) -> StoredCheckpoint:
        held = self.books[origin].checkpoints[-1]
        if covering >= held.size:
            raise NotFound("checkpoint", origin)
        return held

    async def checkpoints(self, origin: str, *, above: int, limit: int) -> Sequence[StoredCheckpoint]:
        return [held for held in self.books[origin].checkpoints if held.size > above][:limit]

    async def tiles(self, origin: str, wanted: Collection[Tile], *, size: int) -> Mapping[Tile, bytes]:
        return self.books[origin].tiles(wanted, size)

    async def leaves(self, origin: str, *, start: int, limit: int) -> Sequence[StoredReceipt]:
        book = self.books[origin]
        return [book.stored(at) for at in range(start, min(start + limit, len(book.leaves)))]


async def exported(*books: Book, keys: KeySet | None = None) -> list[bytes]:
    known = KeySet(tuple(key for book in books for key in book.keys.keys)) if keys is None else keys
    return [line async for line in export.lines(Shelf(*books), known)]
