"""Packs: policies as files, shipped with the server or written elsewhere; planned first, then applied."""

from collections.abc import Sequence
from typing import Final

import msgspec
from starlette.responses import Response

from bylaw.dashboard.asking import Item, Refused, items, mendable, part
from bylaw.dashboard.page import Page, handed, sent, shown
from bylaw.dashboard.visit import Visit

_HOME: Final = "/settings/packs"
_FILE: Final = "pasted.yaml"
_OTHERS: Final = "exported"  # the file of those that no pack made


async def packs(visit: Visit) -> Response:
    """Show the packs that come with the server, and the form in which others are pasted."""
    return await _packs(visit)


async def pack_page(visit: Visit) -> Response:
    """Show what applying a shipped pack would do."""
    return await _plan(visit, [await _shipped(visit)])


async def apply_shipped(visit: Visit) -> Response:
    """Apply a shipped pack as it was planned."""
    return await _apply(visit, [await _shipped(visit)])


async def plan_pasted(visit: Visit) -> Response:
    """Show what applying pasted files would do."""
    try:
        return await _plan(visit, [await _pasted(visit)], text=visit.form.get("text", ""))
    except Refused as refused:
        return await _packs(visit, mendable(refused))


async def apply_pasted(visit: Visit) -> Response:
    """Apply pasted files as they were planned."""
    return await _apply(visit, [await _pasted(visit)], text=visit.form.get("text", ""))


async def download(visit: Visit) -> Response:
    """Send the policies of a pack as a file that can be applied again."""
    name = visit.request.path_params["pack"]
    found = items(await visit.get("/v1/packs", pack=None if name == _OTHERS else name), "documents")
    held = [each for each in found if part(each, "document").get("pack") == name]
    if not held:
        raise Refused(404, {"detail": "No approved policy is of this pack."})
    return Response(
        msgspec.json.format(msgspec.json.encode(held[0]["document"]), indent=2),
        media_type="application/json",
        headers={"content-disposition": f'attachment; filename="{name}.json"'},
    )


async def _packs(visit: Visit, refused: Refused | None = None) -> Response:
    return visit.show(
        "settings/packs.html",
        refused=refused,
        shipped=items(await visit.get("/v1/packs/shipped"), "documents"),
        installed=items(await visit.get("/v1/packs/counts"), "data"),
        text=visit.form.get("text", ""),
        errors=() if refused is None else items(refused.problem, "errors"),
    )


async def _shipped(visit: Visit) -> Item:
    """Return the file of a shipped pack. Raises: Refused for one that is not there."""
    name = visit.request.path_params["pack"]
    for each in items(await visit.get("/v1/packs/shipped"), "documents"):
        if part(each, "document").get("pack") == name:
            return each
    raise Refused(404, {"detail": "No pack of this name comes with the server."})


async def _pasted(visit: Visit) -> Item:
    """Return what was pasted as a file of a pack. Raises: Refused when it is none."""
    return await visit.send("POST", "/v1/packs/read", {"file": _FILE, "text": visit.form.get("text", "")})


async def _plan(
    visit: Visit, documents: Sequence[Item], *, text: str | None = None, refused: Refused | None = None
) -> Response:
    plan = await visit.send("POST", "/v1/packs/plan", {"documents": documents})
    return visit.show(
        "settings/pack_plan.html",
        refused=refused,
        plan=plan,
        document=documents[0]["document"],
        text=text,
    )


async def _apply(visit: Visit, documents: Sequence[Item], *, text: str | None = None) -> Response:
    agreed = {name: visit.form.get(name, "") for name in ("plan", "reason")}
    try:
        done = await visit.send("POST", "/v1/packs/apply", {"documents": documents, **agreed})
    except Refused as refused:
        return await _plan(visit, documents, text=text, refused=mendable(refused))
    changed = items(done, "policies")
    waits = sum(1 for each in changed if each["pending"] or each["status"] == "pending_review")
    said = "The pack is applied."
    return visit.go("/policies", said=f"{said} {waits} of its policies wait for review." if waits else said)


PAGES: Final[tuple[Page, ...]] = (
    shown(_HOME, packs),
    sent(_HOME, plan_pasted),
    shown(f"{_HOME}/shipped/{{pack}}", pack_page),
    sent(f"{_HOME}/shipped/{{pack}}", apply_shipped),
    shown(f"{_HOME}/pasted", packs),
    sent(f"{_HOME}/pasted", apply_pasted),
    handed(f"{_HOME}/files/{{pack}}.json", download),
)
