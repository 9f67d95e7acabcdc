"""The audit log: who changed what, and when."""

from collections.abc import Mapping
from typing import Final

from starlette.responses import Response

from bylaw.dashboard.asking import Refused, items, mendable
from bylaw.dashboard.page import Page, shown
from bylaw.dashboard.pages.names import policy_names
from bylaw.dashboard.pages.settings.asked import listed
from bylaw.dashboard.visit import Visit

_HOME: Final = "/settings/events"
_FILTERS: Final = ("noun", "change", "who", "id", "cursor")
_DATES: Final = ("since", "until")


async def events(visit: Visit) -> Response:
    """Show what people changed, newest first."""
    query = visit.request.query_params
    asked = {name: query.get(name, "") for name in (*_FILTERS, *_DATES)}
    sent: dict[str, str | None] = {name: asked[name] or None for name in _FILTERS}
    sent |= {name: f"{asked[name]}T00:00:00Z" if asked[name] else None for name in _DATES}
    people = await _named(visit, "/v1/users")
    keys = await _named(visit, "/v1/keys") if visit.may("admin") else {}
    refused = None
    try:
        found = await visit.get("/v1/events", limit="50", workspace_id=visit.workspace or None, **sent)
    except Refused as error:
        refused, found = mendable(error), {"data": (), "next_cursor": None}
    return visit.show(
        "settings/events.html",
        refused=refused,
        found=found,
        asked=asked,
        query={name: value for name, value in asked.items() if value and name != "cursor"},
        keys=keys,
        policies=await policy_names(
            visit, (str(each["id"]) for each in items(found, "data") if each["noun"] == "policy")
        ),
        authors={f"user:{ident}": name for ident, name in people.items()}
        | {f"key:{ident}": f"the key {name}" for ident, name in keys.items()},
    )


async def _named(visit: Visit, path: str) -> Mapping[str, str]:
    """Return the names in a list by their ids, as far as the person may know."""
    return {
        str(each["id"]): f"{each['name']} {each.get('last_name') or ''}".strip()
        for each in await listed(visit, path)
    }


PAGES: Final[tuple[Page, ...]] = (shown(_HOME, events),)
