"""Loading what decisions are made from out of the store, tenant by tenant.

Decisions go on meanwhile, so nothing here holds the event loop for long: policies are listed in pages without
their texts, the texts of versions that are new come a few at a time, and a thread builds the snapshot.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence

from bylaw.core.errors import InvalidInput
from bylaw.core.ids import TenantId
from bylaw.core.paging import every
from bylaw.decisions.compiled import CompiledPolicy, compile_policy
from bylaw.decisions.snapshot import Entry, Material, Snapshots, build
from bylaw.policies.model import Outline
from bylaw.policies.store import PolicyUnit

_log = logging.getLogger("bylaw.snapshots")

_AT_ONCE = 32


async def material(unit: PolicyUnit, revision: int, known: Mapping[str, Entry]) -> Material:
    """Return the state of the unit's tenant, which is at the change counter `revision`.

    Versions in `known` are not compiled again. Raises: InvalidInput naming the policy and the rule that does
    not compile.
    """
    outlines = [outline async for outline in every(unit.policies.outlines)]
    return Material(
        tenant_id=unit.tenant_id,
        revision=revision,
        policies=outlines,
        compiled=await _compiled(unit, outlines, known),
        agents=[agent async for agent in every(unit.tenancy.agents.governed)],
        workspaces=[workspace async for workspace in every(unit.tenancy.workspaces.list)],
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
            found = await material(unit, revision, self.entries(unit.tenant_id))
        except InvalidInput as error:
            self.refused[unit.tenant_id] = error.message
            _log.error("policies of %s at %d are refused: %s", unit.tenant_id, revision, error.message)
        else:
            self.publish(await asyncio.to_thread(build, found))
            self.refused.pop(unit.tenant_id, None)


async def _compiled(
    unit: PolicyUnit, outlines: Sequence[Outline], known: Mapping[str, Entry]
) -> Mapping[str, CompiledPolicy]:
    """Return the policies in force, compiled, by id."""
    compiled: dict[str, CompiledPolicy] = {}
    missing = []
    for outline in outlines:
        before = known.get(outline.id)
        if before is not None and before.policy.is_of(outline):
            compiled[outline.id] = before.policy
        elif outline.is_in_force:
            missing.append(outline.id)
    for start in range(0, len(missing), _AT_ONCE):
        some = await unit.policies.currents(missing[start : start + _AT_ONCE])
        compiled |= {current.policy.id: compile_policy(current) for current in some}
        await asyncio.sleep(0)
    return compiled
