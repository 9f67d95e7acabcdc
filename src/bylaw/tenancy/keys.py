"""API keys: minted or registered once, stored as a hash, resolved in memory on every request."""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

from bylaw.core.errors import InvalidInput, NotFound, Problem, Unauthenticated
from bylaw.core.ids import KeyId, TenantId, UserId
from bylaw.core.paging import Page, Slice
from bylaw.tenancy.entries import record
from bylaw.tenancy.model import EVERYWHERE, ApiKey, Place, Provider, User
from bylaw.tenancy.naming import checked_name
from bylaw.tenancy.places import require_place
from bylaw.tenancy.principal import Acting, Grant, Principal
from bylaw.tenancy.revisions import save_next
from bylaw.tenancy.roles import principal_of, require_rank
from bylaw.tenancy.scopes import parse_scopes
from bylaw.tenancy.store import TenancyUnit

KeyStyle = Literal["sf_live_v1_", "sf_test_v1_", "ak_live_"]
SessionStyle = Literal["bylaw_session_"]

_STYLES: Final[tuple[KeyStyle | SessionStyle, ...]] = (
    "sf_live_v1_",
    "sf_test_v1_",
    "ak_live_",
    "bylaw_session_",
)
_SECRET_LENGTH = 32
_SHOWN = 4
_MIN_RAW, _MAX_RAW = 16, 256
MAX_RATE_PER_MINUTE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySpec:
    """What a new key is to be: its name, scopes and limits.

    Units: `rate_per_minute` in requests, None for the server's default. `user_id`: the key speaks for that
    user and never exceeds their roles. `provider`, `is_session` and `made_from`: as of `ApiKey`.
    """

    name: str
    scopes: tuple[str, ...]
    place: Place = EVERYWHERE
    user_id: UserId | None = None
    provider: Provider | None = None
    is_session: bool = False
    made_from: KeyId | None = None
    rate_per_minute: int | None = None
    expires_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MintedKey:
    """A new key with its text, which is shown once and not stored."""

    key: ApiKey
    raw: str


async def mint_key(
    acting: Acting[TenancyUnit], spec: KeySpec, *, style: KeyStyle = "sf_live_v1_"
) -> MintedKey:
    """Store a new key of the given style and return it with its text."""
    raw = new_raw(acting, style)
    return MintedKey(key=await register_key(acting, spec, raw=raw), raw=raw)


def new_raw(acting: Acting[TenancyUnit], style: KeyStyle | SessionStyle = "sf_live_v1_") -> str:
    """Return a text for a key that nobody can guess."""
    return style + acting.ids.secret(_SECRET_LENGTH)


async def register_key(acting: Acting[TenancyUnit], spec: KeySpec, *, raw: str) -> ApiKey:
    """Store a key whose text a client already has, and return it; the text is not kept.

    Raises: InvalidInput for a text that is too short or not printable ASCII; Conflict when it is taken;
    Forbidden, also for a key that would act as somebody above the caller.
    """
    acting.principal.require("admin", spec.place)
    if spec.place == EVERYWHERE and "admin" in spec.scopes:
        user = None if spec.user_id is None else await acting.unit.tenancy.users.get(spec.user_id)
        require_rank(acting.principal, "OWNER" if user is None else user.org_role)
    return await store_key(acting, spec, raw=raw)


async def store_key(acting: Acting[TenancyUnit], spec: KeySpec, *, raw: str) -> ApiKey:
    """Store a key for a caller who was found to be allowed to, and return it. Raises: as `register_key`."""
    now = acting.clock.now_ms()
    _check_limits(spec, now)
    await require_place(acting.unit, spec.place)
    if spec.user_id is not None:
        user = await acting.unit.tenancy.users.get(spec.user_id)
        if user is None or user.deleted_ms is not None:
            raise NotFound("user", spec.user_id)
    key = ApiKey(
        id=KeyId(acting.ids.ulid("key_")),
        tenant_id=acting.unit.tenant_id,
        name=checked_name(spec.name),
        prefix=shown_prefix(raw),
        sha256=hash_key(_checked_raw(raw)),
        scopes=parse_scopes(spec.scopes),
        place=spec.place,
        user_id=spec.user_id,
        provider=spec.provider,
        is_session=spec.is_session,
        made_from=spec.made_from,
        rate_per_minute=spec.rate_per_minute,
        created_ms=now,
        expires_ms=spec.expires_ms,
    )
    await acting.unit.tenancy.keys.add(key)
    await record(acting, None, key)
    return key


async def revoke_key(acting: Acting[TenancyUnit], key_id: KeyId) -> ApiKey:
    """Revoke a key for good and return it; revoking it again changes nothing."""
    return await revoke_stored(acting, await read_key(acting, key_id))


async def revoke_stored(acting: Acting[TenancyUnit], key: ApiKey) -> ApiKey:
    """Revoke a key for a caller who was found to be allowed to, and return it."""
    if key.revoked_ms is not None:
        return key
    revoked = replace(key, revoked_ms=acting.clock.now_ms())
    return await save_next(acting, key, revoked, save=acting.unit.tenancy.keys.save)


async def read_key(acting: Acting[TenancyUnit], key_id: KeyId) -> ApiKey:
    """Return a key as it is stored. Raises: NotFound, also when the caller does not administer its place."""
    acting.principal.require("admin")
    key = await acting.unit.tenancy.keys.get(key_id)
    if key is None or key.is_session or not acting.principal.may("admin", key.place):
        raise NotFound("key", key_id)
    return key


async def list_keys(acting: Acting[TenancyUnit], part: Slice, *, within: Place = EVERYWHERE) -> Page[ApiKey]:
    """Return a page of the keys that are limited to `within` or to a place inside it."""
    acting.principal.require("admin", within)
    return await acting.unit.tenancy.keys.list(part, within=within)


def hash_key(raw: str) -> str:
    """Return the hexadecimal SHA-256 under which a key is stored."""
    return hashlib.sha256(raw.encode()).hexdigest()


def shown_prefix(raw: str) -> str:
    """Return the part of a key that people may see: the prefix of its style and 4 characters more."""
    style = next((style for style in _STYLES if raw.startswith(style)), "")
    return raw[: len(style) + _SHOWN]


def _checked_raw(raw: str) -> str:
    style = next((style for style in _STYLES if raw.startswith(style)), "")
    if not _MIN_RAW <= len(raw) - len(style) <= _MAX_RAW or not (raw.isascii() and raw.isprintable()):
        message = f"A key has {_MIN_RAW} to {_MAX_RAW} printable ASCII characters after its prefix."
        raise InvalidInput.of("key", "bad_key", message)
    if " " in raw:
        raise InvalidInput.of("key", "bad_key", "A key has no spaces: take them out.")
    return raw


def _check_limits(spec: KeySpec, now_ms: int) -> None:
    problems: list[Problem] = []
    if spec.rate_per_minute is not None and not 1 <= spec.rate_per_minute <= MAX_RATE_PER_MINUTE:
        message = f"From 1 to {MAX_RATE_PER_MINUTE} requests a minute."
        problems.append(Problem(path="rate_per_minute", code="out_of_range", message=message))
    if spec.expires_ms is not None and spec.expires_ms <= now_ms:
        problems.append(Problem(path="expires_at", code="in_the_past", message="Choose a time to come."))
    if problems:
        raise InvalidInput("The limits of the key are not usable.", *problems)


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """What a key resolves to: the principal, and the pace and life of the key.

    `used_ms` is when a session was used last, as far as it was stored; None for any other key.
    """

    principal: Principal
    key_id: KeyId
    rate_per_minute: int | None
    expires_ms: int | None
    used_ms: int | None = None


class KeyTable:
    """Every usable key of this server, by hash; immutable, replaced as a whole when a tenant changes.

    Looking up by SHA-256 leaks nothing useful through time: a guesser does not control the digest.
    """

    def __init__(self, callers: Mapping[str, Caller]) -> None:
        self._callers = callers

    @classmethod
    def of(cls, rows: Iterable[tuple[ApiKey, User | None]]) -> "KeyTable":
        """Return the table of these keys; revoked ones, and those of users who are gone, are left out.

        A session that was made from a key has the authority of that key, and is left out with it.
        """
        return cls(_callers(rows))

    def with_tenant(self, tenant_id: TenantId, rows: Iterable[tuple[ApiKey, User | None]]) -> "KeyTable":
        """Return the table in which the keys of one tenant are exactly these."""
        kept = {
            sha256: caller
            for sha256, caller in self._callers.items()
            if caller.principal.tenant_id != tenant_id
        }
        return KeyTable(kept | _callers(rows))

    def __len__(self) -> int:
        return len(self._callers)

    def resolve(self, raw: str, now_ms: int) -> Caller:
        """Return who calls with the key `raw`. Raises: Unauthenticated: unknown, revoked or expired."""
        try:
            caller = self._callers[hash_key(raw)]
        except (KeyError, UnicodeEncodeError):
            raise Unauthenticated("No such API key is valid here: it is unknown or revoked.") from None
        if caller.expires_ms is not None and caller.expires_ms <= now_ms:
            raise Unauthenticated("This API key has expired: ask for a new one.")
        return caller


def _callers(rows: Iterable[tuple[ApiKey, User | None]]) -> dict[str, Caller]:
    pairs = tuple(rows)
    keys = {(key.tenant_id, key.id): key for key, _ in pairs}
    found: dict[str, Caller] = {}
    for key, user in pairs:
        source = key if key.made_from is None else keys.get((key.tenant_id, key.made_from))
        if source is not None and _holds(key, user) and _holds(source, user):
            found[key.sha256] = _caller(key, user, source)
    return found


def _holds(key: ApiKey, user: User | None) -> bool:
    """Return whether a key is neither revoked nor that of a user who is gone."""
    is_gone = key.user_id is not None and (user is None or user.deleted_ms is not None)
    return key.revoked_ms is None and not is_gone


def _caller(key: ApiKey, user: User | None, source: ApiKey) -> Caller:
    """Return whom a key lets in, with the authority of `source`."""
    principal = Principal(
        tenant_id=key.tenant_id,
        kind="key",
        id=key.id,
        grants=(Grant(place=source.place, scopes=source.scopes),),
        speaks_for=None if user is None or source.user_id is None else principal_of(user),
        opened_with="" if source is key else source.id,
    )
    used_ms = key.created_ms if key.last_used_ms is None else key.last_used_ms
    return Caller(
        principal=principal,
        key_id=key.id,
        rate_per_minute=source.rate_per_minute,
        expires_ms=key.expires_ms,
        used_ms=used_ms if key.is_session else None,
    )
