"""The job that carries out a run."""

from collections.abc import Callable
from typing import Protocol

from bylaw.core.clock import Clock
from bylaw.core.ids import Ids
from bylaw.jobs.model import Object
from bylaw.jobs.running import Handler, Running
from bylaw.jobs.store import JobsUnit
from bylaw.learning.mining.miner import Miner
from bylaw.learning.report import MinerName, RunId
from bylaw.learning.runs import RunUnit, carry_out
from bylaw.learning.standing import held


class LearningJobUnit(RunUnit, JobsUnit, Protocol):
    """One transaction of one tenant, as far as the job needs it."""


def handler(miners: Callable[[MinerName], Miner], *, clock: Clock, ids: Ids) -> Handler[LearningJobUnit]:
    """Return what does jobs of the kind `learning.run`; `miners` says who mines for which choice."""

    async def handle(job: Running[LearningJobUnit]) -> Object:
        run_id = RunId(str(job.payload.get("run_id", "")))
        run = await carry_out(job.begin, job.tenant_id, run_id, miners=miners, clock=clock, ids=ids)
        if run is None or run.report is None:
            return {"run_id": run_id, "carried_out": False}
        return {"run_id": run_id, "read": run.report.read, **held(run.report.findings)}

    return Handler(handle=handle)
