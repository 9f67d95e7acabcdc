"""How the workspaces of one tenant learn, and their runs, in memory."""

from bylaw.core.ids import TenantId, WorkspaceId
from bylaw.core.paging import Page, Slice
from bylaw.learning.report import LearningSettings, Run, RunId
from bylaw.storage.memory.heap import Heap
from bylaw.storage.memory.kinds import Kind
from bylaw.storage.sql import tables
from bylaw.tenancy.model import Place


class MemoryLearningSettings(Kind[WorkspaceId, LearningSettings]):
    """How the workspaces of one tenant learn."""

    table = tables.learning_settings
    kind = LearningSettings
    noun = "choice of how a workspace learns"


class MemoryRuns(Kind[RunId, Run]):
    """The runs of one tenant."""

    table = tables.learning_runs
    kind = Run
    noun = "run"

    async def list(self, within: tuple[Place, ...], part: Slice) -> Page[Run]:
        """Return a page of those in any of these places."""
        return self._page(part, lambda run: any(place.contains(run.place) for place in within))


class MemoryLearning:
    """What the learning of one tenant keeps beside the conversations."""

    def __init__(self, heap: Heap, tenant_id: TenantId) -> None:
        self.settings = MemoryLearningSettings(heap, tenant_id)
        self.runs = MemoryRuns(heap, tenant_id)
