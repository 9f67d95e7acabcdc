"""Decisions that a request names: the one whose outcome it reports, the one on what it is the answer to."""

from typing import Final

from msgspec import UNSET

from bylaw.api.fit import fit
from bylaw.api.receipts import REQUEST_PART, Seen, committed, seen_of
from bylaw.api.strict_json import parse
from bylaw.core.errors import Conflict, InvalidInput, NotFound
from bylaw.core.ids import ReceiptId, TenantId
from bylaw.decisions.engine import Engine
from bylaw.decisions.followed import Followed, followed_of
from bylaw.decisions.model import Request
from bylaw.decisions.select import ASKING_SCOPE
from bylaw.receipts.model import DecisionClaim
from bylaw.receipts.ports import Ledger
from bylaw.tenancy.principal import Principal

# What an answer may repeat of what was asked.
_SAID: Final = ("user_intent", "messages")


class Earlier:
    """Reads the decisions that requests name."""

    def __init__(self, ledger: Ledger, engine: Engine) -> None:
        self._ledger = ledger
        self._engine = engine

    async def require_decision(self, caller: Principal, ident: ReceiptId) -> None:
        """Return nothing if `ident` is the receipt of a decision that the caller could have asked for.

        Raises: NotFound; Conflict (`not_a_decision`) when it is the receipt of something else.
        """
        seen = await self._seen(caller, ident)
        if seen.receipt.kind != "decision":
            raise Conflict(
                f"outcome_of names the receipt of a decision; {ident} is one of kind {seen.receipt.kind}.",
                reason="not_a_decision",
            )

    async def followed(self, caller: Principal, request: Request) -> Followed | None:
        """Return what the decision that `request` follows settles for it, None if it follows none.

        Raises: InvalidInput for what is asked itself; NotFound; Conflict when it is not a decision on what
        was asked (`not_an_input`), stopped it (`followed_block`), or is about something else
        (`follows_another`).
        """
        if not request.follows:
            return None
        if request.phase == "input":
            message = "What is asked follows nothing: send the receipt with the answer to it."
            raise InvalidInput.of("follows", "unknown_value", message)
        ident = ReceiptId(request.follows)
        seen = await self._seen(caller, ident)
        claim = seen.receipt.claim
        if not isinstance(claim, DecisionClaim) or claim.phase != "input":
            raise Conflict(
                f"follows names the receipt of a decision in the phase input; {ident} is none.",
                reason="not_an_input",
            )
        if claim.outcome == "block":
            raise Conflict(f"What {ident} is about was blocked: there is no answer.", reason="followed_block")
        if differs := self._compared(caller, request, claim, seen) or await self._said(caller, request, seen):
            raise Conflict(f"{ident} is about something else: {differs} differs.", reason="follows_another")
        return followed_of(ident, claim.policies)

    async def recorded(self, tenant_id: TenantId, request: Request) -> Followed | None:
        """Return the same for a request that was decided: what it follows was held against it then."""
        if not request.follows:
            return None
        seen = seen_of(await self._ledger.of(tenant_id).get(ReceiptId(request.follows)))
        claim = seen.receipt.claim
        return followed_of(request.follows, claim.policies) if isinstance(claim, DecisionClaim) else None

    def _compared(self, caller: Principal, request: Request, claim: DecisionClaim, seen: Seen) -> str:
        """Return what differs between who asks and where, and what a receipt says of it; else nothing."""
        pairs = {
            "the caller": (claim.asked_by, caller.actor),
            "agent_id": (claim.agent, request.agent_id or ""),
            "user_id": (claim.user, request.user_id or caller.user_id or ""),
            "the place": (seen.place, self._engine.place_of(request, caller)),
        }
        return next((name for name, (then, now) in pairs.items() if then != now), "")

    async def _said(self, caller: Principal, request: Request, seen: Seen) -> str:
        """Return what differs from what was sent then; from what is erased, all does that is sent."""
        stored = await self._ledger.of(caller.tenant_id).parts(ReceiptId(seen.receipt.id))
        parts = committed(seen.receipt, stored)
        found = next((part.content for part in parts if part.name == REQUEST_PART), None)
        asked = None if found is None else fit(parse(found), Request)
        if asked is not None and (asked.conversation_id or None) != (request.conversation_id or None):
            return "conversation_id"
        for name in _SAID:
            now = getattr(request, name)
            if now is not UNSET and now is not None and (asked is None or getattr(asked, name) != now):
                return name
        return ""

    async def _seen(self, caller: Principal, ident: ReceiptId) -> Seen:
        """Return a receipt of where the caller may ask. Raises: NotFound."""
        seen = seen_of(await self._ledger.of(caller.tenant_id).get(ident))
        if not caller.may(ASKING_SCOPE, seen.place):
            raise NotFound("receipt", ident)
        return seen
