"""Bringing recorded conversations: pasted, and told line by line what became of each."""

from collections.abc import Sequence
from typing import Final, cast

import msgspec
from starlette.responses import Response

from bylaw.dashboard.asking import Item, Refused, items, mendable
from bylaw.dashboard.page import Page, sent, shown
from bylaw.dashboard.visit import Visit

_MOST_AT_ONCE: Final = 500


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


PAGES: Final[tuple[Page, ...]] = (
    shown("/learning/import", bring_page),
    sent("/learning/import", bring),
)
