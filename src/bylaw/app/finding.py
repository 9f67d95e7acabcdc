"""How what is saved comes to be embedded: a job for each tenant whose policies say something new."""

from bylaw.api.ports import ControlStore
from bylaw.core.ids import TenantId
from bylaw.jobs.model import NewJob
from bylaw.search.embedding import KIND


async def ask_to_embed(control: ControlStore, tenant_id: TenantId) -> None:
    """Have what nobody has embedded yet be embedded, as soon as a worker has time."""
    async with control.begin(tenant_id, writes=False) as unit:
        if not await unit.vectors.has_untold():
            return
    async with control.begin(tenant_id) as unit:
        await unit.jobs.enqueue(NewJob(kind=KIND, dedupe=KIND, priority=1))


async def ask_to_embed_all(control: ControlStore) -> None:
    """Have looked through what every tenant says, as a worker does when it starts.

    Its model may be another than before, and a server may have died before it could ask.
    """
    async with control.system(writes=False) as system:
        tenants = sorted(await system.counters())
    for tenant_id in tenants:
        async with control.begin(tenant_id, writes=False) as unit:
            says = await unit.vectors.newest() > 0 or await unit.vectors.has_untold()
        if says:
            async with control.begin(tenant_id) as unit:
                await unit.jobs.enqueue(NewJob(kind=KIND, dedupe=KIND, priority=-1))
