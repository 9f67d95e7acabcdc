"""A decision with its receipt: decided, issued, durable, and only then answered."""

import asyncio
import hashlib
from dataclasses import dataclass, replace
from typing import Final

import msgspec

from bylaw.api.aftermath import Aftermath
from bylaw.api.claims import Claims
from bylaw.api.earlier import Earlier
from bylaw.api.idempotency import reused
from bylaw.api.receipts import DECISION_PART, REQUEST_PART, committed, seen_of
from bylaw.api.spending import Spending
from bylaw.api.tracing import Tracer
from bylaw.core.errors import Conflict, DeadlineExceeded
from bylaw.core.ids import ReceiptId
from bylaw.decisions.assessment import assess, findings
from bylaw.decisions.effects import Passed, effects_of
from bylaw.decisions.engine import Engine
from bylaw.decisions.model import Decision, ReceiptPointer, Request
from bylaw.decisions.routing import is_to_route
from bylaw.receipts.issue import Issuer
from bylaw.receipts.model import Assessment, DecisionClaim
from bylaw.receipts.ports import Effect, Idempotency, Ledger, PendingEntry, Repeated
from bylaw.tenancy.principal import Principal

_NOWHERE: Final = b'"receipt":null}'
_SHORT_BYTES: Final = 4_096

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Decision)


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request to decide, as it was sent: `body` is stored beside the receipt.

    `certified`: the receipt says how far the decision may be trusted, and carries its own signature. `passed`
    is the call of a model whose answer is decided on.
    """

    request: Request
    body: bytes
    idempotency_key: str = ""
    certified: bool = False
    passed: Passed | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """A decision whose receipt is durable, unless it was a dry run; `replayed` when it is an earlier one.

    `body` is the decision as the caller is told of it, encoded, with the place of its receipt; what is stored
    keeps what they may not see. `receipt` are that receipt's stored bytes, empty on a dry run; `signature` is
    its own. `assessment` is there when a certificate was asked for.
    """

    body: bytes
    replayed: bool = False
    receipt: bytes = b""
    signature: bytes | None = None
    assessment: Assessment | None = None


class Decider:
    """Decides, and answers once the receipt is durable."""

    def __init__(
        self,
        engine: Engine,
        issuer: Issuer,
        ledger: Ledger,
        *,
        spending: Spending,
        aftermath: Aftermath,
        tracer: Tracer,
    ) -> None:
        self._engine = engine
        self._issuer = issuer
        self._ledger = ledger
        self._spending = spending
        self._aftermath = aftermath
        self._tracer = tracer
        self._claims = Claims()
        self._earlier = Earlier(ledger, engine)

    async def decide(self, caller: Principal, asked: Asked) -> Answered:
        """Return what is decided; the same request under the same key gets the same decision again.

        Raises: what `Engine.placed`, `Engine.decide` and, for the decisions that the request names, `Earlier`
        raise; DeadlineExceeded when the receipt is not durable in time; Conflict (`idempotency_key_reused`)
        for another request under the key; Corrupt; Unavailable.
        """
        deadline_ms = asked.request.deadline_ms
        if not isinstance(deadline_ms, int):
            return await self._decide(caller, asked)
        try:
            async with asyncio.timeout(deadline_ms / 1000):
                return await self._decide(caller, asked)
        except TimeoutError as error:
            raise DeadlineExceeded(
                f"The receipt was not durable within {deadline_ms} ms: send the request again under the same"
                " Idempotency-Key."
            ) from error

    async def decision(self, caller: Principal, request: Request, passed: Passed | None = None) -> Decision:
        """Return what is decided about a request that was made here, not sent. Raises: as `decide`."""
        asked = Asked(request=request, body=_encoder.encode(request), passed=passed)
        answered = await self.decide(caller, asked)
        return _decoder.decode(answered.body)

    async def _decide(self, caller: Principal, asked: Asked) -> Answered:
        promise = None
        if asked.idempotency_key:
            promise = _promise(caller, asked)
            earlier = await self._ledger.of(caller.tenant_id).repeated(promise.scope, promise.key)
            if earlier is not None:
                return await self._again(caller, earlier, promise)
        began = self._engine.ticks()
        asked = await self._routed(caller, replace(asked, request=self._engine.placed(asked.request, caller)))
        if asked.request.outcome_of:
            await self._earlier.require_decision(caller, ReceiptId(asked.request.outcome_of))
        followed = await self._earlier.followed(caller, asked.request)
        with self._tracer.step("decide") as span:
            decision = await self._engine.decide(asked.request, caller, began=began, followed=followed)
            span.set_attribute("bylaw.outcome", decision.outcome)
            span.set_attribute("bylaw.posture", decision.posture)
            span.set_attribute("bylaw.policies", len(decision.policies))
        if asked.request.approval_id:
            decision = await self._spending.lifted(caller, asked.request, decision)
        assessment = await _assessed(asked, decision) if asked.certified else None
        self._aftermath.decided(caller, asked.request, decision)
        if decision.receipt_id is None:
            told = self._told(caller, decision, _encoder.encode(decision))
            return Answered(body=told, assessment=assessment)
        entry, encoded = self._issue(caller, asked, decision, promise, assessment=assessment)
        with self._tracer.step("commit"):
            fate = (await self._ledger.log.append([entry]))[0]
        if isinstance(fate, Repeated):
            return await self._again(caller, fate, promise)
        if decision.outcome != "allow":
            self._aftermath.wake()
        return Answered(
            body=placed(self._told(caller, decision, encoded), fate.origin, fate.index),
            receipt=entry.receipt,
            signature=entry.signature,
            assessment=assessment,
        )

    async def _routed(self, caller: Principal, asked: Asked) -> Asked:
        """Return what is asked, together with where it leads if it is to find that: it is stored so."""
        if not is_to_route(self._engine.snapshots, asked.request, caller):
            return asked
        with self._tracer.step("route"):
            request = await self._engine.routed(asked.request, caller)
        return replace(asked, request=request, body=_encoder.encode(request))

    def _issue(
        self,
        caller: Principal,
        asked: Asked,
        decision: Decision,
        promise: Idempotency | None,
        *,
        assessment: Assessment | None,
    ) -> tuple[PendingEntry, bytes]:
        """Return the entry of a decision and the decision encoded; append it before anything is awaited."""
        encoded = _encoder.encode(decision)
        self._issuer.follow(self._ledger.log.origin)
        effects = effects_of(decision, asked.request, caller, passed=asked.passed)
        entry = self._issuer.issue(
            self._claims.of(decision, asked.request, caller, assessment=assessment),
            tenant=caller.tenant_id,
            ident=None if decision.receipt_id is None else ReceiptId(decision.receipt_id),
            contents={REQUEST_PART: asked.body, DECISION_PART: encoded},
            effects=[Effect(kind="review", payload=_encoder.encode(effect)) for effect in effects],
            idempotency=promise,
        )
        return self._issuer.signed(entry) if asked.certified else entry, encoded

    def _told(self, caller: Principal, decision: Decision, encoded: bytes) -> bytes:
        """Return an encoded decision as the caller is told of it: the same bytes now and when replayed."""
        if self._engine.disclosed(decision, caller) is decision:
            return encoded
        return _encoder.encode(self._engine.disclosed(_decoder.decode(encoded), caller))

    async def _again(self, caller: Principal, earlier: Repeated, promise: Idempotency | None) -> Answered:
        """Return the decision that was made under the same key before. Raises: Conflict, Corrupt."""
        if promise is None or earlier.digest != promise.digest:
            raise reused()
        receipts = self._ledger.of(caller.tenant_id)
        stored = await receipts.get(earlier.id)
        receipt = seen_of(stored).receipt
        for part in committed(receipt, await receipts.parts(earlier.id)):
            if part.name == DECISION_PART:
                decision = _decoder.decode(part.content)
                told = self._told(caller, decision, part.content)
                return Answered(
                    body=placed(told, stored.origin, stored.index),
                    replayed=True,
                    receipt=stored.receipt,
                    signature=stored.signature,
                    assessment=receipt.claim.assessment if isinstance(receipt.claim, DecisionClaim) else None,
                )
        raise Conflict(
            f"This request was answered before, and the answer was erased since: see receipt {earlier.id}.",
            reason="body_erased",
        )


def _promise(caller: Principal, asked: Asked) -> Idempotency:
    what = b"certified\n" if asked.certified else b""
    digest = "sha256:" + hashlib.sha256(what + asked.body).hexdigest()
    return Idempotency(scope=f"{caller.kind}:{caller.id}", key=asked.idempotency_key, digest=digest)


async def _assessed(asked: Asked, decision: Decision) -> Assessment:
    """Return how far a decision may be trusted; a long request is looked through while others go on."""
    request = asked.request
    is_short = len(asked.body) <= _SHORT_BYTES
    return assess(decision, findings(request) if is_short else await asyncio.to_thread(findings, request))


def placed(encoded: bytes, origin: str, index: int) -> bytes:
    """Return an encoded decision with the place of its receipt, which was not known when it was stored."""
    pointer = _encoder.encode(ReceiptPointer(origin=origin, index=index))
    return encoded.removesuffix(_NOWHERE) + b'"receipt":' + pointer + b"}"
