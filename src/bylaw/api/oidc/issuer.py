"""The issuer: where its doors are, which keys it signs with, and the exchange of a code for an ID token."""

import asyncio
import base64
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final, TypeVar
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from bylaw.api.oidc.id_token import Jwk
from bylaw.core.clock import HOUR_MS, MINUTE_MS, Clock
from bylaw.core.errors import Unauthenticated, Unavailable
from bylaw.providers.http import HttpCall, HttpClient
from bylaw.providers.model import Failed

_KEPT_MS: Final = HOUR_MS
_PACE_MS: Final = MINUTE_MS  # a key that is not known has them all read again, but no more often
_WELL_KNOWN: Final = "/.well-known/openid-configuration"

T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """How the issuer knows this server.

    `return_to` is where it sends people back, `label` what people call it.
    """

    issuer: str
    client_id: str
    secret: str = field(repr=False)
    label: str
    scopes: str
    return_to: str


class Doors(msgspec.Struct, frozen=True):
    """What an issuer publishes of itself (OpenID Connect Discovery 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: list[str] = msgspec.field(
        default_factory=lambda: ["client_secret_basic"]
    )


class _KeySet(msgspec.Struct, frozen=True):
    keys: list[dict[str, object]]


class _Tokens(msgspec.Struct, frozen=True):
    id_token: str


class _Refusal(msgspec.Struct, frozen=True):
    error: str = ""


class SignOnIssuer:
    """Asks one issuer; what it publishes is kept for an hour."""

    def __init__(self, registration: Registration, client: HttpClient, clock: Clock) -> None:
        self._registration = registration
        self._client = client
        self._clock = clock
        self._doors: tuple[int, Doors] | None = None
        self._keys: tuple[int, Sequence[Jwk]] | None = None
        self._lock = asyncio.Lock()
        self._trouble: Unavailable | None = None

    async def doors(self) -> Doors:
        """Return where the issuer is asked. Raises: Unavailable."""
        async with self._in_turn():
            return await self._read_doors()

    async def keys(self, kid: str) -> Sequence[Jwk]:
        """Return the keys with which the issuer signs, read again when `kid` is none of them.

        Raises: Unavailable.
        """
        async with self._in_turn():
            now = self._clock.now_ms()
            read_ms, known = self._keys or (-_KEPT_MS, ())
            is_unknown = all(each.get("kid", "") != kid for each in known)
            if now - read_ms >= (_PACE_MS if is_unknown else _KEPT_MS):
                doors = await self._read_doors()
                known = (await self._get(doors.jwks_uri, _KeySet)).keys
                self._keys = now, known
            return known

    async def redeem(self, code: str, verifier: str) -> str:
        """Return the ID token for a code. Raises: Unauthenticated for one that opens nothing; Unavailable."""
        doors = await self.doors()
        ours = self._registration
        fields = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": ours.return_to,
            "code_verifier": verifier,
        }
        headers = {"content-type": "application/x-www-form-urlencoded"}
        methods = doors.token_endpoint_auth_methods_supported
        if "client_secret_basic" in methods:
            pair = f"{quote(ours.client_id, safe='')}:{quote(ours.secret, safe='')}"
            headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        elif "client_secret_post" in methods:
            fields |= {"client_id": ours.client_id, "client_secret": ours.secret}
        else:
            raise self._unusable("it takes a client secret in no way that is known here")
        call = HttpCall(
            method="POST", url=doors.token_endpoint, headers=headers, body=urlencode(fields).encode()
        )
        return (await self._asked(call, _Tokens)).id_token

    async def aclose(self) -> None:
        """Close what is open and unused."""
        await self._client.aclose()

    @asynccontextmanager
    async def _in_turn(self) -> AsyncIterator[None]:
        """Let one caller read what all want; whoever waited while it could not be read need not try again.

        Raises: Unavailable.
        """
        before = self._trouble
        async with self._lock:
            if self._trouble is not before and self._trouble is not None:
                raise Unavailable(self._trouble.message)
            try:
                yield
            except Unavailable as trouble:
                self._trouble = trouble
                raise

    async def _read_doors(self) -> Doors:
        now = self._clock.now_ms()
        if self._doors is not None and now - self._doors[0] < _KEPT_MS:
            return self._doors[1]
        issuer = self._registration.issuer
        found = await self._get(issuer.rstrip("/") + _WELL_KNOWN, Doors)
        if found.issuer != issuer:
            raise self._unusable("it calls itself by another name than `sso_issuer`")
        # Over http only what is as near as the issuer itself, which then is on this machine.
        near = "{0.scheme}://{0.netloc}/".format(urlsplit(issuer))
        for each in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri):
            if not each.startswith(("https://", near)) or not _is_address(each):
                raise self._unusable("it names an address that is not https")
        self._doors = now, found
        return found

    async def _get(self, url: str, kind: type[T]) -> T:
        return await self._asked(HttpCall(method="GET", url=url, headers={}), kind)

    async def _asked(self, call: HttpCall, kind: type[T]) -> T:
        answer = await self._client.send(call)
        if isinstance(answer, Failed):
            raise Unavailable(
                f"{self._registration.label} cannot be asked now. Nothing is lost: try again in a minute, or"
                f" tell whoever runs this server: {answer.message}"
            )
        if answer.status != 200:
            raise self._refused(call, answer.status, answer.body)
        try:
            return msgspec.json.decode(answer.body, type=kind)
        except msgspec.DecodeError:
            raise self._unusable("what it answers cannot be read") from None

    def _refused(self, call: HttpCall, status: int, body: bytes) -> Unauthenticated | Unavailable:
        """Return what a failure of the issuer means; its own words go no further."""
        try:
            error = msgspec.json.decode(body, type=_Refusal).error
        except msgspec.DecodeError:
            error = ""
        if call.method == "POST" and error == "invalid_grant":
            return Unauthenticated("This sign-in was used already or took too long: sign in again.")
        if call.method == "POST" and (error in {"invalid_client", "unauthorized_client"} or status == 401):
            return self._unusable("it refuses the client id or the secret of this server")
        return self._unusable(f"it answers with status {status}")

    def _unusable(self, why: str) -> Unavailable:
        label = self._registration.label
        return Unavailable(f"Signing in with {label} does not work: {why}. Tell whoever runs this server.")


def _is_address(url: str) -> bool:
    """Return whether a host can be asked at `url`."""
    try:
        parts = urlsplit(url)
        return bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
