"""Who embeds: the model of this machine, or the endpoint that the settings name."""

from collections.abc import Callable
from functools import partial

from bylaw.providers.calling import Endpoint, Providers
from bylaw.search.embedder import Embedder, embedded
from bylaw.search.endpoint import HttpEmbedder
from bylaw.search.finder import Finder
from bylaw.settings import Settings
from bylaw.tenancy.connections import Credentials, checked_endpoint
from bylaw.tenancy.model import Provider


def finder_of(settings: Settings, providers: Providers) -> Finder:
    """Return what finds policies by their meaning. Raises: InvalidInput."""
    return Finder(embedder_of(settings, providers), memory_bytes=settings.search.memory_mb << 20)


def embedder_of(settings: Settings, providers: Providers) -> Callable[[], Embedder]:
    """Return what makes the embedder that the settings name, which may take a while. Raises: InvalidInput."""
    search = settings.search
    if not search.embed_model:
        return embedded
    kind: Provider = "other" if search.embed_url else "openai"
    endpoint = Endpoint(
        provider=kind,
        address=checked_endpoint(search.embed_url, kind, path="embed_url"),
        credentials=Credentials(key=search.embed_key),
    )
    return partial(
        HttpEmbedder, providers, endpoint, model=search.embed_model, dimensions=search.embed_dimensions
    )
