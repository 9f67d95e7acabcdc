"""Letting go: what waits in the hands of people who left, or may no longer act there, is in nobody's."""

from collections.abc import Sequence
from typing import Final

from bylaw.api.ports import SystemUnit
from bylaw.core.clock import Clock
from bylaw.core.ids import Ids, UserId
from bylaw.inbox.assignment import let_go
from bylaw.tenancy.changes import Entry
from bylaw.tenancy.entries import KIND
from bylaw.tenancy.principal import Acting, system_principal

_MAY_LESS: Final = frozenset({"changed", "deleted"})


async def let_go_of_entries(system: SystemUnit, entries: Sequence[Entry], *, clock: Clock, ids: Ids) -> None:
    """Take out of people's hands what they may not see to since these entries; the caller commits it."""
    changed = {
        (entry.tenant_id, UserId(str(entry.payload.get("id", ""))))
        for entry in entries
        if entry.kind == KIND
        and entry.payload.get("noun") == "user"
        and entry.payload.get("change") in _MAY_LESS
    }
    for tenant_id, user_id in sorted(changed):
        unit, principal = system.of(tenant_id), system_principal(tenant_id)
        await let_go(Acting(unit=unit, principal=principal, clock=clock, ids=ids), user_id)
