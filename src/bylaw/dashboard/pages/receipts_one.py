"""One receipt: what was asked and decided, by which policies, and the proof of it."""

from collections.abc import Mapping, Sequence
from typing import Final, cast

from starlette.responses import Response

from bylaw.dashboard.asking import HIDDEN, Item, Refused, items, part
from bylaw.dashboard.pages.names import actor_name, policy_names, repo_name
from bylaw.dashboard.revealing import Line, beginning, exactly, lines, misleading
from bylaw.dashboard.visit import Visit

_MOST_TEXTS: Final = 50
_LONG: Final = 200_000  # bytes of what was said, of which a page shows all at once
_MOST_SHOWN: Final = 20_000  # characters of each part of what is longer
_ACTORS: Final = ("asked_by", "author", "approver")
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
    sent, decision, size = await _said(visit, ident)
    is_cut = size > _LONG and "all" not in visit.request.query_params
    request = _begun(sent) if is_cut else sent
    checked = await visit.get(f"/v1/receipts/{ident}/verify")
    policies = await _policies(visit, claim, decision)
    explanation, detail = await _explained(visit, ident)
    return visit.show(
        "receipts/one.html",
        ident=ident,
        found=found,
        claim=claim,
        request=request,
        size=size if is_cut else 0,
        decision=decision,
        texts=[(label, request[name]) for name, label in _TOLD if request.get(name)],
        written=_written(request),
        is_erased=bool(items(part(found, "receipt"), "commitments")) and not _is_kept(checked),
        policies=policies,
        names={str(each["id"]): str(each["name"]) for each in policies}
        | dict(await policy_names(visit, (str(each["id"]) for each in items(explanation, "why_not")))),
        actors={actor: await actor_name(visit, actor) for actor in _actors(claim, policies)},
        repo=await repo_name(visit, claim.get("repo")),
        checked=checked,
        explanation=explanation,
        detail=detail,
        claimed=lines(claim),
        misleading=misleading(lines(sent)),
        checkpoint=await _checkpoint(visit, ident),
    )


async def _said(visit: Visit, ident: str) -> tuple[Item, Item, int]:
    """Return what was asked, with every number as it was sent, the answer, and how many bytes that is.

    Shape: empty what is not there, or not for the person to read.
    """
    try:
        answered = await visit.ask("GET", f"/v1/receipts/{ident}/body")
    except Refused as refused:
        if refused.status not in HIDDEN:
            raise
        return {}, {}, 0
    asked = {str(each["name"]): each for each in items(cast("Item", exactly(answered.body)), "parts")}
    told = {str(each["name"]): each for each in items(cast("Item", answered.data), "parts")}
    request, decision = part(asked.get("request", {}), "content"), part(told.get("decision", {}), "content")
    return request, decision, len(answered.body)


def _begun(request: Item) -> Item:
    """Return what was asked with the beginning of each part; the name of a tool whole."""
    begun = {name: beginning(value, _MOST_SHOWN) for name, value in request.items()}
    call = part(request, "tool_call")
    if call:
        begun["tool_call"] = {**call, "arguments": beginning(call.get("arguments", {}), _MOST_SHOWN)}
    return begun


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
        version = await visit.find(f"/v1/policies/{applied['id']}/versions/{applied['version']}")
    texts = {str(each["id"]): each.get("expr") or each.get("text") for each in items(version, "rules")}
    rules = [{"text": texts.get(str(each["id"]), ""), **each} for each in items(applied, "rules")]
    name = applied.get("name") or version.get("name") or applied["id"]
    return {"condition": "applies", **applied, "name": name, "rules": rules, "is_known": bool(version)}


def _actors(claim: Item, policies: Sequence[Item]) -> set[str]:
    """Return who asked, made a change or approved it, as a receipt and a decision have it."""
    named = [claim.get(name) for name in _ACTORS] + [each.get("approved_by") for each in policies]
    return {str(actor) for actor in named if actor}


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
