"""Who is calling: a key from `Authorization: Bearer` or `X-API-Key`, looked up in memory, at its pace."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

from bylaw.api.incoming import Incoming
from bylaw.api.limits import Limits, Pace
from bylaw.api.metrics import Metrics
from bylaw.api.origin import Proxies
from bylaw.core.clock import Clock
from bylaw.core.errors import BylawError, Unauthenticated
from bylaw.core.ids import KeyId, TenantId
from bylaw.tenancy.keys import Caller, KeyTable
from bylaw.tenancy.sessions import IDLE_MS

# The bucket of all who come without a key; that of one address has it as its second part.
_NOBODY: Final = ("", "")


class Keyring(Protocol):
    """Where the current key table is; it is replaced as a whole when keys change."""

    @property
    def keys(self) -> KeyTable:
        """The table that holds now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownPace:
    """The pace of those who come without a key.

    Units: `per_minute` in requests of all of them together, `per_address` in requests of one address;
    `proxies` say which one it is.
    """

    per_minute: int
    per_address: int
    proxies: Proxies


class Door:
    """Lets callers in: resolves their key, takes from its bucket, and asks for a scope.

    `unknown` is the pace of those who come without a key.
    """

    def __init__(
        self, keyring: Keyring, limits: Limits, *, clock: Clock, metrics: Metrics, unknown: UnknownPace
    ) -> None:
        self._keyring = keyring
        self._limits = limits
        self._clock = clock
        self._metrics = metrics
        self._unknown = unknown
        self._used: dict[tuple[TenantId, KeyId], int] = {}
        self._stored: Mapping[tuple[TenantId, KeyId], int] = {}

    def enter(self, incoming: Incoming, scope: str | None, *, cost: int = 1) -> Caller:
        """Return who calls, after noting it on the request together with how their key stands.

        Raises: Unauthenticated, RateLimited, Forbidden when the caller has `scope` nowhere.
        """
        try:
            return self._enter(incoming, scope, cost)
        except BylawError as error:
            self._metrics.refused(error.code)
            raise

    def enter_unknown(self, incoming: Incoming) -> None:
        """Let in somebody without a key, at the pace of their address and of all. Raises: RateLimited."""
        origin = self._unknown.proxies.origin(incoming)
        try:
            own = self._limits.take(("", origin), self._unknown.per_address) if origin else None
            pace = self._limits.take(_NOBODY, self._unknown.per_minute)
        except BylawError as error:
            self._metrics.refused(error.code)
            raise
        incoming.answer_headers += _shown(pace if own is None or pace.remaining < own.remaining else own)

    def charge(self, caller: Caller, cost: int) -> None:
        """Take `cost` more requests from the bucket of a caller who is in. Raises: RateLimited."""
        self._take(caller, cost)

    def take_used(self) -> Mapping[tuple[TenantId, KeyId], int]:
        """Return when each key was last used since the last call, to be stored."""
        used, self._used = self._used, {}
        self._stored = {**self._stored, **used}
        return used

    def learn_used(self, stored: Mapping[tuple[TenantId, KeyId], int]) -> None:
        """Take over when sessions were last used, by any server."""
        self._stored = stored

    def _enter(self, incoming: Incoming, scope: str | None, cost: int) -> Caller:
        now = self._clock.now_ms()
        caller = self._keyring.keys.resolve(raw_key(incoming.headers), now)
        key = (caller.principal.tenant_id, caller.key_id)
        if caller.used_ms is not None:
            used_ms = max(caller.used_ms, self._used.get(key, 0), self._stored.get(key, 0))
            if now - used_ms > IDLE_MS:
                raise Unauthenticated("This session ended, for nobody used it for an hour: sign in again.")
        incoming.caller = caller.key_id
        if incoming.is_use:
            self._used[key] = now
        incoming.answer_headers += _shown(self._take(caller, cost))
        if scope is not None:
            caller.principal.require(scope)
        return caller

    def _take(self, caller: Caller, cost: int) -> Pace:
        """Take from the bucket of a key, which all sessions that it opened share. Raises: RateLimited."""
        bucket = (caller.principal.tenant_id, caller.principal.acts_as)
        return self._limits.take(bucket, caller.rate_per_minute, cost=cost)


def _shown(pace: Pace) -> tuple[tuple[bytes, bytes], ...]:
    return (
        (b"ratelimit-limit", b"%d" % pace.limit),
        (b"ratelimit-remaining", b"%d" % pace.remaining),
        (b"ratelimit-reset", b"%d" % pace.reset_s),
    )


def raw_key(headers: Mapping[bytes, bytes]) -> str:
    """Return the text of the key that a request carries. Raises: Unauthenticated for none or two."""
    bearer, plain = headers.get(b"authorization"), headers.get(b"x-api-key")
    if bearer is not None and plain is not None:
        raise Unauthenticated("Send the API key once: as Authorization: Bearer, or as X-API-Key.")
    if plain is not None:
        return plain.decode("latin-1")
    scheme, _, raw = (bearer or b"").decode("latin-1").partition(" ")
    if scheme.lower() != "bearer" or not raw:
        raise Unauthenticated("Send an API key: Authorization: Bearer <key>, or X-API-Key: <key>.")
    return raw.strip()
