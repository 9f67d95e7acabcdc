"""Tenants, for the operator of the server."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query

from bylaw.api.answers import Page, Reply, page
from bylaw.api.native.keys import MintedKeyView, NewKey, minted, spec_of
from bylaw.api.native.query import ListQuery
from bylaw.api.ports import Unit
from bylaw.api.route import Operating, Route, body, needs_operator, needs_operator_inside
from bylaw.core.clock import rfc3339
from bylaw.core.errors import NotFound
from bylaw.core.ids import TenantId
from bylaw.tenancy import keys, places
from bylaw.tenancy.model import Tenant
from bylaw.tenancy.principal import Acting

router = APIRouter(tags=["tenants"], route_class=Route)


class NewTenant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A tenant to be made; without an id it gets one."""

    name: str
    id: str | None = None


class TenantView(msgspec.Struct, frozen=True, kw_only=True):
    """An organisation; nothing ever crosses tenants."""

    id: str
    name: str
    created_at: str


@router.post("/v1/tenants", status_code=201)
async def create_tenant(
    operating: Annotated[Operating, needs_operator()], new: Annotated[NewTenant, body(NewTenant)]
) -> Reply[TenantView]:
    """Make a tenant. Make its first key with `POST /v1/tenants/{tenant_id}/keys`."""
    tenant = await places.create_tenant(
        operating.unit,
        operating.principal,
        places.NewTenant(name=new.name, id=new.id),
        clock=operating.parts.clock,
        ids=operating.parts.ids,
    )
    return Reply(view(tenant))


@router.get("/v1/tenants")
async def list_tenants(
    operating: Annotated[Operating, needs_operator()], query: Annotated[ListQuery, Query()]
) -> Reply[Page[TenantView]]:
    """List the tenants of this server."""
    return Reply(page(await operating.unit.tenants(query.part), view))


@router.get("/v1/tenants/{tenant_id}")
async def read_tenant(
    operating: Annotated[Operating, needs_operator()], tenant_id: TenantId
) -> Reply[TenantView]:
    """Read one tenant."""
    tenant = await operating.unit.tenant(tenant_id)
    if tenant is None:
        raise NotFound("tenant", tenant_id)
    return Reply(view(tenant))


@router.post("/v1/tenants/{tenant_id}/keys", status_code=201)  # noqa: FAST003 - the dependency takes it
async def create_tenant_key(
    acting: Annotated[Acting[Unit], needs_operator_inside()], new: Annotated[NewKey, body(NewKey)]
) -> Reply[MintedKeyView]:
    """Make a key of a tenant, such as its first with `admin`. Its text is shown once."""
    return minted(await keys.mint_key(acting, spec_of(new), style=new.style))


def view(tenant: Tenant) -> TenantView:
    """Return a tenant as it goes over the wire."""
    return TenantView(id=tenant.id, name=tenant.name, created_at=rfc3339(tenant.created_ms))
