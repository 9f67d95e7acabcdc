"""Checkpoints: the signed size and root of a log, in the two formats that transparency tools read.

The text is a C2SP tlog-checkpoint; the signatures around it are a C2SP signed note with Ed25519 (key type 1):

    host/group/writer            origin, also the name of the key
    1042                         how many leaves
    base64 of the root
                                 (an empty line)
    — host/group/writer base64(key id ‖ signature)

Several signature lines may stand there (a key change, a witness); lines of unknown keys are passed over.
"""

import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bylaw.core.errors import InvalidInput
from bylaw.receipts.log import HASH_BYTES
from bylaw.receipts.reading import from_base64, malformed, to_base64
from bylaw.receipts.signing import KeySet, PublicKey, Signer

MAX_NOTE_BYTES = 64 * 1024
MAX_SIGNATURES = 64
MAX_SIZE = 2**53 - 1
KEY_ID_BYTES = 4
_ED25519 = b"\x01"
_ORIGIN = re.compile(r"[a-z0-9][a-z0-9.:-]*(/[A-Za-z0-9][A-Za-z0-9._-]*){1,8}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f]")
_MARK = "— "
_NOTES = re.compile(rf"[\s\S]+?\n\n(?:{_MARK}.*\n)+|[\s\S]+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkpoint:
    """What is signed: the log's name, how many leaves it had, their root, and any extension lines."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def text(self) -> str:
        """Return the note text, the exact characters that are signed."""
        root = to_base64(self.root)
        return "".join(f"{line}\n" for line in (self.origin, self.size, root, *self.extensions))


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteSignature:
    """One signature line: whose it says it is, the 4-byte key id, and the signature."""

    name: str
    key_id: bytes
    signature: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCheckpoint:
    """A checkpoint with its signature lines, as read; nothing is checked until `signers`."""

    checkpoint: Checkpoint
    signatures: tuple[NoteSignature, ...]

    def signed_by(self, keys: KeySet) -> tuple[PublicKey, ...]:
        """Return the keys of `keys` that signed this checkpoint in the log's own name.

        Raises: InvalidInput when a line claims a known key and its signature is wrong: such a note is no
        good.
        """
        origin = self.checkpoint.origin
        message = self.checkpoint.text().encode()
        found = []
        for key in keys.keys:
            expected = key_id(origin, key.raw)
            for line in self.signatures:
                if line.name != origin or line.key_id != expected:
                    continue
                if not key.verifies(message, line.signature):
                    raise InvalidInput(f"The checkpoint's signature by key {key.kid} is wrong.")
                found.append(key)
                break
        return tuple(found)


def origin(host: str, group: str, writer: str) -> str:
    """Return the name of a writer's log, `host/group/writer`.

    Raises: InvalidInput when a part holds a character that a note's key name cannot carry.
    """
    named = f"{host}/{group}/{writer}"
    if not is_origin(named):
        raise InvalidInput(f"{named!r} cannot name a log: use letters, digits, dots, dashes and underscores.")
    return named


def is_origin(text: str) -> bool:
    """Return whether `text` can name a log."""
    return len(text) <= 255 and _ORIGIN.fullmatch(text) is not None


def key_id(name: str, public: bytes) -> bytes:
    """Return the 4 bytes by which a signed note names the Ed25519 key `public` under `name`."""
    return hashlib.sha256(name.encode() + b"\n" + _ED25519 + public).digest()[:KEY_ID_BYTES]


def verifier_key(name: str, public: bytes) -> str:
    """Return the key as note tools take it: `name+hexadecimal id+base64(1 ‖ key)`."""
    return f"{name}+{key_id(name, public).hex()}+{to_base64(_ED25519 + public)}"


def sign(checkpoint: Checkpoint, signers: Iterable[Signer]) -> bytes:
    """Return the signed note of `checkpoint`, with one line for each of `signers`."""
    text = checkpoint.text()
    message = text.encode()
    lines = [
        f"{_MARK}{checkpoint.origin} {_line(checkpoint.origin, signer, message)}\n" for signer in signers
    ]
    return f"{text}\n{''.join(lines)}".encode()


def parse(note: bytes) -> SignedCheckpoint:
    """Return the checkpoint that `note` is.

    1. UTF-8 without control characters, of bounded size.  2. Text, an empty line, signature lines.
    3. Origin, size without leading zeros, root in its one base64 spelling; further lines are extensions.
    4. Signature lines: mark, name, base64 of at least a key id.
    Raises: InvalidInput otherwise.  Source: C2SP signed-note and tlog-checkpoint.
    """
    try:
        return _parsed(note)
    except ValueError as error:
        raise malformed("signed checkpoint", error) from error


def parse_all(notes: bytes) -> tuple[SignedCheckpoint, ...]:
    """Return the checkpoints of a file that holds signed notes one after the other, as kept checkpoints are.

    Raises: InvalidInput when one is malformed.
    """
    found = _NOTES.findall(notes.decode("utf-8", "replace"))
    return tuple(parse(note.lstrip("\n").encode()) for note in found if note.strip("\n"))


def _parsed(note: bytes) -> SignedCheckpoint:
    text, signatures = _split(note)
    lines = text.split("\n")[:-1]
    if len(lines) < 3 or not all(lines):
        raise ValueError("it has fewer than three lines, or an empty one")
    named, size, root = lines[:3]
    if not is_origin(named) or not re.fullmatch(r"0|[1-9][0-9]{0,15}", size) or int(size) > MAX_SIZE:  # 3
        raise ValueError("its first lines are not an origin and a size")
    hashed = from_base64(root)
    if len(hashed) != HASH_BYTES:
        raise ValueError(f"its root is not {HASH_BYTES} bytes")
    checkpoint = Checkpoint(origin=named, size=int(size), root=hashed, extensions=tuple(lines[3:]))
    return SignedCheckpoint(checkpoint=checkpoint, signatures=tuple(map(_signature, signatures)))


def _split(note: bytes) -> tuple[str, Sequence[str]]:
    if len(note) > MAX_NOTE_BYTES:  # 1
        raise ValueError(f"it has more than {MAX_NOTE_BYTES} bytes")
    whole = note.decode("utf-8")
    if _CONTROL.search(whole):
        raise ValueError("it holds control characters")
    text, gap, rest = whole.rpartition("\n\n")  # 2
    if not gap or not rest.endswith("\n"):
        raise ValueError("no signature lines follow an empty line")
    signatures = rest[:-1].split("\n")
    if len(signatures) > MAX_SIGNATURES:
        raise ValueError(f"it has more than {MAX_SIGNATURES} signatures")
    return text + "\n", signatures


def _signature(line: str) -> NoteSignature:
    name, _, encoded = line.removeprefix(_MARK).partition(" ")
    if not line.startswith(_MARK) or not name or "+" in name or any(map(str.isspace, name)):  # 4
        raise ValueError("a signature line has no mark or no key name")
    data = from_base64(encoded)
    if len(data) <= KEY_ID_BYTES:
        raise ValueError("a signature line is too short")
    return NoteSignature(name=name, key_id=data[:KEY_ID_BYTES], signature=data[KEY_ID_BYTES:])


def _line(name: str, signer: Signer, message: bytes) -> str:
    return to_base64(key_id(name, signer.public) + signer.sign(message))
