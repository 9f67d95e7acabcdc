"""Which connection of a workspace a model is asked through."""

import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from types import MappingProxyType
from typing import Final, Protocol

from bylaw.core.clock import Clock
from bylaw.core.errors import NotFound
from bylaw.core.ids import RepoId, TenantId, WorkspaceId
from bylaw.core.paging import every
from bylaw.providers.calling import Endpoint, Providers, endpoint_of
from bylaw.providers.model import Failed
from bylaw.tenancy.model import Connection, Place, Provider
from bylaw.tenancy.sealing import Sealer
from bylaw.tenancy.store import TenancyUnit

_KEPT_MS: Final = 60_000
_MOST_KEPT: Final = 1_000
# Whose a model is by its name alone, where the workspace has a connection to them.
_FAMILIES: Final[Mapping[Provider, re.Pattern[str]]] = MappingProxyType(
    {
        "openai": re.compile(r"gpt-|chatgpt-|o\d"),
        "anthropic": re.compile(r"claude-"),
        "google": re.compile(r"gemini-"),
    }
)


class Units(Protocol):
    """Where connections are kept."""

    def begin(self, tenant_id: TenantId, *, writes: bool = True) -> AbstractAsyncContextManager[TenancyUnit]:
        """Return the transaction of one tenant."""


class Connections:
    """Finds the connection for a model; what providers list is kept for a minute.

    What a tenant holds is kept while its change counter in `seen` stays the same.
    """

    def __init__(
        self,
        units: Units,
        providers: Providers,
        sealer: Sealer,
        *,
        clock: Clock,
        seen: Mapping[TenantId, int],
    ) -> None:
        self._units = units
        self._seen = seen
        self._held: dict[tuple[TenantId, RepoId], tuple[int | None, Place, Sequence[Connection]]] = {}
        self._providers = providers
        self._sealer = sealer
        self._clock = clock
        self._listed: dict[tuple[str, str, int], tuple[int, tuple[str, ...]]] = {}

    async def of_repo(self, tenant_id: TenantId, repo_id: RepoId) -> tuple[Place, Sequence[Connection]]:
        """Return where a repo is now, and the connections there, newest first. Raises: NotFound."""
        counter = self._seen.get(tenant_id)
        held = self._held.get((tenant_id, repo_id))
        if held is not None and held[0] == counter:
            return held[1], held[2]
        async with self._units.begin(tenant_id, writes=False) as unit:
            repo = await unit.tenancy.repos.get(repo_id)
            if repo is None or repo.deleted_ms is not None:
                raise NotFound("repo", repo_id)
            here: frozenset[WorkspaceId] = frozenset({repo.workspace_id})
            found = [
                each async for each in every(lambda part: unit.tenancy.connections.list(part, only=here))
            ]
        place = Place(workspace_id=repo.workspace_id, repo_id=repo.id)
        if len(self._held) >= _MOST_KEPT:
            self._held.clear()
        self._held[tenant_id, repo_id] = (counter, place, found)
        return place, found

    async def for_model(self, connections: Sequence[Connection], model: str) -> Connection | Failed:
        """Return the connection that has a model.

        It is the one to whom the model's name belongs, or the only one there is; of several, the newest one
        whose provider lists the model.
        """
        fitting = [each for each in connections if _owns(each, model)]
        callable_ = [each for each in connections if each.provider != "aws"]
        candidates = fitting or callable_
        if len(candidates) == 1:
            return candidates[0]
        for each in candidates:
            listed = await self.models(each)
            if not isinstance(listed, Failed) and model in listed:
                return each
        if fitting:
            return fitting[0]
        return Failed(
            reason="unknown_model", message=f"No connection of this workspace has the model {model!r}."
        )

    async def models(self, connection: Connection) -> tuple[str, ...] | Failed:
        """Return the models that a connection's provider lists, or why it lists none."""
        key = (connection.tenant_id, connection.id, connection.revision)
        now_ms = self._clock.now_ms()
        kept = self._listed.get(key)
        if kept is not None and now_ms - kept[0] < _KEPT_MS:
            return kept[1]
        listed = await self._providers.models(self.endpoint(connection))
        if not isinstance(listed, Failed):
            if len(self._listed) >= _MOST_KEPT:
                self._listed.clear()
            self._listed[key] = (now_ms, listed)
        return listed

    def endpoint(self, connection: Connection) -> Endpoint:
        """Return where and as whom a provider is called. Raises: Corrupt."""
        return endpoint_of(connection, self._sealer)


def _owns(connection: Connection, model: str) -> bool:
    family = _FAMILIES.get(connection.provider)
    return family is not None and family.match(model) is not None
