"""My account: one's name, one's password, and where one is signed in."""

from typing import Final

from starlette.responses import Response

from bylaw.dashboard.asking import Refused, mendable, part
from bylaw.dashboard.page import Page, sent, shown
from bylaw.dashboard.pages.settings.asked import listed
from bylaw.dashboard.visit import Visit

_HOME: Final = "/settings/account"


async def account(visit: Visit) -> Response:
    """Show who one is here."""
    return await _account(visit)


async def rename(visit: Visit) -> Response:
    """Save one's own name."""
    body = {name: visit.form.get(name, "") for name in ("name", "last_name")}
    try:
        await visit.send("PATCH", f"/v1/users/{part(visit.who, 'user')['id']}", body)
    except Refused as refused:
        return await _account(visit, mendable(refused))
    return visit.go(_HOME, said="Saved.")


async def password_page(visit: Visit) -> Response:
    """Show the form with which one changes one's password."""
    return visit.show("account/password.html")


async def change_password(visit: Visit) -> Response:
    """Change one's own password."""
    try:
        await visit.send("PUT", "/v1/password", {name: visit.form.get(name, "") for name in ("old", "new")})
    except Refused as refused:
        return visit.show("account/password.html", refused=mendable(refused))
    return visit.go(_HOME, said="Your password is changed, and you are signed out everywhere else.")


async def end_session(visit: Visit) -> Response:
    """End another session of one's own."""
    await visit.send("DELETE", f"/v1/sessions/{visit.form.get('session_id', '')}")
    return visit.go(_HOME, said="You are signed out there.")


async def _account(visit: Visit, refused: Refused | None = None) -> Response:
    user = part(visit.who, "user")
    return visit.show(
        "settings/account.html",
        refused=refused,
        person=await visit.get(f"/v1/users/{user['id']}") if user else None,
        sessions=await listed(visit, "/v1/sessions"),
        form={} if refused is None else visit.form,
    )


PAGES: Final[tuple[Page, ...]] = (
    shown(_HOME, account),
    sent(_HOME, rename),
    shown(f"{_HOME}/password", password_page),
    sent(f"{_HOME}/password", change_password),
    sent(f"{_HOME}/sessions", end_session),
)
