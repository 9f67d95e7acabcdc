"""The list of policies: found by words or by meaning, filtered, and page by page."""

from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from bylaw.dashboard.asking import part
from bylaw.dashboard.page import Page, handed, shown
from bylaw.dashboard.pages import policy_editor, policy_page
from bylaw.dashboard.pages.names import actor_names, people_of, topics_of
from bylaw.dashboard.visit import Visit

_FILTERS: Final = ("q", "status", "action", "risk", "topic", "cursor")
_TABS: Final[Mapping[str, Mapping[str, str]]] = {
    "all": {},
    "pending": {"waits": "true"},
    "deleted": {"deleted": "true"},
}


async def policies(visit: Visit) -> Response:
    """Show the policies that match what was asked for."""
    asked = {name: visit.request.query_params.get(name, "") for name in _FILTERS}
    tab = visit.request.query_params.get("tab", "all")
    tab = tab if tab in _TABS else "all"
    if tab == "deleted":
        asked["q"] = ""  # what is deleted is not searched
    found = await visit.get(
        "/v1/policies",
        limit="25",
        workspace_id=visit.workspace or None,
        **_TABS[tab],
        **{name: value or None for name, value in asked.items()},
    )
    query = {name: value for name, value in asked.items() if value and name != "cursor"}
    return visit.show(
        "policies/list.html",
        found=found,
        total=part(found, "found").get("total"),
        asked=asked,
        asked_query=query if tab == "all" else {**query, "tab": tab},
        tab=tab,
        counts={each: await _count(visit, each) for each in ("all", "pending")},
        names=await actor_names(visit, await people_of(visit, visit.workspace or None)),
    )


async def _count(visit: Visit, tab: str) -> int:
    """Return how many policies a tab shows."""
    place = visit.workspace or None
    found = await visit.get("/v1/policies", limit="1", count="true", workspace_id=place, **_TABS[tab])
    total = found["total"]
    return total if isinstance(total, int) else 0


async def topics(visit: Visit) -> Response:
    """Hand out the topics that there are, to a field that somebody begins to fill in."""
    return visit.show("policies/topics.html", topics=await topics_of(visit))


PAGES: Final[tuple[Page, ...]] = (
    shown("/policies", policies),
    handed("/policies/topics", topics),
    *policy_editor.PAGES,
    *policy_page.PAGES,
)
