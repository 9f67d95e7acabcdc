"""Agents that decisions named and nobody registered: stored as seen, behind the decision's back."""

import logging
from typing import Final

from bylaw.api.ports import ControlStore
from bylaw.core.clock import Clock
from bylaw.core.errors import InvalidInput
from bylaw.core.ids import TenantId
from bylaw.tenancy.agents import see_agent

_log = logging.getLogger("bylaw.agents")
_MOST: Final = 100_000


class Sightings:
    """Notes which agents were named; what this process has stored once is not stored again."""

    def __init__(self, store: ControlStore, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._known: set[tuple[TenantId, str]] = set()
        self._fresh: dict[TenantId, set[str]] = {}

    def note(self, tenant_id: TenantId, agent_id: str) -> None:
        """Note that a decision named an agent."""
        key = (tenant_id, agent_id)
        if key not in self._known:
            if len(self._known) >= _MOST:
                self._known.clear()
            self._known.add(key)
            self._fresh.setdefault(tenant_id, set()).add(agent_id)

    async def store(self) -> None:
        """Store every agent that was noted since the last call."""
        fresh, self._fresh = self._fresh, {}
        for tenant_id, names in fresh.items():
            async with self._store.begin(tenant_id) as unit:
                for name in sorted(names):
                    try:
                        await see_agent(unit, name, clock=self._clock)
                    except InvalidInput as error:
                        _log.info("agent %r of %s is not listed: %s", name, tenant_id, error.message)
