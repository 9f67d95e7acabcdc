"""Keys: who holds which, made and shown once, and revoked."""

from typing import Final
from urllib.parse import quote

from starlette.responses import Response

from bylaw.dashboard.asking import Refused, mendable
from bylaw.dashboard.page import Page, sent, shown
from bylaw.dashboard.pages.names import full_name
from bylaw.dashboard.pages.settings.asked import (
    Deed,
    asked_about,
    listed,
    places,
    shown_once,
)
from bylaw.dashboard.visit import Visit

_SCOPE: Final = "admin"
_HOME: Final = "/settings/keys"
_OPTIONAL: Final = ("workspace_id", "repo_id", "user_id")
_DIGITS: Final = 9


async def keys(visit: Visit) -> Response:
    """Show the keys, newest first."""
    found = await visit.get(
        "/v1/keys",
        limit="100",
        cursor=visit.request.query_params.get("cursor"),
        workspace_id=visit.workspace or None,
    )
    people = await listed(visit, "/v1/users")
    return visit.show(
        "settings/keys.html",
        found=found,
        people={str(each["id"]): full_name(each) for each in people},
    )


async def new_page(visit: Visit) -> Response:
    """Show the form with which a key is made."""
    return await _new(visit)


async def make(visit: Visit) -> Response:
    """Make a key and show its text once."""
    form = visit.form
    body: dict[str, object] = {"name": form.get("name", ""), "scopes": visit.every("scopes")}
    body |= {name: form[name] for name in _OPTIONAL if form.get(name)}
    if form.get("until"):
        body["expires_at"] = f"{form['until']}T00:00:00Z"
    try:
        if form.get("rate_per_minute"):
            body["rate_per_minute"] = _number(form["rate_per_minute"])
        made = await visit.send("POST", "/v1/keys", body)
    except Refused as refused:
        return await _new(visit, mendable(refused))
    return shown_once(
        visit,
        f"The key {made['name']}",
        str(made["key"]),
        effects=("Programs send it as “Authorization: Bearer” and this text.",),
        back=f"/agents/{quote(agent, safe='')}" if (agent := _agent(visit)) else _HOME,
    )


async def revoke_page(visit: Visit) -> Response:
    """Ask whether a key shall be revoked."""
    return await _revoke_asked(visit)


async def revoke(visit: Visit) -> Response:
    """Revoke a key for good."""
    try:
        await visit.send("POST", f"/v1/keys/{visit.request.path_params['key_id']}/revoke")
    except Refused as refused:
        return await _revoke_asked(visit, mendable(refused))
    return visit.go(_HOME, said="The key is revoked.")


async def _new(visit: Visit, refused: Refused | None = None) -> Response:
    return visit.show(
        "settings/key_new.html",
        refused=refused,
        places=places(visit, _SCOPE),
        repos=await listed(visit, "/v1/repos"),
        people=await listed(visit, "/v1/users"),
        form=visit.form,
        chosen=visit.every("scopes"),
        agent=_agent(visit),
    )


def _agent(visit: Visit) -> str:
    """Return the agent for which a key is made, empty for none: where it is gone back to."""
    return visit.form.get("agent") or visit.request.query_params.get("agent", "")


async def _revoke_asked(visit: Visit, refused: Refused | None = None) -> Response:
    key = await visit.get(f"/v1/keys/{visit.request.path_params['key_id']}")
    deed = Deed(
        heading=f"Revoke the key {key['name']}",
        effects=(
            f"Whoever sends the key that begins with {key['prefix']} is refused from then on.",
            "Sessions that were opened with it end.",
            "It cannot be brought back. To replace a key without a gap, make the new one first.",
        ),
        button="Revoke",
        back=_HOME,
    )
    return asked_about(visit, deed, refused)


def _number(text: str) -> int:
    """Return a number that was written. Raises: Refused."""
    if text.isascii() and text.isdigit() and len(text) < _DIGITS:
        return int(text)
    problem = {"path": "rate_per_minute", "code": "not_a_number", "message": "Write a number."}
    raise Refused(422, {"code": "invalid", "detail": "The key is not usable.", "errors": [problem]})


PAGES: Final[tuple[Page, ...]] = (
    shown(_HOME, keys),
    shown(f"{_HOME}/new", new_page),
    sent(f"{_HOME}/new", make),
    shown(f"{_HOME}/{{key_id}}/revoke", revoke_page),
    sent(f"{_HOME}/{{key_id}}/revoke", revoke),
)
