"""How the workspaces of one tenant learn, and their runs, in SQL."""

from bylaw.core.ids import TenantId, WorkspaceId
from bylaw.core.paging import Page, Slice
from bylaw.learning.report import LearningSettings, Run, RunId
from bylaw.storage.sql import tables
from bylaw.storage.sql.kinds import Kind
from bylaw.storage.sql.lists import inside_any
from bylaw.storage.sql.session import Session
from bylaw.tenancy.model import Place


class SqlLearningSettings(Kind[WorkspaceId, LearningSettings]):
    """How the workspaces of one tenant learn."""

    table = tables.learning_settings
    kind = LearningSettings
    noun = "choice of how a workspace learns"


class SqlRuns(Kind[RunId, Run]):
    """The runs of one tenant."""

    table = tables.learning_runs
    kind = Run
    noun = "run"

    async def list(self, within: tuple[Place, ...], part: Slice) -> Page[Run]:
        """Return a page of those in any of these places."""
        return await self._page(part, inside_any(self.table, within))


class SqlLearning:
    """What the learning of one tenant keeps beside the conversations."""

    def __init__(self, session: Session, tenant_id: TenantId) -> None:
        self.settings = SqlLearningSettings(session, tenant_id)
        self.runs = SqlRuns(session, tenant_id)
