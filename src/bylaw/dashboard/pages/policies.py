"""The list of policies: found by words or by meaning, filtered, and page by page."""

from typing import Final

from starlette.responses import Response

from bylaw.dashboard.page import Page, shown
from bylaw.dashboard.pages import policy_editor
from bylaw.dashboard.visit import Visit

_FILTERS: Final = ("q", "status", "action", "risk", "cursor")


async def policies(visit: Visit) -> Response:
    """Show the policies that match what was asked for."""
    asked = {name: visit.request.query_params.get(name, "") for name in _FILTERS}
    tab = visit.request.query_params.get("tab", "all")
    found = await visit.get(
        "/v1/policies",
        limit="50",
        workspace_id=visit.workspace or None,
        waits="true" if tab == "pending" else None,
        **{name: value or None for name, value in asked.items()},
    )
    query = {name: value for name, value in asked.items() if value and name != "cursor"}
    if tab != "all":
        query["tab"] = tab
    return visit.show("policies/list.html", found=found, asked=asked, asked_query=query, tab=tab)


PAGES: Final[tuple[Page, ...]] = (shown("/policies", policies), *policy_editor.PAGES)
