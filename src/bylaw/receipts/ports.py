"""What receipts need from storage: a durable writer of one log, and readers of a tenant and of all logs.

`storage` implements these. The rows of a group commit are computed by `append.Appender`, which every writer
shares. What is made once per decision is a struct: making one costs a third of a frozen dataclass.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import msgspec

from bylaw.core.ids import AgentId, PolicyId, ReceiptId, TenantId
from bylaw.core.paging import Page, Slice
from bylaw.receipts.log import Tile
from bylaw.receipts.model import Kind
from bylaw.receipts.signing import Signer


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """A body part stored beside a receipt, which commits to it under 32 random bytes of salt."""

    name: str
    salt: bytes
    content: bytes


class Effect(msgspec.Struct, frozen=True, kw_only=True):
    """An outbox row, committed with its receipt and projected later: what kind of effect, and its data."""

    kind: str
    payload: bytes


class Idempotency(msgspec.Struct, frozen=True, kw_only=True):
    """A caller's promise: requests with this `key` in this `scope` are one request, of this `digest`."""

    scope: str
    key: str
    digest: str


class PendingEntry(msgspec.Struct, frozen=True, kw_only=True):
    """An issued receipt on its way into the log, with everything that commits in the same transaction.

    `receipt` is the exact bytes of the leaf, issued for the log named `log`. `tenant` is None for entries
    about the log itself. `agent`, `outcome`, `outcome_of`, `policies` and `issued_ms` repeat what the receipt
    says, for listing. `signature` is the receipt's own, where one was promised.
    """

    id: ReceiptId
    log: str
    tenant: TenantId | None
    kind: Kind
    issued_ms: int
    agent: AgentId | None = None
    outcome: str | None = None
    outcome_of: ReceiptId | None = None
    policies: tuple[PolicyId, ...] = ()
    receipt: bytes
    signature: bytes | None = None
    parts: tuple[Part, ...] = ()
    effects: tuple[Effect, ...] = ()
    idempotency: Idempotency | None = None


class Recorded(msgspec.Struct, frozen=True, kw_only=True):
    """The entry is durable: leaf `index` of the log `origin`."""

    origin: str
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeated:
    """Nothing was written: an entry with the same idempotency scope and key, or the same id, is durable.

    The caller answers with that receipt if `digest` is its own request's, and with a conflict otherwise. The
    digest is empty when it was the id that came again.
    """

    id: ReceiptId
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogState:
    """How the writer of a log does: whether it accepts entries, how many wait, and what it wrote so far."""

    ready: bool
    queued: int
    commits: int
    written: int


class ReceiptLog(Protocol):
    """The one writer of one log."""

    @property
    def origin(self) -> str:
        """The name of the log."""

    @property
    def state(self) -> LogState:
        """How the writer does."""

    async def append(self, entries: Sequence[PendingEntry]) -> Sequence[Recorded | Repeated]:
        """Record `entries` and return what became of each, in order, once it is durable.

        Entries of concurrent calls share one transaction. An idempotency key is claimed inside it, first
        writer first, so of two entries with one key (also within a batch) the later is `Repeated`.
        Raises: Unavailable when nothing was written and the call may be made again.
        """

    def rotate(self, signer: Signer) -> None:
        """Sign with `signer` from the next commit on; its checkpoint carries both signatures."""

    async def close(self) -> None:
        """Finish what was accepted and stop."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredReceipt:
    """A durable receipt: its exact bytes, where its leaf is, and its own signature if it has one."""

    id: ReceiptId
    tenant: TenantId | None
    receipt: bytes
    signature: bytes | None
    origin: str
    index: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiptQuery:
    """Which receipts to list; None does not restrict. Times: `since <= t < until`.

    `outcome_of`: those about the outcome of this decision.
    """

    kind: Kind | None = None
    agent: AgentId | None = None
    outcome: str | None = None
    outcome_of: ReceiptId | None = None
    policy: PolicyId | None = None
    since_ms: int | None = None
    until_ms: int | None = None


class Receipts(Protocol):
    """The durable receipts of one tenant; made by the store for a tenant, so no query can leave it out."""

    async def get(self, ident: ReceiptId) -> StoredReceipt:
        """Return the receipt. Raises: NotFound."""

    async def list(self, query: ReceiptQuery, part: Slice) -> Page[StoredReceipt]:
        """Return a page of receipts, newest first. Raises: InvalidInput for a foreign cursor."""

    async def outcomes(
        self, *, since_ms: int, until_ms: int, bucket_ms: int
    ) -> Mapping[int, Mapping[str, int]]:
        """Return how many decisions came out how in each bucket, by its start and by outcome.

        Shape: those of `since <= t < until` are counted; buckets begin at multiples of `bucket_ms` in UTC,
        and one without a decision is left out.
        """

    async def parts(self, ident: ReceiptId) -> Sequence[Part]:
        """Return the body parts that are still there. Raises: NotFound when the receipt is not."""

    async def erase(self, ident: ReceiptId, names: Collection[str] | None = None) -> Sequence[str]:
        """Erase body parts (all, or those named) with their salts; return the names of those that were there.

        The receipt and its leaf stay. Raises: NotFound when the receipt is not there.
        """

    async def repeated(self, scope: str, key: str) -> Repeated | None:
        """Return the durable entry with this idempotency scope and key, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredCheckpoint:
    """A checkpoint as committed: the log, its size, and the signed note."""

    origin: str
    size: int
    note: bytes


class Logs(Protocol):
    """Every log of this installation, across tenants: hashes, checkpoints and leaves; no body part.

    Only proofs, anchoring, export and audit use it.
    """

    async def find(self, ident: ReceiptId) -> StoredReceipt:
        """Return a receipt of any tenant, for verification by id. Raises: NotFound."""

    async def latest(self) -> Sequence[StoredCheckpoint]:
        """Return the latest checkpoint of each log, sorted by origin."""

    async def checkpoint(self, origin: str, *, covering: int) -> StoredCheckpoint:
        """Return the latest checkpoint of `origin`, if its tree holds leaf `covering`. Raises: NotFound."""

    async def checkpoints(self, origin: str, *, above: int, limit: int) -> Sequence[StoredCheckpoint]:
        """Return up to `limit` checkpoints with a size greater than `above`, smallest first."""

    async def tiles(self, origin: str, wanted: Collection[Tile], *, size: int) -> Mapping[Tile, bytes]:
        """Return the stored hashes of each wanted tile, joined: what the first `size` leaves fill of it.

        Tile (0, i) holds the leaf hashes from i * 256 on, tile (level, i) the nodes of that level from i *
        256 on.
        """

    async def key_entries(self) -> Sequence[StoredReceipt]:
        """Return every entry of kind `key` of every log, each log in its own order."""

    async def leaves(self, origin: str, *, start: int, limit: int) -> Sequence[StoredReceipt]:
        """Return up to `limit` receipts from leaf `start` on, in the order of the log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredEffect:
    """A durable effect: the `position`-th of its log (from 1), and the receipt that it came with."""

    origin: str
    position: int
    receipt: ReceiptId
    tenant: TenantId | None
    effect: Effect


class Effects(Protocol):
    """The effects of every log, each log in the order of its commits, for whoever projects them.

    A projector keeps one position per log, in the transaction of what it projects.
    """

    async def ends(self) -> Mapping[str, int]:
        """Return the position of the latest effect of each log that has any."""

    async def after(self, origin: str, position: int, *, limit: int) -> Sequence[StoredEffect]:
        """Return up to `limit` effects of `origin` after `position`, in the order of the log."""


class Ledger(Protocol):
    """The receipts plane of one server process: its own log to write, and everything to read."""

    @property
    def log(self) -> ReceiptLog:
        """The log that this process writes."""

    @property
    def logs(self) -> Logs:
        """Every log, for proofs, anchoring, export and audit."""

    @property
    def effects(self) -> Effects:
        """What waits to be projected."""

    def of(self, tenant: TenantId) -> Receipts:
        """Return the receipts of `tenant`."""

    async def probe(self) -> None:
        """Look at every table. Raises: Unavailable or Corrupt when one cannot be read."""

    async def close(self) -> None:
        """Finish what was accepted, then close every file and connection."""
