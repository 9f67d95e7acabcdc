"""Sessions: keys that a sign-in makes, which end by themselves.

A session lets in through the same table as any key. It ends after 12 hours, after one without use, when
somebody ends it, and with the person or the key that it was made for. Of one person or key only so many go on
at once: a new one ends those that were opened first.
"""

from typing import Final

from bylaw.core.clock import HOUR_MS
from bylaw.core.errors import Conflict, Forbidden, NotFound
from bylaw.core.ids import KeyId, UserId
from bylaw.core.paging import Page, Slice, every
from bylaw.tenancy.keys import KeySpec, MintedKey, new_raw, revoke_stored, store_key
from bylaw.tenancy.model import EVERYWHERE, ApiKey, User
from bylaw.tenancy.principal import Acting
from bylaw.tenancy.store import SessionFilter, TenancyUnit

LASTS_MS: Final = 12 * HOUR_MS
IDLE_MS: Final = HOUR_MS
MOST: Final = 50  # of one person or key at once


async def open_session(acting: Acting[TenancyUnit], user: User, *, name: str = "Password") -> MintedKey:
    """Store a session of a person who showed by `name` that it is them, and return it with its text.

    It may whatever the person may: it holds everything, and never exceeds them.
    """
    expires_ms = acting.clock.now_ms() + LASTS_MS
    await _make_room(acting, SessionFilter(user_id=user.id, after_ms=acting.clock.now_ms()))
    spec = KeySpec(name=name, scopes=("admin",), user_id=user.id, is_session=True, expires_ms=expires_ms)
    return await _mint(acting, spec)


async def open_session_from_key(acting: Acting[TenancyUnit]) -> MintedKey:
    """Store a session that may what the calling key may, and return it with its text.

    Its row holds no place: the table of keys takes the authority from the key itself, wherever that moves.
    Raises: Forbidden for a session, and for a key of the gateway alone.
    """
    key = await calling_key(acting)
    if key.is_session or key.provider is not None:
        what = "A session" if key.is_session else "A key for the gateway alone"
        raise Forbidden(f"{what} opens no other session: sign in, or send an API key.", needs="an API key")
    until_ms = acting.clock.now_ms() + LASTS_MS
    await _make_room(acting, SessionFilter(made_from=key.id, after_ms=acting.clock.now_ms()))
    spec = KeySpec(
        name=key.name,
        scopes=tuple(sorted(key.scopes)),
        user_id=key.user_id,
        is_session=True,
        made_from=key.id,
        expires_ms=until_ms if key.expires_ms is None else min(until_ms, key.expires_ms),
    )
    return await _mint(acting, spec)


async def calling_key(acting: Acting[TenancyUnit]) -> ApiKey:
    """Return the key or session that calls. Raises: NotFound when it is gone since."""
    key = await acting.unit.tenancy.keys.get(KeyId(acting.principal.id))
    if key is None or key.revoked_ms is not None:
        raise NotFound("key", acting.principal.id)
    return key


async def list_sessions(
    acting: Acting[TenancyUnit], part: Slice, *, user_id: UserId | None = None
) -> Page[ApiKey]:
    """Return a page of the sessions that go on: the caller's own, or those of a person.

    Raises: Forbidden for those of somebody else, without `admin` in the whole tenant.
    """
    now = acting.clock.now_ms()
    whose, made_from = acting.principal.user_id, None
    if user_id is not None and user_id != whose:
        acting.principal.require("admin", EVERYWHERE)
        whose = user_id
    if whose is None:
        key = await calling_key(acting)
        made_from = key.id if key.made_from is None else key.made_from
    where = SessionFilter(user_id=whose, made_from=made_from, after_ms=now, used_ms=now - IDLE_MS)
    return await acting.unit.tenancy.keys.sessions(part, where)


async def end_session(acting: Acting[TenancyUnit], session_id: KeyId) -> None:
    """End a session of the caller, or with `admin` in the whole tenant anybody's. Raises: NotFound."""
    session = await acting.unit.tenancy.keys.get(session_id)
    if session is None or not session.is_session or not await _may_end(acting, session):
        raise NotFound("session", session_id)
    await revoke_stored(acting, session)


async def end_own_session(acting: Acting[TenancyUnit]) -> None:
    """End the session that calls. Raises: Conflict (`no_session`) for a key that is none."""
    session = await calling_key(acting)
    if not session.is_session:
        raise Conflict("This is an API key and no session: revoke it under /v1/keys.", reason="no_session")
    await revoke_stored(acting, session)


async def end_sessions_of(acting: Acting[TenancyUnit], user_id: UserId, *, but: str = "") -> None:
    """End every session of a person, `but` one."""
    where = SessionFilter(user_id=user_id, after_ms=acting.clock.now_ms())
    keys = acting.unit.tenancy.keys
    for session in [each async for each in every(lambda part: keys.sessions(part, where))]:
        if session.id != but:
            await revoke_stored(acting, session)


async def _make_room(acting: Acting[TenancyUnit], where: SessionFilter) -> None:
    """End the sessions that were opened first, if with a new one there were too many."""
    keys = acting.unit.tenancy.keys
    found = [each async for each in every(lambda part: keys.sessions(part, where))]
    for session in sorted(found, key=lambda each: (each.created_ms, each.id))[
        : max(0, len(found) + 1 - MOST)
    ]:
        await revoke_stored(acting, session)


async def _may_end(acting: Acting[TenancyUnit], session: ApiKey) -> bool:
    principal = acting.principal
    if principal.may("admin", EVERYWHERE):
        return True
    if session.user_id is not None:
        return session.user_id == principal.user_id
    key = await calling_key(acting)
    return session.made_from in {key.id, key.made_from}


async def _mint(acting: Acting[TenancyUnit], spec: KeySpec) -> MintedKey:
    raw = new_raw(acting, "bylaw_session_")
    return MintedKey(key=await store_key(acting, spec, raw=raw), raw=raw)
