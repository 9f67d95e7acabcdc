"""One group commit of a log, computed: entries in, rows to write out. Every durable writer shares this.

    batch = appender.stage(entries)      pure; the tree that the batch leads to is kept aside
    ... write every row of `batch` in ONE transaction, and commit ...
    appender.commit()                    the commit is durable: that tree is now the tree
    appender.rollback()                  or: the transaction did not happen

If the outcome of a commit is unknown (a lost connection), drop the appender and `resume` from what is stored.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import msgspec

from bylaw.core.errors import Corrupt
from bylaw.receipts import checkpoint as checkpoints
from bylaw.receipts import proof
from bylaw.receipts.checkpoint import Checkpoint
from bylaw.receipts.log import Frontier, Node, leaf_hash
from bylaw.receipts.ports import PendingEntry, StoredCheckpoint
from bylaw.receipts.signing import Signer


class Leaf(msgspec.Struct, frozen=True):
    """An entry with its place: row `index` of the log, and the leaf hash to store."""

    index: int
    hash: bytes
    entry: PendingEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Batch:
    """The rows of one group commit: leaves (with parts, effects, idempotency), nodes, one checkpoint."""

    leaves: Sequence[Leaf]
    nodes: Sequence[Node]
    checkpoint: StoredCheckpoint


class Appender:
    """The growing edge of one log. Not safe for use by two threads at once: a log has one writer."""

    def __init__(self, origin: str, tree: Frontier, signer: Signer) -> None:
        self.origin = origin
        self._tree = tree
        self._staged: Frontier | None = None
        self._signers: tuple[Signer, ...] = (signer,)

    @classmethod
    def resume(
        cls, origin: str, signer: Signer, *, latest: StoredCheckpoint | None, tiles: proof.Tiles
    ) -> "Appender":
        """Return the appender that goes on after `latest`, its tree rebuilt from stored hashes.

        `tiles` holds what `proof.tiles_of_frontier(latest.size)` names; `latest` is None for a new log. The
        store also checks that it holds exactly `latest.size` leaves.
        Raises: Corrupt when the stored hashes do not lead to the root that was signed.
        """
        if latest is None:
            return cls(origin, Frontier(), signer)
        signed = checkpoints.parse(latest.note).checkpoint
        tree = proof.frontier(latest.size, tiles)
        if (signed.origin, signed.size, signed.root) != (origin, latest.size, tree.root()):
            raise Corrupt(
                f"The stored hashes of {origin} do not lead to its last checkpoint (size {latest.size}): "
                "restore the receipts from a backup and run `bylaw log audit`.",
                place=f"log {origin}",
            )
        return cls(origin, tree, signer)

    @property
    def size(self) -> int:
        """How many leaves are durable."""
        return self._tree.size

    def stage(self, entries: Sequence[PendingEntry]) -> Batch:
        """Return the rows that record `entries` (at least one) after the durable leaves.

        Staging again replaces what was staged.
        """
        tree = self._tree.copy()
        first = tree.size
        leaves, nodes = list[Leaf](), list[Node]()
        for index, entry in enumerate(entries, first):
            hashed = leaf_hash(entry.receipt)
            leaves.append(Leaf(index, hashed, entry))
            nodes += tree.append(hashed)
        signed = Checkpoint(origin=self.origin, size=tree.size, root=tree.root())
        note = checkpoints.sign(signed, self._signers)
        self._staged = tree
        return Batch(
            leaves=leaves,
            nodes=nodes,
            checkpoint=StoredCheckpoint(origin=self.origin, size=tree.size, note=note),
        )

    def commit(self) -> None:
        """Make the staged tree the tree: its rows are durable. An outgoing key signs no more."""
        if self._staged is not None:
            self._tree, self._staged = self._staged, None
            self._signers = self._signers[-1:]

    def rollback(self) -> None:
        """Forget what was staged: its rows were not written."""
        self._staged = None

    def rotate(self, signer: Signer) -> None:
        """Sign with `signer` from now on; the next checkpoint carries the outgoing key's signature too."""
        self._signers = (*self._signers, signer)
