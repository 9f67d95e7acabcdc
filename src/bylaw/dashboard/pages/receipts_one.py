"""One receipt: what was asked and decided, by which policies, and the proof of it."""

from collections.abc import Mapping, Sequence
from typing import Final, cast

from starlette.responses import Response

from bylaw.dashboard.asking import Item, Refused, items, part
from bylaw.dashboard.revealing import Line, exactly, lines, misleading
from bylaw.dashboard.visit import Visit

_MOST_TEXTS: Final = 50
_TOLD: Final = (
    ("user_intent", "What was asked of the agent"),
    ("agent_output", "What the agent says"),
    ("rationale", "Why the agent does it"),
    ("retrieval_summary", "What the agent looked up"),
)


async def receipt(visit: Visit) -> Response:
    """Show one receipt; asked for it, also what would be decided now."""
    ident = visit.request.path_params["receipt_id"]
    found = await visit.get(f"/v1/receipts/{ident}")
    claim = part(part(found, "receipt"), "claim")
    request, decision = await _said(visit, ident)
    checked = await visit.get(f"/v1/receipts/{ident}/verify")
    policies = await _policies(visit, claim, decision)
    explanation, detail = await _explained(visit, ident)
    return visit.show(
        "receipts/one.html",
        ident=ident,
        found=found,
        claim=claim,
        request=request,
        decision=decision,
        texts=[(label, request[name]) for name, label in _TOLD if request.get(name)],
        written=_written(request),
        is_erased=bool(items(part(found, "receipt"), "commitments")) and not _is_kept(checked),
        policies=policies,
        names={str(each["id"]): str(each["name"]) for each in policies}
        | await _named(visit, items(explanation, "why_not")),
        checked=checked,
        explanation=explanation,
        detail=detail,
        claimed=lines(claim),
        misleading=misleading(lines(request)),
        checkpoint=await _checkpoint(visit, ident),
    )


async def _said(visit: Visit, ident: str) -> tuple[Item, Item]:
    """Return what was asked, with every number as it was sent, and the answer; empty what is not there."""
    try:
        answered = await visit.ask("GET", f"/v1/receipts/{ident}/body")
    except Refused as refused:
        if refused.status not in {403, 404}:
            raise
        return {}, {}
    asked = {str(each["name"]): each for each in items(cast("Item", exactly(answered.body)), "parts")}
    told = {str(each["name"]): each for each in items(cast("Item", answered.data), "parts")}
    return part(asked.get("request", {}), "content"), part(told.get("decision", {}), "content")


async def _checkpoint(visit: Visit, ident: str) -> str:
    """Return the signed note that covers the receipt, empty while none does."""
    try:
        return str((await visit.get(f"/v1/receipts/{ident}/proof"))["checkpoint"])
    except Refused as refused:
        if refused.status != 404:
            raise
        return ""


async def _explained(visit: Visit, ident: str) -> tuple[Item, str]:
    """Return what would be decided now, or why that cannot be said; nothing unless it is asked for."""
    if "now" not in visit.request.query_params:
        return {}, ""
    try:
        return await visit.get(f"/v1/decisions/{ident}/explain"), ""
    except Refused as refused:
        return {}, refused.detail


async def _policies(visit: Visit, claim: Item, decision: Item) -> Sequence[Item]:
    """Return what applied, with the texts of those versions: as decided, or as far as the receipt tells."""
    told = items(decision, "policies") or items(claim, "policies")
    found = [await _with_texts(visit, each, has_texts=at < _MOST_TEXTS) for at, each in enumerate(told)]
    extra = items(decision, "extra_rules") or items(claim, "extra_rules")
    if extra:
        found.append({"id": "", "name": "Rules that came with the request", "rules": extra, "outcome": ""})
    return found


async def _with_texts(visit: Visit, applied: Item, *, has_texts: bool) -> Item:
    """Return a policy as it applied, with its name and the text of each rule where they may be seen."""
    version: Item = {}
    if has_texts and visit.may("policy:read"):
        try:
            version = await visit.get(f"/v1/policies/{applied['id']}/versions/{applied['version']}")
        except Refused as refused:
            if refused.status not in {403, 404}:
                raise
    texts = {str(each["id"]): each.get("expr") or each.get("text") for each in items(version, "rules")}
    rules = [{"text": texts.get(str(each["id"]), ""), **each} for each in items(applied, "rules")]
    name = applied.get("name") or version.get("name") or applied["id"]
    return {"condition": "applies", **applied, "name": name, "rules": rules, "is_known": bool(version)}


async def _named(visit: Visit, others: Sequence[Item]) -> dict[str, str]:
    """Return the names of the policies that did not apply."""
    names: dict[str, str] = {}
    for each in others[:_MOST_TEXTS]:
        try:
            names[str(each["id"])] = str((await visit.get(f"/v1/policies/{each['id']}"))["name"])
        except Refused:
            continue
    return names


def _written(request: Item) -> Mapping[str, Sequence[Line]]:
    """Return what was asked, line by line, with nothing hidden in it."""
    call = part(request, "tool_call")
    told = {
        "metadata": request.get("metadata"),
        "tool_result": request.get("tool_result"),
        "request": request,
    }
    found = {name: lines(value) for name, value in told.items() if value not in (None, {})}
    return found | ({"arguments": lines(call.get("arguments", {}))} if call else {})


def _is_kept(checked: Item) -> bool:
    return checked["execution_hash_match"] is not None or checked["evaluation_hash_match"] is not None
