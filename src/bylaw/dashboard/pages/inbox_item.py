"""One thing of the inbox: a call that is approved or denied, and what somebody should look at."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, cast

from starlette.responses import Response

from bylaw.dashboard.asking import HIDDEN, Item, Refused, items, mendable, part
from bylaw.dashboard.page import Page, sent, shown
from bylaw.dashboard.pages.inbox_hands import see_to, told
from bylaw.dashboard.pages.names import actor_name
from bylaw.dashboard.revealing import exactly, lines, misleading
from bylaw.dashboard.visit import Visit

_ANSWERS: Final = {"approve": "approve", "deny": "refuse"}
_SAID: Final = {"approve": "approved", "deny": "refused"}


async def approval(visit: Visit) -> Response:
    """Show a call that waits for a person."""
    return await _approval(visit)


async def answer(visit: Visit) -> Response:
    """Approve or deny a call, and say so."""
    if "do" in visit.form:
        return await _seen_to(visit, "approvals", _approval)
    said = visit.form.get("answer", "")
    path = visit.request.url.path
    if said not in _ANSWERS:
        return visit.go(path)
    ident = visit.request.path_params["ident"]
    try:
        await visit.once(
            f"/v1/approvals/{ident}/{_ANSWERS[said]}",
            {"reason": visit.form.get("reason", "")},
            revision=visit.form.get("revision", ""),
        )
    except Refused as refused:
        return await _approval(visit, mendable(refused))
    done = {
        "approve": "You approved this call. The agent may make exactly this call, once.",
        "deny": "You denied this call. The agent is told so when it asks again.",
    }
    return visit.go(path, said=done[said])


async def attention(visit: Visit) -> Response:
    """Show what somebody should look at."""
    return await _attention(visit)


async def resolve(visit: Visit) -> Response:
    """Say that it was looked at."""
    if "do" in visit.form:
        return await _seen_to(visit, "attention", _attention)
    ident = visit.request.path_params["ident"]
    try:
        await visit.once(
            f"/v1/attention/{ident}/resolve",
            {"reason": visit.form.get("reason", "")},
            revision=visit.form.get("revision", ""),
        )
    except Refused as refused:
        return await _attention(visit, mendable(refused))
    return visit.go("/inbox/attention", said="This is resolved.")


async def _seen_to(
    visit: Visit, kind: str, show: Callable[[Visit, Refused | None], Awaitable[Response]]
) -> Response:
    """Put a thing into other hands, or comment it, and say so."""
    try:
        said = await see_to(visit, f"/v1/{kind}/{visit.request.path_params['ident']}")
    except Refused as refused:
        return await show(visit, mendable(refused))
    return visit.go(visit.request.url.path, said=said)


async def _approval(visit: Visit, refused: Refused | None = None) -> Response:
    asked = await visit.ask("GET", f"/v1/approvals/{visit.request.path_params['ident']}")
    found = cast("Item", asked.data)
    occasion = part(found, "occasion")
    request, decision = await _recorded(visit, str(occasion["receipt_id"]))
    call = lines(part(request, "tool_call").get("arguments", {})) if "tool_call" in request else ()
    return visit.show(
        "inbox/approval.html",
        refused=refused,
        found=found,
        occasion=occasion,
        revision=asked.etag,
        request=request,
        decision=decision,
        is_known="tool_call" in request,
        call=call,
        misleading=misleading(call),
        by=await _by(visit, found["decided_by"]),
        **await told(visit, f"/v1/approvals/{found['id']}", found),
        wanted=_SAID.get(visit.form.get("answer", ""), ""),
        reason=visit.form.get("reason", ""),
    )


async def _attention(visit: Visit, refused: Refused | None = None) -> Response:
    asked = await visit.ask("GET", f"/v1/attention/{visit.request.path_params['ident']}")
    found = cast("Item", asked.data)
    occasion = part(found, "occasion")
    request, decision = await _recorded(visit, str(occasion["receipt_id"]))
    call = lines(part(request, "tool_call").get("arguments", {})) if "tool_call" in request else ()
    held = [each for each in items(decision, "obligations") if each["kind"] == "approval"]
    return visit.show(
        "inbox/attention_item.html",
        refused=refused,
        found=found,
        occasion=occasion,
        revision=asked.etag,
        request=request,
        decision=decision,
        call=call,
        approval=held[0]["id"] if held else "",
        by=await _by(visit, found["resolved_by"]),
        **await told(visit, f"/v1/attention/{found['id']}", found),
        reason=visit.form.get("reason", ""),
    )


async def _by(visit: Visit, actor: object) -> str:
    """Return who saw to it, empty while nobody did."""
    return await actor_name(visit, str(actor)) if actor else ""


async def _recorded(visit: Visit, receipt_id: str) -> tuple[Item, Item]:
    """Return what was asked and what was decided, each empty for whoever may not see it, or once erased."""
    if not receipt_id:
        return {}, {}
    try:
        body = (await visit.ask("GET", f"/v1/receipts/{receipt_id}/body")).body
    except Refused as refused:
        if refused.status not in HIDDEN:
            raise
        return {}, {}
    parts = items(cast("Item", exactly(body)), "parts")
    named: Mapping[str, Item] = {str(each["name"]): part(each, "content") for each in parts}
    return named.get("request", {}), named.get("decision", {})


PAGES: Final[tuple[Page, ...]] = (
    shown("/inbox/approvals/{ident}", approval),
    sent("/inbox/approvals/{ident}", answer),
    shown("/inbox/attention/{ident}", attention),
    sent("/inbox/attention/{ident}", resolve),
)
