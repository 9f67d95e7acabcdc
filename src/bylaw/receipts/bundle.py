"""A bundle: one file that proves one receipt without asking anybody.

It is a JSON object. Receipt, checkpoint and policy texts are strings that hold their exact bytes; hashes,
salts and contents are base64. `docs/reference/receipt-format.md` describes each member.
"""

from collections.abc import Sequence

import msgspec

from bylaw.receipts import proof
from bylaw.receipts.model import Count
from bylaw.receipts.ports import Part, StoredCheckpoint, StoredReceipt
from bylaw.receipts.reading import malformed, require_format, require_unique_names, to_base64
from bylaw.receipts.signing import KeySet

FORMAT = "bylaw.bundle/1"
SIGNATURE_PREFIX = "ed25519:"
MAX_BUNDLE_BYTES = 16 << 20
MAX_HASHES = 64
MAX_LISTED = 256


class _Member(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A part of a bundle: an unknown member is refused."""


class Inclusion(_Member, frozen=True, kw_only=True):
    """The proof that the receipt is leaf `index` under the bundle's checkpoint."""

    hashes: tuple[str, ...]
    index: Count


class Consistency(_Member, frozen=True, kw_only=True):
    """The proof that the tree of `size` leaves begins with that of `old_size`, a kept checkpoint."""

    hashes: tuple[str, ...]
    old_size: Count
    size: Count


class PolicyText(_Member, frozen=True, kw_only=True):
    """A policy version; `content` is its canonical JSON, whose SHA-256 is the digest in the receipt."""

    content: str
    id: str
    version: Count


class Disclosed(_Member, frozen=True, kw_only=True):
    """A body part that the bundle discloses, with the salt of its commitment."""

    content: str
    name: str
    salt: str


class Bundle(_Member, frozen=True, kw_only=True):
    """A bundle as read: well-formed, of a known format, and nothing in it believed yet."""

    checkpoint: str
    consistency: Consistency | None = None
    format: str
    inclusion: Inclusion
    keys: msgspec.Raw = msgspec.Raw(b'{"keys":[]}')
    parts: tuple[Disclosed, ...] = ()
    policies: tuple[PolicyText, ...] = ()
    receipt: str
    signature: str = ""


def assemble(
    stored: StoredReceipt,
    held: StoredCheckpoint,
    tiles: proof.Tiles,
    *,
    keys: KeySet,
    policies: Sequence[PolicyText] = (),
    parts: Sequence[Part] = (),
) -> Bundle:
    """Return the bundle of `stored` under the checkpoint `held`, disclosing `parts`.

    `tiles` holds what `proof.tiles_of_inclusion(stored.index, held.size)` names.
    Raises: Corrupt when a tile is absent.
    """
    return Bundle(
        checkpoint=held.note.decode(),
        format=FORMAT,
        inclusion=Inclusion(
            hashes=tuple(map(to_base64, proof.inclusion(stored.index, held.size, tiles))), index=stored.index
        ),
        keys=msgspec.Raw(keys.jwks()),
        parts=tuple(
            Disclosed(content=to_base64(part.content), name=part.name, salt=to_base64(part.salt))
            for part in parts
        ),
        policies=tuple(policies),
        receipt=stored.receipt.decode(),
        signature="" if stored.signature is None else SIGNATURE_PREFIX + to_base64(stored.signature),
    )


def with_consistency(bundle: Bundle, old_size: int, size: int, tiles: proof.Tiles) -> Bundle:
    """Return `bundle` with the proof that ties its checkpoint to one of the other size.

    `tiles` holds what `proof.tiles_of_consistency(old_size, size)` names.
    """
    hashes = tuple(map(to_base64, proof.consistency(old_size, size, tiles)))
    return msgspec.structs.replace(
        bundle, consistency=Consistency(hashes=hashes, old_size=old_size, size=size)
    )


def write(bundle: Bundle) -> bytes:
    """Return `bundle` as a file, indented for people."""
    return msgspec.json.format(msgspec.json.encode(bundle), indent=1) + b"\n"


def read(data: bytes) -> Bundle:
    """Return the bundle that the file `data` holds, of bounded size and known format.

    Raises: InvalidInput whose problem has the code `unknown_format` (refuse) or `malformed`.
    """
    try:
        return _read(data)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise malformed("bundle", error) from error


def _read(data: bytes) -> Bundle:
    if len(data) > MAX_BUNDLE_BYTES:
        raise ValueError(f"more than {MAX_BUNDLE_BYTES} bytes")
    require_format("bundle", FORMAT, data)
    require_unique_names(data)
    bundle = msgspec.json.decode(data, type=Bundle)
    hashes = [bundle.inclusion.hashes, () if bundle.consistency is None else bundle.consistency.hashes]
    if max(map(len, hashes)) > MAX_HASHES or max(len(bundle.parts), len(bundle.policies)) > MAX_LISTED:
        raise ValueError("too many hashes, parts or policies")
    return bundle
