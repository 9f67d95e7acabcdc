"""Loading what decisions are made from out of the store, tenant by tenant."""

import logging
from functools import partial

from bylaw.core.errors import InvalidInput
from bylaw.core.ids import PolicyId, TenantId
from bylaw.core.paging import every
from bylaw.decisions.snapshot import Material, Snapshots
from bylaw.policies.store import PolicyFilter, PolicyUnit

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
        repos=[repo async for repo in every(unit.tenancy.repos.list)],
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
    lists = [partial(unit.policies.list, where) for where in _NOT_IN_FORCE]
    return frozenset([current.policy.id for read in lists async for current in every(read)])
