"""The file of the keys under which secrets are sealed; it lies beside the signing keys, under the same rules.

Without it sealed secrets are lost, so it belongs into the backup, apart from the database.
"""

import base64
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from bylaw.core.errors import Corrupt, Unavailable
from bylaw.storage.private_file import PrivateFile
from bylaw.tenancy.sealing import SecretKeys, sealed_under


class _Stored(msgspec.Struct, kw_only=True):
    active: str
    keys: dict[str, str]


@dataclass(slots=True)
class SecretFile:
    """The file at `path`, made when something is first sealed; a `Sealer`."""

    path: Path
    _known: SecretKeys | None = field(default=None, init=False)

    def seal(self, plain: bytes, *owner: str) -> str:
        """Return `plain` sealed for its owner. Raises: Conflict, Corrupt, Unavailable as to the file."""
        return self._keys().seal(plain, *owner)

    def open(self, sealed: str, *owner: str) -> bytes:
        """Return what was sealed for this owner, by another process too. Raises: as `seal`; Corrupt."""
        if sealed_under(sealed) not in self._keys().keys:
            self._known = None
        return self._keys().open(sealed, *owner)

    def rotate(self, *, used: frozenset[str]) -> None:
        """Seal with a new key from now on; keys of before that are not in `used` are forgotten."""
        with self._file.locked():
            keys = self._load() if self.path.exists() else SecretKeys.first()
            self._store(keys.rotated(used=used))
            self._known = None

    @property
    def _file(self) -> PrivateFile:
        return PrivateFile(self.path, holds="secret keys", option="--secret-file")

    def _keys(self) -> SecretKeys:
        if self._known is None:
            self._known = self._load_or_create()
        return self._known

    def _load_or_create(self) -> SecretKeys:
        try:
            with self._file.locked():
                if not self.path.exists():
                    self._store(SecretKeys.first())
                return self._load()
        except OSError as error:
            message = f"{self.path} (--secret-file, BYLAW_SECRET_FILE) cannot be the file of the secret keys"
            raise Unavailable(f"{message}: {error.strerror}.") from error

    def _load(self) -> SecretKeys:
        try:
            stored = msgspec.json.decode(self._file.read(), type=_Stored)
            keys = {name: base64.b64decode(key, validate=True) for name, key in stored.keys.items()}
        except (msgspec.MsgspecError, ValueError) as error:
            raise Corrupt(f"The secret keys cannot be read: {error}.", place=str(self.path)) from error
        if stored.active not in keys or any(len(key) != 32 for key in keys.values()):
            raise Corrupt("The secret keys are not what was written.", place=str(self.path))
        return SecretKeys(active=stored.active, keys=keys)

    def _store(self, keys: SecretKeys) -> None:
        held = {name: base64.b64encode(key).decode() for name, key in keys.keys.items()}
        self._file.replace(
            msgspec.json.format(msgspec.json.encode(_Stored(active=keys.active, keys=held)), indent=1)
        )
