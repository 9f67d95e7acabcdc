"""Receipts: the live list of what was decided and changed, and what can be downloaded and erased of one."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Final
from urllib.parse import quote

from starlette.responses import Response

from bylaw.dashboard.asking import Item, Refused, items, part
from bylaw.dashboard.page import Page, handed, sent, shown
from bylaw.dashboard.pages.live import live, newest
from bylaw.dashboard.pages.names import actor_names, people_of, policy_names
from bylaw.dashboard.pages.receipts_one import receipt
from bylaw.dashboard.visit import Visit

_FILTERS: Final = ("kind", "outcome", "agent_id", "policy_id", "workspace_id", "since", "until")
_SHOWN: Final = 50
_MOST_ROUNDS: Final = 6  # pages of the API that are looked through for one page of a workspace


async def receipts(visit: Visit) -> Response:
    """Show what was decided and changed, newest first."""
    query = visit.request.query_params
    if query.get("id", "").strip():
        return visit.go(f"/receipts/{quote(query['id'].strip(), safe='')}")
    asked = {name: query.get(name, "").strip() for name in _FILTERS}
    if "kind" not in query:
        asked["kind"] = "decision"
    cursor, detail = query.get("cursor", ""), ""
    known = await newest(visit)
    found: Sequence[Item] = ()
    following = ""
    try:
        found, following = await _found(visit, asked, cursor)
    except Refused as refused:
        if refused.status != 422:
            raise
        detail = refused.detail
    is_narrowed = any(value for name, value in asked.items() if name != "kind")
    chosen = {name: value for name, value in asked.items() if value or name == "kind"}
    return visit.show(
        "receipts/list.html",
        status=422 if detail else 200,
        detail=detail,
        found=found,
        following=following,
        names=await policies_in(visit, found),
        actors=await _actors(visit, found),
        asked=asked,
        chosen=chosen,
        is_narrowed=is_narrowed,
        is_live=not cursor and "pause" not in query and not detail,
        cursor=cursor,
        known=known,
    )


async def bundle(visit: Visit) -> Response:
    """Hand out the file that proves a receipt, with what was said if that is asked for."""
    ident = visit.request.path_params["receipt_id"]
    is_whole = "disclose" in visit.request.query_params
    answered = await visit.ask(
        "GET", f"/v1/receipts/{ident}/bundle", query={"disclose": "true"} if is_whole else None
    )
    return _file(answered.body, f"bylaw-{ident}{'-disclosed' if is_whole else ''}.json")


async def envelope(visit: Visit) -> Response:
    """Hand out a receipt as a signed envelope."""
    ident = visit.request.path_params["receipt_id"]
    return _file((await visit.ask("GET", f"/v1/receipts/{ident}/dsse")).body, f"bylaw-{ident}.dsse.json")


async def erasing(visit: Visit) -> Response:
    """Ask whether what was said is to be erased."""
    ident = visit.request.path_params["receipt_id"]
    found = await visit.get(f"/v1/receipts/{ident}/body")
    names = [str(each["name"]) for each in items(found, "parts")]
    return visit.show("receipts/erase.html", ident=ident, names=names)


async def erase(visit: Visit) -> Response:
    """Erase what was said; the receipt stays."""
    ident = visit.request.path_params["receipt_id"]
    wanted = visit.every("part")
    if not wanted:
        return visit.go(f"/receipts/{quote(ident)}/erase", said="Choose what is to be erased.")
    await visit.ask("DELETE", f"/v1/receipts/{ident}/body", query={"part": wanted})
    return visit.go(f"/receipts/{quote(ident)}", said="It is erased. The receipt stays, and still verifies.")


async def _found(visit: Visit, asked: Mapping[str, str], cursor: str) -> tuple[Sequence[Item], str]:
    """Return a page of receipts, and the cursor of what follows.

    The API cuts pages before it looks at places: they are looked through until one is full.
    """
    where = {name: value or None for name, value in asked.items()} | {
        "since": _start(asked["since"]),
        "until": _start(asked["until"], days=1),
        "workspace_id": asked["workspace_id"] or visit.workspace or None,
    }
    found: list[Item] = []
    for _ in range(_MOST_ROUNDS):
        page = await visit.get("/v1/receipts", limit=str(_SHOWN - len(found)), cursor=cursor or None, **where)
        found += items(page, "data")
        cursor = str(page["next_cursor"] or "")
        if not cursor or len(found) >= _SHOWN:
            break
    return found, cursor


async def policies_in(visit: Visit, found: Sequence[Item]) -> Mapping[str, str]:
    """Return the names of the policies that receipts speak of, as far as the person may see them."""
    return await policy_names(visit, _policies(found))


async def _actors(visit: Visit, found: Sequence[Item]) -> Mapping[str, str]:
    """Return the names of those who changed something, which decisions do not."""
    if all(each["kind"] == "decision" for each in found):
        return {}
    return await actor_names(visit, await people_of(visit, visit.workspace or None))


def _policies(found: Sequence[Item]) -> Sequence[str]:
    claims = [part(part(each, "receipt"), "claim") for each in found]
    applied = [str(each["id"]) for claim in claims for each in items(claim, "policies")]
    return applied + [str(part(claim, "policy")["id"]) for claim in claims if "policy" in claim]


def _start(day: str, *, days: int = 0) -> str | None:
    """Return the moment at which a day begins, or the one so many days later; other text as it is."""
    if not day:
        return None
    try:
        return f"{date.fromisoformat(day) + timedelta(days=days)}T00:00:00Z"
    except (ValueError, OverflowError):
        return day


def _file(content: bytes, name: str) -> Response:
    headers = {"content-disposition": f'attachment; filename="{quote(name, safe="")}"'}
    return Response(content, media_type="application/json", headers=headers)


PAGES: Final[tuple[Page, ...]] = (
    shown("/receipts", receipts),
    handed("/receipts/live", live),
    shown("/receipts/{receipt_id}", receipt),
    handed("/receipts/{receipt_id}/bundle", bundle),
    handed("/receipts/{receipt_id}/dsse", envelope),
    shown("/receipts/{receipt_id}/erase", erasing),
    sent("/receipts/{receipt_id}/erase", erase),
)
