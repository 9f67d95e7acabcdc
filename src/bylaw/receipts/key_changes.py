"""What the logs say about the keys that sign them: the published set is their sum, so anybody can compute it.

A key is active from when it was first `activated`, until it was first `retired`; a `revoked` outweighs both,
the earliest one counts. So it does not matter in which order the logs are read.
"""

from collections.abc import Iterable, Sequence

from bylaw.receipts import model
from bylaw.receipts.issue import key_changed
from bylaw.receipts.model import KeyClaim
from bylaw.receipts.ports import StoredReceipt
from bylaw.receipts.reading import from_base64url
from bylaw.receipts.signing import KeySet


def claims(entries: Iterable[StoredReceipt]) -> Sequence[KeyClaim]:
    """Return what `entries` claim about keys. Raises: InvalidInput when one is not a receipt."""
    found = [model.decode(entry.receipt).claim for entry in entries]
    return [claim for claim in found if isinstance(claim, KeyClaim)]


def changes_of(keys: KeySet) -> Sequence[KeyClaim]:
    """Return the changes that lead to `keys`; the retirement of a key that was revoked is not among them."""
    found = []
    for key in keys.keys:
        found.append(key_changed(key.raw, "activated", key.since_ms))
        if key.ended_ms is not None:
            found.append(key_changed(key.raw, key.standing, key.ended_ms))
    return found


def published(changes: Iterable[KeyClaim]) -> KeySet:
    """Return the key set that `changes` lead to, oldest key first."""
    first: dict[tuple[str, str], int] = {}
    for claim in changes:
        known = first.get((claim.x, claim.change), claim.at_ms)
        first[claim.x, claim.change] = min(known, claim.at_ms)
    found = KeySet()
    begun = sorted((at_ms, x) for (x, change), at_ms in first.items() if change == "activated")
    for since_ms, x in begun:
        found = found.with_active(from_base64url(x), since_ms)
        kid = found.keys[-1].kid
        if (x, "revoked") in first:
            found = found.with_revoked(kid, first[x, "revoked"])
        elif (x, "retired") in first:
            found = found.with_retired(kid, first[x, "retired"])
    return found


def unsaid(keys: KeySet, said: Iterable[KeyClaim]) -> Sequence[KeyClaim]:
    """Return the changes that lead to `keys` and are not among those that were `said`."""
    known = {(claim.x, claim.change, claim.at_ms) for claim in said}
    return [claim for claim in changes_of(keys) if (claim.x, claim.change, claim.at_ms) not in known]
