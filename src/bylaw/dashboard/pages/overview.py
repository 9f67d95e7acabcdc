"""The overview: what is enforced, and what needs somebody."""

from typing import Final

from starlette.responses import Response

from bylaw.dashboard.page import Page, shown
from bylaw.dashboard.visit import Visit


async def overview(visit: Visit) -> Response:
    """Show the start page."""
    policies = None
    if visit.may("policy:read"):
        policies = await visit.get("/v1/policies", limit="5", workspace_id=visit.workspace or None)
    return visit.show("overview/overview.html", policies=policies)


PAGES: Final[tuple[Page, ...]] = (shown("/", overview),)
