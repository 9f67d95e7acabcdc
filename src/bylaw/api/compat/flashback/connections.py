"""Connections to AI providers; their secrets go in and never come out."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Request
from fastapi import Query as FromQuery
from msgspec import UNSET, UnsetType
from pydantic import Field

from bylaw.api.answers import Reply
from bylaw.api.compat.flashback import wire_connections as wire
from bylaw.api.compat.flashback.ai_keys import AI_TYPES, PROVIDERS
from bylaw.api.compat.flashback.query import Id, Query
from bylaw.api.compat.flashback.translate import providers_of
from bylaw.api.compat.flashback.wire import FlashbackConfirmation
from bylaw.api.parts import Parts
from bylaw.api.ports import Unit
from bylaw.api.route import Route, admits, body, needs, needs_projected, parts_of, principal_of
from bylaw.core.clock import rfc3339
from bylaw.core.errors import InvalidInput
from bylaw.core.ids import ConnectionId, WorkspaceId
from bylaw.core.paging import Slice, every
from bylaw.providers.calling import endpoint_of
from bylaw.review import queue
from bylaw.review.store import ReviewFilter
from bylaw.tenancy import connections
from bylaw.tenancy.connections import ConnectionChange, Credentials, NewConnection
from bylaw.tenancy.model import Connection, Place
from bylaw.tenancy.principal import Acting

router = APIRouter(tags=["flashback"], route_class=Route)

Reading = Annotated[Acting[Unit], needs(connections.READS)]
Writing = Annotated[Acting[Unit], needs(connections.WRITES)]

_COUNTED = Slice(limit=1, total=True)


class ConnectionQuery(Query):
    """Which connections are wanted."""

    workspace_id: Annotated[Id, Field(alias="workspaceId", description="Those of this workspace.")] = None


class StatsQuery(Query):
    """Whose counts are wanted."""

    ai_llm_id: Annotated[Id, Field(alias="aiLlmId", description="Those of this connection.")] = None


@router.post("/ai/llm")
async def create_connection(
    acting: Writing, request: Request, new: Annotated[wire.NewAiLlm, body(wire.NewAiLlm)]
) -> Reply[wire.SavedAiLlm]:
    """Make a connection. Its name is unique in the workspace; key and secret are kept encrypted."""
    _require_no_reference(new.api_key_uuid)
    wanted = NewConnection(
        workspace_id=WorkspaceId(new.workspace_id),
        name=new.name,
        provider=PROVIDERS[new.ai_type],
        endpoint=new.endpoint or "",
        credentials=Credentials(key=new.key or "", secret=new.secret or ""),
    )
    made = await connections.create_connection(acting, wanted, parts_of(request).sealer)
    return Reply(wire.SavedAiLlm(ai_llm_id=made.id, message="The connection is made."))


@router.get("/ai/llm")
async def list_connections(
    acting: Reading, query: Annotated[ConnectionQuery, FromQuery()]
) -> Reply[wire.AiLlms]:
    """List the connections that the caller may see, newest first."""
    return Reply(wire.AiLlms(ai_llms=await _all(acting, query.workspace_id)))


@router.get("/ai/llm/available")
async def list_available_connections(acting: Reading) -> Reply[wire.AiLlms]:
    """List the connections of every workspace that the caller may see."""
    return Reply(wire.AiLlms(ai_llms=await _all(acting, None)))


@router.get("/ai/llm/stats")
async def count_connections(
    acting: Annotated[Acting[Unit], needs_projected(connections.READS)],
    query: Annotated[StatsQuery, FromQuery()],
) -> Reply[wire.AiLlmStats]:
    """Count what was called through a connection, and what policies said of its provider in its workspace.

    Calls are those that the gateway passed on and that were answered, delivered or not. Violations, alerts
    and blocks are those of calls that name the provider. `Llm` counts say the same as those without.
    """
    if query.ai_llm_id is None:
        part = connections.list_connections
        found = [each async for each in every(lambda wanted: part(acting, wanted))]
    else:
        found = [await connections.read_connection(acting, ConnectionId(query.ai_llm_id))]
    return Reply(wire.AiLlmStats(stats=tuple([await _counts(acting, each) for each in found])))


@router.put("/ai/llm/{connection_id}")
async def change_connection(
    acting: Writing,
    request: Request,
    connection_id: ConnectionId,
    change: Annotated[wire.AiLlmChange, body(wire.AiLlmChange)],
) -> Reply[wire.SavedAiLlm]:
    """Change a connection. Another endpoint needs the key again: it is not handed to a new address."""
    _require_no_reference(change.api_key_uuid)
    credentials: Credentials | UnsetType = UNSET
    if change.key is not None or change.secret is not None:
        credentials = Credentials(key=change.key or "", secret=change.secret or "")
    wanted = ConnectionChange(
        name=UNSET if change.name is None else change.name,
        provider=UNSET if change.ai_type is None else PROVIDERS[change.ai_type],
        endpoint=UNSET if change.endpoint is None else change.endpoint,
        credentials=credentials,
    )
    stored = await connections.change_connection(acting, connection_id, wanted, parts_of(request).sealer)
    return Reply(wire.SavedAiLlm(ai_llm_id=stored.id, message="The connection is changed."))


@router.delete("/ai/llm/{connection_id}")
async def delete_connection(acting: Writing, connection_id: ConnectionId) -> Reply[FlashbackConfirmation]:
    """Delete a connection; its key and secret are forgotten."""
    await connections.delete_connection(acting, connection_id)
    return Reply(FlashbackConfirmation(message="The connection is deleted."))


@router.post("/ai/llm/{connection_id}/validate")
async def try_connection(
    parts: Annotated[Parts, admits(connections.READS)], request: Request, connection_id: ConnectionId
) -> Reply[wire.TriedAiLlm]:
    """Ask the provider whether it accepts the connection. It is a real call, unless those are off here."""
    principal = principal_of(request)
    async with parts.acting(principal, writes=False) as acting:
        connection = await connections.read_connection(acting, connection_id)
        acting.principal.require(connections.WRITES, Place(workspace_id=connection.workspace_id))
    tried = await parts.providers.try_out(endpoint_of(connection, parts.sealer))
    return Reply(wire.TriedAiLlm(success=tried.works, message=tried.message))


async def _all(acting: Acting[Unit], workspace_id: str | None) -> tuple[wire.AiLlm, ...]:
    wanted = None if workspace_id is None else WorkspaceId(workspace_id)
    found = every(lambda part: connections.list_connections(acting, part, workspace_id=wanted))
    return tuple([_shown(each) async for each in found])


async def _counts(acting: Acting[Unit], connection: Connection) -> wire.AiLlmCounts:
    where = ReviewFilter(
        within=(Place(workspace_id=connection.workspace_id),),
        providers=providers_of(frozenset({connection.provider})),
    )
    violations = (await queue.list_violations(acting, where, _COUNTED)).total
    blocks = (await queue.list_violations(acting, replace(where, block=True), _COUNTED)).total
    alerts = (await queue.list_alerts(acting, where, _COUNTED)).total
    used = await acting.unit.review.calls.used(connection.id)
    return wire.AiLlmCounts(
        ai_llm_id=connection.id,
        total_api_calls=str(used.calls),
        total_tokens_in=str(used.tokens_in),
        total_tokens_out=str(used.tokens_out),
        total_llm_tokens_in=str(used.tokens_in),
        total_llm_tokens_out=str(used.tokens_out),
        total_policy_violations=str(violations),
        total_alerts=str(alerts),
        total_blocks=str(blocks),
    )


def _require_no_reference(api_key_uuid: str | None) -> None:
    if api_key_uuid:
        message = "There are no stored cloud keys to refer to: send key and secret."
        raise InvalidInput.of("apiKeyUuid", "unsupported", message)


def _shown(connection: Connection) -> wire.AiLlm:
    return wire.AiLlm(
        id=connection.id,
        org_id=connection.tenant_id,
        workspace_id=connection.workspace_id,
        user_id=connection.created_by.partition(":")[2],
        name=connection.name,
        ai_type=AI_TYPES[connection.provider],
        endpoint=connection.endpoint,
        key=connection.shown or None,
        created_at=rfc3339(connection.created_ms),
    )
