"""Moving between organisations, and signing out of them: each has a session of its own."""

from typing import Final

from starlette.responses import Response

from bylaw.dashboard.asking import Refused, part
from bylaw.dashboard.held import Held
from bylaw.dashboard.page import Page, sent
from bylaw.dashboard.visit import Visit


async def switch(visit: Visit) -> Response:
    """Go on in another organisation, with the session that was begun there."""
    wanted = visit.form.get("tenant", "")
    held = next((each for each in visit.others if each.tenant_id == wanted), None)
    if held is None:
        return visit.go("/sign-in", another="", said="You are not signed in there any more.")
    if not await _asked(visit, held, "GET"):
        visit.drop(held)
        return visit.go("/sign-in", another="", said=f"Your session of {held.name} is over. Sign in again.")
    visit.use(held)
    return visit.go("/", said=f"You are in {held.name} now.")


async def sign_out(visit: Visit) -> Response:
    """End the session, and go on in another organisation; or end those of all."""
    name = part(visit.who, "tenant")["name"]
    await visit.send("DELETE", "/v1/session")
    if "everywhere" in visit.form:
        for each in visit.others:
            await _asked(visit, each, "DELETE")
        visit.end(everywhere=True)
        return visit.go("/sign-in", said="You are signed out everywhere.")
    for each in visit.others:
        if await _asked(visit, each, "GET"):
            visit.use(each, keeps=False)
            return visit.go("/", said=f"You are signed out of {name}. This is {each.name}.")
    visit.end(everywhere=True)
    return visit.go("/sign-in", said="You are signed out.")


async def _asked(visit: Visit, held: Held, method: str) -> bool:
    """Return whether a session that is held goes on, as far as the API says; ask as it and nothing else."""
    used, visit.session = visit.session, held.session
    try:
        await visit.ask(method, "/v1/session")
    except Refused as refused:
        if refused.status != 401:
            raise
        return False
    finally:
        visit.session = used
    return True


PAGES: Final[tuple[Page, ...]] = (
    sent("/organisation", switch, is_for_people=False),
    sent("/sign-out", sign_out),
)
