"""Review: what waits for somebody to approve or reject it, as a list and one at a time."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Final, cast
from urllib.parse import quote, urlencode

from starlette.responses import Response

from bylaw.dashboard.asking import Item, Refused, items, mendable
from bylaw.dashboard.page import Page, sent, shown
from bylaw.dashboard.pages.names import actor_names, people_of
from bylaw.dashboard.pages.review_case import (
    Case,
    approvers,
    change_of,
    is_waiting,
    read_case,
    tried,
)
from bylaw.dashboard.visit import Visit

_FILTERS: Final = ("in", "source", "order", "cursor")
_RISKIEST: Final = ("HIGH", "MEDIUM", "LOW")
_MOST: Final = 50
_LONGEST_NAME: Final = 80


async def review(visit: Visit) -> Response:
    """Show what waits for review."""
    asked = _asked(visit)
    found = await _waiting(visit, asked)
    waiting = items(found, "data")
    changes = await asyncio.gather(*(change_of(visit, each) for each in waiting))
    people = await people_of(visit, visit.workspace or None)
    return visit.show(
        "review/list.html",
        cards=list(zip(waiting, changes, strict=True)),
        asked=asked,
        query=_query(asked),
        cursor=found["next_cursor"],
        names=await actor_names(visit, people),
    )


async def case(visit: Visit) -> Response:
    """Show one policy that waits, with all that a reviewer needs."""
    return await _shown(visit, await read_case(visit, visit.request.path_params["policy_id"]))


async def decide(visit: Visit) -> Response:
    """Approve or reject what waits, and lead to what waits next."""
    policy_id = visit.request.path_params["policy_id"]
    rejects = visit.form.get("decision") == "reject"
    reason = visit.form.get("reason", "").strip()
    if rejects and not reason:
        found = await read_case(visit, policy_id)
        missing = "Say why: the reason is kept for whoever wrote it."
        return await _shown(visit, found, status=422, error=missing)
    following = await _following(visit, policy_id)
    path = f"/v1/policies/{policy_id}/{'reject' if rejects else 'approve'}"
    try:
        done = await visit.once(path, {"reason": reason}, revision=visit.form.get("revision", ""))
    except Refused as refused:
        return await _shown(visit, await read_case(visit, policy_id), refused=mendable(refused))
    return _next(visit, following, _told(done, "Rejected" if rejects else "Approved"))


async def edit_page(visit: Visit) -> Response:
    """Show the form in which what waits is put right before it is approved."""
    found = await read_case(visit, visit.request.path_params["policy_id"])
    return _form(visit, found) if found.waits else await _shown(visit, found)


async def edit(visit: Visit) -> Response:
    """Store what waits as it was put right, and approve it where the person may."""
    policy_id = visit.request.path_params["policy_id"]
    found = await read_case(visit, policy_id)
    path, reason = f"/v1/policies/{policy_id}", visit.form.get("reason", "").strip()
    following = await _following(visit, policy_id)
    try:
        body = {**_edited(visit, found), "reason": reason}
        saved = await visit.ask("PATCH", path, body=body, revision=visit.form.get("revision", ""))
    except Refused as refused:
        return _form(visit, found, refused=mendable(refused))
    policy = cast("Item", saved.data)
    if visit.form.get("then") != "approve":
        return visit.go(_address(visit, policy_id), said="Saved. It waits for somebody to approve it.")
    if not is_waiting(policy):
        return _next(visit, following, _told(policy, "Saved"))
    try:
        done = await visit.send("POST", f"{path}/approve", {"reason": reason}, revision=saved.etag)
    except Refused as refused:
        return await _shown(visit, await read_case(visit, policy_id), refused=mendable(refused))
    return _next(visit, following, _told(done, "Approved as you put it right"))


async def _shown(
    visit: Visit, found: Case, *, status: int = 200, refused: Refused | None = None, error: str = ""
) -> Response:
    """Show a case; after a refusal with what the person typed, and with who was there before them."""
    waiting = await _waiting(visit, _asked(visit))
    order = items(waiting, "data")
    places = [each["id"] for each in order]
    place = places.index(found.policy["id"]) if found.policy["id"] in places else None
    wants_trial = "tried" in visit.request.query_params and found.waits
    return visit.show(
        "review/one.html",
        status=status,
        refused=refused,
        case=found,
        names=await actor_names(visit, found.people),
        approvers=approvers(found) if found.is_barred(visit) else (),
        trial=await tried(visit, found) if wants_trial else None,
        wants_trial=wants_trial,
        position=place,
        count=len(order),
        is_more=waiting["next_cursor"] is not None,
        before=None if not place else order[place - 1],
        after=_after(order, place),
        query=_query(_asked(visit)),
        reason=visit.form.get("reason", ""),
        error=error,
    )


def _form(visit: Visit, found: Case, refused: Refused | None = None) -> Response:
    typed = dict(visit.form) if refused is not None else {}
    return visit.show(
        "review/edit.html",
        refused=refused,
        case=found,
        typed=typed,
        approvers=approvers(found),
        query=_query(_asked(visit)),
    )


def _edited(visit: Visit, found: Case) -> Mapping[str, object]:
    """Return the fields that the form holds, those of the rules by their place."""
    form = visit.form
    rules = []
    for place, rule in enumerate(items(found.version, "rules")):
        name = "expr" if rule["type"] == "deterministic" else "text"
        rules.append({**rule, name: form.get(f"rule-{place}", str(rule[name])).replace("\r\n", "\n")})
    return {
        "name": form.get("name", ""),
        "topic": form.get("topic", "").strip() or None,
        "risk": form.get("risk", found.version["risk"]),
        "action": form.get("action", found.version["action"]),
        "rules": rules,
    }


async def _waiting(visit: Visit, asked: Mapping[str, str]) -> Item:
    found = await visit.get(
        "/v1/policies",
        waits="true",
        limit=str(_MOST),
        workspace_id=asked["in"] or None,
        source_type=asked["source"] or None,
        cursor=asked["cursor"] or None,
    )
    if asked["order"] != "riskiest":
        return found
    waiting = sorted(items(found, "data"), key=lambda each: _RISKIEST.index(str(each["risk"])))
    return {**found, "data": waiting}


async def _following(visit: Visit, policy_id: str) -> Item | None:
    """Return what comes after a policy in the list, the first of it after the last."""
    order = items(await _waiting(visit, _asked(visit)), "data")
    places = [each["id"] for each in order]
    after = _after(order, places.index(policy_id) if policy_id in places else None)
    return next((each for each in (after, *order) if each is not None and each["id"] != policy_id), None)


def _after(order: Sequence[Item], place: int | None) -> Item | None:
    following = 0 if place is None else place + 1
    return order[following] if following < len(order) else None


def _told(policy: Item, done: str) -> str:
    name = str(policy["name"])
    short = name if len(name) <= _LONGEST_NAME else f"{name[:_LONGEST_NAME]}…"
    in_force = " It is in force now." if policy["is_in_force"] and not done.startswith("Rejected") else ""
    return f"{done}: {short}.{in_force}".replace("..", ".")


def _next(visit: Visit, following: Item | None, said: str) -> Response:
    if following is None:
        return visit.go("/review", said=f"{said} Nothing else waits here.", **_query(_asked(visit)))
    return visit.go(_address(visit, str(following["id"])), said=f"{said} This is the next.")


def _address(visit: Visit, policy_id: str) -> str:
    query = urlencode(_query(_asked(visit)))
    return f"/review/{quote(policy_id, safe='')}{f'?{query}' if query else ''}"


def _asked(visit: Visit) -> dict[str, str]:
    asked = {name: visit.request.query_params.get(name, "") for name in _FILTERS}
    return {**asked, "in": visit.request.query_params.get("in", visit.workspace)}


def _query(asked: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in asked.items() if value or name == "in"}


PAGES: Final[tuple[Page, ...]] = (
    shown("/review", review),
    shown("/review/{policy_id}", case),
    sent("/review/{policy_id}", decide),
    shown("/review/{policy_id}/edit", edit_page),
    sent("/review/{policy_id}/edit", edit),
)
