"""How a workspace learns: whether, how sure, how much at once, and for how long."""

from collections.abc import Mapping
from typing import Final, cast

from starlette.responses import Response

from bylaw.dashboard.asking import Item, Refused, items, mendable
from bylaw.dashboard.page import Page, sent, shown
from bylaw.dashboard.visit import Visit

_WHOLE: Final = ("most_per_conversation", "suppress_days", "keep_days")
_SHARES: Final = ("minimum_confidence", "similarity")


async def settings_page(visit: Visit) -> Response:
    """Show how a workspace learns: the one that was chosen, else the first."""
    workspace = _workspace(visit)
    if not workspace:
        return visit.show("learning/settings.html", workspace="", now={}, etag="", typed={})
    return await _settings(visit, workspace)


async def settings(visit: Visit) -> Response:
    """Store how a workspace learns."""
    workspace = _workspace(visit)
    path = f"/v1/workspaces/{workspace}/learning"
    try:
        await visit.send("PUT", path, _choices(visit.form), revision=visit.form.get("revision", ""))
    except Refused as refused:
        return await _settings(visit, workspace, mendable(refused))
    return visit.go("/learning/settings", said="Saved. The next run goes by it.", **{"in": workspace})


async def _settings(visit: Visit, workspace: str, refused: Refused | None = None) -> Response:
    found = await visit.ask("GET", f"/v1/workspaces/{workspace}/learning")
    now = cast("Item", found.data)
    typed = now if refused is None else {**now, **_choices(visit.form)}
    return visit.show(
        "learning/settings.html",
        refused=refused,
        workspace=workspace,
        now=now,
        etag=found.etag,
        typed=typed,
    )


def _choices(form: Mapping[str, str]) -> dict[str, object]:
    """Return what was chosen; what is no number is sent as it was typed, for the API to refuse."""
    chosen: dict[str, object] = {"enabled": "enabled" in form, "miner": form.get("miner", "offline")}
    chosen |= {name: _number(form.get(name, ""), int) for name in _WHOLE}
    chosen |= {name: _number(form.get(name, ""), float) for name in _SHARES}
    return chosen


def _number(said: str, kind: type[int] | type[float]) -> object:
    try:
        return kind(said)
    except ValueError:
        return said


def _workspace(visit: Visit) -> str:
    places = [str(each["id"]) for each in items(visit.who, "workspaces")]
    chosen = visit.request.query_params.get("in", visit.workspace)
    return chosen or next(iter(places), "")


PAGES: Final[tuple[Page, ...]] = (
    shown("/learning/settings", settings_page),
    sent("/learning/settings", settings),
)
