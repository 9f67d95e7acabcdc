"""Signing in and out, the first start, and how pages are shown."""

from typing import Final
from urllib.parse import urlsplit

from starlette.responses import Response

from bylaw.dashboard.asking import Item, Refused, items
from bylaw.dashboard.page import Page, sent, shown
from bylaw.dashboard.visit import Visit

_REFUSED: Final = frozenset({401, 403, 409, 422, 429, 503})


async def sign_in_page(visit: Visit) -> Response:
    """Show the form with which people sign in, or that of the first start while nobody can."""
    if visit.session and visit.who:
        return visit.go("/")
    if (await visit.get("/v1/setup"))["is_needed"] and "key" not in visit.request.query_params:
        return visit.go("/setup")
    return _form(visit)


async def sign_in(visit: Visit) -> Response:
    """Begin a session of a person, or with an API key."""
    form = visit.form
    if "key" in form:
        return await _with_key(visit, form["key"].strip())
    body = {"email": form.get("email", ""), "password": form.get("password", "")}
    if form.get("tenant_id"):
        body["tenant_id"] = form["tenant_id"]
    try:
        return _begun(visit, await visit.send("POST", "/v1/sign-in", body))
    except Refused as refused:
        if refused.status not in _REFUSED:
            raise
        return _form(visit, refused)


async def sign_out(visit: Visit) -> Response:
    """End the session."""
    await visit.send("DELETE", "/v1/session")
    visit.end()
    return visit.go("/sign-in", said="You are signed out.")


async def setup_page(visit: Visit) -> Response:
    """Show the form of the first start."""
    return visit.show("account/setup.html", form={}, errors={}, detail="")


async def setup(visit: Visit) -> Response:
    """Make an organisation with its first person, who is signed in then."""
    names = ("organisation", "name", "email", "password")
    visit.session = visit.form.get("key", "").strip()
    try:
        made = await visit.send("POST", "/v1/setup", {name: visit.form.get(name, "") for name in names})
    except Refused as refused:
        if refused.status not in _REFUSED:
            raise
        visit.session = ""
        detail = "This is not the admin key of this server." if refused.status in {401, 403} else ""
        return visit.show(
            "account/setup.html",
            status=refused.status,
            form=visit.form,
            errors=refused.errors,
            detail=detail or refused.detail,
        )
    return _begun(visit, made)


async def choose(visit: Visit) -> Response:
    """Remember the theme, or the workspace that the person works in."""
    visit.choose(theme=visit.form.get("theme"), workspace=visit.form.get("workspace"))
    return visit.go(_local(visit.form.get("next", "")))


async def _with_key(visit: Visit, key: str) -> Response:
    visit.session = key
    try:
        return _begun(visit, await visit.send("POST", "/v1/sessions"))
    except Refused as refused:
        if refused.status not in _REFUSED:
            raise
        visit.session = ""
        return _form(visit, refused)


def _begun(visit: Visit, made: Item) -> Response:
    visit.begin(str(made["session"]))
    return visit.go(_local(visit.form.get("next", "")))


def _form(visit: Visit, refused: Refused | None = None) -> Response:
    return visit.show(
        "account/sign_in.html",
        status=200 if refused is None else refused.status,
        next=visit.form.get("next", "") or visit.request.query_params.get("next", ""),
        by_key="key" in visit.form or "key" in visit.request.query_params,
        is_over=visit.request.query_params.get("over") == "1",
        email=visit.form.get("email", ""),
        tenants=items(refused.problem, "tenants") if refused is not None else (),
        detail="" if refused is None else refused.detail,
    )


def _local(address: str) -> str:
    """Return an address of this site, whatever somebody wrote into the form."""
    parts = urlsplit(address.replace("\\", "/"))
    is_local = not parts.scheme and not parts.netloc and parts.path.startswith("/")
    return address if is_local and not address.startswith(("//", "/\\")) else "/"


PAGES: Final[tuple[Page, ...]] = (
    shown("/sign-in", sign_in_page, is_for_people=False),
    sent("/sign-in", sign_in, is_for_people=False),
    sent("/sign-out", sign_out),
    shown("/setup", setup_page, is_for_people=False),
    sent("/setup", setup, is_for_people=False),
    sent("/choose", choose, is_for_people=False),
)
