"""Sessions: signing in with a password or a key, who calls, signing out; and the first organisation."""

from dataclasses import replace
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from bylaw.api.answers import Page, Reply, page
from bylaw.api.native.query import ListQuery
from bylaw.api.native.who import OpenedView, WhoView, opened, who_is
from bylaw.api.parts import Parts
from bylaw.api.ports import Unit
from bylaw.api.route import Operating, Route, act, anyone, body, needs, needs_operator, transaction_of
from bylaw.api.shape import when
from bylaw.core.clock import rfc3339
from bylaw.core.errors import Unauthenticated
from bylaw.core.ids import KeyId, TenantId, UserId
from bylaw.tenancy import credentials, people, places, sessions
from bylaw.tenancy.model import ApiKey
from bylaw.tenancy.passwords import MAX_LENGTH, checked_password
from bylaw.tenancy.principal import Acting, system_principal
from bylaw.tenancy.roles import principal_of

router = APIRouter(tags=["sessions"], route_class=Route)

Known = Annotated[str, msgspec.Meta(max_length=MAX_LENGTH)]


class NewSignIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who signs in; `tenant_id` names the organisation, for those who are in several."""

    email: Known
    password: Known
    tenant_id: str | None = None


class NewOrganisation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An organisation to be made, with its first person, who becomes its OWNER."""

    organisation: str
    name: str
    email: str
    password: str


class SetupView(msgspec.Struct, frozen=True, kw_only=True):
    """Whether nobody has a password here yet."""

    is_needed: bool


class SessionView(msgspec.Struct, frozen=True, kw_only=True):
    """A session that goes on. `name` says with what it was begun."""

    id: str
    name: str
    user_id: str | None
    created_at: str
    expires_at: str | None
    last_used_at: str | None
    is_current: bool


class SessionQuery(ListQuery):
    """Whose sessions are wanted."""

    user_id: Annotated[str | None, Field(description="Those of this person, for admin; else one's own.")] = (
        None
    )


@router.post("/v1/sign-in", status_code=201)
async def sign_in(
    parts: Annotated[Parts, anyone(recognises=True)],
    sent: Annotated[NewSignIn, body(NewSignIn)],
    request: Request,
) -> Reply[OpenedView]:
    """Sign in with a password: the session is a key that ends by itself.

    A wrong password and an unknown address look the same. 409 `choose_tenant` lists the organisations of
    somebody who has this password in several.
    """
    tenant_id = None if sent.tenant_id is None else TenantId(sent.tenant_id)
    found = await parts.sign_in.recognise(sent.email, sent.password, tenant_id=tenant_id)
    acting = await act(request, principal_of(found.user))
    if await credentials.password_hash_of(acting, found.user.id) != found.credential.password_hash:
        raise Unauthenticated("The password was changed at this moment: sign in with the new one.")
    user = await people.read_user(acting, found.user.id)
    return await opened(acting, await sessions.open_session(acting, user))


@router.post("/v1/sessions", status_code=201)
async def create_session(acting: Annotated[Acting[Unit], needs(None)]) -> Reply[OpenedView]:
    """Open a session with an API key: it may what that key may, and ends with it at the latest."""
    return await opened(acting, await sessions.open_session_from_key(acting))


@router.get("/v1/session")
async def read_session(acting: Annotated[Acting[Unit], needs(None)]) -> Reply[WhoView]:
    """Read who calls, with a session or any other key, and what they may do where."""
    return Reply(await who_is(acting, await sessions.calling_key(acting)))


@router.delete("/v1/session", status_code=204)
async def end_own_session(acting: Annotated[Acting[Unit], needs(None)]) -> Response:
    """Sign out: the session that calls ends."""
    await sessions.end_own_session(acting)
    return Response(status_code=204)


@router.get("/v1/sessions")
async def list_sessions(
    acting: Annotated[Acting[Unit], needs(None)], query: Annotated[SessionQuery, Query()]
) -> Reply[Page[SessionView]]:
    """List the sessions that go on: one's own, or those of a person for `admin`."""
    whose = None if query.user_id is None else UserId(query.user_id)
    found = await sessions.list_sessions(acting, query.part, user_id=whose)
    return Reply(page(found, lambda each: _view(each, acting)))


@router.delete("/v1/sessions/{session_id}", status_code=204)
async def end_session(acting: Annotated[Acting[Unit], needs(None)], session_id: KeyId) -> Response:
    """End a session: one's own, or anybody's for `admin`."""
    await sessions.end_session(acting, session_id)
    return Response(status_code=204)


@router.get("/v1/setup")
async def read_setup(parts: Annotated[Parts, anyone()]) -> Reply[SetupView]:
    """Say whether the first organisation is still to be made."""
    return Reply(SetupView(is_needed=not await parts.sign_in.is_set_up()))


@router.post("/v1/setup", status_code=201)
async def set_up(
    operating: Annotated[Operating, needs_operator()],
    new: Annotated[NewOrganisation, body(NewOrganisation)],
    request: Request,
) -> Reply[OpenedView]:
    """Make an organisation with its first person, and sign them in; the first one, or a further one."""
    parts = operating.parts
    tenant = await places.create_tenant(
        operating.unit,
        operating.principal,
        places.NewTenant(name=new.organisation),
        clock=parts.clock,
        ids=parts.ids,
    )
    system = Acting(
        unit=operating.unit.of(tenant.id),
        principal=system_principal(tenant.id),
        clock=parts.clock,
        ids=parts.ids,
    )
    owner = people.NewUser(email=new.email, name=new.name, org_role="OWNER")
    user = await people.create_user(system, owner)
    password = checked_password(new.password, about=credentials.words_about(user, tenant))
    await credentials.set_password(system, user, await parts.sign_in.passwords.hash(password))
    transaction_of(request).tenant_id = tenant.id
    acting = replace(system, principal=principal_of(user))
    return await opened(acting, await sessions.open_session(acting, user))


def _view(session: ApiKey, acting: Acting[Unit]) -> SessionView:
    return SessionView(
        id=session.id,
        name=session.name,
        user_id=session.user_id,
        created_at=rfc3339(session.created_ms),
        expires_at=when(session.expires_ms),
        last_used_at=when(session.last_used_ms),
        is_current=session.id == acting.principal.id,
    )
