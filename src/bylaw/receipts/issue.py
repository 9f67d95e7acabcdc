"""Issuing: a claim becomes a receipt's bytes, with the parts and effects that commit beside it."""

import os
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

import msgspec

from bylaw.core.clock import Clock, rfc3339
from bylaw.core.ids import AgentId, Ids, PolicyId, ReceiptId, TenantId
from bylaw.receipts.model import (
    FORMAT,
    KINDS,
    SALT_BYTES,
    Claim,
    CrossAnchorClaim,
    DecisionClaim,
    KeyClaim,
    OutcomeClaim,
    Receipt,
    commit,
    encode,
)
from bylaw.receipts.ports import Effect, Idempotency, Part, PendingEntry, StoredCheckpoint
from bylaw.receipts.reading import to_base64url
from bylaw.receipts.signing import Signer, thumbprint

PREFIX = "rcpt_"
NO_CONTENTS: Mapping[str, bytes] = MappingProxyType({})


class Issuer:
    """Issues the receipts of one log, in the name of the key that signs it.

    A clock may be set back; nothing is dated before `rotate` said that the key came into use. `latest_ms` is
    the latest moment at which something was issued here.
    """

    def __init__(
        self,
        origin: str,
        signer: Signer,
        *,
        clock: Clock,
        ids: Ids,
        random: Callable[[int], bytes] = os.urandom,
    ) -> None:
        self.origin = origin
        self._signer = signer
        self._clock = clock
        self._ids = ids
        self._random = random
        self._since_ms = 0
        self.latest_ms = 0

    def rotate(self, signer: Signer, since_ms: int) -> None:
        """Issue in the name of `signer`, in use since `since_ms`, from now on."""
        self._signer = signer
        self._since_ms = since_ms

    def follow(self, origin: str) -> None:
        """Issue for the log `origin` from now on."""
        self.origin = origin

    def issue(
        self,
        claim: Claim,
        *,
        tenant: TenantId | None,
        ident: ReceiptId | None = None,
        contents: Mapping[str, bytes] = NO_CONTENTS,
        effects: Sequence[Effect] = (),
        idempotency: Idempotency | None = None,
    ) -> PendingEntry:
        """Return the entry that claims `claim` now and commits to each of `contents` under fresh salt.

        `ident` is given when the same entry may be issued again after a crash (an outbox row): it is then
        recorded once. The names of `contents` are ours, never a caller's.
        Raises: ValueError for text with a lone surrogate.
        """
        moment = max(self._clock.now_ms(), self._since_ms)
        self.latest_ms = max(self.latest_ms, moment)
        named = ReceiptId(self._ids.ulid(PREFIX)) if ident is None else ident
        parts = self._salted(contents)
        receipt = Receipt(
            claim=claim,
            commitments=tuple([commit(part.name, part.salt, part.content) for part in parts]),
            format=FORMAT,
            id=named,
            issued_at=rfc3339(moment),
            issued_ms=moment,
            kid=self._signer.kid,
            kind=KINDS[type(claim)],
            log=self.origin,
            tenant="" if tenant is None else tenant,
        )
        agent, outcome, earlier, policies = _listed(claim)
        return PendingEntry(
            id=named,
            log=self.origin,
            tenant=tenant,
            kind=receipt.kind,
            issued_ms=moment,
            agent=agent,
            outcome=outcome,
            outcome_of=earlier,
            policies=policies,
            receipt=encode(receipt),
            parts=parts,
            effects=tuple(effects),
            idempotency=idempotency,
        )

    def signed(self, entry: PendingEntry) -> PendingEntry:
        """Return `entry` with the receipt's own signature, for a contract that promises one."""
        return msgspec.structs.replace(entry, signature=self._signer.sign(entry.receipt))

    def _salted(self, contents: Mapping[str, bytes]) -> tuple[Part, ...]:
        if not contents:
            return ()
        salts = self._random(SALT_BYTES * len(contents))
        return tuple(
            [
                Part(name=name, salt=salts[at : at + SALT_BYTES], content=content)
                for at, (name, content) in zip(
                    range(0, len(salts), SALT_BYTES), sorted(contents.items()), strict=True
                )
            ]
        )


def key_changed(public: bytes, change: str, at_ms: int) -> KeyClaim:
    """Return the claim that the key `public` was `activated`, `retired` or `revoked` at `at_ms`."""
    return KeyClaim(at_ms=at_ms, change=change, key=thumbprint(public), x=to_base64url(public))


def cross_anchor(origin: str, latest: Sequence[StoredCheckpoint]) -> CrossAnchorClaim | None:
    """Return the claim by which the log `origin` keeps the `latest` checkpoints of the others, if any."""
    others = tuple(held.note.decode() for held in latest if held.origin != origin)
    return CrossAnchorClaim(checkpoints=others) if others else None


def _listed(claim: Claim) -> tuple[AgentId | None, str | None, ReceiptId | None, tuple[PolicyId, ...]]:
    """Return the agent, the outcome, the decision whose outcome it is, and the policies of a receipt."""
    if isinstance(claim, DecisionClaim):
        agent = AgentId(claim.agent) if claim.agent else None
        earlier = ReceiptId(claim.outcome_of) if claim.outcome_of else None
        return agent, claim.outcome, earlier, tuple([PolicyId(policy.id) for policy in claim.policies])
    if isinstance(claim, OutcomeClaim):
        return AgentId(claim.agent) if claim.agent else None, claim.status, ReceiptId(claim.outcome_of), ()
    return None, None, None, ()
