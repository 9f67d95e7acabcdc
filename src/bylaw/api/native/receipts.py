"""Receipts: read, proved, bundled, exported, verified by anybody, and their bodies erased."""

from collections.abc import Mapping, Sequence
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request
from pydantic import Field

from bylaw.api.answers import Document, Envelope, Page, Reply, page
from bylaw.api.certificates import AnchorStatus, AnchorView, CertificateView, of_receipt
from bylaw.api.native.query import ListQuery, StrictQuery
from bylaw.api.parts import Parts
from bylaw.api.ports import Unit
from bylaw.api.receipts import Seen, open_to
from bylaw.api.route import Route, anyone, incoming_of, needs, parts_of
from bylaw.api.shape import moment
from bylaw.api.verifying import (
    AnchorProofView,
    VerificationView,
    anchor_proof_view,
    checked,
    verification_view,
)
from bylaw.core.ids import AgentId, PolicyId, ReceiptId, WorkspaceId
from bylaw.inbox.thread import erase_comments
from bylaw.learning import corrections
from bylaw.receipts import bundle as bundles
from bylaw.receipts import proof
from bylaw.receipts.model import Kind
from bylaw.receipts.ports import ReceiptQuery
from bylaw.receipts.reading import to_base64url
from bylaw.tenancy.principal import Acting

router = APIRouter(tags=["receipts"], route_class=Route)

Reading = Annotated[Acting[Unit], needs("receipts:read")]


class ReceiptsQuery(ListQuery):
    """Which receipts are wanted; filters combine with AND."""

    kind: Kind | None = None
    agent_id: AgentId | None = None
    outcome: str | None = None
    outcome_of: Annotated[ReceiptId | None, Field(description="A decision: those about its outcome.")] = None
    policy_id: Annotated[PolicyId | None, Field(description="A policy that applied.")] = None
    workspace_id: Annotated[
        WorkspaceId | None, Field(description="Only decisions there: pages may not be full.")
    ] = None
    since: Annotated[str | None, Field(description="Issued at this moment (RFC 3339) or later.")] = None
    until: Annotated[str | None, Field(description="Issued before this moment.")] = None

    @property
    def where(self) -> ReceiptQuery:
        """Return what is meant. Raises: InvalidInput for a moment that is none."""
        return ReceiptQuery(
            kind=self.kind,
            agent=self.agent_id,
            outcome=self.outcome,
            outcome_of=self.outcome_of,
            policy=self.policy_id,
            since_ms=moment(self.since, path="query.since"),
            until_ms=moment(self.until, path="query.until"),
        )


class BundleQuery(StrictQuery):
    """What the bundle discloses, and to which kept checkpoint it is tied."""

    disclose: Annotated[bool, Field(description="Include the body parts that are still there.")] = False
    kept_size: Annotated[
        int | None,
        Field(
            ge=1,
            le=2**53 - 1,
            description="The size of a checkpoint that you kept of the receipt's log (its second line): the"
            " bundle then proves that the log only grew since, for `bylaw verify --checkpoint`.",
        ),
    ] = None


class EraseQuery(StrictQuery):
    """What is erased."""

    part: Annotated[list[str], Field(default_factory=list, description="Only these parts; all if none.")]


class ReceiptView(CertificateView, frozen=True, kw_only=True):
    """A receipt and where its leaf lies, with what a certificate says of it.

    `receipt` is the signed document, byte for byte. `summary` is null in lists and once the body is erased.
    """

    id: str
    kind: Kind
    issued_at: str
    log: str
    index: int
    receipt: msgspec.Raw


class PartView(msgspec.Struct, frozen=True, kw_only=True):
    """One body part, as it was stored; the receipt commits to it under `salt`."""

    name: str
    salt: str
    content: msgspec.Raw


class BodyView(msgspec.Struct, frozen=True, kw_only=True):
    """The body parts that are still there."""

    parts: tuple[PartView, ...]


class ErasedView(msgspec.Struct, frozen=True, kw_only=True):
    """The names of the parts that were erased now; the receipt still verifies."""

    erased: tuple[str, ...]


class ProofView(msgspec.Struct, frozen=True, kw_only=True):
    """The proof that the receipt is leaf `index` of the tree that `checkpoint`, a signed note, covers."""

    receipt: str
    log: str
    index: int
    size: int
    hashes: tuple[str, ...]
    checkpoint: str


@router.get("/v1/receipts")
async def list_receipts(
    acting: Reading, query: Annotated[ReceiptsQuery, Query()], request: Request
) -> Reply[Page[ReceiptView]]:
    """List receipts. A key that is limited to a place finds pages that are not full."""
    parts = parts_of(request)
    found = await parts.receipts.list(
        acting.principal, query.where, query.part, workspace_id=query.workspace_id
    )
    sizes = {each.origin: each.size for each in await parts.ledger.logs.latest()}
    return Reply(page(found, lambda seen: _view(seen, None, sizes=sizes, request=request)))


@router.get("/v1/receipts/{receipt_id}")
async def read_receipt(acting: Reading, receipt_id: ReceiptId, request: Request) -> Reply[ReceiptView]:
    """Read one receipt."""
    parts = parts_of(request)
    seen = await parts.receipts.get(acting.principal, receipt_id)
    sizes = {each.origin: each.size for each in await parts.ledger.logs.latest()}
    reasons = await parts.receipts.reasons(acting.principal, receipt_id, parts.engine)
    return Reply(_view(seen, reasons, sizes=sizes, request=request))


@router.get("/v1/receipts/{receipt_id}/body")
async def read_body(acting: Reading, receipt_id: ReceiptId, request: Request) -> Reply[BodyView]:
    """Read the body parts that are still there: what was asked, and the answer if you may see it whole."""
    parts = parts_of(request)
    found = await open_to(acting, await parts.receipts.told(acting.principal, receipt_id, parts.engine))
    return Reply(
        BodyView(
            parts=tuple(
                PartView(name=each.name, salt=to_base64url(each.salt), content=_json(each.content))
                for each in found
            )
        )
    )


@router.delete("/v1/receipts/{receipt_id}/body")
async def erase_body(
    acting: Annotated[Acting[Unit], needs("admin")],
    receipt_id: ReceiptId,
    query: Annotated[EraseQuery, Query()],
    request: Request,
) -> Reply[ErasedView]:
    """Erase body parts and their salts for good; the receipt stays and still verifies.

    What was learnt from it about where messages lead is forgotten too, and what people wrote about the
    approvals and attention items that it left.
    """
    erased = await parts_of(request).receipts.erase(acting.principal, receipt_id, query.part)
    await corrections.forget_receipt(acting, receipt_id)
    await erase_comments(acting, receipt_id)
    return Reply(ErasedView(erased=tuple(erased)))


@router.get("/v1/receipts/{receipt_id}/proof")
async def read_proof(acting: Reading, receipt_id: ReceiptId, request: Request) -> Reply[ProofView]:
    """Prove that a receipt is in its log, under the latest checkpoint."""
    reader = parts_of(request).receipts
    stored = (await reader.get(acting.principal, receipt_id)).stored
    found = await reader.proof(stored)
    hashes = proof.inclusion(stored.index, found.held.size, found.tiles)
    return Reply(
        ProofView(
            receipt=stored.receipt.decode(),
            log=stored.origin,
            index=stored.index,
            size=found.held.size,
            hashes=tuple(to_base64url(each) for each in hashes),
            checkpoint=found.held.note.decode(),
        )
    )


@router.get("/v1/receipts/{receipt_id}/bundle")
async def read_bundle(
    acting: Reading, receipt_id: ReceiptId, query: Annotated[BundleQuery, Query()], request: Request
) -> Document:
    """Read the bundle that proves a receipt offline: save it and run `bylaw verify FILE --keys KEYS`."""
    engine, reader = parts_of(request).engine, parts_of(request).receipts
    seen = await reader.get(acting.principal, receipt_id)
    told = await reader.told(acting.principal, receipt_id, engine) if query.disclose else ()
    parts = await open_to(acting, told)
    found = await reader.bundle(seen, acting.unit.policies, parts, kept_size=query.kept_size)
    texts = tuple(each for each in found.policies if not engine.is_foreign(each.id, acting.principal))
    return Document(bundles.write(msgspec.structs.replace(found, policies=texts)))


@router.get("/v1/receipts/{receipt_id}/dsse")
async def read_envelope(acting: Reading, receipt_id: ReceiptId, request: Request) -> Envelope:
    """Read a receipt as a signed DSSE envelope, for tools that know in-toto statements and not our log."""
    parts = parts_of(request)
    seen = await parts.receipts.get(acting.principal, receipt_id)
    return Envelope(parts.signing.sealed(seen.stored))


@router.get("/v1/receipts/{receipt_id}/verify")
async def verify_receipt(receipt_id: ReceiptId, parts: Annotated[Parts, anyone()]) -> Reply[VerificationView]:
    """Check a receipt by its id, without a key: every step and what it came to."""
    return Reply(verification_view(receipt_id, await checked(parts, receipt_id)))


@router.get("/v1/receipts/{receipt_id}/anchor")
async def read_anchor(acting: Reading, receipt_id: ReceiptId, request: Request) -> Reply[AnchorProofView]:
    """Prove where a receipt is anchored: in this server's log, whose checkpoints anybody may keep."""
    parts = parts_of(request)
    await parts.receipts.get(acting.principal, receipt_id)
    verify_url = parts.links.receipt(receipt_id, incoming_of(request).headers)
    return Reply(anchor_proof_view(await checked(parts, receipt_id), verify_url=verify_url))


def _view(
    seen: Seen, reasons: Sequence[str] | None, *, sizes: Mapping[str, int], request: Request
) -> ReceiptView:
    """Return a receipt as it goes over the wire; `sizes` are those of the latest checkpoints, by log."""
    stored, receipt = seen.stored, seen.receipt
    status: AnchorStatus = "anchored" if stored.index < sizes.get(stored.origin, 0) else "pending"
    certificate = of_receipt(
        receipt,
        stored.signature,
        anchor=AnchorView(log=stored.origin, index=stored.index, status=status),
        verify_url=parts_of(request).links.receipt(stored.id, incoming_of(request).headers),
        reasons=reasons,
    )
    return ReceiptView(
        **msgspec.structs.asdict(certificate),
        id=stored.id,
        kind=receipt.kind,
        issued_at=receipt.issued_at,
        log=stored.origin,
        index=stored.index,
        receipt=msgspec.Raw(stored.receipt),
    )


def _json(content: bytes) -> msgspec.Raw:
    """Return a part as JSON: what was stored as JSON stays as it is, text becomes a string."""
    try:
        msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return msgspec.Raw(msgspec.json.encode(content.decode("utf-8", "replace")))
    return msgspec.Raw(content)
