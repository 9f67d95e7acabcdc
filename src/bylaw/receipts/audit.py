"""Checking whole logs: every leaf, every checkpoint, every link between logs, from an export alone.

1. lines       the file is an export of a known format, and is whole
2. leaves      leaf follows leaf without a gap; each is a receipt of this log, issued once, by a known key
3. checkpoints each has the root of the leaves before it, and a known key signed it in the log's name
4. tail        the last leaf is covered by the last checkpoint
5. links       each checkpoint of another log that a log has anchored is that log's own
6. kept        each checkpoint that was kept elsewhere is the log's own, and the log still reaches it
7. keys        no key spoke before its time, after it was retired, or after it was revoked

A revocation counts wherever it is said: in the key set or in the log. Anything else is a finding. The order
of work is the order of the file: memory grows with the number of checkpoints and of ids, not with the
receipts.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, assert_never

from bylaw.core.errors import InvalidInput
from bylaw.receipts import checkpoint as checkpoints
from bylaw.receipts import export, model
from bylaw.receipts.checkpoint import Checkpoint
from bylaw.receipts.log import Frontier, leaf_hash
from bylaw.receipts.model import CrossAnchorClaim, KeyClaim, Receipt
from bylaw.receipts.reading import is_unknown_format
from bylaw.receipts.signing import KeySet, key_set
from bylaw.receipts.verify import Status, Trust

MAX_FINDINGS = 1000

Code = Literal[
    "malformed",
    "cut_file",
    "gap",
    "foreign_leaf",
    "unreadable_leaf",
    "repeated_id",
    "changed_leaf",
    "bad_signature",
    "unknown_key",
    "key_out_of_time",
    "unsigned_tail",
    "missing_link",
    "split_view",
    "cut_log",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that is not as it must be; `index` is the leaf, or the checkpoint's size, where it shows."""

    code: Code
    log: str
    index: int
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSummary:
    """How far one log was checked."""

    origin: str
    size: int
    root: bytes
    checkpoints: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What an export came to; `findings` holds the first of them, `found` counts all."""

    status: Status
    logs: tuple[LogSummary, ...]
    findings: tuple[Finding, ...]
    found: int


@dataclass(slots=True)
class _Log:
    """One log as far as it was read; `roots` holds the root at each size that has a checkpoint."""

    origin: str
    tree: Frontier = field(default_factory=Frontier)
    roots: dict[int, bytes] = field(default_factory=dict)
    checkpoints: int = 0
    awaited: int = 0
    covered: int = 0
    newest_ms: int = 0
    is_changed: bool = False


@dataclass(frozen=True, slots=True)
class _Held:
    """A checkpoint that `holder` has: a leaf of another log, or a file that was kept."""

    checkpoint: Checkpoint
    holder: str


@dataclass(frozen=True, slots=True, order=True)
class _Spoke:
    """A moment at which a key spoke, and where."""

    at_ms: int
    log: str
    index: int


class _Speakers:
    """Which key spoke when: its first and last receipt, and the last checkpoint of each group of signers."""

    def __init__(self) -> None:
        self._issued: dict[str, tuple[_Spoke, _Spoke]] = {}
        self._signed: dict[tuple[str, ...], _Spoke] = {}
        self._revoked: list[KeyClaim] = []

    def issued(self, receipt: Receipt, index: int) -> None:
        """Note the key that a receipt names, and a revocation that it records."""
        spoke = _Spoke(receipt.issued_ms, receipt.log, index)
        first, last = self._issued.get(receipt.kid, (spoke, spoke))
        self._issued[receipt.kid] = (min(first, spoke), max(last, spoke))
        if isinstance(receipt.claim, KeyClaim) and receipt.claim.change == "revoked":
            self._revoked.append(receipt.claim)

    def signed(self, kids: tuple[str, ...], spoke: _Spoke) -> None:
        """Note the keys under a checkpoint; its moment is that of the newest receipt that it covers."""
        self._signed[kids] = max(self._signed.get(kids, spoke), spoke)

    def objections(self, keys: KeySet) -> Iterator[tuple[_Spoke, Code, str]]:
        """Yield what `keys`, and the revocations in the log, have against any of it."""
        for claim in self._revoked:
            if keys.get(claim.key) is not None:
                keys = keys.with_revoked(claim.key, claim.at_ms)
        for kid, spoken in self._issued.items():
            key = keys.get(kid)
            for spoke in sorted(set(spoken)):
                if key is None:
                    yield spoke, "unknown_key", f"the key {kid} is not in the key set"
                elif (objection := key.objection(spoke.at_ms)) is not None:
                    yield spoke, "key_out_of_time", objection
        for kids, spoke in self._signed.items():
            found = [key for kid in kids if (key := keys.get(kid)) is not None]
            if all(key.revoked_by(spoke.at_ms) for key in found):
                yield spoke, "key_out_of_time", "only revoked keys signed this checkpoint"


def audit(lines: Iterable[bytes], trust: Trust) -> Audit:
    """Return what checking the export `lines` comes to; no input makes it raise."""
    auditor = Auditor(trust)
    for line in lines:
        auditor.feed(line)
    return auditor.finish()


class Auditor:
    """Checks an export as its lines arrive: `feed` each, then `finish`."""

    def __init__(self, trust: Trust) -> None:
        self._trusted = trust.keys is not None or bool(trust.kept)
        self._keys = trust.keys
        self._kept = [_Held(kept.checkpoint, "a kept checkpoint") for kept in trust.kept]
        self._links: list[_Held] = []
        self._logs: dict[str, _Log] = {}
        self._log: _Log | None = None
        self._ids: set[str] = set()
        self._speakers = _Speakers()
        self._findings: list[Finding] = []
        self._found = self._lines = self._leaves = 0
        self._state: Literal["open", "whole", "refused"] = "open"

    def feed(self, line: bytes) -> None:
        """Check the next line of the export."""
        if self._state == "refused":
            return
        self._lines += 1
        try:
            parsed = export.parse(line)
            if isinstance(parsed, export.Header) != (self._lines == 1) or self._state == "whole":
                self._find("malformed", "", self._lines, f"line {self._lines} is out of place")
            else:
                self._take(parsed)
        except InvalidInput as error:
            self._find("malformed", "", self._lines, f"line {self._lines}: {error.message}")
            if is_unknown_format(error):
                self._state = "refused"

    def finish(self) -> Audit:
        """Return what the lines came to."""
        if self._state == "open":  # 1
            self._find("cut_file", "", self._lines, "the file ends before its last line")
        for log in self._logs.values():  # 4
            if log.covered < log.tree.size and not log.is_changed:
                self._find("unsigned_tail", log.origin, log.covered, "no checkpoint covers the last leaves")
        for held in (*self._links, *self._kept):  # 5, 6
            self._compare(held)
        for spoke, code, message in self._speakers.objections(self._known_keys()):  # 7
            self._find(code, spoke.log, spoke.index, message)
        status: Status = "verified" if self._trusted else "incomplete"
        if self._state == "refused":
            status = "refused"
        elif self._found:
            status = "invalid"
        return Audit(
            status=status,
            logs=tuple(
                LogSummary(
                    origin=log.origin, size=log.tree.size, root=log.tree.root(), checkpoints=log.checkpoints
                )
                for log in self._logs.values()
            ),
            findings=tuple(self._findings),
            found=self._found,
        )

    def _take(self, line: export.Line) -> None:
        match line:
            case export.Header():
                embedded = key_set(bytes(line.keys))
                self._keys = embedded if self._keys is None else self._keys
            case export.Leaf():
                self._take_leaf(line)
            case export.Note():
                self._take_note(line)
            case export.End():
                counted = (self._leaves, sum(log.checkpoints for log in self._logs.values()))
                if counted != (line.leaves, line.checkpoints):
                    self._find("cut_file", "", self._lines, "lines are missing from the file")
                self._state = "whole"
            case _:
                assert_never(line)

    def _take_leaf(self, line: export.Leaf) -> None:
        log = self._log
        if log is None or log.origin != line.log:
            log = self._log = self._logs.setdefault(line.log, _Log(line.log))
        if line.index != log.awaited:  # 2
            self._find("gap", log.origin, line.index, f"leaf {log.awaited} should stand here")
        log.awaited = line.index + 1
        self._leaves += 1
        stored = line.receipt.encode("utf-8", "surrogatepass")
        log.tree.append(leaf_hash(stored))
        for held in self._kept:
            if (held.checkpoint.origin, held.checkpoint.size) == (log.origin, log.tree.size):
                log.roots[log.tree.size] = log.tree.root()
        try:
            receipt = model.decode(stored)
        except InvalidInput as error:
            self._find("unreadable_leaf", log.origin, line.index, error.message)
            return
        log.newest_ms = max(log.newest_ms, receipt.issued_ms)
        self._take_receipt(receipt, log.origin, line.index)

    def _take_receipt(self, receipt: Receipt, origin: str, index: int) -> None:
        if receipt.log != origin:
            self._find("foreign_leaf", origin, index, f"the receipt says it is of the log {receipt.log}")
        if receipt.id in self._ids:
            self._find("repeated_id", origin, index, f"{receipt.id} was issued before")
        self._ids.add(receipt.id)
        self._speakers.issued(receipt, index)
        if isinstance(receipt.claim, CrossAnchorClaim):
            for note in receipt.claim.checkpoints:
                self._take_link(note, origin, index)

    def _take_link(self, note: str, origin: str, index: int) -> None:
        try:
            signed = checkpoints.parse(note.encode())
            signers = signed.signed_by(self._known_keys())
        except InvalidInput as error:
            self._find("bad_signature", origin, index, error.message)
            return
        if not signers:
            self._find("unknown_key", origin, index, "no known key signed the checkpoint that it anchors")
        self._links.append(_Held(signed.checkpoint, f"leaf {index} of {origin}"))

    def _take_note(self, line: export.Note) -> None:
        try:
            signed = checkpoints.parse(line.note.encode())
            held = signed.checkpoint
            log = self._log = self._logs.setdefault(held.origin, _Log(held.origin))
            log.checkpoints += 1
            signers = signed.signed_by(self._known_keys())  # 3
        except InvalidInput as error:
            self._find("bad_signature", "", self._lines, error.message)
            return
        if not signers:
            self._find("unknown_key", log.origin, held.size, "no known key signed this checkpoint")
        else:
            spoke = _Spoke(log.newest_ms, log.origin, held.size)
            self._speakers.signed(tuple(key.kid for key in signers), spoke)
        self._check_root(log, held)

    def _check_root(self, log: _Log, held: Checkpoint) -> None:
        """Compare a checkpoint with the leaves before it; after one change every later root differs too."""
        agrees = (held.size, held.root) == (log.tree.size, log.tree.root())
        if not agrees and not log.is_changed:
            first = log.covered
            self._find(
                "changed_leaf",
                log.origin,
                first,
                f"the leaves from {first} up to {held.size} are not those that the checkpoint of size "
                f"{held.size} signs",
            )
            log.is_changed = True
        if agrees:
            log.covered = held.size
            log.roots[held.size] = held.root

    def _compare(self, held: _Held) -> None:
        origin, size = held.checkpoint.origin, held.checkpoint.size
        log = self._logs.get(origin)
        if log is None:
            self._find("missing_link", origin, size, f"{held.holder} knows this log, which is not here")
        elif size > log.tree.size:
            self._find("cut_log", origin, log.tree.size, f"{held.holder} knows it with {size} leaves")
        elif size not in log.roots:
            if not log.is_changed:
                self._find("missing_link", origin, size, f"{held.holder} has a checkpoint that is not here")
        elif log.roots[size] != held.checkpoint.root:
            self._find("split_view", origin, size, f"{held.holder} has another root: there are two histories")

    def _known_keys(self) -> KeySet:
        return KeySet() if self._keys is None else self._keys

    def _find(self, code: Code, log: str, index: int, message: str) -> None:
        self._found += 1
        if len(self._findings) < MAX_FINDINGS:
            self._findings.append(Finding(code=code, log=log, index=index, message=message))
