"""What decisions left for people, of one tenant, in memory."""

from collections.abc import Iterable

from bylaw.approvals.model import PendingApproval
from bylaw.approvals.store import ApprovalFilter
from bylaw.core.ids import RepoId, TenantId, WorkspaceId
from bylaw.core.paging import Page, Slice
from bylaw.decisions.effects import Occasion
from bylaw.review.model import Alert, AttentionItem, Evaluation, ModelCall, Violation
from bylaw.review.store import AttentionFilter, ReviewFilter, Used
from bylaw.storage.memory.changes import whole
from bylaw.storage.memory.heap import Heap
from bylaw.storage.memory.kinds import Trail
from bylaw.storage.memory.statistics import MemoryStatistics
from bylaw.storage.sql import tables
from bylaw.storage.text import search_key
from bylaw.tenancy.model import Place


class MemoryViolations(Trail[Violation]):
    """The violations of one tenant."""

    table = tables.violations
    kind = Violation
    noun = "violation"

    async def list(self, where: ReviewFilter, part: Slice) -> Page[Violation]:
        """Return a page of those that match."""
        return self._page(
            part,
            lambda item: (
                _reviewed(item, where)
                and (where.risks is None or item.policy.risk in where.risks)
                and where.block in {None, item.block}
            ),
        )


class MemoryAlerts(Trail[Alert]):
    """The alerts of one tenant."""

    table = tables.alerts
    kind = Alert
    noun = "alert"

    async def list(self, where: ReviewFilter, part: Slice) -> Page[Alert]:
        """Return a page of those that match."""
        return self._page(part, lambda item: _reviewed(item, where))


class MemoryAttention(Trail[AttentionItem]):
    """The attention items of one tenant."""

    table = tables.attention
    kind = AttentionItem
    noun = "attention item"

    async def save(self, item: AttentionItem) -> None:
        """Store the next revision of an item. Raises: PreconditionFailed."""
        self._save(item)

    async def list(self, where: AttentionFilter, part: Slice) -> Page[AttentionItem]:
        """Return a page of those that match."""

        def wanted(item: AttentionItem) -> bool:
            policy_id = None if item.policy is None else item.policy.id
            return (
                _lies_in(item.occasion, where.within)
                and where.status in {None, item.status}
                and (where.types is None or item.type in where.types)
                and item.type not in where.other_than
                and where.policy_id in {None, policy_id}
                and where.receipt_id in {None, item.occasion.receipt_id}
                and where.conversation_id in {None, item.occasion.conversation_id}
                and _in_hands(item, where)
            )

        return self._page(part, wanted)


class MemoryEvaluations(Trail[Evaluation]):
    """What the evaluations of one tenant's decisions cost."""

    table = tables.evaluations
    kind = Evaluation
    noun = "evaluation"


class MemoryModelCalls(Trail[ModelCall]):
    """The calls of models that the gateway passed on for one tenant."""

    table = tables.model_calls
    kind = ModelCall
    noun = "model call"

    async def used(self, connection_id: str) -> Used:
        """Return what the calls through one connection used."""
        rows = [
            row
            for row in self._heap.all(self.table)
            if (row["tenant_id"], row["connection_id"]) == (self._tenant_id, search_key(connection_id))
        ]
        return Used(
            calls=len(rows),
            tokens_in=sum(whole(row["tokens_in"]) for row in rows),
            tokens_out=sum(whole(row["tokens_out"]) for row in rows),
        )


class MemoryReview:
    """All that decisions left for people, of one tenant."""

    def __init__(self, heap: Heap, tenant_id: TenantId) -> None:
        self.violations = MemoryViolations(heap, tenant_id)
        self.alerts = MemoryAlerts(heap, tenant_id)
        self.attention = MemoryAttention(heap, tenant_id)
        self.evaluations = MemoryEvaluations(heap, tenant_id)
        self.calls = MemoryModelCalls(heap, tenant_id)
        self.statistics = MemoryStatistics(heap, tenant_id)


class MemoryApprovals(Trail[PendingApproval]):
    """The approvals of one tenant."""

    table = tables.approvals
    kind = PendingApproval
    noun = "approval"

    async def save(self, item: PendingApproval) -> None:
        """Store the next revision of an approval. Raises: PreconditionFailed."""
        self._save(item)

    async def list(self, where: ApprovalFilter, part: Slice) -> Page[PendingApproval]:
        """Return a page of those that match."""

        def wanted(item: PendingApproval) -> bool:
            return (
                _lies_in(item.occasion, where.within)
                and where.status in {None, item.status}
                and (where.open_at_ms is None or item.expires_ms > where.open_at_ms)
                and where.conversation_id in {None, item.occasion.conversation_id}
                and where.agent_id in {None, item.occasion.agent_id}
                and (where.policy_id is None or where.policy_id in {each.id for each in item.policies})
                and _in_hands(item, where)
            )

        return self._page(part, wanted)


def _reviewed(item: Violation | Alert, where: ReviewFilter) -> bool:
    occasion = item.occasion
    return (
        _lies_in(occasion, where.within)
        and where.repo_id in {None, occasion.repo_id}
        and (where.policy_ids is None or item.policy.id in where.policy_ids)
        and where.receipt_id in {None, occasion.receipt_id}
        and where.agent_id in {None, occasion.agent_id}
        and where.user_id in {None, occasion.user_id}
        and where.key_id in {None, occasion.key_id}
        and where.conversation_id in {None, occasion.conversation_id}
        and (where.from_ms is None or occasion.at_ms >= where.from_ms)
        and (where.to_ms is None or occasion.at_ms < where.to_ms)
        and (where.models is None or occasion.model in where.models)
        and (where.providers is None or occasion.provider in where.providers)
        and (where.hosts is None or occasion.host in where.hosts)
    )


def _lies_in(occasion: Occasion, within: Iterable[Place] | None) -> bool:
    here = Place(
        workspace_id=WorkspaceId(occasion.workspace_id) if occasion.workspace_id else None,
        repo_id=RepoId(occasion.repo_id) if occasion.repo_id else None,
    )
    return within is None or any(place.contains(here) for place in within)


def _in_hands(item: AttentionItem | PendingApproval, where: AttentionFilter | ApprovalFilter) -> bool:
    is_assigned = item.assignee is not None
    return where.assignee in {None, item.assignee} and where.is_assigned in {None, is_assigned}
