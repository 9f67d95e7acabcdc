"""What decisions left for people, of one tenant, in SQL."""

from collections.abc import Iterable
from typing import Final

from sqlalchemy import Table, func, select

from bylaw.approvals.model import PendingApproval
from bylaw.approvals.store import ApprovalFilter
from bylaw.core.ids import TenantId
from bylaw.core.paging import Page, Slice
from bylaw.review.model import Alert, AttentionItem, Evaluation, ModelCall, Violation
from bylaw.review.store import AttentionFilter, ReviewFilter, Used
from bylaw.storage.sql import summed, tables
from bylaw.storage.sql.kinds import L, Trail
from bylaw.storage.sql.lists import Condition, contains, equals, inside_any, one_of
from bylaw.storage.sql.session import Session
from bylaw.storage.sql.statistics import SqlStatistics
from bylaw.storage.sql.summed import Count, Days, days_of
from bylaw.storage.sql.types import Int64
from bylaw.storage.text import lines
from bylaw.tenancy.model import Place

_USED: Final = ("tokens_in", "tokens_out")


class _Counted(Trail[L]):
    """What is counted over time, so that sums tell how many there are."""

    async def _days(self, part: Slice, where: ReviewFilter, count: Count | None) -> Days | None:
        if not part.total:
            return None
        return await days_of(SqlStatistics(self._session, self._tenant_id), where, count)


class SqlViolations(_Counted[Violation]):
    """The violations of one tenant."""

    table = tables.violations
    kind = Violation
    noun = "violation"

    async def list(self, where: ReviewFilter, part: Slice) -> Page[Violation]:
        """Return a page of those that match."""
        columns = self.table.c
        verdict = (*one_of(columns.risk, where.risks), *equals(columns.block, where.block))
        days = await self._days(part, where, summed.violations(where.risks, block=where.block))
        return await self._page(part, *_reviewed(self.table, where), *verdict, days=days)


class SqlAlerts(_Counted[Alert]):
    """The alerts of one tenant."""

    table = tables.alerts
    kind = Alert
    noun = "alert"

    async def list(self, where: ReviewFilter, part: Slice) -> Page[Alert]:
        """Return a page of those that match."""
        days = await self._days(part, where, summed.alerts)
        return await self._page(part, *_reviewed(self.table, where), days=days)


class SqlAttention(Trail[AttentionItem]):
    """The attention items of one tenant."""

    table = tables.attention
    kind = AttentionItem
    noun = "attention item"

    async def save(self, item: AttentionItem) -> None:
        """Store the next revision of an item. Raises: PreconditionFailed."""
        await self._save(item)

    async def list(self, where: AttentionFilter, part: Slice) -> Page[AttentionItem]:
        """Return a page of those that match."""
        columns = self.table.c
        return await self._page(
            part,
            *_placed(self.table, where.within),
            *equals(columns.status, where.status),
            *one_of(columns.type, where.types),
            *([columns.type.not_in(sorted(where.other_than))] if where.other_than else []),
            *equals(columns.policy_id, where.policy_id),
            *equals(columns.receipt_id, where.receipt_id),
            *equals(columns.conversation_id, where.conversation_id),
            *_in_hands(self.table, where),
        )


class SqlEvaluations(Trail[Evaluation]):
    """What the evaluations of one tenant's decisions cost."""

    table = tables.evaluations
    kind = Evaluation
    noun = "evaluation"


class SqlModelCalls(Trail[ModelCall]):
    """The calls of models that the gateway passed on for one tenant."""

    table = tables.model_calls
    kind = ModelCall
    noun = "model call"

    async def used(self, connection_id: str) -> Used:
        """Return what the calls through one connection used."""
        columns = self.table.c
        sums = [func.coalesce(func.sum(columns[name]), 0).cast(Int64).label(name) for name in _USED]
        wanted = select(func.count().label("calls"), *sums)
        row = await self._session.row(wanted.where(self._own(columns.connection_id == connection_id)))
        return Used() if row is None else Used(**row)


class SqlReview:
    """All that decisions left for people, of one tenant."""

    def __init__(self, session: Session, tenant_id: TenantId) -> None:
        self.violations = SqlViolations(session, tenant_id)
        self.alerts = SqlAlerts(session, tenant_id)
        self.attention = SqlAttention(session, tenant_id)
        self.evaluations = SqlEvaluations(session, tenant_id)
        self.calls = SqlModelCalls(session, tenant_id)
        self.statistics = SqlStatistics(session, tenant_id)


class SqlApprovals(Trail[PendingApproval]):
    """The approvals of one tenant."""

    table = tables.approvals
    kind = PendingApproval
    noun = "approval"

    async def save(self, item: PendingApproval) -> None:
        """Store the next revision of an approval. Raises: PreconditionFailed."""
        await self._save(item)

    async def list(self, where: ApprovalFilter, part: Slice) -> Page[PendingApproval]:
        """Return a page of those that match."""
        columns = self.table.c
        conditions = [
            *_placed(self.table, where.within),
            *equals(columns.status, where.status),
            *equals(columns.conversation_id, where.conversation_id),
            *equals(columns.agent_id, where.agent_id),
            *_in_hands(self.table, where),
        ]
        if where.open_at_ms is not None:
            conditions.append(columns.expires_ms > where.open_at_ms)
        if where.policy_id is not None:
            conditions.append(contains(columns.policy_ids, lines([where.policy_id])))
        return await self._page(part, *conditions)


def _reviewed(table: Table, where: ReviewFilter) -> list[Condition]:
    columns = table.c
    conditions = [
        *_placed(table, where.within),
        *equals(columns.repo_id, where.repo_id),
        *one_of(columns.policy_id, where.policy_ids),
        *equals(columns.receipt_id, where.receipt_id),
        *equals(columns.agent_id, where.agent_id),
        *equals(columns.user_id, where.user_id),
        *equals(columns.key_id, where.key_id),
        *equals(columns.conversation_id, where.conversation_id),
        *one_of(columns.model, where.models),
        *one_of(columns.provider, where.providers),
        *one_of(columns.host, where.hosts),
    ]
    if where.from_ms is not None:
        conditions.append(columns.at_ms >= where.from_ms)
    if where.to_ms is not None:
        conditions.append(columns.at_ms < where.to_ms)
    return conditions


def _placed(table: Table, within: Iterable[Place] | None) -> tuple[Condition, ...]:
    return () if within is None else (inside_any(table, within),)


def _in_hands(table: Table, where: AttentionFilter | ApprovalFilter) -> list[Condition]:
    column = table.c.assignee
    conditions = list(equals(column, where.assignee))
    if where.is_assigned is not None:
        conditions.append(column.is_not(None) if where.is_assigned else column.is_(None))
    return conditions
