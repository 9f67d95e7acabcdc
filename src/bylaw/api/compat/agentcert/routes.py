"""The route by which Agent Cert's clients have a decision certified: hot, as deciding is."""

from collections.abc import Mapping, Sequence
from typing import Final

import msgspec

from bylaw.api import certificates, strict_json
from bylaw.api.auth import Door
from bylaw.api.certificates import AnchorView, CertificateView
from bylaw.api.claims import Claims
from bylaw.api.compat.agentcert.translate import certificate_of, request_of
from bylaw.api.compat.agentcert.wire import Certificate, NewReceipt
from bylaw.api.deciding import Answered, Asked, Decider
from bylaw.api.described import Described, failures
from bylaw.api.edge import Hot
from bylaw.api.idempotency import checked_key
from bylaw.api.incoming import Incoming
from bylaw.api.links import Links
from bylaw.api.problems import Answer
from bylaw.decisions.model import Decision, ReceiptPointer
from bylaw.decisions.select import ASKING_SCOPE
from bylaw.receipts import model
from bylaw.tenancy.principal import Principal

PATH: Final = "/v1/receipts"
_JSON: Final = (b"content-type", b"application/json")
_REPLAYED: Final = (b"idempotent-replayed", b"true")

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder(Decision)


class Certifier:
    """Has decisions made and certified: each with a receipt that is signed by itself and assessed."""

    def __init__(self, decider: Decider, links: Links) -> None:
        self._decider = decider
        self._links = links

    async def certify(
        self, caller: Principal, new: NewReceipt, incoming: Incoming, *, idempotency_key: str = ""
    ) -> tuple[Certificate, bool]:
        """Return the certificate of what is decided, and whether it is an earlier one.

        The request is stored as it was understood. Raises: as `Decider.decide`.
        """
        request = request_of(new)
        asked = Asked(
            request=request,
            body=_encoder.encode(request),
            idempotency_key=idempotency_key,
            certified=True,
        )
        answered = await self._decider.decide(caller, asked)
        decision = _decoder.decode(answered.body)
        if decision.receipt is None:
            claim = Claims().of(decision, request, caller, assessment=answered.assessment)
            said = certificates.of_claim(claim, decision.reasons)
        else:
            said = self._said(answered, decision.receipt, decision.reasons, incoming)
        return certificate_of(decision, said), answered.replayed

    def _said(
        self, answered: Answered, place: ReceiptPointer, reasons: Sequence[str], incoming: Incoming
    ) -> CertificateView:
        receipt = model.decode(answered.receipt)
        return certificates.of_receipt(
            receipt,
            answered.signature,
            anchor=AnchorView(log=place.origin, index=place.index, status="pending"),
            verify_url=self._links.receipt(receipt.id, incoming.headers),
            reasons=reasons,
        )


class CertificateRoutes:
    """The handler of certificates."""

    def __init__(self, door: Door, certifier: Certifier) -> None:
        self._door = door
        self._certifier = certifier

    def table(self) -> Mapping[tuple[str, str], Hot]:
        """Return the handlers by method and path."""
        return {("POST", PATH): self.certify}

    async def certify(self, incoming: Incoming) -> Answer:
        """Check a decision and certify it."""
        caller = self._door.enter(incoming, ASKING_SCOPE).principal
        new = strict_json.read(incoming.body, NewReceipt)
        key = incoming.headers.get(b"idempotency-key")
        made, replayed = await self._certifier.certify(
            caller,
            new,
            incoming,
            idempotency_key="" if key is None else checked_key(key.decode("latin-1")),
        )
        headers = (_JSON, _REPLAYED) if replayed else (_JSON,)
        return Answer(status=200, body=_encoder.encode(made), headers=headers)


def described() -> tuple[Described, ...]:
    """Return the route as data, like every other one."""
    return (
        Described(
            method="POST",
            path=PATH,
            access="scope",
            scope=ASKING_SCOPE,
            takes=NewReceipt,
            gives=Certificate,
            may_fail=failures("POST", PATH, "scope", takes=NewReceipt),
            family="agentcert",
            tag="receipts",
            name="certify",
            summary="Check a decision of an agent and certify it by a receipt",
            description="As Agent Cert's clients ask for it. The answer leaves once the receipt is durable;"
            " it is anchored moments later.",
        ),
    )
