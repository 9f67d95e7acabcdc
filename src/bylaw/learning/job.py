"""The jobs of the loop: one carries out runs, one forgets what was kept long enough."""

from collections.abc import Callable
from typing import Final, Protocol

from bylaw.core.clock import Clock
from bylaw.core.ids import Ids, WorkspaceId
from bylaw.jobs.model import Object
from bylaw.jobs.running import Handler, Running
from bylaw.learning.forgetting import ForgettingUnit, expire
from bylaw.learning.mining.miner import Miner
from bylaw.learning.report import MinerName, RunId
from bylaw.learning.runs import RunUnit, carry_out, enqueue
from bylaw.learning.standing import held
from bylaw.tenancy.model import Place

EXPIRE: Final = "learning.expire"
_NIGHTLY: Final = "40 2 * * *"


class LearningJobUnit(RunUnit, ForgettingUnit, Protocol):
    """One transaction of one tenant, as far as the jobs need it."""


def mining(miners: Callable[[MinerName], Miner], *, clock: Clock, ids: Ids) -> Handler[LearningJobUnit]:
    """Return what does jobs of the kind `learning.run`; `miners` says who mines for which choice."""

    async def handle(job: Running[LearningJobUnit]) -> Object:
        async with job.begin(writes=False) as unit:
            place = await _place(unit, job.payload)
            waiting = await unit.learning.runs.unfinished(place)
        if not waiting:
            return {"carried_out": False}
        run_id = waiting[0].id
        run = await carry_out(job.begin, job.tenant_id, run_id, miners=miners, clock=clock, ids=ids)
        async with job.begin(writes=True) as unit:
            if await unit.learning.runs.unfinished(place):
                await enqueue(unit, place)
        if run is None or run.report is None:
            return {"run_id": run_id, "carried_out": False}
        return {"run_id": run_id, "read": run.report.read, **held(run.report.findings)}

    return Handler(handle=handle)


async def _place(unit: RunUnit, payload: Object) -> Place:
    """Return where runs are to be carried out; a job of an older version names its run instead."""
    run = await unit.learning.runs.get(RunId(str(payload.get("run_id", ""))))
    return Place(workspace_id=WorkspaceId(str(payload.get("workspace_id", "")))) if run is None else run.place


def expiring(*, clock: Clock, ids: Ids) -> Handler[LearningJobUnit]:
    """Return what forgets, every night, the conversations whose time is over."""

    async def handle(job: Running[LearningJobUnit]) -> Object:
        return {"forgotten": await expire(job.begin, job.tenant_id, clock=clock, ids=ids)}

    return Handler(handle=handle, cron=_NIGHTLY)
