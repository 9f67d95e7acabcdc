"""Names that pages show for ids: of policies, of repos, of people and keys that acted; and topics."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from bylaw.dashboard.asking import Item, items
from bylaw.dashboard.visit import Visit

_MOST: Final = 100
_MOST_TOPICS: Final = 200  # a longer list of them is of no use
_BYLAW: Final = "system:bylaw"


async def policy_names(visit: Visit, idents: Iterable[str]) -> Mapping[str, str]:
    """Return the names of policies that are not deleted, as far as the person may see them.

    Shape: of the first 100 that are named; a page with more shows the ids of the others.
    """
    wanted = list(dict.fromkeys(idents))[:_MOST]
    if not wanted or not visit.may("policy:read"):
        return {}
    found = await visit.get("/v1/policies", id=wanted, limit=str(_MOST))
    return {str(each["id"]): str(each["name"]) for each in items(found, "data")}


async def topics_of(visit: Visit) -> Sequence[str]:
    """Return the topics where the person looks, the ones with most policies first, up to a limit."""
    found = items(await visit.find("/v1/topics", workspace_id=visit.workspace or None), "data")
    most = sorted(found, key=lambda each: (-int(str(each["policies"])), str(each["topic"])))
    return [str(each["topic"]) for each in most[:_MOST_TOPICS]]


async def people_of(visit: Visit, workspace_id: str | None) -> Sequence[Item]:
    """Return the people of the organisation, or of a workspace, as far as one may know them."""
    for where in (None, workspace_id):
        found = await visit.find("/v1/users", limit="200", workspace_id=where)
        if found:
            return items(found, "data")
    return ()


async def actor_names(visit: Visit, people: Sequence[Item]) -> Mapping[str, str]:
    """Return the names of people and keys by what is written beside changes, as far as one may know them."""
    keys = await visit.find("/v1/keys", limit="500") if visit.may("admin") else {}
    known = {f"key:{each['id']}": f"the key {each['name']}" for each in items(keys, "data")}
    known |= {f"user:{each['id']}": full_name(each) for each in people}
    return {**known, _BYLAW: "Bylaw", str(visit.who["actor"]): "you"}


async def actor_name(visit: Visit, actor: str) -> str:
    """Return what somebody who acted is called: oneself, a person or a key by name, or Bylaw itself."""
    if actor in {_BYLAW, visit.who["actor"]}:
        return "Bylaw" if actor == _BYLAW else "you"
    kind, _, ident = actor.partition(":")
    if kind == "user":
        person = await visit.find(f"/v1/users/{ident}")
        return full_name(person) if person else "a colleague"
    key = await visit.find(f"/v1/keys/{ident}")
    return f"the key {key['name']}" if key else "an API key"


async def repo_name(visit: Visit, ident: object) -> str:
    """Return what a repo is called, its id for whoever may not see it; empty for none."""
    return str((await visit.find(f"/v1/repos/{ident}")).get("name", ident)) if ident else ""


def full_name(user: Item) -> str:
    """Return what a person is called, by their address for want of a name."""
    return f"{user['name']} {user.get('last_name') or ''}".strip() or str(user["email"])
