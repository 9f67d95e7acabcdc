"""One sign-in at the issuer: the authorization code flow with PKCE, state and nonce.

Nothing is stored between its steps. A *ticket*, sealed under the secret file of this server, holds what has
to come back; whoever began keeps it, so that nobody is signed in by a link that somebody else began.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from typing import Final, TypeVar
from urllib.parse import urlencode

import msgspec

from bylaw.api.oidc.id_token import Expected, Proven, head_of, proven
from bylaw.api.oidc.issuer import Registration, SignOnIssuer
from bylaw.core.clock import MINUTE_MS, Clock
from bylaw.core.errors import Corrupt, Unauthenticated
from bylaw.core.ids import Ids
from bylaw.tenancy.sealing import Sealer

LASTS_MS: Final = 10 * MINUTE_MS
_OWNER: Final = "single sign-on"
_SECRET: Final = 43  # letters and digits: 256 bits

T = TypeVar("T", bound="_Ticket")


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """Where somebody signs in, and the ticket that they keep meanwhile."""

    address: str
    ticket: str
    expires_ms: int


class _Ticket(msgspec.Struct, frozen=True, kw_only=True):
    expires_ms: int


class _Way(_Ticket, frozen=True, kw_only=True, tag="way"):
    """A sign-in under way."""

    state: str
    nonce: str
    verifier: str


class _Proof(_Ticket, frozen=True, kw_only=True, tag="proof"):
    """Somebody known to be who they are, who still says to which organisation they go."""

    issuer: str
    subject: str
    email: str


class SignOn:
    """Begins sign-ins at the issuer, and believes what comes of them."""

    def __init__(
        self, registration: Registration, issuer: SignOnIssuer, sealer: Sealer, *, clock: Clock, ids: Ids
    ) -> None:
        self._issuer = issuer
        self._registration = registration
        self._sealer = sealer
        self._clock = clock
        self._ids = ids

    @property
    def label(self) -> str:
        """What people call the place where they sign in."""
        return self._registration.label

    async def begin(self) -> Begun:
        """Return a sign-in that begins. Raises: Unavailable."""
        doors = await self._issuer.doors()
        state, nonce, verifier = (self._ids.secret(_SECRET) for _ in range(3))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=")
        asked = {
            "response_type": "code",
            "client_id": self._registration.client_id,
            "redirect_uri": self._registration.return_to,
            "scope": self._registration.scopes,
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
        }
        joint = "&" if "?" in doors.authorization_endpoint else "?"
        until_ms = self._clock.now_ms() + LASTS_MS
        way = _Way(expires_ms=until_ms, state=state, nonce=nonce, verifier=verifier)
        return Begun(
            address=f"{doors.authorization_endpoint}{joint}{urlencode(asked)}",
            ticket=self._sealed(way),
            expires_ms=until_ms,
        )

    async def prove(self, ticket: str, state: str, code: str) -> Proven:
        """Return who signed in, by what the issuer sent back. Raises: Unauthenticated; Unavailable."""
        way = self._opened(ticket, _Way)
        if not hmac.compare_digest(way.state.encode(), state.encode()):
            raise _no_ticket()
        token = await self._issuer.redeem(code, way.verifier)
        keys = await self._issuer.keys(head_of(token).kid)
        expected = Expected(
            issuer=self._registration.issuer,
            client_id=self._registration.client_id,
            nonce=way.nonce,
            now_s=self._clock.now_ms() / 1000,
        )
        return proven(token, keys, expected)

    def hold(self, who: Proven) -> str:
        """Return a ticket with which somebody who is known says where they go."""
        until_ms = self._clock.now_ms() + LASTS_MS
        proof = _Proof(expires_ms=until_ms, issuer=who.issuer, subject=who.subject, email=who.email)
        return self._sealed(proof)

    def held(self, ticket: str) -> Proven:
        """Return who holds such a ticket. Raises: Unauthenticated."""
        proof = self._opened(ticket, _Proof)
        if proof.issuer != self._registration.issuer:
            raise _no_ticket()
        return Proven(issuer=proof.issuer, subject=proof.subject, email=proof.email)

    async def aclose(self) -> None:
        """Close what is open and unused."""
        await self._issuer.aclose()

    def _sealed(self, ticket: _Ticket) -> str:
        return self._sealer.seal(msgspec.json.encode(ticket), _OWNER)

    def _opened(self, ticket: str, kind: type[T]) -> T:
        try:
            found = msgspec.json.decode(self._sealer.open(ticket, _OWNER), type=kind)
        except (Corrupt, msgspec.DecodeError):
            raise _no_ticket() from None
        if found.expires_ms <= self._clock.now_ms():
            raise _no_ticket()
        return found


def _no_ticket() -> Unauthenticated:
    return Unauthenticated("This sign-in began in another window or too long ago: sign in again.")
