"""Single sign-on: leading people to the provider, and what they come back with.

What has to come back is in a cookie of this browser, for ten minutes: a link that somebody else began, or a
page of another site, signs nobody in.
"""

from typing import Final

from starlette.responses import Response

from bylaw.dashboard.asking import Refused
from bylaw.dashboard.page import Page, led, sent
from bylaw.dashboard.pages.account import MENDABLE, begun, form, local
from bylaw.dashboard.visit import Visit

_TICKET, _NEXT = "ticket", "next"
_LASTS_S: Final = 600


async def leave(visit: Visit) -> Response:
    """Lead somebody to the provider."""
    try:
        made = await visit.send("POST", "/v1/sign-in/oidc")
    except Refused as refused:
        return await _told(visit, refused)
    visit.remember(_TICKET, str(made["ticket"]), seconds=_LASTS_S)
    visit.remember(_NEXT, local(visit.request.query_params.get("next", "")), seconds=_LASTS_S)
    return visit.go(str(made["address"]))


async def come_back(visit: Visit) -> Response:
    """Sign somebody in with what the provider sent along, or say why not."""
    came = visit.request.query_params
    if "code" not in came or "state" not in came:
        is_no = came.get("error") == "access_denied"
        what = "was broken off" if is_no else "did not work at the provider"
        return await _told(
            visit, Refused(401, {"detail": f"Signing in {what}. Nothing was changed: try again."})
        )
    return await _entered(visit, {"state": came["state"], "code": came["code"]})


async def choose_organisation(visit: Visit) -> Response:
    """Sign somebody in to the organisation that they chose."""
    return await _entered(visit, {"tenant_id": visit.form.get("tenant_id", "")})


async def _entered(visit: Visit, sent_back: dict[str, str]) -> Response:
    body = {"ticket": visit.remembered(_TICKET), **sent_back}
    try:
        made = await visit.send("POST", "/v1/sign-in/oidc/code", body)
    except Refused as refused:
        if refused.code != "choose_tenant":
            return await _told(visit, refused)
        visit.remember(_TICKET, str(refused.problem["ticket"]), seconds=_LASTS_S)
        return visit.show("account/organisation.html", tenants=refused.problem["tenants"])
    address = visit.remembered(_NEXT)
    for name in (_TICKET, _NEXT):
        visit.remember(name, "", seconds=0)
    return begun(visit, made, address)


async def _told(visit: Visit, refused: Refused) -> Response:
    """Show the page to sign in, with why this way led nowhere; the other ways are still there."""
    if refused.status not in MENDABLE:
        raise refused
    return await form(visit, refused, address=local(visit.remembered(_NEXT)))


PAGES: Final[tuple[Page, ...]] = (
    led("/sign-in/oidc", leave),
    led("/sign-in/oidc/return", come_back),
    sent("/sign-in/oidc/return", choose_organisation, is_for_people=False),
)
