"""Connections to providers of models; their credentials go in and never come out."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Request, Response

from bylaw.api.answers import Page, Reply, page
from bylaw.api.native.query import InWorkspace
from bylaw.api.ports import Unit
from bylaw.api.route import Revision, Route, body, needs, parts_of
from bylaw.core.clock import rfc3339
from bylaw.core.ids import ConnectionId, WorkspaceId
from bylaw.tenancy import connections
from bylaw.tenancy.connections import ConnectionChange as Change
from bylaw.tenancy.connections import Credentials
from bylaw.tenancy.model import Connection, Provider
from bylaw.tenancy.principal import Acting

router = APIRouter(tags=["connections"], route_class=Route)

Reading = Annotated[Acting[Unit], needs(connections.READS)]
Writing = Annotated[Acting[Unit], needs(connections.WRITES)]


class NewConnection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A connection to be made; without an endpoint it leads to the provider's own address.

    `key`, and `secret` where the provider asks for both, are kept encrypted and never shown.
    """

    workspace_id: str
    name: str
    provider: Provider
    endpoint: str = ""
    key: str = ""
    secret: str = ""


class ConnectionChange(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The fields that are to change; `key` and `secret` are replaced together, as an endpoint needs."""

    name: str | None = None
    endpoint: str | None = None
    key: str | None = None
    secret: str | None = None


class ConnectionView(msgspec.Struct, frozen=True, kw_only=True):
    """A connection; `key` shows the end of a long one, and an empty endpoint is the provider's own."""

    id: str
    workspace_id: str
    name: str
    provider: Provider
    endpoint: str
    key: str
    created_by: str
    created_at: str


@router.post("/v1/connections", status_code=201)
async def create_connection(
    acting: Writing, request: Request, new: Annotated[NewConnection, body(NewConnection)]
) -> Reply[ConnectionView]:
    """Make a connection of a workspace, under a name that no other of it has."""
    wanted = connections.NewConnection(
        workspace_id=WorkspaceId(new.workspace_id),
        name=new.name,
        provider=new.provider,
        endpoint=new.endpoint,
        credentials=Credentials(key=new.key, secret=new.secret),
    )
    return _connection(await connections.create_connection(acting, wanted, parts_of(request).sealer))


@router.get("/v1/connections")
async def list_connections(
    acting: Reading, query: Annotated[InWorkspace, Query()]
) -> Reply[Page[ConnectionView]]:
    """List connections where the caller may read agents."""
    found = await connections.list_connections(acting, query.part, workspace_id=query.workspace_id)
    return Reply(page(found, _view))


@router.get("/v1/connections/{connection_id}")
async def read_connection(acting: Reading, connection_id: ConnectionId) -> Reply[ConnectionView]:
    """Read one connection."""
    return _connection(await connections.read_connection(acting, connection_id))


@router.patch("/v1/connections/{connection_id}")
async def change_connection(
    acting: Writing,
    request: Request,
    connection_id: ConnectionId,
    change: Annotated[ConnectionChange, body(ConnectionChange)],
    *,
    revision: Revision,
) -> Reply[ConnectionView]:
    """Change a connection."""
    is_new_key = change.key is not None or change.secret is not None
    wanted = Change(
        name=msgspec.UNSET if change.name is None else change.name,
        endpoint=msgspec.UNSET if change.endpoint is None else change.endpoint,
        credentials=Credentials(key=change.key or "", secret=change.secret or "")
        if is_new_key
        else msgspec.UNSET,
    )
    sealer = parts_of(request).sealer
    return _connection(
        await connections.change_connection(acting, connection_id, wanted, sealer, revision=revision)
    )


@router.delete("/v1/connections/{connection_id}", status_code=204)
async def delete_connection(acting: Writing, connection_id: ConnectionId) -> Response:
    """Delete a connection and forget its credentials."""
    await connections.delete_connection(acting, connection_id)
    return Response(status_code=204)


def _view(connection: Connection) -> ConnectionView:
    return ConnectionView(
        id=connection.id,
        workspace_id=connection.workspace_id,
        name=connection.name,
        provider=connection.provider,
        endpoint=connection.endpoint,
        key=connection.shown,
        created_by=connection.created_by,
        created_at=rfc3339(connection.created_ms),
    )


def _connection(connection: Connection) -> Reply[ConnectionView]:
    return Reply(_view(connection), revision=connection.revision)
