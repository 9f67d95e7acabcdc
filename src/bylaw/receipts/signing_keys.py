"""The signing keys of one server as they change hands, and the file that it needs to keep them in."""

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Protocol

from bylaw.receipts.signing import KeySet, Signer


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningKeys:
    """The key that signs, and every key that ever did with its standing.

    While `signer` takes over, `outgoing` is the key before it: a log's next checkpoint is signed by both.
    """

    signer: Signer
    published: KeySet
    outgoing: Signer | None = None

    @classmethod
    def first(cls, at_ms: int) -> "SigningKeys":
        """Return the keys of a new server: one, active from `at_ms`."""
        signer = Signer.generate()
        return cls(signer=signer, published=KeySet().with_active(signer.public, at_ms))

    @property
    def in_use(self) -> Signer:
        """The key that signed last."""
        return self.signer if self.outgoing is None else self.outgoing

    def rotated(self, at_ms: int) -> "SigningKeys":
        """Return the keys with a new one that takes over; the old one is retired and stays good."""
        signer = Signer.generate()
        published = self.published.with_retired(self.signer.kid, at_ms).with_active(signer.public, at_ms)
        return SigningKeys(signer=signer, published=published, outgoing=self.signer)

    def revoked(self, kid: str, at_ms: int) -> "SigningKeys":
        """Return the keys with one of them revoked from `at_ms` on."""
        return replace(self, published=self.published.with_revoked(kid, at_ms))

    def settled(self) -> "SigningKeys":
        """Return the keys after the take-over: the private half of the outgoing one is forgotten."""
        return replace(self, outgoing=None)


class KeyStore(Protocol):
    """Where the signing keys of a server are kept; several processes may share it."""

    def load(self) -> SigningKeys:
        """Return the keys. Raises: Conflict when others may read them; Corrupt when they are gone."""

    def store(self, keys: SigningKeys) -> None:
        """Replace the keys, durably; inside `locked`."""

    def locked(self) -> AbstractContextManager[None]:
        """Return a block in which no other process replaces the keys; only to read and store."""
