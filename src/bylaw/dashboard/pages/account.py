"""Signing in, the first start, and how pages are shown."""

from typing import Final
from urllib.parse import urlsplit

from starlette.responses import Response

from bylaw.dashboard.asking import Item, Refused, items
from bylaw.dashboard.page import Page, sent, shown
from bylaw.dashboard.visit import Visit

MENDABLE: Final = frozenset({401, 403, 409, 422, 429, 503})


async def sign_in_page(visit: Visit) -> Response:
    """Show the form with which people sign in, or that of the first start while nobody can."""
    asked = visit.request.query_params
    if visit.session and visit.who and "another" not in asked:
        return visit.go("/")
    if (await visit.get("/v1/setup"))["is_needed"] and "key" not in asked:
        return visit.go("/setup")
    return await form(visit)


async def sign_in(visit: Visit) -> Response:
    """Begin a session of a person, or with an API key."""
    sent = visit.form
    if "key" in sent:
        return await _with_key(visit, sent["key"].strip())
    body = {"email": sent.get("email", ""), "password": sent.get("password", "")}
    if sent.get("tenant_id"):
        body["tenant_id"] = sent["tenant_id"]
    try:
        return begun(visit, await visit.send("POST", "/v1/sign-in", body), sent.get("next", ""))
    except Refused as refused:
        if refused.status not in MENDABLE:
            raise
        return await form(visit, refused)


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
        if refused.status not in MENDABLE:
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
    return begun(visit, made, visit.form.get("next", ""))


async def choose(visit: Visit) -> Response:
    """Remember the theme, or the workspace that the person works in."""
    visit.choose(theme=visit.form.get("theme"), workspace=visit.form.get("workspace"))
    return visit.go(local(visit.form.get("next", "")))


async def _with_key(visit: Visit, key: str) -> Response:
    was, visit.session = visit.session, key
    try:
        return begun(visit, await visit.send("POST", "/v1/sessions"), visit.form.get("next", ""))
    except Refused as refused:
        if refused.status not in MENDABLE:
            raise
        visit.session = was
        return await form(visit, refused)


def begun(visit: Visit, made: Item, address: str) -> Response:
    """Have the browser keep a new session, and lead to where it was going on this site."""
    visit.begin(made)
    return visit.go(local(address))


async def form(visit: Visit, refused: Refused | None = None, *, address: str = "") -> Response:
    """Show every way to sign in, and why the last one led nowhere; `address` is where it leads on."""
    return visit.show(
        "account/sign_in.html",
        status=200 if refused is None else refused.status,
        ways=await visit.get("/v1/sign-in"),
        next=address or visit.form.get("next", "") or visit.request.query_params.get("next", ""),
        by_key="key" in visit.form or "key" in visit.request.query_params,
        is_over=visit.request.query_params.get("over") == "1",
        email=visit.form.get("email", ""),
        tenants=items(refused.problem, "tenants") if refused is not None else (),
        detail=_said(refused),
    )


def _said(refused: Refused | None) -> str:
    """Return why somebody did not get in, for people."""
    if refused is None:
        return ""
    if items(refused.problem, "tenants"):
        return "You are in several organisations: choose one, and type the password once more."
    return refused.detail


def local(address: str) -> str:
    """Return an address of this site, whatever somebody wrote into the form."""
    try:
        parts = urlsplit(address.replace("\\", "/"))
    except ValueError:
        return "/"
    is_local = not parts.scheme and not parts.netloc and parts.path.startswith("/")
    return address if is_local and not address.startswith(("//", "/\\")) else "/"


PAGES: Final[tuple[Page, ...]] = (
    shown("/sign-in", sign_in_page, is_for_people=False),
    sent("/sign-in", sign_in, is_for_people=False),
    shown("/setup", setup_page, is_for_people=False),
    sent("/setup", setup, is_for_people=False),
    sent("/choose", choose, is_for_people=False),
)
