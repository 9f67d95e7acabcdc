"""How conversations come in, and how workspaces learn from them."""

from collections.abc import Mapping, Sequence
from typing import Final, cast

import msgspec
from starlette.responses import Response

from bylaw.dashboard.asking import Item, Refused, items, mendable
from bylaw.dashboard.page import Page, sent, shown
from bylaw.dashboard.visit import Visit

_MOST_AT_ONCE: Final = 500
_WHOLE: Final = ("most_per_conversation", "suppress_days", "keep_days")
_SHARES: Final = ("minimum_confidence", "similarity")


async def bring_page(visit: Visit) -> Response:
    """Show the form with which recorded conversations are brought."""
    return visit.show("learning/import.html", form={}, results=(), wrong=())


async def bring(visit: Visit) -> Response:
    """Import recorded conversations, and show what became of each."""
    records, wrong = read_records(visit.form.get("records", ""))
    results: list[Item] = []
    detail, status = "", 200
    if not records and not wrong:
        detail, status = "Paste at least one conversation.", 422
    try:
        for start in range(0, len(records), _MOST_AT_ONCE):
            results += await _brought(visit, records[start : start + _MOST_AT_ONCE])
    except Refused as refused:
        detail, status = mendable(refused).detail, refused.status
    if status == 200 and (wrong or any(each["outcome"] == "refused" for each in results)):
        status = 422
    return visit.show(
        "learning/import.html", status=status, form=visit.form, results=results, wrong=wrong, detail=detail
    )


async def _brought(visit: Visit, records: Sequence[tuple[int, object]]) -> list[Item]:
    """Import some records, and return what became of each, with its line."""
    body = {
        "workspace_id": visit.form.get("workspace_id", ""),
        "conversations": [record for _, record in records],
        "learn": "learn" in visit.form,
    }
    became = items(await visit.send("POST", "/v1/conversations/import", body), "results")
    return [{**each, "line": records[cast("int", each["place"])][0]} for each in became]


def read_records(text: str) -> tuple[list[tuple[int, object]], list[int]]:
    """Return the records in a text with the line of each, and the lines that cannot be read.

    A text is a JSON list of records, or has one a line.
    """
    if text.lstrip().startswith("["):
        try:
            return [(number, each) for number, each in enumerate(_listed(text), 1)], []
        except msgspec.DecodeError:
            return [], [1]
    records: list[tuple[int, object]] = []
    wrong: list[int] = []
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            records.append((number, msgspec.json.decode(line, type=dict[str, object])))
        except msgspec.DecodeError:
            wrong.append(number)
    return records, wrong


def _listed(text: str) -> Sequence[object]:
    return msgspec.json.decode(text, type=list[dict[str, object]])


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
    shown("/learning/import", bring_page),
    sent("/learning/import", bring),
    shown("/learning/settings", settings_page),
    sent("/learning/settings", settings),
)
