"""Names that pages need of many things at once: those of policies by their ids, and the topics there are."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from bylaw.dashboard.asking import Refused, items
from bylaw.dashboard.visit import Visit

MOST: Final = 100
_MOST_TOPICS: Final = 200  # a longer list of them is of no use


async def policy_names(visit: Visit, idents: Iterable[str]) -> Mapping[str, str]:
    """Return the names of policies that are not deleted, as far as the person may see them.

    Shape: of the first 100 that are named; a page with more shows the ids of the others.
    """
    wanted = list(dict.fromkeys(idents))[:MOST]
    if not wanted or not visit.may("policy:read"):
        return {}
    found = await visit.get("/v1/policies", id=wanted, limit=str(MOST))
    return {str(each["id"]): str(each["name"]) for each in items(found, "data")}


async def topics_of(visit: Visit) -> Sequence[str]:
    """Return the topics where the person looks, the ones with most policies first, up to a limit."""
    try:
        found = items(await visit.get("/v1/topics", workspace_id=visit.workspace or None), "data")
    except Refused:
        return ()
    most = sorted(found, key=lambda each: (-int(str(each["policies"])), str(each["topic"])))
    return [str(each["topic"]) for each in most[:_MOST_TOPICS]]
