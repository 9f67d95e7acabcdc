"""How the keys that sign the logs go over the wire."""

import msgspec

from bylaw.receipts.signing import Standing


class SigningKeyView(msgspec.Struct, frozen=True, kw_only=True):
    """A signing key and its standing; `signs_here`: this process signs with it.

    `verifier_keys` are the key as note tools take it, for each log of this installation.
    """

    kid: str
    status: Standing
    since: str
    ended_at: str | None
    signs_here: bool
    verifier_keys: tuple[str, ...]


class SigningKeysView(msgspec.Struct, frozen=True, kw_only=True):
    """Every key that ever signed a log of this installation, oldest first."""

    data: tuple[SigningKeyView, ...]


class Revocation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """From when on nothing that the key says counts; now when it is left out."""

    revoked_at: str | None = None
