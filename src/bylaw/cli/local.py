"""A data directory without a running server, as commands reach it: with the rights of who owns the files."""

import os
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import click
from fastapi import Response

from bylaw.api.ports import Unit
from bylaw.app import build
from bylaw.cli.data import require_data
from bylaw.core.clock import SystemClock
from bylaw.core.ids import Ids, TenantId
from bylaw.settings import Settings, load
from bylaw.tenancy.principal import Acting, system_principal


def existing(flags: Mapping[str, object]) -> Settings:
    """Return the settings of data that is there. Raises: InvalidInput, also when there is none."""
    settings = load(flags, os.environ)
    require_data(settings.storage)
    return settings


async def carry_out(
    data: Path,
    tenant_id: TenantId,
    action: Callable[[Acting[Unit]], Awaitable[Response]],
    *,
    environ: Mapping[str, str],
) -> bytes:
    """Return the body of what `action` answers in one transaction on the directory `data`.

    Raises: Conflict when a server is running on it.
    """
    clock = SystemClock()
    principal = system_principal(tenant_id)
    async with build(load({"data": data}, environ)) as app:
        if app.admin_key is not None:
            click.echo(f"The admin key of this new directory, shown once: {app.admin_key}", err=True)
        async with app.stores.control.begin(tenant_id) as unit:
            acting = Acting(unit=unit, principal=principal, clock=clock, ids=Ids(clock))
            response = await action(acting)
        await app.settle(tenant_id)
    return bytes(response.body)
