"""Connections: with whose models the gateway speaks, and as whom; credentials go in and never come out."""

from typing import Final

from starlette.responses import Response

from bylaw.dashboard.asking import Refused, mendable
from bylaw.dashboard.page import Page, sent, shown
from bylaw.dashboard.pages.settings.asked import Deed, asked_about, places
from bylaw.dashboard.visit import Visit

_SCOPE: Final = "workspaces:write"
_HOME: Final = "/settings/connections"
_FIELDS: Final = ("workspace_id", "name", "provider", "endpoint", "key", "secret")


async def connections(visit: Visit) -> Response:
    """Show the connections of the workspaces that the person may see."""
    query = visit.request.query_params
    found = await visit.get(
        "/v1/connections", limit="50", cursor=query.get("cursor"), workspace_id=visit.workspace or None
    )
    return visit.show("settings/connections.html", found=found)


async def new_page(visit: Visit) -> Response:
    """Show the form with which a connection is made."""
    return _new(visit)


async def make(visit: Visit) -> Response:
    """Make a connection."""
    try:
        await visit.once("/v1/connections", {name: visit.form.get(name, "") for name in _FIELDS})
    except Refused as refused:
        return _new(visit, mendable(refused))
    return visit.go(_HOME, said="The connection is made.")


async def delete_page(visit: Visit) -> Response:
    """Ask whether a connection shall be deleted."""
    return await _delete_asked(visit)


async def delete(visit: Visit) -> Response:
    """Delete a connection."""
    try:
        await visit.send("DELETE", f"/v1/connections/{visit.request.path_params['connection_id']}")
    except Refused as refused:
        return await _delete_asked(visit, mendable(refused))
    return visit.go(_HOME, said="The connection is deleted.")


def _new(visit: Visit, refused: Refused | None = None) -> Response:
    return visit.show(
        "settings/connection_new.html",
        refused=refused,
        places=places(visit, _SCOPE),
        form=visit.form,
    )


async def _delete_asked(visit: Visit, refused: Refused | None = None) -> Response:
    connection = await visit.get(f"/v1/connections/{visit.request.path_params['connection_id']}")
    deed = Deed(
        heading=f"Delete the connection {connection['name']}",
        effects=(
            "Calls to models that go through it fail from then on.",
            "Its credentials are forgotten, and cannot be brought back.",
        ),
        button="Delete",
        back=_HOME,
    )
    return asked_about(visit, deed, refused)


PAGES: Final[tuple[Page, ...]] = (
    shown(_HOME, connections),
    shown(f"{_HOME}/new", new_page),
    sent(f"{_HOME}/new", make),
    shown(f"{_HOME}/{{connection_id}}/delete", delete_page),
    sent(f"{_HOME}/{{connection_id}}/delete", delete),
)
