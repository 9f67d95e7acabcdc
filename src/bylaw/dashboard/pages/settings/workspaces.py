"""Workspaces and their repos: made, named, given habits of review, and deleted once they are empty."""

from typing import Final, cast

import msgspec
from starlette.responses import Response

from bylaw.dashboard.asking import Item, Refused, mendable
from bylaw.dashboard.page import Page, sent, shown
from bylaw.dashboard.pages.settings.asked import Deed, asked_about, listed
from bylaw.dashboard.visit import Visit

_SCOPE: Final = "workspaces:write"
_HOME: Final = "/settings/workspaces"
_REVIEW: Final = ("review_edits", "separate_approvers")
_HABITS: Final = ("require_policy", "route_decisions")
_SCHEMA: Final = "context_schema"


async def workspaces(visit: Visit) -> Response:
    """Show the workspaces in which the person holds anything."""
    found = await visit.get("/v1/workspaces", limit="50", cursor=visit.request.query_params.get("cursor"))
    return visit.show("settings/workspaces.html", found=found)


async def new_page(visit: Visit) -> Response:
    """Show the form with which a workspace is made."""
    return _new(visit)


async def make(visit: Visit) -> Response:
    """Make a workspace."""
    try:
        made = await visit.once("/v1/workspaces", _wanted(visit))
    except Refused as refused:
        return _new(visit, mendable(refused))
    return visit.go(f"{_HOME}/{made['id']}", said="The workspace is made.")


async def workspace_page(visit: Visit) -> Response:
    """Show one workspace with its habits of review and its repos."""
    return await _workspace(visit)


async def change(visit: Visit) -> Response:
    """Save the name and the habits of a workspace."""
    path = f"/v1/workspaces/{visit.request.path_params['workspace_id']}"
    try:
        await visit.send("PATCH", path, _wanted(visit), revision=visit.form.get("revision", ""))
    except Refused as refused:
        return await _workspace(visit, mendable(refused))
    return visit.go(visit.request.url.path, said="Saved.")


async def delete_page(visit: Visit) -> Response:
    """Ask whether a workspace shall be deleted."""
    return await _delete_asked(visit)


async def delete(visit: Visit) -> Response:
    """Delete an empty workspace."""
    try:
        await visit.send("DELETE", f"/v1/workspaces/{visit.request.path_params['workspace_id']}")
    except Refused as refused:
        return await _delete_asked(visit, mendable(refused))
    return visit.go(_HOME, said="The workspace is deleted.")


async def repo_new_page(visit: Visit) -> Response:
    """Show the form with which a repo is made."""
    return await _repo_new(visit)


async def repo_make(visit: Visit) -> Response:
    """Make a repo in a workspace."""
    ident = visit.request.path_params["workspace_id"]
    try:
        await visit.once(f"/v1/workspaces/{ident}/repos", {"name": visit.form.get("name", "")})
    except Refused as refused:
        return await _repo_new(visit, mendable(refused))
    return visit.go(f"{_HOME}/{ident}", said="The repo is made.")


async def repo_page(visit: Visit) -> Response:
    """Show one repo."""
    return await _repo(visit)


async def repo_change(visit: Visit) -> Response:
    """Give a repo another name, or move it."""
    form = visit.form
    path = f"/v1/repos/{visit.request.path_params['repo_id']}"
    try:
        before = await visit.get(path)
        wanted = {name: form.get(name, before[name]) for name in ("name", "workspace_id")}
        changes = {name: value for name, value in wanted.items() if value != before[name]}
        await visit.send("PATCH", path, changes, revision=form.get("revision", ""))
    except Refused as refused:
        return await _repo(visit, mendable(refused))
    place = wanted.get("workspace_id", before["workspace_id"])
    return visit.go(f"{_HOME}/{place}", said="The repo is saved.")


async def repo_delete_page(visit: Visit) -> Response:
    """Ask whether a repo shall be deleted."""
    return await _repo_delete_asked(visit)


async def repo_delete(visit: Visit) -> Response:
    """Delete an empty repo."""
    params = visit.request.path_params
    try:
        await visit.send("DELETE", f"/v1/repos/{params['repo_id']}")
    except Refused as refused:
        return await _repo_delete_asked(visit, mendable(refused))
    return visit.go(f"{_HOME}/{params['workspace_id']}", said="The repo is deleted.")


def _wanted(visit: Visit) -> dict[str, object]:
    """Return what the form asks for: of the habits, those that the person may set. Raises: Refused."""
    form = visit.form
    habits = _HABITS if not visit.may("admin", "") else (*_REVIEW, *_HABITS)
    wanted: dict[str, object] = {name: name in form for name in habits}
    wanted["name"] = form.get("name", "")
    if _SCHEMA in form:
        wanted[_SCHEMA] = _schema(form[_SCHEMA])
    return wanted


def _schema(text: str) -> object:
    """Return the data that was written as JSON, None for nothing. Raises: Refused for what is no JSON."""
    if not text.strip():
        return None
    try:
        return msgspec.json.decode(text)
    except msgspec.DecodeError as error:
        problem = {"path": _SCHEMA, "code": "not_json", "message": f"This is not JSON: {error}."}
        detail = "What rules may read is not usable."
        raise Refused(422, {"code": "invalid", "detail": detail, "errors": [problem]}) from None


def _new(visit: Visit, refused: Refused | None = None) -> Response:
    return visit.show(
        "settings/workspace_new.html",
        refused=refused,
        form=visit.form,
        on=visit.form,
    )


async def _workspace(visit: Visit, refused: Refused | None = None) -> Response:
    ident = visit.request.path_params["workspace_id"]
    answered = await visit.ask("GET", f"/v1/workspaces/{ident}")
    space = cast("Item", answered.data)
    return visit.show(
        "settings/workspace.html",
        refused=refused,
        space=space,
        on=[name for name in (*_REVIEW, *_HABITS) if space[name]] if refused is None else visit.form,
        revision=answered.etag,
        repos=await listed(visit, "/v1/repos", workspace_id=ident),
        form=None if refused is None else visit.form,
    )


async def _delete_asked(visit: Visit, refused: Refused | None = None) -> Response:
    place = await visit.get(f"/v1/workspaces/{visit.request.path_params['workspace_id']}")
    deed = Deed(
        heading=f"Delete the workspace {place['name']}",
        effects=(
            "It can be deleted only when nothing is in it: no policy, repo, key or agent.",
            "Receipts of what was decided in it stay, and still prove it.",
            "It cannot be brought back.",
        ),
        button="Delete",
        back=f"{_HOME}/{place['id']}",
    )
    return asked_about(visit, deed, refused)


async def _repo_new(visit: Visit, refused: Refused | None = None) -> Response:
    return visit.show(
        "settings/repo_new.html",
        refused=refused,
        space=await visit.get(f"/v1/workspaces/{visit.request.path_params['workspace_id']}"),
        form=visit.form,
    )


async def _repo(visit: Visit, refused: Refused | None = None) -> Response:
    answered = await visit.ask("GET", f"/v1/repos/{visit.request.path_params['repo_id']}")
    return visit.show(
        "settings/repo.html",
        refused=refused,
        repo=answered.data,
        revision=answered.etag,
        form={} if refused is None else visit.form,
    )


async def _repo_delete_asked(visit: Visit, refused: Refused | None = None) -> Response:
    repo: Item = await visit.get(f"/v1/repos/{visit.request.path_params['repo_id']}")
    deed = Deed(
        heading=f"Delete the repo {repo['name']}",
        effects=(
            "It can be deleted only when nothing is in it: no policy, key or agent.",
            "Receipts of what was decided in it stay, and still prove it.",
        ),
        button="Delete",
        back=f"{_HOME}/{repo['workspace_id']}/repos/{repo['id']}",
    )
    return asked_about(visit, deed, refused)


_ONE: Final = f"{_HOME}/{{workspace_id}}"
_REPO: Final = f"{_ONE}/repos/{{repo_id}}"
PAGES: Final[tuple[Page, ...]] = (
    shown(_HOME, workspaces),
    shown(f"{_HOME}/new", new_page),
    sent(f"{_HOME}/new", make),
    shown(_ONE, workspace_page),
    sent(_ONE, change),
    shown(f"{_ONE}/delete", delete_page),
    sent(f"{_ONE}/delete", delete),
    shown(f"{_ONE}/repos/new", repo_new_page),
    sent(f"{_ONE}/repos/new", repo_make),
    shown(_REPO, repo_page),
    sent(_REPO, repo_change),
    shown(f"{_REPO}/delete", repo_delete_page),
    sent(f"{_REPO}/delete", repo_delete),
)
