"""Choosing a password: where the link leads that somebody was given to join."""

from typing import Final

from starlette.responses import Response

from bylaw.dashboard.asking import Refused
from bylaw.dashboard.page import Page, sent, shown
from bylaw.dashboard.visit import Visit

_MENDABLE: Final = frozenset({400, 401, 403, 404, 409, 422, 429, 503})


async def invitation(visit: Visit) -> Response:
    """Show the form in which somebody who was invited chooses a password."""
    return _form(visit, visit.request.query_params.get("token", ""))


async def join(visit: Visit) -> Response:
    """Keep the chosen password, and sign its person in."""
    token, visit.session = visit.form.get("token", ""), ""
    try:
        made = await visit.send(
            "POST", "/v1/password", {"token": token, "password": visit.form.get("password", "")}
        )
    except Refused as refused:
        if refused.status not in _MENDABLE:
            raise
        return _form(visit, token, refused)
    visit.begin(made)
    return visit.go("/", said="Welcome. You are signed in.")


def _form(visit: Visit, token: str, refused: Refused | None = None) -> Response:
    errors = {} if refused is None else refused.errors
    response = visit.show(
        "account/invitation.html",
        status=200 if refused is None else refused.status,
        token=token,
        errors=errors,
        detail="" if refused is None else refused.detail,
    )
    response.headers["referrer-policy"] = "no-referrer"
    return response


PAGES: Final[tuple[Page, ...]] = (
    shown("/invitation", invitation, is_for_people=False),
    sent("/invitation", join, is_for_people=False),
)
