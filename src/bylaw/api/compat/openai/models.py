"""One of the models that may be asked with a key."""

from typing import Annotated

from fastapi import APIRouter, Request

from bylaw.api.answers import Reply
from bylaw.api.compat.openai.caller import SCOPE, repo_of
from bylaw.api.compat.openai.wire import OfferedModel
from bylaw.api.parts import Parts
from bylaw.api.route import Route, admits, incoming_of, principal_of
from bylaw.core.errors import NotFound, Unavailable
from bylaw.providers.model import Failed

router = APIRouter(tags=["gateway"], route_class=Route)


@router.get("/v1/models/{model:path}")
async def read_model(
    parts: Annotated[Parts, admits(SCOPE)], request: Request, model: str
) -> Reply[OfferedModel]:
    """Read one of the models that may be asked with a key; 404 for one that no provider lists."""
    principal = principal_of(request)
    listing = parts.gateway.models(principal, repo_of(principal))
    found = await incoming_of(request).attended(listing)
    if isinstance(found, Failed):
        raise Unavailable(found.message)
    for connection, name in found:
        if name == model:
            return Reply(OfferedModel(id=name, owned_by=connection.provider))
    raise NotFound("model", model)
