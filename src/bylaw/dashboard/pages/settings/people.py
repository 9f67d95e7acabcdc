"""People: who is here, what they may do where, how they sign in, and how they leave."""

from typing import Final

from starlette.responses import Response

from bylaw.dashboard.asking import Item, Refused, mendable, part
from bylaw.dashboard.page import Page, sent, shown
from bylaw.dashboard.pages.settings.asked import (
    Deed,
    asked_about,
    listed,
    places,
    shown_once,
)
from bylaw.dashboard.visit import Visit

_SCOPE: Final = "workspaces:write"
_HOME: Final = "/settings/people"
_ROLE: Final = "role:"


async def people(visit: Visit) -> Response:
    """Show the people of the organisation, or of the workspace that the person looks after."""
    is_whole = visit.may(_SCOPE, "")
    managed = places(visit, _SCOPE)
    place: Item = next((each for each in managed if each["id"] == visit.workspace), {})
    if not place and not is_whole and managed:
        place = managed[0]
    query = visit.request.query_params
    found = await visit.get(
        "/v1/users",
        limit="50",
        cursor=query.get("cursor"),
        workspace_id=None if is_whole else str(place.get("id", "")) or None,
    )
    return visit.show(
        "settings/people.html",
        found=found,
        space=place,
        is_whole=is_whole,
        removed=query.get("removed", ""),
    )


async def new_page(visit: Visit) -> Response:
    """Show the form with which somebody is added."""
    return visit.show("settings/person_new.html", form={})


async def add(visit: Visit) -> Response:
    """Add somebody with their roles, and show the link with which they join."""
    form = visit.form
    body = {name: form.get(name, "") for name in ("name", "email", "org_role")}
    try:
        made = await visit.once("/v1/users", body)
    except Refused as refused:
        return visit.show("settings/person_new.html", refused=mendable(refused), form=form)
    if form.get("workspace_id"):
        address = f"/v1/users/{made['id']}/workspaces/{form['workspace_id']}"
        await visit.send("PUT", address, {"role": form.get("role", "")})
    return await _invited(visit, made)


async def person_page(visit: Visit) -> Response:
    """Show one person with their roles."""
    return await _person(visit)


async def change(visit: Visit) -> Response:
    """Save somebody's names and roles."""
    form = visit.form
    ident = visit.request.path_params["user_id"]
    path = f"/v1/users/{ident}"
    try:
        before = await visit.get(path)
        if visit.may(_SCOPE, ""):
            await visit.send("PATCH", path, _names(form, before), revision=form.get("revision", ""))
        held = part(before, "workspace_roles")
        wanted = {name.removeprefix(_ROLE): role for name, role in form.items() if name.startswith(_ROLE)}
        for workspace, role in wanted.items():
            if role != held.get(workspace, ""):
                method, body = ("PUT", {"role": role}) if role else ("DELETE", None)
                await visit.send(method, f"{path}/workspaces/{workspace}", body)
    except Refused as refused:
        return await _person(visit, mendable(refused))
    return visit.go(f"{_HOME}/{ident}", said="Saved.")


async def invitation_page(visit: Visit) -> Response:
    """Ask whether a link shall be made with which somebody chooses a password."""
    return await _invite_asked(visit)


async def invite(visit: Visit) -> Response:
    """Make a link with which somebody chooses a password, and show it once."""
    try:
        return await _invited(visit, await visit.get(f"/v1/users/{visit.request.path_params['user_id']}"))
    except Refused as refused:
        return await _invite_asked(visit, mendable(refused))


async def remove_page(visit: Visit) -> Response:
    """Ask whether somebody shall be removed."""
    return await _remove_asked(visit)


async def remove(visit: Visit) -> Response:
    """Remove somebody."""
    ident = visit.request.path_params["user_id"]
    try:
        await visit.send("DELETE", f"/v1/users/{ident}")
    except Refused as refused:
        return await _remove_asked(visit, mendable(refused))
    return visit.go(_HOME, said="Removed.", removed=ident)


async def restore(visit: Visit) -> Response:
    """Bring somebody back who was removed."""
    ident = visit.request.path_params["user_id"]
    await visit.send("POST", f"/v1/users/{ident}/restore")
    return visit.go(f"{_HOME}/{ident}", said="They are back with the roles and keys that they had.")


async def end_session(visit: Visit) -> Response:
    """End a session of somebody."""
    await visit.send("DELETE", f"/v1/sessions/{visit.form.get('session_id', '')}")
    return visit.go(f"{_HOME}/{visit.request.path_params['user_id']}", said="They are signed out there.")


async def _person(visit: Visit, refused: Refused | None = None) -> Response:
    ident = visit.request.path_params["user_id"]
    answered = await visit.ask("GET", f"/v1/users/{ident}")
    may_see_sessions = visit.may("admin", "")
    return visit.show(
        "settings/person.html",
        refused=refused,
        person=answered.data,
        revision=answered.etag,
        is_whole=visit.may(_SCOPE, ""),
        places=places(visit, _SCOPE),
        sessions=await listed(visit, "/v1/sessions", user_id=ident) if may_see_sessions else None,
        form={} if refused is None else visit.form,
    )


def _names(form: Item, before: Item) -> dict[str, object]:
    """Return what of somebody's names and role is sent: the role when it is another one."""
    wanted = {name: form.get(name, before[name]) for name in ("name", "last_name")}
    role = form.get("org_role", before["org_role"])
    return wanted if role == before["org_role"] else {**wanted, "org_role": role}


async def _invited(visit: Visit, user: Item) -> Response:
    made = await visit.send("POST", f"/v1/users/{user['id']}/invitation")
    return shown_once(
        visit,
        f"A link for {user['name']}",
        f"{visit.address}/invitation?token={made['token']}",
        effects=(
            f"Give it to {user['name']} alone: whoever opens it chooses the password of {user['email']}.",
            "It works once, within 72 hours. A new link ends the one of before.",
        ),
        back=f"{_HOME}/{user['id']}",
    )


async def _invite_asked(visit: Visit, refused: Refused | None = None) -> Response:
    user = await visit.get(f"/v1/users/{visit.request.path_params['user_id']}")
    deed = Deed(
        heading=f"Make a link for {user['name']}",
        effects=(
            f"Whoever opens the link chooses the password with which {user['email']} signs in.",
            "A link that was made before stops working.",
            "A password that they have works until they choose another.",
            "Whoever came as them by single sign-on is signed out, and proves their address again.",
        ),
        button="Make the link",
        back=f"{_HOME}/{user['id']}",
        is_destructive=False,
    )
    return asked_about(visit, deed, refused)


async def _remove_asked(visit: Visit, refused: Refused | None = None) -> Response:
    user = await visit.get(f"/v1/users/{visit.request.path_params['user_id']}")
    deed = Deed(
        heading=f"Remove {user['name']}",
        effects=(
            f"{user['email']} can sign in no more, and is signed out everywhere.",
            "Keys that speak for them stop working at once.",
            "What they wrote and decided stays, with their name.",
        ),
        button="Remove",
        back=f"{_HOME}/{user['id']}",
    )
    return asked_about(visit, deed, refused)


PAGES: Final[tuple[Page, ...]] = (
    shown(_HOME, people),
    shown(f"{_HOME}/new", new_page),
    sent(f"{_HOME}/new", add),
    shown(f"{_HOME}/{{user_id}}", person_page),
    sent(f"{_HOME}/{{user_id}}", change),
    shown(f"{_HOME}/{{user_id}}/invitation", invitation_page),
    sent(f"{_HOME}/{{user_id}}/invitation", invite),
    shown(f"{_HOME}/{{user_id}}/remove", remove_page),
    sent(f"{_HOME}/{{user_id}}/remove", remove),
    sent(f"{_HOME}/{{user_id}}/restore", restore),
    sent(f"{_HOME}/{{user_id}}/sessions", end_session),
)
