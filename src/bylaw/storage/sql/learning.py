"""How the workspaces of one tenant learn, and their runs, in SQL."""

from collections.abc import Sequence

from sqlalchemy import select
from typing_extensions import override

from bylaw.core.ids import TenantId, WorkspaceId
from bylaw.core.paging import Page, Slice
from bylaw.learning.model import ConversationId
from bylaw.learning.report import UNFINISHED, LearningSettings, Run, RunId
from bylaw.storage.rows import source_rows
from bylaw.storage.sql import tables
from bylaw.storage.sql.kinds import Kind
from bylaw.storage.sql.lists import exactly, inside_any
from bylaw.storage.sql.session import Session
from bylaw.tenancy.model import Place

_S = tables.learning_sources.c


class SqlLearningSettings(Kind[WorkspaceId, LearningSettings]):
    """How the workspaces of one tenant learn."""

    table = tables.learning_settings
    kind = LearningSettings
    noun = "choice of how a workspace learns"

    async def keeping(self) -> Sequence[LearningSettings]:
        """Return those of workspaces that keep conversations for a while only, by id."""
        columns = self.table.c
        rows = await self._session.rows(select(self.table).where(self._own()).order_by(columns.id))
        return [each for each in map(self._read, rows) if each.choices.keep_days]


class SqlRuns(Kind[RunId, Run]):
    """The runs of one tenant."""

    table = tables.learning_runs
    kind = Run
    noun = "run"

    async def list(self, within: tuple[Place, ...], part: Slice) -> Page[Run]:
        """Return a page of those in any of these places."""
        return await self._page(part, inside_any(self.table, within))

    async def unfinished(self, place: Place) -> Sequence[Run]:
        """Return those of this very place that wait or go on, the oldest first."""
        columns = self.table.c
        these = self._own(exactly(self.table, place), columns.status.in_(sorted(UNFINISHED)))
        wanted = select(self.table).where(these).order_by(columns.created_ms, columns.id)
        return [self._read(row) for row in await self._session.rows(wanted)]

    async def drawing_on(self, ident: ConversationId, /) -> Sequence[RunId]:
        """Return those with a report that draws on a conversation, by id."""
        mine = (_S.tenant_id == self._tenant_id, _S.conversation_id == ident)
        rows = await self._session.rows(select(_S.run_id).where(*mine).order_by(_S.run_id))
        return [row["run_id"] for row in rows]

    @override
    async def save(self, item: Run, /) -> None:
        """Store the next revision of a run. Raises: PreconditionFailed."""
        await super().save(item)
        await self._session.insert_all(tables.learning_sources, source_rows(item))


class SqlLearning:
    """What the learning of one tenant keeps beside the conversations."""

    def __init__(self, session: Session, tenant_id: TenantId) -> None:
        self.settings = SqlLearningSettings(session, tenant_id)
        self.runs = SqlRuns(session, tenant_id)
