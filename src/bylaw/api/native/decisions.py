"""Decisions after they were made: read again, and explained."""

from typing import Annotated

import msgspec
from fastapi import APIRouter
from fastapi import Request as Http

from bylaw.api.answers import Reply
from bylaw.api.deciding import placed
from bylaw.api.earlier import Earlier
from bylaw.api.fit import fit
from bylaw.api.ports import Unit
from bylaw.api.receipts import DECISION_PART, REQUEST_PART, open_to
from bylaw.api.route import Route, body, needs, parts_of
from bylaw.api.said import require_said
from bylaw.api.strict_json import parse
from bylaw.core.errors import NotFound
from bylaw.core.ids import ReceiptId
from bylaw.decisions.explain import Explanation, explain
from bylaw.decisions.model import Decision, Request
from bylaw.decisions.select import ASKING_SCOPE
from bylaw.tenancy.principal import Acting

router = APIRouter(tags=["decisions"], route_class=Route)

Reading = Annotated[Acting[Unit], needs("receipts:read")]


@router.get("/v1/decisions/{receipt_id}")
async def read_decision(acting: Reading, receipt_id: ReceiptId, http: Http) -> Reply[Decision]:
    """Read a decision, as far as you may see its policies; 404 once its body is erased."""
    stored = (await parts_of(http).receipts.get(acting.principal, receipt_id)).stored
    encoded = await _part(acting, receipt_id, DECISION_PART, http)
    decision = msgspec.json.decode(placed(encoded, stored.origin, stored.index), type=Decision)
    return Reply(parts_of(http).engine.disclosed(decision, acting.principal))


@router.get("/v1/decisions/{receipt_id}/explain")
async def explain_decision(acting: Reading, receipt_id: ReceiptId, http: Http) -> Reply[Explanation]:
    """Explain what would be decided about the recorded request now: why, why not, what would change it."""
    request = fit(parse(await _part(acting, receipt_id, REQUEST_PART, http)), Request)
    if not request.workspace_id and not request.repo_id:
        # A key that is limited to a place decides there without naming it; the receipt does.
        place = (await parts_of(http).receipts.get(acting.principal, receipt_id)).place
        request = msgspec.structs.replace(request, workspace_id=place.workspace_id, repo_id=place.repo_id)
    parts, caller = parts_of(http), acting.principal
    followed = await Earlier(parts.ledger, parts.engine).recorded(caller.tenant_id, request)
    return Reply(await explain(parts.engine, request, caller, followed=followed))


@router.post("/v1/decisions:explain")
async def explain_request(
    acting: Annotated[Acting[Unit], needs(ASKING_SCOPE)],
    request: Annotated[Request, body(Request)],
    http: Http,
) -> Reply[Explanation]:
    """Explain what would be decided about a request: why, why not, what would change it. It is not kept."""
    require_said(request)
    parts, caller = parts_of(http), acting.principal
    here = await parts.engine.routed(parts.engine.placed(request, caller), caller)
    followed = await Earlier(parts.ledger, parts.engine).followed(caller, here)
    return Reply(await explain(parts.engine, here, caller, followed=followed))


async def _part(acting: Acting[Unit], receipt_id: ReceiptId, name: str, http: Http) -> bytes:
    for part in await open_to(acting, await parts_of(http).receipts.parts(acting.principal, receipt_id)):
        if part.name == name:
            return part.content
    raise NotFound("decision", receipt_id)
