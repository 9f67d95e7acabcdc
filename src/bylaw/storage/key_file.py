"""The file of one server's signing keys: the private half of the active one, and the published set.

Only its owner may read it (mode 0600); a file that others can read is refused. It is replaced as a whole: a
crash leaves the old one or the new one. Between reading and replacing it a process holds its lock, so several
may share it.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from bylaw.core.clock import Clock
from bylaw.core.errors import Conflict, Corrupt
from bylaw.receipts.signing import KeySet, Signer, key_set


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKeys:
    """The key that signs, and every key that ever did with its standing.

    While `signer` takes over, `outgoing` is the key before it: a log's next checkpoint is signed by both.
    """

    signer: Signer
    published: KeySet
    outgoing: Signer | None = None

    @property
    def in_use(self) -> Signer:
        """Return the key that signed last."""
        return self.signer if self.outgoing is None else self.outgoing


class _Stored(msgspec.Struct, kw_only=True, omit_defaults=True):
    signing_key: str
    outgoing_key: str = ""
    published: msgspec.Raw


def load_or_create(path: Path, clock: Clock) -> SigningKeys:
    """Return the keys in `path`; make a first one when there is no file.

    Raises: Conflict when others may read it; Corrupt when it is not what was written.
    """
    with locked(path):
        if path.exists():
            return load(path)
        signer = Signer.generate()
        made = SigningKeys(signer=signer, published=KeySet().with_active(signer.public, clock.now_ms()))
        store(path, made)
        return made


def load(path: Path) -> SigningKeys:
    """Return the keys in `path`.

    Raises: Conflict when others may read it; Corrupt when it is not what was written, or not there.
    """
    try:
        found = path.stat()
    except FileNotFoundError as error:
        raise Corrupt(f"The signing keys are gone from {path}.", place=str(path)) from error
    if found.st_mode & 0o077:
        raise Conflict(
            f"Others may read the signing keys in {path}: make it private with `chmod 600`, and rotate the"
            " key if somebody might have read it.",
            reason="key_file_is_public",
        )
    return _read(path)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other processes from replacing the file meanwhile; hold it only to read and store."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path.with_name(f"{path.name}.lock"), os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def store(path: Path, keys: SigningKeys) -> None:
    """Replace the file by one with `keys`, durably; under `locked`, unless nobody shares it."""
    stored = _Stored(
        signing_key=keys.signer.pem().decode(),
        outgoing_key="" if keys.outgoing is None else keys.outgoing.pem().decode(),
        published=msgspec.Raw(keys.published.jwks()),
    )
    beside = path.with_name(f"{path.name}.new")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(msgspec.json.format(msgspec.json.encode(stored), indent=1) + b"\n")
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def rotated(keys: SigningKeys, clock: Clock) -> SigningKeys:
    """Return the keys with a new one that takes over; the old one is retired and stays good."""
    signer, now = Signer.generate(), clock.now_ms()
    published = keys.published.with_retired(keys.signer.kid, now).with_active(signer.public, now)
    return SigningKeys(signer=signer, published=published, outgoing=keys.signer)


def revoked(keys: SigningKeys, kid: str, at_ms: int) -> SigningKeys:
    """Return the keys with one of them revoked from `at_ms` on."""
    return replace(keys, published=keys.published.with_revoked(kid, at_ms))


def settled(keys: SigningKeys) -> SigningKeys:
    """Return the keys after the take-over: the private half of the outgoing one is forgotten."""
    return replace(keys, outgoing=None)


def _read(path: Path) -> SigningKeys:
    try:
        stored = msgspec.json.decode(path.read_bytes(), type=_Stored)
        signer = Signer.from_pem(stored.signing_key.encode())
        outgoing = Signer.from_pem(stored.outgoing_key.encode()) if stored.outgoing_key else None
        published = key_set(bytes(stored.published))
    except (msgspec.MsgspecError, ValueError) as error:
        raise Corrupt(f"The signing keys cannot be read: {error}.", place=str(path)) from error
    if published.get(signer.kid) is None:
        raise Corrupt("The signing key is not in the published set.", place=str(path))
    return SigningKeys(signer=signer, published=published, outgoing=outgoing)
