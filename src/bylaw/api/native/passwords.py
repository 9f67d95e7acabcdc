"""Passwords: invitations by which people choose one, and changing it."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Request, Response

from bylaw.api.answers import Reply
from bylaw.api.native.who import OpenedView, opened
from bylaw.api.parts import Parts
from bylaw.api.ports import Unit
from bylaw.api.route import Route, act, anyone, body, needs, parts_of
from bylaw.core.clock import rfc3339
from bylaw.core.errors import Forbidden, InvalidInput
from bylaw.core.ids import UserId
from bylaw.tenancy import credentials, people, places, sessions
from bylaw.tenancy.model import User
from bylaw.tenancy.passwords import MAX_LENGTH, checked_password
from bylaw.tenancy.principal import Acting, system_principal
from bylaw.tenancy.roles import principal_of

router = APIRouter(tags=["passwords"], route_class=Route)

_Text = Annotated[str, msgspec.Meta(max_length=4 * MAX_LENGTH)]


class InvitationView(msgspec.Struct, frozen=True, kw_only=True):
    """An invitation. `token` is its text, shown this once: null in a repeated answer."""

    token: str | None
    expires_at: str


class FirstPassword(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The text of an invitation, and the password that its person chooses."""

    token: _Text
    password: _Text


class PasswordChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The password of before, and the one from now on."""

    old: _Text
    new: _Text


@router.post("/v1/users/{user_id}/invitation", status_code=201)
async def invite(
    acting: Annotated[Acting[Unit], needs("workspaces:write")], user_id: UserId
) -> Reply[InvitationView]:
    """Invite a person to choose a password, also one who forgot theirs; an invitation of before closes.

    It opens once, for 72 hours. Give its text to them alone: whoever has it signs in as them.
    """
    made = await credentials.invite(acting, user_id)
    view = InvitationView(token=made.raw, expires_at=rfc3339(made.expires_ms))
    return Reply(view, kept=msgspec.structs.replace(view, token=None))


@router.post("/v1/password", status_code=201)
async def choose_password(
    parts: Annotated[Parts, anyone(recognises=True)],
    sent: Annotated[FirstPassword, body(FirstPassword)],
    request: Request,
) -> Reply[OpenedView]:
    """Choose a password by an invitation, and sign in with it; every session of before ends."""
    tenant_id, user_id = await parts.sign_in.invited(sent.token)
    system = await act(request, system_principal(tenant_id))
    user = await credentials.invited_by(system, user_id, sent.token)
    acting = Acting(unit=system.unit, principal=principal_of(user), clock=system.clock, ids=system.ids)
    await _set(parts, acting, user, password=sent.password)
    return await opened(acting, await sessions.open_session(acting, user))


@router.put("/v1/password", status_code=204)
async def change_password(
    acting: Annotated[Acting[Unit], needs(None)],
    sent: Annotated[PasswordChange, body(PasswordChange)],
    request: Request,
) -> Response:
    """Change one's own password, in a session; the person's other sessions end."""
    parts, key = parts_of(request), await sessions.calling_key(acting)
    if key.user_id is None or not key.is_session:
        raise Forbidden("Only a person who is signed in changes their password.", needs="a session")
    user = await people.read_user(acting, key.user_id)
    known = await credentials.password_hash_of(acting, user.id)
    if not await parts.sign_in.confirms(user.email, sent.old, known):
        raise InvalidInput.of("old", "wrong_password", "That is not your password of before.")
    await _set(parts, acting, user, password=sent.new, path="new")
    return Response(status_code=204)


async def _set(
    parts: Parts, acting: Acting[Unit], user: User, *, password: str, path: str = "password"
) -> None:
    """Store a password that may be chosen, and end every session of the person but the one that calls."""
    words = credentials.words_about(user, await places.read_tenant(acting))
    chosen = checked_password(password, about=words, path=path)
    await credentials.set_password(acting, user, await parts.sign_in.passwords.hash(chosen))
