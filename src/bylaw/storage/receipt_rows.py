"""What every durable writer shares: which entries of a batch are new, and the rows that they become."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bylaw.core.errors import Corrupt, InvalidInput, Problem
from bylaw.core.ids import PolicyId, ReceiptId
from bylaw.receipts import checkpoint as checkpoints
from bylaw.receipts import proof
from bylaw.receipts.append import Appender, Batch
from bylaw.receipts.log import leaf_hash
from bylaw.receipts.ports import PendingEntry, Recorded, Repeated, StoredCheckpoint
from bylaw.receipts.signing import KeySet, Signer

Key = tuple[str, str, str]

MAX_WORD_BYTES = 512
_REMEMBERED_SETS = 4096


def key_of(entry: PendingEntry) -> Key | None:
    """Return tenant, scope and key under which `entry` is one with its repetitions, or None."""
    claim = entry.idempotency
    return None if claim is None else (entry.tenant or "", claim.scope, claim.key)


@dataclass(frozen=True, slots=True)
class Plan:
    """The entries of a batch that are new, and by position those that repeat a durable or an earlier one."""

    fresh: Sequence[PendingEntry]
    repeats: Mapping[int, Repeated]

    def fates(self, batch: Batch | None) -> Sequence[Recorded | Repeated]:
        """Return what became of every entry, in order, once `batch` (of the new ones) is durable."""
        recorded = []
        if batch is not None:
            origin = batch.checkpoint.origin
            recorded = [Recorded(origin=origin, index=leaf.index) for leaf in batch.leaves]
        if not self.repeats:
            return recorded
        rest = iter(recorded)
        count = len(recorded) + len(self.repeats)
        return [self.repeats.get(at) or next(rest) for at in range(count)]


def plan(
    entries: Sequence[PendingEntry], keys: Mapping[Key, Repeated], ids: Mapping[ReceiptId, Repeated]
) -> Plan:
    """Return which of `entries` are new, given which of their keys and ids are durable; the first counts."""
    fresh: list[PendingEntry] = []
    repeats: dict[int, Repeated] = {}
    keys = dict(keys)
    seen: set[ReceiptId] = set()
    for at, entry in enumerate(entries):
        key = key_of(entry)
        found = ids.get(entry.id) if key is None else keys.get(key, ids.get(entry.id))
        if found is None and entry.id in seen:
            found = Repeated(id=entry.id, digest="")
        if found is not None:
            repeats[at] = found
            continue
        fresh.append(entry)
        seen.add(entry.id)
        if key is not None and entry.idempotency is not None:
            keys[key] = Repeated(id=entry.id, digest=entry.idempotency.digest)
    return Plan(fresh, repeats)


class PolicySets:
    """Numbers for the sets of policies that receipts name: few sets stand for many receipts.

    A receipt row carries the number, and one row per policy and set leads to it; so listing by policy costs
    nothing when a receipt is written. The number is a digest: writers need not agree on it.
    """

    def __init__(self) -> None:
        self._durable: dict[tuple[str, tuple[PolicyId, ...]], int] = {}
        self._staged: dict[tuple[str, tuple[PolicyId, ...]], int] = {}

    def number(self, entry: PendingEntry) -> int | None:
        """Return the number of the entry's set, None if it names no policy; a new set is staged."""
        if not entry.policies:
            return None
        named = (entry.tenant or "", entry.policies)
        number = self._durable.get(named)
        if number is None:
            number = self._staged[named] = _number(*named)
        return number

    def staged(self) -> list[tuple[str, str, int]]:
        """Return rows (tenant, policy, number) of the sets that are not known to be durable."""
        return [
            (tenant, policy, number)
            for (tenant, policies), number in self._staged.items()
            for policy in dict.fromkeys(policies)
        ]

    def commit(self) -> None:
        """Remember the staged sets: their rows are durable."""
        if len(self._durable) + len(self._staged) > _REMEMBERED_SETS:
            self._durable.clear()
        self._durable |= self._staged
        self._staged.clear()

    def rollback(self) -> None:
        """Forget the staged sets: their rows were not written."""
        self._staged.clear()


def _number(tenant: str, policies: Sequence[PolicyId]) -> int:
    text = "\n".join((tenant, *sorted(set(policies))))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big", signed=True)


class Rows(NamedTuple):
    """The rows of a batch by table, each row in the order of the table's columns."""

    receipts: Sequence[tuple[object, ...]]
    parts: Sequence[tuple[object, ...]]
    effects: Sequence[tuple[object, ...]]
    keys: Sequence[tuple[object, ...]]
    policy_sets: Sequence[tuple[object, ...]]
    nodes: Sequence[tuple[object, ...]]


def rows_of(batch: Batch, sets: PolicySets, *, effects_before: int) -> Rows:
    """Return the rows of `batch`, its effects numbered after `effects_before`."""
    receipts, parts, effects, keys = [], [], [], []
    for leaf in batch.leaves:
        entry, index, claim = leaf.entry, leaf.index, leaf.entry.idempotency
        listed = (entry.id, entry.tenant, entry.kind, entry.issued_ms, entry.agent, entry.outcome)
        stored = (entry.signature, entry.receipt, entry.outcome_of)
        receipts.append((index, leaf.hash, *listed, sets.number(entry), *stored))
        parts += [(index, part.name, part.salt, part.content) for part in entry.parts]
        effects += [(index, effect.kind, effect.payload) for effect in entry.effects]
        if claim is not None:
            keys.append((entry.tenant or "", claim.scope, claim.key, claim.digest, entry.id))
    return Rows(
        receipts=receipts,
        parts=parts,
        effects=[(position, *row) for position, row in enumerate(effects, effects_before + 1)],
        keys=keys,
        policy_sets=sets.staged(),
        nodes=[(node.level, node.index, node.hash) for node in batch.nodes],
    )


class Edge(NamedTuple):
    """The right edge of a log as it is stored; `tail` holds leaf, hash and receipt of the last leaves."""

    latest: StoredCheckpoint | None
    leaves: int
    hashes: proof.Tiles
    tail: Sequence[tuple[int, bytes, bytes]]


def resume(origin: str, edge: Edge, *, signers: Sequence[Signer], keys: KeySet) -> Appender:
    """Return the appender that goes on after `edge`, once its parts agree; all of `signers` sign next.

    1. A key we know signed the last checkpoint.  2. It counts the leaves that are there.  3. The stored
    hashes lead to its root.  4. The last receipts have these hashes. The rest is for `bylaw log audit`.
    Raises: Corrupt.
    """
    latest = edge.latest
    size = 0 if latest is None else latest.size
    if latest is not None and not checkpoints.parse(latest.note).signed_by(keys):  # 1
        raise _corrupt(origin, f"no key of this installation signed its checkpoint of size {size}")
    if edge.leaves != size:  # 2
        raise _corrupt(origin, f"it holds {edge.leaves} leaves and its checkpoint says {size}")
    appender = Appender.resume(origin, signers[0], latest=latest, tiles=edge.hashes)  # 3
    for incoming in signers[1:]:
        appender.rotate(incoming)
    for leaf, hashed, receipt in edge.tail:  # 4
        if leaf_hash(receipt) != hashed:
            raise _corrupt(origin, f"the receipt at leaf {leaf} is not the one that was recorded")
    return appender


def _corrupt(origin: str, found: str) -> Corrupt:
    return Corrupt(
        f"The log {origin} is not what was written: {found}. Restore the receipts from a backup and run "
        "`bylaw log audit`.",
        place=f"log {origin}",
    )


def admit(entry: PendingEntry) -> None:
    """Return nothing if every store can hold the words of `entry` that a caller chose.

    One that cannot be stored would fail the whole batch that it shares with others.
    Raises: InvalidInput that names the word.
    """
    claim = entry.idempotency
    words = {"agent": entry.agent, "outcome": entry.outcome}
    if claim is not None:
        words |= {"idempotency scope": claim.scope, "idempotency key": claim.key}
    for path, word in words.items():
        if word is not None and not _is_storable(word):
            message = f"At most {MAX_WORD_BYTES} bytes of UTF-8 without NUL."
            problem = Problem(path=path, code="bad_text", message=message)
            raise InvalidInput(f"The {path} cannot be stored.", problem)


def _is_storable(word: str) -> bool:
    if len(word) > MAX_WORD_BYTES or "\0" in word:
        return False
    if word.isascii():
        return True
    try:
        return len(word.encode()) <= MAX_WORD_BYTES
    except UnicodeEncodeError:
        return False
