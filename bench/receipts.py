"""Receipts: what one costs to issue and to log, proofs in a million leaves, verifying 100,000 offline."""

import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from bench.report import Table
from bylaw.core.clock import SystemClock
from bylaw.core.ids import Ids, TenantId
from bylaw.receipts import bundle as bundles
from bylaw.receipts import export, model, proof
from bylaw.receipts import verify as verifier
from bylaw.receipts.append import Appender
from bylaw.receipts.audit import audit
from bylaw.receipts.issue import Issuer
from bylaw.receipts.log import Frontier, Tile, leaf_hash
from bylaw.receipts.ports import PendingEntry, StoredReceipt
from bylaw.receipts.signing import KeySet, Signer

ORIGIN = "bench.example/main/w1"
BATCHES = (1, 4, 16, 64, 256)
RULES = 20
REQUEST = b'{"user_intent":"' + b"x" * 1960 + b'"}'
DETAIL = b'{"rules":"' + b"y" * 980 + b'"}'


def run(*, quick: bool) -> list[Table]:
    """Return the cost of issuing and logging, of proofs, and of verification."""
    return [
        logging(rounds=3 if quick else 9),
        proofs(100_000 if quick else 1_000_000),
        verification(10_000 if quick else 100_000),
    ]


class Desk:
    """An issuer and what it needs to issue one decision after the other."""

    def __init__(self) -> None:
        clock = SystemClock()
        self.signer = Signer.generate()
        self.keys = KeySet().with_active(self.signer.public, 0)
        self.issuer = Issuer(ORIGIN, self.signer, clock=clock, ids=Ids(clock))
        digest = "sha256:" + "a" * 64
        rule = [
            model.RuleResult(basis="cel/1", id=f"rule_{at}", kind="deterministic", status="satisfied")
            for at in range(RULES)
        ]
        self._policy = model.AppliedPolicy(
            digest=digest, id="pol_bench", outcome="allow", rules=tuple(rule), version=3, via="place"
        )
        self._effective = model.effective_rules_digest([self._policy], "")

    def issue(self) -> PendingEntry:
        claim = model.DecisionClaim(
            agent="agent-1",
            compliant=True,
            effective_rules_digest=self._effective,
            outcome="allow",
            phase="decision",
            policies=(self._policy,),
            posture="governed",
            user="user-1",
            workspace="ws-1",
        )
        return self.issuer.issue(
            claim, tenant=TenantId("bench"), contents={"request": REQUEST, "detail": DETAIL}
        )


def logging(*, rounds: int) -> Table:
    desk = Desk()
    entries = [desk.issue() for _ in range(max(BATCHES))]
    size = len(entries[0].receipt)
    signed = micros(lambda: desk.signer.sign(leaf_hash(entries[0].receipt)), 500, rounds)
    rows: list[tuple[object, ...]] = [
        ("issue (id, time, 2 commitments, encoding)", None, micros(desk.issue, 2000, rounds), None)
    ]
    rows.append(("hash and signature per receipt", 1, signed, 1.0))
    for batch in BATCHES:
        appender = Appender(ORIGIN, Frontier(), desk.signer)

        def commit(batch: int = batch, appender: Appender = appender) -> None:
            appender.stage(entries[:batch])
            appender.commit()

        each = micros(commit, max(20, 2000 // batch), rounds) / batch
        rows.append(("log (leaf hash, tree, root, checkpoint)", batch, each, each / signed))
    notes = [f"{RULES} rules, {size:,} bytes; best of {rounds} rounds; ratio to a signature per receipt."]
    return Table(
        title="Issuing and logging a receipt",
        columns=("step", "batch", "µs", "ratio"),
        rows=rows,
        notes=notes,
    )


def proofs(leaves: int) -> Table:
    frontier, hashes, nodes = Frontier(), list[bytes](), dict[Tile, list[bytes]]()
    began = time.perf_counter()
    for at in range(leaves):
        hashes.append(leaf_hash(b"%d" % at))
        for node in frontier.append(hashes[-1]):
            nodes.setdefault(Tile(node.level, node.index // 256), []).append(node.hash)
    append = (time.perf_counter() - began) / leaves * 1e6

    def tiles(wanted: frozenset[Tile]) -> dict[Tile, bytes]:
        return {
            t: b"".join(hashes[t.index * 256 : t.index * 256 + 256] if t.level == 0 else nodes[t])
            for t in wanted
        }

    index, root = leaves // 3, frontier.root()
    wanted = proof.tiles_of_inclusion(index, leaves)
    held = tiles(wanted)
    made = proof.inclusion(index, leaves, held)
    assert proof.root_by_inclusion(hashes[index], index, leaves, made) == root
    old = leaves // 7
    linking = tiles(proof.tiles_of_consistency(old, leaves))
    rows: list[tuple[object, ...]] = [
        ("append a leaf", append, None),
        (
            "plan an inclusion proof (which tiles)",
            micros(lambda: proof.tiles_of_inclusion(index, leaves), 200, 5),
            len(wanted),
        ),
        ("make it", micros(lambda: proof.inclusion(index, leaves, held), 200, 5), len(made)),
        (
            "check it",
            micros(lambda: proof.root_by_inclusion(hashes[index], index, leaves, made), 200, 5),
            len(made),
        ),
        (
            "make a consistency proof",
            micros(lambda: proof.consistency(old, leaves, linking), 200, 5),
            len(linking),
        ),
        (
            "rebuild the frontier",
            micros(lambda: proof.frontier(leaves, tiles(proof.tiles_of_frontier(leaves))), 50, 5),
            None,
        ),
    ]
    notes = ["count: tiles to read, or hashes in the proof. Tiles come from memory here."]
    return Table(
        title=f"Proofs in {leaves:,} leaves", columns=("step", "µs", "count"), rows=rows, notes=notes
    )


def verification(receipts: int) -> Table:
    desk = Desk()
    trust = verifier.Trust(keys=desk.keys)
    rows: list[tuple[object, ...]] = []
    with tempfile.TemporaryDirectory() as folder:
        for batch in (16, 1):
            path = Path(folder) / f"log-{batch}.jsonl"
            write_log(path, desk, receipts=receipts, batch=batch)
            began = time.perf_counter()
            with path.open("rb") as lines:
                found = audit(lines, trust)
            seconds = time.perf_counter() - began
            assert (found.status, found.logs[0].size) == ("verified", receipts)
            rows.append(
                (f"audit a log, a checkpoint per {batch}", receipts, seconds, seconds / receipts * 1e6)
            )
            path.unlink()
    data = one_bundle(desk)
    assert verifier.verify(data, trust).status == "verified"
    each = micros(lambda: verifier.verify(data, trust), 100, 5)
    rows.append(("verify one bundle, two parts disclosed", 1, each / 1e6, each))
    return Table(
        title="Verifying offline",
        columns=("what", "receipts", "s", "µs each"),
        rows=rows,
        notes=["One process."],
    )


def write_log(path: Path, desk: Desk, *, receipts: int, batch: int) -> None:
    """Write an export of a new log to `path`."""
    appender, checkpoints = Appender(ORIGIN, Frontier(), desk.signer), 0
    with path.open("wb") as file:

        def put(line: export.Line) -> None:
            file.write(msgspec.json.encode(line) + b"\n")

        put(export.Header(format=export.FORMAT, keys=msgspec.Raw(desk.keys.jwks())))
        for _ in range(0, receipts, batch):
            staged = appender.stage([desk.issue() for _ in range(batch)])
            appender.commit()
            checkpoints += 1
            for leaf in staged.leaves:
                put(export.Leaf(log=ORIGIN, index=leaf.index, receipt=leaf.entry.receipt.decode()))
            put(export.Note(note=staged.checkpoint.note.decode()))
        put(export.End(leaves=receipts, checkpoints=checkpoints))


def one_bundle(desk: Desk) -> bytes:
    entries = [desk.issue() for _ in range(256)]
    staged = Appender(ORIGIN, Frontier(), desk.signer).stage(entries)
    entry = entries[100]
    stored = StoredReceipt(
        id=entry.id, tenant=entry.tenant, receipt=entry.receipt, signature=None, origin=ORIGIN, index=100
    )
    tiles = {Tile(0, 0): b"".join(leaf.hash for leaf in staged.leaves)}
    return bundles.write(
        bundles.assemble(stored, staged.checkpoint, tiles, keys=desk.keys, parts=entry.parts)
    )


def micros(call: Callable[[], object], times: int, rounds: int) -> float:
    """Return the best of `rounds`, in microseconds a call."""
    best = []
    for _ in range(rounds):
        began = time.perf_counter()
        for _ in range(times):
            call()
        best.append((time.perf_counter() - began) / times * 1e6)
    return min(best)
