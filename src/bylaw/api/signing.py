"""The signing keys of a running server: used, rotated, revoked and published.

What the logs say about keys is what is published, so every process publishes the keys of all. Each change is
durable in the key file first and in this process's log next; a crash between the two is made good at the next
start, which finds what the file says and the log does not.
"""

import asyncio
import logging

from bylaw.core.clock import Clock, rfc3339
from bylaw.core.errors import Conflict, InvalidInput, NotFound, Problem
from bylaw.receipts import dsse, key_changes, model
from bylaw.receipts.issue import Issuer, key_changed
from bylaw.receipts.model import KeyClaim
from bylaw.receipts.ports import Ledger, StoredReceipt
from bylaw.receipts.signing import CHANGE_MS, KeySet, PublicKey
from bylaw.receipts.signing_keys import KeyStore, SigningKeys

_log = logging.getLogger("bylaw.signing")


class Signing:
    """Owns the `kept` keys, of which `keys` were loaded, and what the log and the issuer sign with."""

    def __init__(
        self, kept: KeyStore, keys: SigningKeys, *, ledger: Ledger, issuer: Issuer, clock: Clock
    ) -> None:
        self._kept = kept
        self._keys = keys
        self._ledger = ledger
        self._issuer = issuer
        self._clock = clock
        self._changing = asyncio.Lock()
        self._issue_in_its_name()
        if keys.outgoing is not None:
            self._ledger.log.rotate(keys.signer)

    @property
    def kid(self) -> str:
        """The name of the key that signs."""
        return self._keys.signer.kid

    async def published(self) -> KeySet:
        """Return the keys of every process, with their standing."""
        said = await self._said()
        return key_changes.published([*said, *key_changes.changes_of(self._keys.published)])

    def sealed(self, stored: StoredReceipt) -> bytes:
        """Return a receipt as a DSSE envelope, signed now with the key in use."""
        return dsse.export(stored.id, stored.receipt, self._keys.signer)

    async def follow(self) -> None:
        """Use what the key file says now, complete what was begun, and replace a key that may not sign."""
        async with self._changing:
            await self._complete()

    async def rotate(self) -> PublicKey:
        """Sign with a new key from now on and return it; the old one is retired and stays good.

        Raises: Unavailable when the log cannot be written now; the rotation is completed once it can.
        Conflict (`clock_behind`) when the clock was set back, to before what the old key signed.
        """
        async with self._changing:
            await self._complete()
            self._replace(None, await self._not_before_what_was_signed())
            await self._complete()
            return await self._published(self.kid)

    async def revoke(self, kid: str, at_ms: int | None = None) -> PublicKey:
        """Let nothing count that the key says from `at_ms` (now) on, and return it; another takes its place.

        Revoking again changes nothing, unless it is dated earlier.
        Raises: NotFound for an unknown key, InvalidInput for a date to come, Unavailable as `rotate` does.
        """
        now = self._clock.now_ms()
        at_ms = now if at_ms is None else at_ms
        if at_ms > now:
            message = f"It is {rfc3339(now)} here: a revocation is dated now or earlier."
            raise InvalidInput(message, Problem(path="revoked_at", code="in_future", message=message))
        async with self._changing:
            await self._complete()
            key = await self._published(kid)
            if key.revoked_by(at_ms):
                return key
            if self._keys.published.get(kid) is not None:
                self._replace((kid, at_ms), now)
                await self._complete()
            else:
                await self._say(key_changed(key.raw, "revoked", at_ms))
            return await self._published(kid)

    async def _not_before_what_was_signed(self) -> int:
        """Return now, or the moment of the newest entry if that is a little later, on another machine say.

        What a key signed after it was retired counts for nobody, so it is not retired in the middle of it.
        Raises: Conflict (`clock_behind`) when entries are too far ahead for a change of key to bridge.
        """
        logs, now = self._ledger.logs, self._clock.now_ms()
        moments = [now, self._issuer.latest_ms]
        for held in await logs.latest():
            last = await logs.leaves(held.origin, start=held.size - 1, limit=1)
            moments += [model.decode(leaf.receipt).issued_ms for leaf in last]
        newest = max(moments)
        if newest - now > CHANGE_MS:
            raise Conflict(
                f"It is {rfc3339(now)} here, and entries of the log are of {rfc3339(newest)}: set the clock,"
                " then rotate.",
                reason="clock_behind",
            )
        return newest

    def _replace(self, revoked: tuple[str, int] | None, at_ms: int) -> None:
        """Store the next keys and use them: a new one unless the key that signs stays, and a revocation."""
        with self._kept.locked():
            keys = self._kept.load()
            if revoked is None or revoked[0] == keys.signer.kid:
                keys = keys.rotated(at_ms)
            if revoked is not None:
                keys = keys.revoked(*revoked)
            self._kept.store(keys)
        self._use(keys)

    def _use(self, keys: SigningKeys) -> None:
        is_new = keys.signer.kid != self.kid
        self._keys = keys
        if is_new:
            self._issue_in_its_name()
            self._ledger.log.rotate(keys.signer)

    def _issue_in_its_name(self) -> None:
        """Issue in the name of the key that signs, nothing of it dated before it came into use."""
        key = self._keys.published.get(self.kid)
        self._issuer.rotate(self._keys.signer, 0 if key is None else key.since_ms)

    async def _complete(self) -> None:
        """Bring this process and its log to what the key file says; a key that may not sign says nothing."""
        self._use(self._kept.load())
        key = await self._published(self.kid)
        if key.standing != "active":
            _log.warning("the signing key %s was %s elsewhere and is replaced", key.kid, key.standing)
            self._replace(None, self._clock.now_ms())
        await self._say(*key_changes.unsaid(self._keys.published, await self._said(self._ledger.log.origin)))
        if self._keys.outgoing is not None:
            with self._kept.locked():
                keys = self._kept.load()
                if keys.signer.kid == self.kid:
                    keys = keys.settled()
                    self._kept.store(keys)
            self._use(keys)

    async def _say(self, *claims: KeyClaim) -> None:
        self._issuer.follow(self._ledger.log.origin)
        await self._ledger.log.append([self._issuer.issue(claim, tenant=None) for claim in claims])

    async def _said(self, origin: str | None = None) -> list[KeyClaim]:
        """Return what every log says about keys, or one of them."""
        found = await self._ledger.logs.key_entries()
        return [*key_changes.claims(each for each in found if origin in {None, each.origin})]

    async def _published(self, kid: str) -> PublicKey:
        key = (await self.published()).get(kid)
        if key is None:
            raise NotFound("signing key", kid)
        return key
