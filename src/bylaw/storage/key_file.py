"""The file of one server's signing keys: the private half of the active one, and the published set.

It is a `PrivateFile`, so several processes may share it.
"""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from bylaw.core.clock import Clock
from bylaw.core.errors import Corrupt, Unavailable
from bylaw.receipts.signing import Signer, key_set
from bylaw.receipts.signing_keys import SigningKeys
from bylaw.storage.private_file import PrivateFile


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
        return _read(self._file.read(), self.path)

    def locked(self) -> AbstractContextManager[None]:
        """Return a block in which no other process replaces the file; only to read and store."""
        return self._file.locked()

    def store(self, keys: SigningKeys) -> None:
        """Replace the file by one with `keys`, durably; inside `locked`, unless nobody shares it."""
        stored = _Stored(
            signing_key=keys.signer.pem().decode(),
            outgoing_key="" if keys.outgoing is None else keys.outgoing.pem().decode(),
            published=msgspec.Raw(keys.published.jwks()),
        )
        self._file.replace(msgspec.json.format(msgspec.json.encode(stored), indent=1))

    @property
    def _file(self) -> PrivateFile:
        return PrivateFile(self.path, holds="signing keys", option="--key-file")


class _Stored(msgspec.Struct, kw_only=True, omit_defaults=True):
    signing_key: str
    outgoing_key: str = ""
    published: msgspec.Raw


def _read(content: bytes, path: Path) -> SigningKeys:
    try:
        stored = msgspec.json.decode(content, type=_Stored)
        signer = Signer.from_pem(stored.signing_key.encode())
        outgoing = Signer.from_pem(stored.outgoing_key.encode()) if stored.outgoing_key else None
        published = key_set(bytes(stored.published))
    except (msgspec.MsgspecError, ValueError) as error:
        raise Corrupt(f"The signing keys cannot be read: {error}.", place=str(path)) from error
    if published.get(signer.kid) is None:
        raise Corrupt("The signing key is not in the published set.", place=str(path))
    return SigningKeys(signer=signer, published=published, outgoing=outgoing)
