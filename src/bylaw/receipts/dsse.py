"""One receipt as a DSSE envelope around an in-toto Statement, for tools that know those and not our log.

The statement's subject is the receipt by id and SHA-256; its predicate is the receipt, byte for byte.
"""

import hashlib

import msgspec
import orjson

from bylaw.receipts.reading import from_base64, malformed, to_base64
from bylaw.receipts.signing import Signer

PAYLOAD_TYPE = "application/vnd.in-toto+json"
STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "urn:bylaw:receipt:1"
MAX_ENVELOPE_BYTES = 2 << 20


class Signature(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A signature of an envelope and the `kid` that is said to have made it; `sig` is base64."""

    keyid: str
    sig: str


class Envelope(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A DSSE envelope as it is read; `payload` is base64."""

    payload: str
    payloadType: str  # noqa: N815 -- the name that DSSE gives it
    signatures: list[Signature]


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """What an envelope holds: the receipt's bytes, what was signed, and (kid, signature) pairs."""

    receipt: bytes
    signed: bytes
    signatures: tuple[tuple[str, bytes], ...]


class _Subject(msgspec.Struct):
    name: str
    digest: dict[str, str]


class _Statement(msgspec.Struct, rename={"kind": "_type", "predicate_type": "predicateType"}):
    kind: str
    predicate: msgspec.Raw
    predicate_type: str
    subject: list[_Subject]


def export(ident: str, receipt: bytes, signer: Signer) -> bytes:
    """Return the envelope of the receipt `ident`, signed now by `signer`."""
    subject = {"name": ident, "digest": {"sha256": hashlib.sha256(receipt).hexdigest()}}
    payload = orjson.dumps(
        {
            "_type": STATEMENT_TYPE,
            "predicate": orjson.Fragment(receipt),
            "predicateType": PREDICATE_TYPE,
            "subject": [subject],
        }
    )
    signature = {"keyid": signer.kid, "sig": to_base64(signer.sign(pre_authenticated(payload)))}
    return orjson.dumps(
        {"payload": to_base64(payload), "payloadType": PAYLOAD_TYPE, "signatures": [signature]}
    )


def read(data: bytes) -> Exported:
    """Return what the envelope `data` holds; its signatures are not checked here.

    1. A DSSE envelope of an in-toto Statement v1 about a receipt.  2. The subject's digest is that of the
    predicate.
    Raises: InvalidInput otherwise.
    """
    try:
        return _read(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise malformed("signed receipt", error) from error


def pre_authenticated(payload: bytes) -> bytes:
    """Return the bytes that DSSE signs for `payload` (its PAE, version 1)."""
    kind = PAYLOAD_TYPE.encode()
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def _read(data: bytes) -> Exported:
    if len(data) > MAX_ENVELOPE_BYTES:
        raise ValueError(f"more than {MAX_ENVELOPE_BYTES} bytes")
    envelope = msgspec.json.decode(data, type=Envelope)  # 1
    payload = from_base64(envelope.payload)
    statement = msgspec.json.decode(payload, type=_Statement)
    signatures = tuple((each.keyid, from_base64(each.sig)) for each in envelope.signatures)
    kinds = (envelope.payloadType, statement.kind, statement.predicate_type)
    if kinds != (PAYLOAD_TYPE, STATEMENT_TYPE, PREDICATE_TYPE):
        raise ValueError("not a statement about a receipt")
    receipt = bytes(statement.predicate)
    digests = [subject.digest.get("sha256") for subject in statement.subject]
    if digests != [hashlib.sha256(receipt).hexdigest()]:  # 2
        raise ValueError("the subject is another receipt than the predicate")
    return Exported(receipt=receipt, signed=pre_authenticated(payload), signatures=signatures)
