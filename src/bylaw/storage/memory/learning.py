"""How the workspaces of one tenant learn, and their runs, in memory."""

from collections.abc import Sequence

from typing_extensions import override

from bylaw.core.ids import TenantId, WorkspaceId
from bylaw.core.paging import Page, Slice
from bylaw.learning.model import ConversationId
from bylaw.learning.report import UNFINISHED, LearningSettings, Run, RunId
from bylaw.storage.memory.heap import Heap
from bylaw.storage.memory.kinds import Kind
from bylaw.storage.rows import source_rows
from bylaw.storage.sql import tables
from bylaw.tenancy.model import Place


class MemoryLearningSettings(Kind[WorkspaceId, LearningSettings]):
    """How the workspaces of one tenant learn."""

    table = tables.learning_settings
    kind = LearningSettings
    noun = "choice of how a workspace learns"

    async def keeping(self) -> Sequence[LearningSettings]:
        """Return those of workspaces that keep conversations for a while only, by id."""
        return sorted((each for each in self._all() if each.choices.keep_days), key=lambda each: each.id)


class MemoryRuns(Kind[RunId, Run]):
    """The runs of one tenant."""

    table = tables.learning_runs
    kind = Run
    noun = "run"

    async def list(self, within: tuple[Place, ...], part: Slice) -> Page[Run]:
        """Return a page of those in any of these places."""
        return self._page(part, lambda run: any(place.contains(run.place) for place in within))

    async def unfinished(self, place: Place) -> Sequence[Run]:
        """Return those of this very place that wait or go on, the oldest first."""
        found = (each for each in self._all() if each.place == place and each.status in UNFINISHED)
        return sorted(found, key=lambda each: (each.created_ms, each.id))

    async def drawing_on(self, ident: ConversationId, /) -> Sequence[RunId]:
        """Return those with a report that draws on a conversation, by id."""
        rows = self._heap.all(tables.learning_sources)
        mine = (row for row in rows if (row["tenant_id"], row["conversation_id"]) == (self._tenant_id, ident))
        return sorted(RunId(str(row["run_id"])) for row in mine)

    @override
    async def save(self, item: Run, /) -> None:
        """Store the next revision of a run. Raises: PreconditionFailed."""
        await super().save(item)
        for row in source_rows(item):
            self._heap.insert_new(tables.learning_sources, row)


class MemoryLearning:
    """What the learning of one tenant keeps beside the conversations."""

    def __init__(self, heap: Heap, tenant_id: TenantId) -> None:
        self.settings = MemoryLearningSettings(heap, tenant_id)
        self.runs = MemoryRuns(heap, tenant_id)
