"""One policy: what it says, whether it is in force and why, where it holds, and everything it ever said."""

from collections.abc import Mapping
from typing import Final, cast

from starlette.responses import Response

from bylaw.dashboard.asking import Item, Refused, items, mendable
from bylaw.dashboard.page import Page, sent, shown
from bylaw.dashboard.pages.names import actor_names, people_of, repo_name
from bylaw.dashboard.visit import Visit

_SAID: Final[Mapping[str, str]] = {
    "activate": "It is switched on.",
    "deactivate": "It is switched off; nobody is held to it.",
    "archive": "It is archived; nobody is held to it.",
    "restore": "It is back in force.",
    "undelete": "It is back, switched off.",
}
_DIGITS: Final = 9


async def policy(visit: Visit) -> Response:
    """Show one policy."""
    return await _policy(visit)


async def act(visit: Visit) -> Response:
    """Switch a policy on or off, archive it, bring it back or delete it."""
    path, button = f"/v1/policies/{_ident(visit)}", visit.form.get("do", "")
    reason, revision = {"reason": visit.form.get("reason", "")}, visit.form.get("revision", "")
    try:
        if button == "delete":
            await visit.send("DELETE", path, revision=revision)
            return visit.go("/policies", said="It is deleted. It can be brought back under Deleted.")
        if button in _SAID:
            await visit.once(f"{path}/{button}", reason, revision=revision)
    except Refused as refused:
        return await _policy(visit, mendable(refused))
    return visit.go(f"/policies/{_ident(visit)}", said=_SAID.get(button, ""))


async def version(visit: Visit) -> Response:
    """Show one version, which may be brought back."""
    return await _version(visit)


async def roll_back(visit: Visit) -> Response:
    """Make a new version of an old one."""
    number = visit.request.path_params["number"]
    body = {"version": number, "reason": visit.form.get("reason", "")}
    revision = visit.form.get("revision", "")
    try:
        made = await visit.once(f"/v1/policies/{_ident(visit)}/rollback", body, revision=revision)
    except Refused as refused:
        return await _version(visit, mendable(refused))
    waits = f" Version {made['pending']} waits for review." if made["pending"] else ""
    return visit.go(f"/policies/{_ident(visit)}", said=f"It says again what version {number} said.{waits}")


async def diff(visit: Visit) -> Response:
    """Show in what two versions differ."""
    ident = _ident(visit)
    versions = items(await visit.get(f"/v1/policies/{ident}/versions", limit="500"), "data")
    numbers = [str(each["number"]) for each in versions]
    new = visit.request.query_params.get("new") or numbers[0]
    old = visit.request.query_params.get("old") or str(_before(new))
    found = await visit.get(f"/v1/policies/{ident}/diff", old=old, new=new)
    by_number = {str(each["number"]): each for each in versions}
    return visit.show(
        "policies/diff.html",
        ident=ident,
        numbers=numbers,
        old=old,
        new=new,
        diff=found,
        made=by_number.get(new),
        name=versions[0]["name"],
        names=await _names(visit),
    )


def _before(number: str) -> int:
    """Return the number of the version before one, the first for what is no number of a version."""
    return max(1, int(number) - 1) if number.isdecimal() and len(number) < _DIGITS else 1


async def _policy(visit: Visit, refused: Refused | None = None) -> Response:
    ident = _ident(visit)
    versions = await visit.get(
        f"/v1/policies/{ident}/versions", limit="20", cursor=visit.request.query_params.get("cursor") or None
    )
    try:
        answered = await visit.ask("GET", f"/v1/policies/{ident}")
    except Refused as gone:
        if gone.status != 404:
            raise
        return await _deleted(visit, versions, refused)
    found = cast("Item", answered.data)
    return visit.show(
        "policies/one.html",
        refused=refused,
        policy=found,
        revision=answered.etag,
        versions=versions,
        counts=await _counts(visit, ident),
        repo=await repo_name(visit, found["repo_id"]),
        names=await _names(visit),
        reason=visit.form.get("reason", ""),
    )


async def _deleted(visit: Visit, versions: Item, refused: Refused | None) -> Response:
    """Show a deleted policy, whose versions stay."""
    return visit.show(
        "policies/deleted.html",
        status=404,
        refused=refused,
        ident=_ident(visit),
        versions=versions,
        name=items(versions, "data")[0]["name"],
        names=await _names(visit),
    )


async def _version(visit: Visit, refused: Refused | None = None) -> Response:
    ident, number = _ident(visit), visit.request.path_params["number"]
    found = await visit.get(f"/v1/policies/{ident}/versions/{number}")
    policy, revision = None, ""
    try:
        answered = await visit.ask("GET", f"/v1/policies/{ident}")
        policy, revision = cast("Item", answered.data), answered.etag
    except Refused as gone:
        if gone.status != 404:
            raise
    return visit.show(
        "policies/version.html",
        refused=refused,
        ident=ident,
        version=found,
        names=await _names(visit),
        policy=policy,
        revision=revision,
        reason=visit.form.get("reason", ""),
    )


async def _counts(visit: Visit, ident: str) -> Item | None:
    """Return how often it was violated in the last thirty days, None where the person may not see that."""
    if not visit.may("receipts:read"):
        return None
    try:
        found = await visit.get("/v1/statistics", policy_id=ident, window="30d")
    except Refused:
        return None
    series = items(found, "series")
    return {
        name: sum(cast("int", each[name]) for each in series) for name in ("violations", "alerts", "blocks")
    }


async def _names(visit: Visit) -> Mapping[str, str]:
    return await actor_names(visit, await people_of(visit, visit.workspace or None))


def _ident(visit: Visit) -> str:
    return str(visit.request.path_params["id"])


PAGES: Final[tuple[Page, ...]] = (
    shown("/policies/{id}", policy),
    sent("/policies/{id}", act),
    shown("/policies/{id}/versions/{number:int}", version),
    sent("/policies/{id}/versions/{number:int}", roll_back),
    shown("/policies/{id}/diff", diff),
)
