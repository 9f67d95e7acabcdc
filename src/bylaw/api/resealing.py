"""Rotating the key under which credentials are sealed: a new one seals everything anew."""

from typing import Protocol

from bylaw.api.ports import ControlStore
from bylaw.core.ids import TenantId
from bylaw.core.paging import every
from bylaw.notify import webhooks
from bylaw.tenancy.connections import resealed
from bylaw.tenancy.sealing import Sealer, sealed_under


class RotatingSealer(Sealer, Protocol):
    """A sealer that can take a new key."""

    def rotate(self, *, used: frozenset[str]) -> None:
        """Seal with a new key from now on; keys of before that are not in `used` are forgotten."""


async def reseal(store: ControlStore, sealer: RotatingSealer) -> int:
    """Seal every secret under a new key, and return how many items they were of; repeating does no harm."""
    async with store.system(writes=False) as system:
        tenants = [tenant.id async for tenant in every(system.tenants)]
    used: set[str] = set()
    for tenant_id in tenants:
        async with store.begin(tenant_id, writes=False) as unit:
            async for each in every(unit.tenancy.connections.list):
                if each.sealed:
                    used.add(sealed_under(each.sealed))
            for webhook in await unit.notify.webhooks.listening():
                used |= {sealed_under(each) for each in (webhook.sealed, webhook.sealed_before) if each}
    sealer.rotate(used=frozenset(used))
    return sum([await _reseal(store, tenant_id, sealer) for tenant_id in tenants])


async def _reseal(store: ControlStore, tenant_id: TenantId, sealer: Sealer) -> int:
    async with store.begin(tenant_id) as unit:
        connections = unit.tenancy.connections
        held = [each async for each in every(connections.list) if each.sealed]
        for each in held:
            await connections.save(resealed(each, sealer))
        listening = await unit.notify.webhooks.listening()
        for webhook in listening:
            await unit.notify.webhooks.save(webhooks.resealed(webhook, sealer))
        if held:
            await unit.changes.bump()  # whoever keeps a connection reads it again
    return len(held) + len(listening)
