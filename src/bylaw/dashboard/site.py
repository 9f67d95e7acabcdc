"""The site: every page by its address, and what is shown when one cannot be."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final
from urllib.parse import urlencode

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Scope

from bylaw.dashboard import security
from bylaw.dashboard.asking import Refused
from bylaw.dashboard.page import Page
from bylaw.dashboard.pages import (
    account,
    agents,
    inbox,
    inbox_item,
    invitation,
    learning,
    learning_import,
    learning_settings,
    organisations,
    over_time,
    overview,
    policies,
    receipts,
    review,
    settings,
    single_sign_on,
)
from bylaw.dashboard.rendering import serve_static
from bylaw.dashboard.visit import Means, Visit, sent_by

PAGES: Final[Sequence[Page]] = (
    *overview.PAGES,
    *over_time.PAGES,
    *account.PAGES,
    *single_sign_on.PAGES,
    *organisations.PAGES,
    *invitation.PAGES,
    *inbox.PAGES,
    *inbox_item.PAGES,
    *policies.PAGES,
    *learning.PAGES,
    *learning_import.PAGES,
    *learning_settings.PAGES,
    *review.PAGES,
    *agents.PAGES,
    *receipts.PAGES,
    *settings.PAGES,
)
# Fields that are written anew rather than kept on a page, and the mark, which each page has its own of.
_SECRET: Final = frozenset({"mark", "key", "new", "old", "password", "secret"})
_HEADINGS: Final = {
    403: "You may not see this",
    404: "There is nothing here",
    413: "This is too much at once",
    429: "This was too often",
    503: "This cannot be done now",
    504: "This took too long",
}


class Site:
    """The dashboard as an ASGI application."""

    def __init__(self, means: Means) -> None:
        self._means = means
        self._firsts = {each.path.split("/")[1] for each in PAGES} | {"static"}
        routes = [Route(each.path, self._served(each), methods=[each.method]) for each in PAGES]
        static = Route("/static/{mark}/{name:path}", serve_static)
        self.app = Starlette(
            routes=[*routes, static],
            middleware=[Middleware(GZipMiddleware, minimum_size=1_000)],
            exception_handlers={404: self._missing, 405: self._missing, 500: self._broken},
        )

    def has(self, scope: Scope) -> bool:
        """Return whether a request is for a page: at `/` when a browser asks for one."""
        first = scope["path"].split("/")[1]
        if first:
            return first in self._firsts
        accepted = next((value for name, value in scope["headers"] if name == b"accept"), b"")
        return b"text/html" in accepted

    def _served(self, page: Page) -> Callable[[Request], Awaitable[Response]]:
        async def serve(request: Request) -> Response:
            fields = [] if request.method == "GET" else await sent_by(request)
            visit = Visit(request, self._means, fields)
            try:
                await _recognise(visit, page)
                if page.is_for_people and not visit.session:
                    return _strange(visit)
                return await self._answered(page, visit)
            except Refused as refused:
                return _failed(visit, refused)

        return serve

    async def _answered(self, page: Page, visit: Visit) -> Response:
        """Carry out what was asked, if it comes from a page of ours that was made for this session."""
        request = visit.request
        is_ours = security.is_from_here(request)
        if request.method != "GET" and visit.session:
            is_ours = is_ours and security.fits(visit.session, visit.form.get("mark", ""))
        if not is_ours and security.is_from_here(request):
            return visit.show("parts/kept.html", status=403, kept=_kept(visit))
        if not is_ours:
            return visit.show(
                "parts/failure.html",
                status=403,
                heading="This form is out of date",
                detail=(
                    "Another site sent it. Nothing was changed: open the page here, and send it once more."
                ),
            )
        return await page.answer(visit)

    async def _missing(self, request: Request, error: Exception) -> Response:
        del error
        visit = Visit(request, self._means)
        try:
            await visit.recognise()
        except Refused:
            visit.session = ""
        detail = "The address is wrong, or what was here is gone."
        return visit.show("parts/failure.html", status=404, heading=_HEADINGS[404], detail=detail)

    async def _broken(self, request: Request, error: Exception) -> Response:
        """Show that nobody expected this; the edge logs it, and says so to programs."""
        del error
        visit = Visit(request, self._means)
        return visit.show(
            "parts/failure.html",
            status=500,
            heading="Something went wrong here",
            detail="",
            ident=request.scope["bylaw"].id,
        )


def _failed(visit: Visit, refused: Refused) -> Response:
    """Show why the API refused; whoever's session is over signs in again and goes on."""
    if refused.status == 401:
        return _strange(visit, over="1")
    heading = _HEADINGS.get(refused.status, "This did not work")
    ident = str(refused.problem.get("request_id", ""))
    detail = refused.detail if refused.status != 500 else ""
    needs = str(refused.problem.get("needs", ""))
    return visit.show(
        "parts/failure.html", status=refused.status, heading=heading, detail=detail, ident=ident, needs=needs
    )


async def _recognise(visit: Visit, page: Page) -> None:
    """Ask who looks; where nobody has to be known, a session that is over is none."""
    try:
        await visit.recognise()
    except Refused as refused:
        if refused.status != 401 or page.is_for_people:
            raise
        visit.end()
        visit.session = ""


def _strange(visit: Visit, **query: str) -> Response:
    """Lead whoever is not signed in to do so and go on; what they wrote waits meanwhile on the page."""
    visit.end()
    request = visit.request
    if request.method == "GET" or not security.is_from_here(request):
        address = _address(request) if request.method == "GET" else "/"
        return visit.lead(f"/sign-in?{urlencode({'next': address, **query})}")
    if not visit.is_part:
        return visit.show("parts/kept.html", status=401, kept=_kept(visit))
    told = visit.show("parts/over.html", status=401)
    told.headers.update({"hx-retarget": "#notice", "hx-reselect": "p", "hx-reswap": "innerHTML"})
    return told


def _kept(visit: Visit) -> Sequence[tuple[str, str]]:
    """Return what was written into a form, without what shows who somebody is."""
    return [each for each in visit.fields if each[0] not in _SECRET]


def _address(request: Request) -> str:
    """Return the address of a page with what was asked of it."""
    query = request.url.query
    return f"{request.url.path}?{query}" if query else request.url.path
