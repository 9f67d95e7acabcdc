"""Embedding, joined from settings: who embeds, and how what is saved comes to be embedded by a worker."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Literal

from bylaw.api.ports import ControlStore, Unit
from bylaw.app.judging import address_in
from bylaw.core.errors import InvalidInput
from bylaw.core.ids import TenantId
from bylaw.jobs.model import NewJob, Object
from bylaw.jobs.running import Handler, Running
from bylaw.providers.calling import Endpoint, Providers
from bylaw.search.arithmetic import NUMPY
from bylaw.search.embedder import Embedder, embedded
from bylaw.search.embedding import KIND, embed_waiting
from bylaw.search.endpoint import HttpEmbedder
from bylaw.search.finder import Finder
from bylaw.search.nearest import Where
from bylaw.search.weights import Runtime
from bylaw.settings import Settings
from bylaw.tenancy.connections import Credentials
from bylaw.tenancy.model import Provider


def finder_of(settings: Settings, providers: Providers) -> Finder:
    """Return what finds policies by their meaning. Raises: InvalidInput."""
    where = where_of(settings)
    return Finder(embedder_of(settings, providers), memory_bytes=where.memory_bytes, choice=where.choice)


def where_of(settings: Settings) -> Where:
    """Return where vectors are compared."""
    return Where(choice=settings.search.compare_in, memory_bytes=settings.search.memory_mb << 20)


def embedder_of(settings: Settings, providers: Providers) -> Callable[[], Embedder]:
    """Return what makes the embedder that the settings name, which may take a while. Raises: InvalidInput."""
    search = settings.search
    if not search.embed_model:
        return partial(embedded, _runtime(search.embed_runtime))
    kind: Provider = "other" if search.embed_url else "openai"
    endpoint = Endpoint(
        provider=kind,
        address=address_in("embed_url", search.embed_url, kind),
        credentials=Credentials(key=search.embed_key),
    )
    return partial(
        HttpEmbedder, providers, endpoint, model=search.embed_model, dimensions=search.embed_dimensions
    )


def _runtime(name: Literal["numpy", "onnxruntime", "onnxruntime-int8"]) -> Runtime:
    """Return what runs the model of this machine. Raises: InvalidInput when it is not installed."""
    if name == "numpy":
        return NUMPY
    try:
        from bylaw.search.onnx import EXACT, SMALL  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        message = "Embedding by onnxruntime needs the extra onnx: pip install '.[onnx]' in a clone."
        raise InvalidInput(message) from error
    return EXACT if name == "onnxruntime" else SMALL


def embedding_handlers(embedder: Callable[[], Embedder], where: Where) -> Mapping[str, Handler[Unit]]:
    """Return what embeds, by the kind of job."""

    async def embed(job: Running[Unit]) -> Object:
        return await embed_waiting(job.begin, embedder(), where=where, progress=job.progress)

    return {KIND: Handler(handle=embed)}


async def ask_to_embed(control: ControlStore, tenant_id: TenantId) -> None:
    """Have what nobody has embedded yet be embedded, as soon as a worker has time."""
    async with control.begin(tenant_id, writes=False) as unit:
        if not await unit.vectors.has_unembedded():
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
            says = await unit.vectors.newest() > 0 or await unit.vectors.has_unembedded()
        if says:
            async with control.begin(tenant_id) as unit:
                await unit.jobs.enqueue(NewJob(kind=KIND, dedupe=KIND, priority=-1))
