"""Single sign-on: in which ways people sign in, and signing in at the operator's OpenID provider."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Request

from bylaw.api.answers import Reply
from bylaw.api.native.who import OpenedView, opened
from bylaw.api.oidc.sign_on import SignOn
from bylaw.api.parts import Parts
from bylaw.api.route import Route, act, anyone, body
from bylaw.core.clock import rfc3339
from bylaw.core.errors import Conflict
from bylaw.core.ids import TenantId
from bylaw.tenancy import credentials, people, sessions
from bylaw.tenancy.roles import principal_of

router = APIRouter(tags=["sessions"], route_class=Route)

_Text = Annotated[str, msgspec.Meta(max_length=4_096)]


class WaysView(msgspec.Struct, frozen=True, kw_only=True):
    """How people sign in here. `single_sign_on` is what they call the place, null where there is none."""

    takes_passwords: bool
    single_sign_on: str | None


class BegunView(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in that begins: lead the person to `address`, and keep `ticket` in their browser meanwhile."""

    address: str
    ticket: str
    expires_at: str


class Returned(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What came back: the ticket, and the `state` and `code` with which the provider sent the person.

    After 409 `choose_tenant` it is the ticket of that answer, with `tenant_id` alone.
    """

    ticket: _Text
    state: _Text | None = None
    code: _Text | None = None
    tenant_id: str | None = None


@router.get("/v1/sign-in")
async def read_ways(parts: Annotated[Parts, anyone()]) -> Reply[WaysView]:
    """Say in which ways people sign in here."""
    label = None if parts.sign_on is None else parts.sign_on.label
    return Reply(WaysView(takes_passwords=parts.sign_in.takes_passwords, single_sign_on=label))


@router.post("/v1/sign-in/oidc", status_code=201)
async def begin_sign_on(parts: Annotated[Parts, anyone()]) -> Reply[BegunView]:
    """Begin to sign in at the OpenID provider of this server.

    Whoever comes back has to bring the ticket: keep it where nobody but this browser has it. 409
    `no_single_sign_on` where the operator named no provider.
    """
    begun = await _sign_on(parts).begin()
    view = BegunView(address=begun.address, ticket=begun.ticket, expires_at=rfc3339(begun.expires_ms))
    return Reply(view)


@router.post("/v1/sign-in/oidc/code", status_code=201)
async def end_sign_on(
    parts: Annotated[Parts, anyone(recognises=True)],
    sent: Annotated[Returned, body(Returned)],
    request: Request,
) -> Reply[OpenedView]:
    """Sign in with what the provider sent back.

    The first time somebody is the person with their address, whom an admin added; from then on they are known
    by the provider's own name for them, and nobody else gets in as them. 403 for whom nobody added.
    """
    sign_on = _sign_on(parts)
    if sent.code is not None and sent.state is not None:
        who = await sign_on.prove(sent.ticket, sent.state, sent.code)
    else:
        who = sign_on.held(sent.ticket)
    tenant_id = None if sent.tenant_id is None else TenantId(sent.tenant_id)
    found = await parts.sign_in.known(who, tenant_id=tenant_id, ticket=sign_on.hold(who))
    acting = await act(request, principal_of(found.user))
    user = await people.read_user(acting, found.user.id)
    await credentials.bind(acting, user, issuer=who.issuer, subject=who.subject)
    return await opened(acting, await sessions.open_session(acting, user, name=sign_on.label))


def _sign_on(parts: Parts) -> SignOn:
    if parts.sign_on is None:
        message = "This server has no single sign-on: its operator names a provider as BYLAW_SSO_ISSUER."
        raise Conflict(message, reason="no_single_sign_on")
    return parts.sign_on
