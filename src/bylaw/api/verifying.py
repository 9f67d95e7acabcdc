"""What anybody may learn of a receipt by its id: whether it is in order, and where it is anchored."""

from dataclasses import dataclass
from typing import Final

import msgspec

from bylaw.api.certificates import AnchorStatus, AnchorView
from bylaw.api.parts import Parts
from bylaw.api.receipts import DECISION_PART, REQUEST_PART, Proof, Seen, seen_of
from bylaw.core.clock import rfc3339
from bylaw.core.errors import NotFound
from bylaw.core.ids import ReceiptId
from bylaw.receipts import bundle as bundles
from bylaw.receipts import proof
from bylaw.receipts.bundle import Bundle
from bylaw.receipts.model import commit
from bylaw.receipts.reading import to_base64url
from bylaw.receipts.verify import Result, Status, Trust, Verification, verify

_HELD: Final[dict[Result, bool | None]] = {"pass": True, "fail": False, "skipped": None}
_PENDING: Final = Verification(status="incomplete", receipt=None, steps=())


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """One numbered step of verification."""

    number: int
    name: str
    result: Result
    reason: str


class VerificationView(msgspec.Struct, frozen=True, kw_only=True):
    """What this server finds when it checks a receipt; check offline with `bylaw verify` to trust nobody.

    `verified`: it is in order, and nothing that is still kept contradicts it. The hashes are those of the
    stored request and decision: null once their body is erased. `policy_digest_match` is null when no version
    applied.
    """

    id: str
    status: Status
    steps: tuple[StepView, ...]
    verified: bool
    signature_valid: bool
    execution_hash_match: bool | None
    evaluation_hash_match: bool | None
    checked_at: str
    chain_valid: bool
    anchor_valid: bool
    policy_digest_match: bool | None
    anchor_status: AnchorStatus


class AnchorProofView(msgspec.Struct, frozen=True, kw_only=True):
    """The proof that a receipt is in this server's log, under a signed checkpoint that anybody may keep.

    It is no independent evidence, and there is no transaction: `tx_signature` is always null. `hash_match`:
    the leaf of the receipt, with the hashes that it commits to, leads to the signed root.
    """

    receipt_id: str
    anchor_status: AnchorStatus
    anchor: AnchorView
    network: str
    tx_signature: str | None
    explorer_url: str
    hash_match: bool
    execution_hash: str | None
    evaluation_hash: str | None
    size: int | None
    hashes: tuple[str, ...]
    checkpoint: str | None
    checked_at: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A receipt and what checking it came to; `held` is None until a checkpoint covers it."""

    seen: Seen
    held: Proof | None
    found: Verification
    execution: bool | None
    evaluation: bool | None
    checked_ms: int

    @property
    def status(self) -> Status:
        """What it came to, the parts that are stored beside it included."""
        return "invalid" if False in {self.execution, self.evaluation} else self.found.status

    @property
    def anchor_status(self) -> AnchorStatus:
        """How far it is anchored."""
        if self.held is None:
            return "pending"
        return "anchored" if self.is_anchored else "failed"

    @property
    def is_chained(self) -> bool:
        """Whether it is where it says in the log."""
        return self.step("inclusion") is True

    @property
    def is_anchored(self) -> bool:
        """Whether it is in the log, under a checkpoint with a good signature."""
        return self.is_chained and self.step("checkpoint") is True

    @property
    def is_signed(self) -> bool:
        """Whether good keys signed its checkpoint, and itself if it carries a signature."""
        return (
            self.step("checkpoint") is True
            and self.step("keys") is True
            and self.step("signature") is not False
        )

    def step(self, name: str) -> bool | None:
        """Return whether a step passed, None when it was skipped or not reached."""
        return next((_HELD[each.result] for each in self.found.steps if each.name == name), None)


async def checked(parts: Parts, ident: ReceiptId) -> Checked:
    """Return what checking a receipt of any tenant comes to. Raises: NotFound."""
    seen = seen_of(await parts.ledger.logs.find(ident))
    try:
        held = await parts.receipts.proof(seen.stored)
    except NotFound:
        held, found = None, _PENDING
    else:
        trust = Trust(keys=await parts.signing.published())
        found = verify(bundles.write(await _bundle(parts, seen)), trust)
    kept = await _kept(parts, seen)
    return Checked(
        seen=seen,
        held=held,
        found=found,
        execution=kept.get(REQUEST_PART),
        evaluation=kept.get(DECISION_PART),
        checked_ms=parts.clock.now_ms(),
    )


def verification_view(ident: str, found: Checked) -> VerificationView:
    """Return what checking a receipt came to as it goes over the wire."""
    return VerificationView(
        id=ident,
        status=found.status,
        steps=tuple(
            StepView(number=each.number, name=each.name, result=each.result, reason=each.reason)
            for each in found.found.steps
        ),
        verified=found.status == "verified",
        signature_valid=found.is_signed,
        execution_hash_match=found.execution,
        evaluation_hash_match=found.evaluation,
        checked_at=rfc3339(found.checked_ms),
        chain_valid=found.is_chained,
        anchor_valid=found.is_anchored,
        policy_digest_match=found.step("policies"),
        anchor_status=found.anchor_status,
    )


def anchor_proof_view(found: Checked, *, verify_url: str) -> AnchorProofView:
    """Return the proof of a receipt's anchor as it goes over the wire."""
    seen, held = found.seen, found.held
    hashes = {each.name: each.hash for each in seen.receipt.commitments}
    path = () if held is None else proof.inclusion(seen.stored.index, held.held.size, held.tiles)
    return AnchorProofView(
        receipt_id=seen.stored.id,
        anchor_status=found.anchor_status,
        anchor=AnchorView(log=seen.stored.origin, index=seen.stored.index, status=found.anchor_status),
        network="local_log",
        tx_signature=None,
        explorer_url=verify_url,
        hash_match=found.is_anchored,
        execution_hash=hashes.get(REQUEST_PART),
        evaluation_hash=hashes.get(DECISION_PART),
        size=None if held is None else held.held.size,
        hashes=tuple(map(to_base64url, path)),
        checkpoint=None if held is None else held.held.note.decode(),
        checked_at=rfc3339(found.checked_ms),
    )


async def _bundle(parts: Parts, seen: Seen) -> Bundle:
    """Return the bundle of a receipt with the policy versions that it names."""
    if seen.stored.tenant is None:
        return await parts.receipts.bare_bundle(seen.stored.id)
    async with parts.store.begin(seen.stored.tenant, writes=False) as unit:
        return await parts.receipts.bundle(seen, unit.policies)


async def _kept(parts: Parts, seen: Seen) -> dict[str, bool]:
    """Return of each body part that is still there whether it is what the receipt commits to."""
    if seen.stored.tenant is None:
        return {}
    stored = await parts.ledger.of(seen.stored.tenant).parts(seen.stored.id)
    return {
        part.name: commit(part.name, part.salt, part.content) in seen.receipt.commitments for part in stored
    }
