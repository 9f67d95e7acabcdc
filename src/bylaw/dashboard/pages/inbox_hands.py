"""Who sees to a thing of the inbox, and what people say about it: the same on every page of one."""

from collections.abc import Mapping, Sequence
from typing import Final, TypedDict, cast

from bylaw.dashboard.asking import Item, Refused, items, part
from bylaw.dashboard.pages.names import actor_name
from bylaw.dashboard.visit import Visit

_THREAD: Final = 50


class Told(TypedDict):
    """What the templates say of the hands and the thread of a thing.

    `remarks` are the oldest first, `authors` the names of those whom the API does not name, `people` to whom
    it can be given, None unless somebody gives it; the rest is what they typed.
    """

    me: str
    actor: object
    remarks: Sequence[Item]
    authors: Mapping[str, str]
    earlier: object
    people: Sequence[Item] | None
    did: str
    comment: str
    given: str


async def told(visit: Visit, path: str, found: Item) -> Told:
    """Return what the templates say of the thing at `path` of the API."""
    query = visit.request.query_params
    thread = await visit.get(f"{path}/thread", limit=str(_THREAD), cursor=query.get("earlier") or None)
    remarks = items(thread, "data")
    unnamed = {str(each["author"]) for each in remarks if each["author_name"] is None}
    is_giving = "give" in query or visit.form.get("do") == "give"
    return {
        "me": me(visit),
        "remarks": [*reversed(remarks)],
        "authors": {actor: await actor_name(visit, actor) for actor in unnamed},
        "earlier": thread["next_cursor"],
        "actor": visit.who["actor"],
        "people": await _people(visit, found) if is_giving else None,
        "did": visit.form.get("do", ""),
        "comment": visit.form.get("comment", ""),
        "given": visit.form.get("user_id", ""),
    }


async def see_to(visit: Visit, path: str) -> str:
    """Do with the thing at `path` of the API what a form asks for, and say what was done. Raises: Refused."""
    form = visit.form
    if form["do"] == "comment":
        await visit.once(f"{path}/comments", {"text": form.get("comment", "")})
        return "Your comment is kept."
    revision = form.get("revision", "")
    if form["do"] == "release":
        await visit.send("DELETE", f"{path}/assignee", revision=revision)
        return "Nobody has this now."
    to = me(visit) if form["do"] == "take" else form.get("user_id", "")
    given = await visit.send("PUT", f"{path}/assignee", {"user_id": to}, revision=revision)
    return "You have this now." if to == me(visit) else f"{part(given, 'assignee')['name']} has this now."


async def take(visit: Visit, path: str) -> str:
    """Take the thing at `path` of the API from a list, and say so; what somebody else has stays theirs.

    Raises: Refused.
    """
    asked = await visit.ask("GET", path)
    has = part(cast("Item", asked.data), "assignee")
    if has and has["id"] != me(visit):
        raise Refused(409, {"detail": f"{has['name']} took this before you."})
    await visit.send("PUT", f"{path}/assignee", {"user_id": me(visit)}, revision=asked.etag)
    return "You have this now."


def me(visit: Visit) -> str:
    """Return the id of the person who looks, empty for whoever signed in with a key of nobody's."""
    return str(part(visit.who, "user").get("id", ""))


async def _people(visit: Visit, found: Item) -> list[Item]:
    """Return to whom else a thing can be given, nobody where the person may not give it."""
    occasion, has = part(found, "occasion"), part(found, "assignee").get("id")
    place = {key: cast("str | None", occasion[key]) for key in ("workspace_id", "repo_id")}
    people = await visit.find("/v1/inbox/people", **place)
    return [each for each in items(people, "data") if each["id"] != has]
