"""Receipts as callers may see them, with their proofs."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from bylaw.core import canonical_json
from bylaw.core.errors import Corrupt, InvalidInput, NotFound
from bylaw.core.ids import PolicyId, ReceiptId, RepoId, WorkspaceId
from bylaw.core.paging import Page, Slice
from bylaw.decisions.engine import Engine
from bylaw.decisions.model import Decision
from bylaw.learning.conversations import is_others_alone
from bylaw.learning.model import ConversationId
from bylaw.learning.store import LearningUnit
from bylaw.policies.content import document
from bylaw.policies.store import Policies
from bylaw.receipts import bundle as bundles
from bylaw.receipts import model, proof
from bylaw.receipts.bundle import Bundle, PolicyText
from bylaw.receipts.model import DecisionClaim, PolicyVersionClaim, Receipt
from bylaw.receipts.ports import Ledger, Part, ReceiptQuery, StoredCheckpoint, StoredReceipt
from bylaw.receipts.proof import Tiles
from bylaw.receipts.signing import KeySet
from bylaw.review.statistics import Span
from bylaw.tenancy.model import EVERYWHERE, Place
from bylaw.tenancy.principal import Acting, Principal

SCOPE = "receipts:read"

_decoder = msgspec.json.Decoder(Decision)


class _Asked(msgspec.Struct, frozen=True):
    conversation_id: str | None = None


_asked = msgspec.json.Decoder(_Asked)

# What is stored beside the receipt of a decision.
REQUEST_PART: Final = "request"
DECISION_PART: Final = "decision"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """A stored receipt together with what it says."""

    stored: StoredReceipt
    receipt: Receipt

    @property
    def place(self) -> Place:
        """Return where it was issued: a decision's place, or the whole tenant."""
        claim = self.receipt.claim
        if not isinstance(claim, DecisionClaim):
            return EVERYWHERE
        return Place(
            workspace_id=WorkspaceId(claim.workspace) if claim.workspace else None,
            repo_id=RepoId(claim.repo) if claim.repo else None,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """That a receipt is leaf `index` of a log: the hashes that lead from it to the root of a checkpoint."""

    held: StoredCheckpoint
    tiles: Tiles


class ReceiptReader:
    """Reads the receipts of this installation; `keys` are those to verify with."""

    def __init__(self, ledger: Ledger, keys: Callable[[], Awaitable[KeySet]]) -> None:
        self._ledger = ledger
        self._keys = keys

    async def get(self, principal: Principal, ident: ReceiptId) -> Seen:
        """Return one receipt. Raises: Forbidden without the scope; NotFound, also where it is not held."""
        principal.require(SCOPE)
        seen = seen_of(await self._ledger.of(principal.tenant_id).get(ident))
        if not principal.may(SCOPE, seen.place):
            raise NotFound("receipt", ident)
        return seen

    async def list(
        self,
        principal: Principal,
        query: ReceiptQuery,
        part: Slice,
        *,
        workspace_id: WorkspaceId | None = None,
    ) -> Page[Seen]:
        """Return a page of receipts, of those in one workspace if it is named.

        Then, and for a caller with the scope in some places only, pages are not full.
        """
        principal.require(SCOPE)
        found = await self._ledger.of(principal.tenant_id).list(query, part)
        seen = (seen_of(stored) for stored in found.items)
        mine = tuple(
            each
            for each in seen
            if principal.may(SCOPE, each.place) and workspace_id in {None, each.place.workspace_id}
        )
        return Page(items=mine, next_cursor=found.next_cursor)

    async def outcomes(self, principal: Principal, span: Span) -> Sequence[Mapping[str, int]]:
        """Return how many decisions came out how in each bucket of a span.

        Raises: Forbidden without the scope in the whole tenant: what is counted is not told apart by place.
        """
        principal.require(SCOPE, EVERYWHERE)
        found = await self._ledger.of(principal.tenant_id).outcomes(
            since_ms=span.from_ms, until_ms=span.to_ms, bucket_ms=span.bucket_ms
        )
        return [found.get(start, {}) for start in span.starts]

    async def parts(self, principal: Principal, ident: ReceiptId) -> Sequence[Part]:
        """Return the body parts that are still there. Raises: as `get`; Corrupt as `committed`."""
        seen = await self.get(principal, ident)
        return committed(seen.receipt, await self._ledger.of(principal.tenant_id).parts(ident))

    async def told(self, principal: Principal, ident: ReceiptId, engine: Engine) -> Sequence[Part]:
        """Return the same without a decision that names policies which the principal may not see."""
        parts = await self.parts(principal, ident)
        return [each for each in parts if each.name != DECISION_PART or _is_open(each, principal, engine)]

    async def reasons(self, principal: Principal, ident: ReceiptId, engine: Engine) -> Sequence[str] | None:
        """Return why a decision came out as it did, None of another receipt or once its body is erased."""
        for part in await self.parts(principal, ident):
            if part.name == DECISION_PART:
                return engine.disclosed(_decoder.decode(part.content), principal).reasons
        return None

    async def erase(self, principal: Principal, ident: ReceiptId, names: Sequence[str]) -> Sequence[str]:
        """Erase body parts, all when none is named, and return the names of those that were there."""
        seen = await self.get(principal, ident)
        principal.require("admin", seen.place)
        return await self._ledger.of(principal.tenant_id).erase(ident, names or None)

    async def proof(self, stored: StoredReceipt) -> Proof:
        """Return the proof that a receipt is in its log, under the latest checkpoint."""
        held = await self._ledger.logs.checkpoint(stored.origin, covering=stored.index)
        wanted = proof.tiles_of_inclusion(stored.index, held.size)
        tiles = await self._ledger.logs.tiles(stored.origin, wanted, size=held.size)
        return Proof(held=held, tiles=tiles)

    async def bundle(
        self, seen: Seen, policies: Policies, parts: Sequence[Part] = (), *, kept_size: int | None = None
    ) -> Bundle:
        """Return the bundle of a receipt, with its policy versions, disclosing `parts`.

        `kept_size` is the size of a checkpoint that the reader kept of the same log: the bundle then proves
        that its tree begins with that one. Raises: InvalidInput when the log never had so many leaves.
        """
        found = await self.proof(seen.stored)
        texts = [await _text(policies, ident, version) for ident, version in _versions(seen.receipt)]
        bundle = bundles.assemble(
            seen.stored,
            found.held,
            found.tiles,
            keys=await self._keys(),
            policies=[text for text in texts if text is not None],
            parts=parts,
        )
        if kept_size is None or kept_size == found.held.size:
            return bundle
        return await self._linked(bundle, found.held, kept_size)

    async def _linked(self, bundle: Bundle, held: StoredCheckpoint, kept_size: int) -> Bundle:
        """Return `bundle`, with the proof that the tree of `held` begins with one of `kept_size` leaves."""
        if kept_size > held.size:
            message = f"The log {held.origin} has {held.size} leaves: there is no checkpoint of {kept_size}."
            raise InvalidInput.of("query.kept_size", "no_such_tree", message)
        wanted = proof.tiles_of_consistency(kept_size, held.size)
        tiles = await self._ledger.logs.tiles(held.origin, wanted, size=held.size)
        return bundles.with_consistency(bundle, kept_size, held.size, tiles)

    async def bare_bundle(self, ident: ReceiptId) -> Bundle:
        """Return the bundle of a receipt of any tenant without policies and parts, for anonymous checks."""
        stored = await self._ledger.logs.find(ident)
        found = await self.proof(stored)
        return bundles.assemble(stored, found.held, found.tiles, keys=await self._keys())


async def open_to(acting: Acting[LearningUnit], parts: Sequence[Part]) -> Sequence[Part]:
    """Return body parts as they are; none of them if they are of what others say to a model alone."""
    for part in parts:
        if part.name == REQUEST_PART:
            ident = _asked.decode(part.content).conversation_id
            if ident is not None and await is_others_alone(acting, ConversationId(ident)):
                return ()
    return parts


def _is_open(part: Part, principal: Principal, engine: Engine) -> bool:
    """Return whether a principal may see all policies that a stored decision names."""
    decision = _decoder.decode(part.content)
    return engine.disclosed(decision, principal) is decision


def seen_of(stored: StoredReceipt) -> Seen:
    """Return a stored receipt together with what it says."""
    return Seen(stored=stored, receipt=model.decode(stored.receipt))


def committed(receipt: Receipt, parts: Sequence[Part]) -> Sequence[Part]:
    """Return `parts` as they are. Raises: Corrupt when one is not what the receipt commits to."""
    for part in parts:
        if model.commit(part.name, part.salt, part.content) not in receipt.commitments:
            message = (
                f"The stored part {part.name!r} of receipt {receipt.id} is not what the receipt commits to."
            )
            raise Corrupt(message, place=f"receipt {receipt.id}, part {part.name}")
    return parts


def _versions(receipt: Receipt) -> Sequence[tuple[str, int]]:
    claim = receipt.claim
    if isinstance(claim, DecisionClaim):
        return [(each.id, each.version) for each in claim.policies]
    if isinstance(claim, PolicyVersionClaim):
        return [(claim.policy.id, claim.policy.version)]
    return ()


async def _text(policies: Policies, ident: str, number: int) -> PolicyText | None:
    version = await policies.version(PolicyId(ident), number)
    if version is None:
        return None
    content = canonical_json.canonical(msgspec.to_builtins(document(version.content)))
    return PolicyText(content=content.decode(), id=ident, version=number)
