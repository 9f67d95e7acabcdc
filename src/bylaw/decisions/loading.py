"""Loading what decisions are made from out of the store, tenant by tenant."""

import logging

from bylaw.core.errors import InvalidInput
from bylaw.core.ids import PolicyId, TenantId
from bylaw.core.paging import MAX_LIMIT, Slice
from bylaw.decisions.snapshot import Material, Snapshots
from bylaw.policies.store import PolicyFilter, PolicyUnit
from bylaw.tenancy.model import Repo

_log = logging.getLogger("bylaw.snapshots")

_NOT_IN_FORCE = (
    PolicyFilter(statuses=frozenset({"pending_review", "rejected", "archived"})),
    PolicyFilter(is_active=False),
)


async def material(unit: PolicyUnit, revision: int) -> Material:
    """Return the state of the unit's tenant, which is at the change counter `revision`."""
    return Material(
        tenant_id=unit.tenant_id,
        revision=revision,
        policies=await unit.policies.in_force(),
        dormant=await _dormant(unit),
        agents=await unit.tenancy.agents.governed(),
        workspaces=await unit.tenancy.workspaces.all(),
        repos=await _repos(unit),
    )


class LoadedSnapshots(Snapshots):
    """Snapshots that are loaded from a store; `refused`: why the newest state of a tenant is not served."""

    def __init__(self) -> None:
        super().__init__()
        self.refused: dict[TenantId, str] = {}

    async def load(self, unit: PolicyUnit, revision: int) -> None:
        """Publish the state of a tenant; if a policy does not compile, the last valid snapshot serves on."""
        try:
            self.publish(await material(unit, revision))
        except InvalidInput as error:
            self.refused[unit.tenant_id] = error.message
            _log.error("policies of %s at %d are refused: %s", unit.tenant_id, revision, error.message)
        else:
            self.refused.pop(unit.tenant_id, None)


async def _dormant(unit: PolicyUnit) -> frozenset[PolicyId]:
    found: set[PolicyId] = set()
    for where in _NOT_IN_FORCE:
        cursor: str | None = None
        while True:
            page = await unit.policies.list(where, Slice(limit=MAX_LIMIT, cursor=cursor))
            found.update(current.policy.id for current in page.items)
            cursor = page.next_cursor
            if cursor is None:
                break
    return frozenset(found)


async def _repos(unit: PolicyUnit) -> list[Repo]:
    found: list[Repo] = []
    cursor: str | None = None
    while True:
        page = await unit.tenancy.repos.list(Slice(limit=MAX_LIMIT, cursor=cursor))
        found += page.items
        cursor = page.next_cursor
        if cursor is None:
            return found
