"""Offline verification of one receipt: numbered steps, each passed, failed or skipped, with the reason.

A bundle:                                           A DSSE export:
1. bundle       a bundle of a known format          1. envelope   a statement about a receipt
2. receipt      canonical, known, self-consistent   2. receipt    canonical, known, self-consistent
3. inclusion    a leaf under the checkpoint         3. signature  a known key signed the statement
4. checkpoint   a known key signed it               4. keys       those keys were good at the time
5. keys         those keys were good at the time    5. trust      the keys came from outside
6. trust        keys or checkpoint from outside
7. signature    the receipt's own, if it has one
8. policies     texts match the digests
9. parts        contents match the commitments

A failed step makes the receipt `invalid`. Without one, `trust` decides: `verified`, or `incomplete` when all
is in order but nobody outside the file vouches for it. A format that this version does not know is `refused`.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from bylaw.core.errors import InvalidInput
from bylaw.receipts import bundle as bundles
from bylaw.receipts import checkpoint as checkpoints
from bylaw.receipts import dsse, model, proof
from bylaw.receipts.bundle import SIGNATURE_PREFIX, Bundle, Consistency
from bylaw.receipts.checkpoint import Checkpoint, SignedCheckpoint
from bylaw.receipts.log import leaf_hash
from bylaw.receipts.model import DecisionClaim, PolicyVersionClaim, Receipt
from bylaw.receipts.reading import from_base64, is_unknown_format
from bylaw.receipts.signing import KeySet, PublicKey, key_set

Result = Literal["pass", "fail", "skipped"]
Status = Literal["verified", "invalid", "incomplete", "refused"]
Found = tuple[Result, str]

BUNDLE_STEPS = (
    "bundle",
    "receipt",
    "inclusion",
    "checkpoint",
    "keys",
    "trust",
    "signature",
    "policies",
    "parts",
)
EXPORT_STEPS = ("envelope", "receipt", "signature", "keys", "trust")


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """What the verifier already believes: keys from elsewhere (or None), and checkpoints kept earlier."""

    keys: KeySet | None = None
    kept: tuple[SignedCheckpoint, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One numbered step: what it came to and why."""

    number: int
    name: str
    result: Result
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What one file came to; `receipt` is None when none could be read."""

    status: Status
    receipt: Receipt | None
    steps: tuple[Step, ...]

    @property
    def trusted(self) -> bool:
        """Whether it is in order and somebody outside the file vouches for it."""
        return self.status == "verified"


def verify(data: bytes, trust: Trust) -> Verification:
    """Return what checking the bundle or DSSE export `data` comes to; no input makes it raise."""
    return _verify_export(data, trust) if b'"payloadType"' in data[:4096] else _verify_bundle(data, trust)


def _verify_bundle(data: bytes, trust: Trust) -> Verification:
    log = _Steps(BUNDLE_STEPS)
    try:
        bundle = bundles.read(data)  # 1
        held = checkpoints.parse(bundle.checkpoint.encode())
        embedded = key_set(bytes(bundle.keys))
        log.add("pass", f"a bundle of format {bundle.format}")
        receipt = model.decode(bundle.receipt.encode())  # 2
        log.add("pass", f"{receipt.kind} {receipt.id}, issued {receipt.issued_at}")
    except InvalidInput as error:
        return log.stopped(error)
    keys = embedded if trust.keys is None else trust.keys
    log.add(*_inclusion(bundle, receipt, held.checkpoint))  # 3
    signed, signers = _signed(held, keys)
    log.add(*signed)  # 4
    result, reason = _standing(receipt, keys, signers)
    ignored = "" if trust.keys is None else "; the bundle's own keys are ignored: not trusted"
    log.add(result, reason + ignored)  # 5
    log.add(*_vouched(trust, held.checkpoint, bundle.consistency))  # 6
    log.add(*_signature(bundle, receipt, keys))  # 7
    log.add(*_policies(bundle, receipt))  # 8
    log.add(*_parts(bundle, receipt))  # 9
    return log.verification(receipt)


def _verify_export(data: bytes, trust: Trust) -> Verification:
    log = _Steps(EXPORT_STEPS)
    try:
        exported = dsse.read(data)  # 1
        log.add("pass", "an in-toto statement in a DSSE envelope")
        receipt = model.decode(exported.receipt)  # 2
        log.add("pass", f"{receipt.kind} {receipt.id}, issued {receipt.issued_at}")
    except InvalidInput as error:
        return log.stopped(error)
    if trust.keys is None:
        log.add("skipped", "no keys were given, and an export carries none")  # 3
        log.add("skipped", "no keys were given")  # 4
        log.add("skipped", "give the issuer's key set to check the signature")  # 5
        return log.verification(receipt)
    signers = tuple(
        key
        for key in trust.keys.keys
        if any(kid == key.kid and key.verifies(exported.signed, sig) for kid, sig in exported.signatures)
    )
    log.add(*_named("the statement", signers))  # 3
    log.add(*_standing(receipt, trust.keys, signers))  # 4
    log.add("pass", "the keys were given from outside the file")  # 5
    return log.verification(receipt)


@dataclass(slots=True)
class _Steps:
    """The steps of one verification as they are found, in the order of their names."""

    names: Sequence[str]
    steps: list[Step] = field(default_factory=list)

    def add(self, result: Result, reason: str) -> None:
        number = len(self.steps)
        self.steps.append(Step(number=number + 1, name=self.names[number], result=result, reason=reason))

    def stopped(self, error: InvalidInput) -> Verification:
        self.add("fail", error.message)
        while len(self.steps) < len(self.names):
            self.add("skipped", "not reached")
        status: Status = "refused" if is_unknown_format(error) else "invalid"
        return Verification(status=status, receipt=None, steps=tuple(self.steps))

    def verification(self, receipt: Receipt) -> Verification:
        trust = next(step.result for step in self.steps if step.name == "trust")
        failed = any(step.result == "fail" for step in self.steps)
        status: Status = "invalid" if failed else "verified" if trust == "pass" else "incomplete"
        return Verification(status=status, receipt=receipt, steps=tuple(self.steps))


def _inclusion(bundle: Bundle, receipt: Receipt, held: Checkpoint) -> Found:
    if receipt.log != held.origin:
        return "fail", f"the receipt is of the log {receipt.log}, the checkpoint of {held.origin}"
    hashes = _hashes(bundle.inclusion.hashes)
    index = bundle.inclusion.index
    if hashes is None:
        return "fail", "the proof holds something that is not a hash"
    leaf = leaf_hash(bundle.receipt.encode())
    if proof.root_by_inclusion(leaf, index, held.size, hashes) != held.root:
        return "fail", f"the receipt is not leaf {index} of {held.origin}"
    return "pass", f"leaf {index} of the {held.size} in {held.origin}"


def _signed(held: SignedCheckpoint, keys: KeySet) -> tuple[Found, tuple[PublicKey, ...]]:
    try:
        signers = held.signed_by(keys)
    except InvalidInput as error:
        return ("fail", error.message), ()
    return _named("the checkpoint", signers), signers


def _named(what: str, signers: Sequence[PublicKey]) -> Found:
    if not signers:
        return "fail", f"no key of the key set signed {what}"
    return "pass", f"{what} is signed by {', '.join(key.kid for key in signers)}"


def _standing(receipt: Receipt, keys: KeySet, signers: Sequence[PublicKey]) -> Found:
    """Check the receipt's key, and those that signed, at the time of issue."""
    named = keys.get(receipt.kid)
    if named is None:
        return "fail", f"the receipt names the key {receipt.kid}, which is not in the key set"
    objection = named.objection(receipt.issued_ms)
    if objection:
        return "fail", objection
    if signers and all(key.revoked_by(receipt.issued_ms) for key in signers):
        return "fail", "every key that signed had been revoked when the receipt was issued"
    if signers and all(key.standing == "revoked" for key in signers):
        return "pass", (
            "issued before its key was revoked, by its own account: "
            "compare with a checkpoint that was kept before the revocation"
        )
    return "pass", f"the key {receipt.kid} was good at {receipt.issued_at}"


def _vouched(trust: Trust, held: Checkpoint, consistency: Consistency | None) -> Found:
    """Return what the kept checkpoints of this log say, and otherwise what the given keys do.

    One that contradicts decides. Of a series that was kept, one that agrees is enough.
    """
    kept = [
        _agrees(each.checkpoint, held, consistency)
        for each in trust.kept
        if each.checkpoint.origin == held.origin
    ]
    for wanted in ("fail", "pass", "skipped"):
        for result, reason in kept:
            if result == wanted:
                return result, reason
    if trust.keys is not None:
        return "pass", "the keys were given from outside the bundle"
    return "skipped", "the keys are the bundle's own: give the issuer's key set or a checkpoint that you kept"


def _agrees(kept: Checkpoint, held: Checkpoint, consistency: Consistency | None) -> Found:
    sizes = f"the kept checkpoint of size {kept.size}"
    if kept.size == held.size:
        if kept.root != held.root:
            return "fail", f"{sizes} has another root: the log showed two histories"
        return "pass", f"{sizes} is the same"
    old, new = sorted([(kept.size, kept.root), (held.size, held.root)])
    if consistency is None or (consistency.old_size, consistency.size) != (old[0], new[0]):
        return "skipped", f"{sizes} cannot be compared: ask for a bundle with a consistency proof to it"
    hashes = _hashes(consistency.hashes)
    if hashes is None or not proof.extends(old, new, hashes):
        return "fail", f"{sizes} does not agree with the bundle's: the log showed two histories"
    return "pass", f"{sizes} agrees"


def _signature(bundle: Bundle, receipt: Receipt, keys: KeySet) -> Found:
    if not bundle.signature:
        return "skipped", "the receipt carries none: the checkpoint is its signature"
    key = keys.get(receipt.kid)
    try:
        signature = from_base64(bundle.signature.removeprefix(SIGNATURE_PREFIX))
    except ValueError:
        return "fail", "the receipt's own signature is not base64"
    prefixed = bundle.signature.startswith(SIGNATURE_PREFIX)
    if key is None or not prefixed or not key.verifies(bundle.receipt.encode(), signature):
        return "fail", "the receipt's own signature is wrong"
    return "pass", f"the receipt itself is signed by {key.kid}"


def _policies(bundle: Bundle, receipt: Receipt) -> Found:
    claim, named = receipt.claim, dict[tuple[str, int], str]()
    if isinstance(claim, DecisionClaim):
        covered = model.effective_rules_digest(claim.policies, claim.extra_rules_digest)
        if covered != claim.effective_rules_digest:
            return "fail", "the digest of the effective rules does not cover the policies that are named"
        named = {(policy.id, policy.version): policy.digest for policy in claim.policies}
    elif isinstance(claim, PolicyVersionClaim):
        named = {(claim.policy.id, claim.policy.version): claim.policy.digest}
    for text in bundle.policies:
        hashed = "sha256:" + hashlib.sha256(text.content.encode()).hexdigest()
        if named.get((text.id, text.version)) != hashed:
            return "fail", f"the text of {text.id} version {text.version} is not what the receipt names"
    shown = len({(text.id, text.version) for text in bundle.policies})
    if not named:
        return "skipped", "the receipt names no policy version"
    if not shown:
        return "skipped", f"the bundle holds no text of the {len(named)} versions that the receipt names"
    return "pass", f"{shown} of {len(named)} policy texts are here and match"


def _parts(bundle: Bundle, receipt: Receipt) -> Found:
    committed = {commitment.name: commitment for commitment in receipt.commitments}
    for part in bundle.parts:
        commitment = committed.pop(part.name, None)
        try:
            salt, content = from_base64(part.salt), from_base64(part.content)
        except ValueError:
            return "fail", f"the part {part.name!r} is not base64"
        if len(salt) != model.SALT_BYTES or commitment != model.commit(part.name, salt, content):
            return "fail", f"the part {part.name!r} is not what the receipt commits to"
    missing = f"not disclosed (withheld or erased): {', '.join(committed)}" if committed else ""
    if not bundle.parts:
        return "skipped", missing or "the receipt commits to none"
    shown = ", ".join(part.name for part in bundle.parts)
    return "pass", f"disclosed: {shown}" + (f"; {missing}" if missing else "")


def _hashes(texts: Sequence[str]) -> list[bytes] | None:
    try:
        return [from_base64(text) for text in texts]
    except ValueError:
        return None
