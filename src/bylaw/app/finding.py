"""How what is saved comes to be embedded: a job for each tenant whose policies say something new."""

from bylaw.api.ports import ControlStore
from bylaw.core.ids import TenantId
from bylaw.jobs.model import NewJob
from bylaw.search.embedder import Embedder
from bylaw.search.embedding import KIND


async def ask_to_embed(control: ControlStore, tenant_id: TenantId) -> None:
    """Have what nobody has embedded yet be embedded, as soon as a worker has time."""
    async with control.begin(tenant_id, writes=False) as unit:
        if not await unit.vectors.has_untold():
            return
    async with control.begin(tenant_id) as unit:
        await unit.jobs.enqueue(NewJob(kind=KIND, dedupe=KIND, priority=1))


async def ask_to_embed_all(control: ControlStore, embedder: Embedder) -> None:
    """Have embedded what another model embedded, or nobody did: what a worker asks for when it starts."""
    async with control.system(writes=False) as system:
        tenants = sorted(await system.counters())
    for tenant_id in tenants:
        async with control.begin(tenant_id, writes=False) as unit:
            waiting = await unit.vectors.waiting(embedder.id)
        if waiting:
            async with control.begin(tenant_id) as unit:
                await unit.jobs.enqueue(NewJob(kind=KIND, dedupe=KIND, priority=-1))
