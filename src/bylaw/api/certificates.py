"""A decision's receipt as a certificate: in few words, for whoever branches on them.

Every figure and hash is a view of what the receipt signs. `execution_hash` and `evaluation_hash` are its
salted commitments to the parts `request` and `decision`: `sha256:` and the SHA-256 of the salt and the stored
bytes.
"""

from collections.abc import Mapping, Sequence
from typing import Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from bylaw.api.receipts import DECISION_PART, REQUEST_PART
from bylaw.policies.outcomes import RANK
from bylaw.receipts.bundle import SIGNATURE_PREFIX
from bylaw.receipts.model import AppliedPolicy, DecisionClaim, Receipt
from bylaw.receipts.reading import to_base64

AnchorStatus = Literal["pending", "anchored", "failed"]
Verdict = Literal["approve", "review", "reject"]

_VERDICTS: Final[Mapping[str, Verdict]] = {
    "allow": "approve",
    "flag": "approve",
    "review": "review",
    "block": "reject",
}
_SENTENCES: Final[Mapping[Verdict, str]] = {
    "approve": "Approved.",
    "review": "A person has to look at it.",
    "reject": "Rejected.",
}
_VIA: Final = {"explicit": 2, "bound": 1}
_STRICTNESS: Final[Mapping[str, int]] = dict(RANK.items())
NO_EVALUATOR: Final = "deterministic"


class CertifiedPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A policy version that applied; `via`: it governs the place, is bound to the agent, or was named."""

    id: str
    version: int
    digest: str
    via: str
    outcome: str


class CertifyingEvaluator(msgspec.Struct, frozen=True, kw_only=True):
    """Who judged rules in words: what it said is what it said, and no proof that it is true."""

    id: str
    model: str
    prompt_digest: str


class AnchorView(msgspec.Struct, frozen=True, kw_only=True):
    """Where the receipt is anchored: in this server's own log, which is no independent evidence."""

    type: Literal["local_log"] = "local_log"
    independent: Literal[False] = False
    log: str
    index: int | None
    status: AnchorStatus


class CertificateView(msgspec.Struct, frozen=True, kw_only=True):
    """A decision's receipt as a certificate.

    What is null was not assessed (`trust_score`, `risk_level` and what goes with them), did not apply, or has
    no receipt (a dry run). `policy_id` and what goes with it are of the policy that was named, else the bound
    one, else the strictest that applied: `policies` are all. `evaluator_model` judged rules in words, by what
    `evaluator` says. `sequence` is the leaf of the log.
    """

    receipt_id: str | UnsetType | None = UNSET
    trust_score: int | UnsetType | None = UNSET
    risk_level: str | UnsetType | None = UNSET
    policy_compliant: bool | UnsetType = UNSET
    prompt_injection_detected: bool | UnsetType | None = UNSET
    sensitive_data_risk: str | UnsetType | None = UNSET
    summary: str | UnsetType | None = UNSET
    evaluator_model: str | UnsetType = UNSET
    policy_version: str | UnsetType = UNSET
    execution_hash: str | UnsetType | None = UNSET
    evaluation_hash: str | UnsetType | None = UNSET
    signature: str | UnsetType | None = UNSET
    anchor_status: AnchorStatus | UnsetType | None = UNSET
    verify_url: str | UnsetType | None = UNSET
    decision: Verdict | UnsetType = UNSET
    outcome: str | UnsetType = UNSET
    posture: str | UnsetType = UNSET
    policy_id: str | UnsetType | None = UNSET
    policy_digest: str | UnsetType | None = UNSET
    policies: tuple[CertifiedPolicy, ...] | UnsetType = UNSET
    effective_rules_digest: str | UnsetType = UNSET
    agent_id: str | UnsetType = UNSET
    created_at: str | UnsetType | None = UNSET
    kid: str | UnsetType | None = UNSET
    sequence: int | UnsetType | None = UNSET
    evaluator: CertifyingEvaluator | UnsetType | None = UNSET
    anchor: AnchorView | UnsetType | None = UNSET


def of_claim(claim: DecisionClaim, reasons: Sequence[str] | None) -> CertificateView:
    """Return what a certificate says of a decision alone; `reasons` are None where its body is not read."""
    assessed, policy = claim.assessment, _foremost(claim.policies)
    judge = claim.evaluators[-1] if claim.evaluators else None
    verdict = _VERDICTS[claim.outcome]
    return CertificateView(
        receipt_id=None,
        trust_score=None if assessed is None else assessed.trust,
        risk_level=None if assessed is None else assessed.risk,
        policy_compliant=claim.compliant,
        prompt_injection_detected=None if assessed is None else assessed.injection,
        sensitive_data_risk=None if assessed is None else assessed.sensitive_data,
        summary=None if reasons is None else _summary(claim, verdict, reasons),
        evaluator_model=NO_EVALUATOR if judge is None else judge.model or judge.id,
        policy_version="" if policy is None else str(policy.version),
        execution_hash=None,
        evaluation_hash=None,
        signature=None,
        anchor_status=None,
        verify_url=None,
        decision=verdict,
        outcome=claim.outcome,
        posture=claim.posture,
        policy_id=None if policy is None else policy.id,
        policy_digest=None if policy is None else policy.digest,
        policies=tuple(
            CertifiedPolicy(
                id=each.id, version=each.version, digest=each.digest, via=each.via, outcome=each.outcome
            )
            for each in claim.policies
        ),
        effective_rules_digest=claim.effective_rules_digest,
        agent_id=claim.agent,
        created_at=None,
        kid=None,
        sequence=None,
        evaluator=None if judge is None else CertifyingEvaluator(**msgspec.structs.asdict(judge)),
        anchor=None,
    )


def of_receipt(
    receipt: Receipt,
    signature: bytes | None,
    *,
    anchor: AnchorView,
    verify_url: str,
    reasons: Sequence[str] | None,
) -> CertificateView:
    """Return a receipt as a certificate; one that is of no decision has only what every receipt has."""
    if isinstance(receipt.claim, DecisionClaim):
        said = of_claim(receipt.claim, reasons)
        hashes = {each.name: each.hash for each in receipt.commitments}
        said = msgspec.structs.replace(
            said,
            execution_hash=hashes.get(REQUEST_PART),
            evaluation_hash=hashes.get(DECISION_PART),
        )
    else:
        said = CertificateView()
    return msgspec.structs.replace(
        said,
        receipt_id=receipt.id,
        signature=None if signature is None else SIGNATURE_PREFIX + to_base64(signature),
        anchor_status=anchor.status,
        verify_url=verify_url,
        created_at=receipt.issued_at,
        kid=receipt.kid,
        sequence=anchor.index,
        anchor=anchor,
    )


def _foremost(policies: Sequence[AppliedPolicy]) -> AppliedPolicy | None:
    """Return the policy that was named, else the bound one, else the strictest; the first of several."""
    return max(policies, key=lambda each: (_VIA.get(each.via, 0), _STRICTNESS[each.outcome]), default=None)


def _summary(claim: DecisionClaim, verdict: Verdict, reasons: Sequence[str]) -> str:
    """Return the decision and why, in sentences."""
    said = [_SENTENCES[verdict], *reasons]
    if claim.assessment is not None:
        if claim.assessment.injection:
            said.append("The request holds a prompt injection.")
        if claim.assessment.sensitive_data != "low":
            said.append(f"It holds sensitive data ({claim.assessment.sensitive_data}).")
    return " ".join(said)
