"""What a receipt says: frozen structures whose encoding is the signed bytes.

Every structure declares its fields in alphabetical order, holds no mapping and no float, and leaves out a
field at its default; so the encoder's plain output is RFC 8785 canonical JSON (ADR-0004). Fields are appended
with a default and never reused; any other change takes a new format name.
"""

import hashlib
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Annotated, Literal

import msgspec
import orjson

from bylaw.core import canonical_json
from bylaw.core.clock import from_rfc3339
from bylaw.receipts.reading import malformed, require_format

FORMAT = "bylaw.receipt/1"
COMMITMENT_ALG = "sha256-salt32"
SALT_BYTES = 32
MAX_RECEIPT_BYTES = 1 << 20

Kind = Literal["decision", "outcome", "policy_version", "approval", "change", "key", "cross_anchor"]
Count = Annotated[int, msgspec.Meta(ge=0, le=canonical_json.MAX_SAFE_INTEGER)]


class _Said(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A part of a receipt; see the module's text for what makes it canonical."""


class RuleResult(_Said, frozen=True, kw_only=True):
    """What one rule came to, and by whose judgement (`basis`: the rule language or an evaluator's id)."""

    basis: str
    code: str = ""
    id: str
    kind: str
    status: str


class Redaction(_Said, frozen=True, kw_only=True):
    """How often something was withheld at a path: a whole `field`, or personal data of a kind."""

    count: Count
    kind: str
    path: str


class AppliedMask(_Said, frozen=True, kw_only=True):
    """What a policy's mask withheld; `code` and `path` say why and where more than it names."""

    code: str = ""
    path: str = ""
    redactions: tuple[Redaction, ...] = ()


class AppliedPolicy(_Said, frozen=True, kw_only=True):
    """One policy version that was applied: which content, why, what it came to, and each rule's result.

    `mask` is there when it withheld something from what was shown.
    `via` is `place`, `bound` or `explicit`; `condition` is `applies` or `undetermined`.
    """

    condition: str = "applies"
    digest: str
    id: str
    mask: AppliedMask | None = None
    outcome: str
    rules: tuple[RuleResult, ...]
    version: Count
    via: str


class EvaluatorUsed(_Said, frozen=True, kw_only=True):
    """An evaluator that judged: its id, and for a model which one and under which prompt."""

    id: str
    model: str = ""
    prompt_digest: str = ""


class Assessment(_Said, frozen=True, kw_only=True):
    """How far a decision may be trusted, where that was asked for.

    Units: `trust` from 0 to 100. Source: docs/reference/assessment.md.
    """

    injection: bool
    risk: str
    sensitive_data: str
    trust: Count


class DecisionClaim(_Said, frozen=True, kw_only=True):
    """The claim of kind `decision`: who asked, what applied, what came out.

    `asked_by` is who was let in to ask (`user:…` or `key:…`) and `key` the API key that they showed; `agent`
    and `user` are what they said. `outcome_of` is the receipt of the earlier decision whose outcome this is
    about, `follows` that of the one on what was asked, to which this is the answer: rules with the code
    `followed` were decided there. `extra_rules` came with the call; `effective_rules_digest` covers them and
    every policy together.
    """

    agent: str
    asked_by: str = ""
    assessment: Assessment | None = None
    compliant: bool
    effective_rules_digest: str
    evaluators: tuple[EvaluatorUsed, ...] = ()
    extra_rules: tuple[RuleResult, ...] = ()
    extra_rules_digest: str = ""
    follows: str = ""
    key: str = ""
    outcome: str
    outcome_of: str = ""
    phase: str
    policies: tuple[AppliedPolicy, ...]
    posture: str
    repo: str = ""
    risk: str = ""
    user: str = ""
    workspace: str = ""


class OutcomeClaim(_Said, frozen=True, kw_only=True):
    """The claim of kind `outcome`: what became of an earlier decision."""

    agent: str
    outcome_of: str
    status: str


class PolicyRef(_Said, frozen=True, kw_only=True):
    """A policy version by id, number and digest."""

    digest: str
    id: str
    version: Count


class PolicyVersionClaim(_Said, frozen=True, kw_only=True):
    """The claim of kind `policy_version`: a version was made, or its standing changed (`change`)."""

    author: str
    change: str
    policy: PolicyRef


class ApprovalClaim(_Said, frozen=True, kw_only=True):
    """The claim of kind `approval`: somebody granted, refused or spent an exact call."""

    approval: str
    approver: str
    call_digest: str
    change: str
    expires_ms: Count = 0
    policies: tuple[PolicyRef, ...] = ()
    receipt: str = ""


class Field(_Said, frozen=True, kw_only=True):
    """What one field is `now` and `was` before, as JSON text; a new thing was nothing."""

    name: str
    now: str
    was: str = ""


class ChangeClaim(_Said, frozen=True, kw_only=True):
    """The claim of kind `change`: an agent, API key, user, repo or workspace (`noun`, `id`) is another now.

    `change` is `created`, `changed`, `deleted` or `revoked`; of what waits for people it is `assigned`,
    `unassigned` or `commented`. Of the noun `log` it is `accepted`: its operator
    goes on although it is not what it was known to be.
    """

    author: str
    change: str
    fields: tuple[Field, ...] = ()
    id: str
    noun: str


class KeyClaim(_Said, frozen=True, kw_only=True):
    """The claim of kind `key`: a signing key (`x`, public) was `activated`, `retired` or `revoked`."""

    at_ms: Count
    change: str
    key: str
    x: str


class CrossAnchorClaim(_Said, frozen=True, kw_only=True):
    """The claim of kind `cross_anchor`: the latest signed checkpoints of other logs, as their exact text."""

    checkpoints: tuple[str, ...]


Claim = (
    DecisionClaim
    | OutcomeClaim
    | PolicyVersionClaim
    | ApprovalClaim
    | ChangeClaim
    | KeyClaim
    | CrossAnchorClaim
)


class Commitment(_Said, frozen=True, kw_only=True):
    """A salted hash of a part that is stored beside the receipt."""

    alg: str
    hash: str
    name: str


class Receipt(_Said, frozen=True, kw_only=True):
    """One receipt. `tenant` is empty for entries about the log itself (keys, cross anchors).

    Units: `issued_ms` in milliseconds since the epoch; `issued_at` is the same moment as RFC 3339.
    """

    claim: Claim
    commitments: tuple[Commitment, ...] = ()
    format: str
    id: str
    issued_at: str
    issued_ms: Count
    kid: str
    kind: Kind
    log: str
    tenant: str = ""


class _Envelope(msgspec.Struct, kw_only=True):
    """The receipt as read: the claim stays raw until the kind says what it is."""

    claim: msgspec.Raw
    format: str
    id: str
    issued_at: str
    issued_ms: Count
    kid: str
    kind: Kind
    log: str
    commitments: tuple[Commitment, ...] = ()
    tenant: str = ""


KINDS: Mapping[type[Claim], Kind] = MappingProxyType(
    {
        DecisionClaim: "decision",
        OutcomeClaim: "outcome",
        PolicyVersionClaim: "policy_version",
        ApprovalClaim: "approval",
        ChangeClaim: "change",
        KeyClaim: "key",
        CrossAnchorClaim: "cross_anchor",
    }
)
_claims: dict[Kind, msgspec.json.Decoder[Claim]] = {
    kind: msgspec.json.Decoder(claim) for claim, kind in KINDS.items()
}
_envelopes = msgspec.json.Decoder(_Envelope)
_encoder = msgspec.json.Encoder()


def encode(receipt: Receipt) -> bytes:
    """Return the bytes that are stored, hashed and signed: RFC 8785 canonical JSON.

    Raises: ValueError for text with a lone surrogate.
    """
    return _encoder.encode(receipt)


def decode(data: bytes) -> Receipt:
    """Return the receipt that `data` is: every field checked, the bytes canonical.

    Raises: InvalidInput whose problem has the code `unknown_format` (a newer writer: refuse) or `malformed`.
    """
    if len(data) > MAX_RECEIPT_BYTES:
        raise malformed("receipt", f"more than {MAX_RECEIPT_BYTES} bytes")
    try:
        require_format("receipt", FORMAT, data)
        read = _envelopes.decode(data)
        receipt = Receipt(
            claim=_claims[read.kind].decode(read.claim),
            commitments=read.commitments,
            format=read.format,
            id=read.id,
            issued_at=read.issued_at,
            issued_ms=read.issued_ms,
            kid=read.kid,
            kind=read.kind,
            log=read.log,
            tenant=read.tenant,
        )
        if encode(receipt) != data:
            _check_newer_fields(data)
        moment = from_rfc3339(read.issued_at)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise malformed("receipt", error) from error
    if moment != read.issued_ms:
        raise malformed("receipt", "issued_at and issued_ms are different moments")
    return receipt


def effective_rules_digest(policies: Iterable[AppliedPolicy], extra_rules_digest: str) -> str:
    """Return the digest over all that was applied: each policy version, in order, and the extra rules.

    `extra_rules_digest` is empty when the call brought none.
    """
    versions: list[canonical_json.Json] = [
        {"digest": each.digest, "id": each.id, "version": each.version} for each in policies
    ]
    return canonical_json.digest({"extra_rules_digest": extra_rules_digest, "policies": versions})


def commit(name: str, salt: bytes, content: bytes) -> Commitment:
    """Return the commitment to `content`: SHA-256 of the 32 bytes of `salt`, then the content."""
    return Commitment(
        alg=COMMITMENT_ALG, hash="sha256:" + hashlib.sha256(salt + content).hexdigest(), name=name
    )


def _check_newer_fields(data: bytes) -> None:
    """Return nothing if `data`, which says more than this version knows, is canonical all the same."""
    value = orjson.loads(data)
    canonical_json.check_profile(value)
    if canonical_json.canonical(value) != data:
        raise ValueError("the bytes are not canonical JSON")
