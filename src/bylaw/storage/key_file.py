"""The file of one server's signing keys: the private half of the active one, and the published set.

Only its owner may read it (mode 0600); a file that others can read is refused. It is replaced as a whole: a
crash leaves the old one or the new one. Between reading and replacing it a process holds its lock, so several
may share it.
"""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bylaw.core.clock import Clock
from bylaw.core.errors import Conflict, Corrupt, Unavailable
from bylaw.receipts.signing import Signer, key_set
from bylaw.receipts.signing_keys import SigningKeys


@dataclass(frozen=True, slots=True)
class KeyFile:
    """The file at `path`."""

    path: Path

    def load_or_create(self, clock: Clock) -> SigningKeys:
        """Return the keys; make a first one when there is no file.

        Raises: as `load`; Unavailable where no file can be.
        """
        try:
            with self.locked():
                if self.path.exists():
                    return self.load()
                made = SigningKeys.first(clock.now_ms())
                self.store(made)
                return made
        except OSError as error:
            message = f"{self.path} (--key-file, BYLAW_KEY_FILE) cannot be the file of the signing keys"
            raise Unavailable(f"{message}: {error.strerror}.") from error

    def load(self) -> SigningKeys:
        """Return the keys.

        Raises: Conflict when it is no file, or others may read it; Corrupt when it is not what was written,
        or not there.
        """
        try:
            found = self.path.stat()
        except FileNotFoundError as error:
            raise Corrupt(f"The signing keys are gone from {self.path}.", place=str(self.path)) from error
        if not stat.S_ISREG(found.st_mode):
            message = f"{self.path} is not a file: move it away, or name another with --key-file."
            raise Conflict(message, reason="key_file_is_no_file")
        if found.st_mode & 0o077:
            raise Conflict(
                f"Others may read the signing keys in {self.path}: make it private with `chmod 600`, and"
                " rotate the key if somebody might have read it.",
                reason="key_file_is_public",
            )
        return _read(self.path)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other processes from replacing the file meanwhile; hold it only to read and store."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        beside = self.path.with_name(f"{self.path.name}.lock")
        descriptor = os.open(beside, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)

    def store(self, keys: SigningKeys) -> None:
        """Replace the file by one with `keys`, durably; inside `locked`, unless nobody shares it."""
        stored = _Stored(
            signing_key=keys.signer.pem().decode(),
            outgoing_key="" if keys.outgoing is None else keys.outgoing.pem().decode(),
            published=msgspec.Raw(keys.published.jwks()),
        )
        beside = self.path.with_name(f"{self.path.name}.new")
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            file.write(msgspec.json.format(msgspec.json.encode(stored), indent=1) + b"\n")
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self.path)
        folder = os.open(self.path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


class _Stored(msgspec.Struct, kw_only=True, omit_defaults=True):
    signing_key: str
    outgoing_key: str = ""
    published: msgspec.Raw


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
