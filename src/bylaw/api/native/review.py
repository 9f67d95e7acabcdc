"""What decisions left for people: violations, alerts, and attention items that are resolved."""

from dataclasses import replace
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter, Query, Request
from pydantic import Field

from bylaw.api import notifying
from bylaw.api.answers import Page, Reply, page
from bylaw.api.native.care import HandsQuery, PersonInCareView, person_in_care
from bylaw.api.native.occasion import AppliedView, OccasionView, applied_view, occasion_view
from bylaw.api.native.policy_requests import Reason
from bylaw.api.native.query import ListQuery, StrictQuery
from bylaw.api.ports import Unit
from bylaw.api.route import Revision, Route, body, needs_projected, parts_of
from bylaw.api.shape import moment, place_of, when
from bylaw.approvals import answer as answers
from bylaw.approvals.store import ApprovalFilter
from bylaw.core.paging import Slice
from bylaw.inbox.model import Care
from bylaw.inbox.store import InboxUnit
from bylaw.inbox.things import cared_for
from bylaw.policies.model import Risk
from bylaw.review import queue
from bylaw.review.model import Alert, AttentionItem, AttentionStatus, Violation
from bylaw.review.store import AttentionFilter, ReviewFilter
from bylaw.tenancy.principal import Acting

router = APIRouter(tags=["review"], route_class=Route)

Reading = Annotated[Acting[Unit], needs_projected(queue.READS)]
ReadingAttention = Annotated[Acting[Unit], needs_projected(queue.READS_ATTENTION)]

_COUNTED: Final = Slice(limit=1, total=True)


class ReviewQuery(ListQuery):
    """Which violations or alerts are wanted; filters combine with AND."""

    workspace_id: str | None = None
    policy_id: str | None = None
    receipt_id: str | None = None
    agent_id: str | None = None
    user_id: str | None = None
    key_id: Annotated[str | None, Field(description="Only those of decisions that this key asked for.")] = (
        None
    )
    conversation_id: str | None = None
    since: Annotated[str | None, Field(description="Decided at this moment (RFC 3339) or later.")] = None
    until: Annotated[str | None, Field(description="Decided before this moment.")] = None

    @property
    def where(self) -> ReviewFilter:
        """Return the filter that is meant. Raises: InvalidInput for a moment that is none."""
        return ReviewFilter(
            within=None if self.workspace_id is None else (place_of(self.workspace_id, None),),
            policy_ids=None if self.policy_id is None else frozenset({self.policy_id}),
            receipt_id=self.receipt_id,
            agent_id=self.agent_id,
            user_id=self.user_id,
            key_id=self.key_id,
            conversation_id=self.conversation_id,
            from_ms=moment(self.since, path="query.since"),
            to_ms=moment(self.until, path="query.until"),
        )


class ViolationQuery(ReviewQuery):
    """Which violations are wanted; filters combine with AND."""

    risk: Annotated[list[Risk], Field(default_factory=list)]
    block: Annotated[bool | None, Field(description="Only those by which a call was stopped, or not.")] = None


class AttentionQuery(HandsQuery):
    """Which attention items are wanted; filters combine with AND."""

    workspace_id: str | None = None
    status: AttentionStatus | None = None
    type: str | None = None
    other_than: Annotated[
        list[str],
        Field(default_factory=list, description="None of these types: `approval` has its own list."),
    ]
    policy_id: str | None = None
    receipt_id: str | None = None
    conversation_id: str | None = None

    @property
    def where(self) -> AttentionFilter:
        """Return the filter that is meant."""
        return AttentionFilter(
            within=None if self.workspace_id is None else (place_of(self.workspace_id, None),),
            status=self.status,
            types=None if self.type is None else frozenset({self.type}),
            other_than=frozenset(self.other_than),
            policy_id=self.policy_id,
            receipt_id=self.receipt_id,
            conversation_id=self.conversation_id,
            assignee=self.assignee_id,
            is_assigned=self.is_assigned,
        )


class WaitingQuery(StrictQuery):
    """Where it is counted."""

    workspace_id: str | None = None


class WaitingView(msgspec.Struct, frozen=True, kw_only=True):
    """How much waits for people: `approvals` that can still be given, and other open `attention` items."""

    approvals: int
    attention: int


class ViolationView(msgspec.Struct, frozen=True, kw_only=True):
    """A policy version was violated by one decision; `block` says whether the call was stopped by it."""

    id: str
    occasion: OccasionView
    policy: AppliedView
    explanation: str
    block: bool


class AlertView(msgspec.Struct, frozen=True, kw_only=True):
    """A policy version asked that people be told about one decision."""

    id: str
    occasion: OccasionView
    policy: AppliedView
    message: str


class AttentionView(msgspec.Struct, frozen=True, kw_only=True):
    """Something that a person should look at; `policy` is null when none raised it.

    `assignee` is the person who sees to it, `comments` how many there are about it.
    """

    id: str
    occasion: OccasionView
    policy: AppliedView | None
    type: str
    reason: str
    status: AttentionStatus
    resolved_by: str | None
    resolved_at: str | None
    resolved_reason: str | None
    assignee: PersonInCareView | None
    comments: int


@router.get("/v1/violations")
async def list_violations(
    acting: Reading, query: Annotated[ViolationQuery, Query()]
) -> Reply[Page[ViolationView]]:
    """List violations."""
    where = replace(query.where, risks=frozenset(query.risk) or None, block=query.block)
    return Reply(page(await queue.list_violations(acting, where, query.part), _violation))


@router.get("/v1/alerts")
async def list_alerts(acting: Reading, query: Annotated[ReviewQuery, Query()]) -> Reply[Page[AlertView]]:
    """List alerts."""
    return Reply(page(await queue.list_alerts(acting, query.where, query.part), _alert))


@router.get("/v1/inbox")
async def read_inbox(acting: ReadingAttention, query: Annotated[WaitingQuery, Query()]) -> Reply[WaitingView]:
    """Count what waits for people where the caller may look."""
    within = None if query.workspace_id is None else (place_of(query.workspace_id, None),)
    held = ApprovalFilter(within=within, status="pending", open_at_ms=acting.clock.now_ms())
    raised = AttentionFilter(within=within, status="open", other_than=frozenset({"approval"}))
    approvals = await answers.list_approvals(acting, held, _COUNTED)
    attention = await queue.list_attention(acting, raised, _COUNTED)
    return Reply(WaitingView(approvals=approvals.total or 0, attention=attention.total or 0))


@router.get("/v1/attention")
async def list_attention(
    acting: ReadingAttention, query: Annotated[AttentionQuery, Query()]
) -> Reply[Page[AttentionView]]:
    """List attention items, open and resolved."""
    found = await queue.list_attention(acting, query.where, query.part)
    cares = await cared_for(acting.unit, found.items)
    return Reply(page(found, lambda item: attention_view(item, cares[item.id])))


@router.get("/v1/attention/{attention_id}")
async def read_attention(acting: ReadingAttention, attention_id: str) -> Reply[AttentionView]:
    """Read one attention item."""
    return await attention_reply(acting.unit, await queue.read_attention(acting, attention_id))


@router.post("/v1/attention/{attention_id}/resolve")
async def resolve_attention(
    acting: Annotated[Acting[Unit], needs_projected(queue.RESOLVES)],
    attention_id: str,
    why: Annotated[Reason, body(Reason, may_be_empty=True)],
    *,
    request: Request,
    revision: Revision,
) -> Reply[AttentionView]:
    """Say that an attention item was looked at; saying so again changes nothing."""
    telling = parts_of(request).notifier.telling
    done = await notifying.resolve_attention(
        acting, telling, attention_id, reason=why.reason, revision=revision
    )
    return await attention_reply(acting.unit, done)


def attention_view(item: AttentionItem, care: Care) -> AttentionView:
    """Return an attention item as it goes over the wire."""
    return AttentionView(
        id=item.id,
        occasion=occasion_view(item.occasion),
        policy=None if item.policy is None else applied_view(item.policy),
        type=item.type,
        reason=item.reason,
        status=item.status,
        resolved_by=item.resolved_by,
        resolved_at=when(item.resolved_ms),
        resolved_reason=item.resolved_reason,
        assignee=person_in_care(care.assignee),
        comments=care.comments,
    )


async def attention_reply(unit: InboxUnit, item: AttentionItem) -> Reply[AttentionView]:
    """Return an attention item as an answer, with who sees to it."""
    cares = await cared_for(unit, [item])
    return Reply(attention_view(item, cares[item.id]), revision=item.revision)


def _violation(found: Violation) -> ViolationView:
    return ViolationView(
        id=found.id,
        occasion=occasion_view(found.occasion),
        policy=applied_view(found.policy),
        explanation=found.explanation,
        block=found.block,
    )


def _alert(found: Alert) -> AlertView:
    return AlertView(
        id=found.id,
        occasion=occasion_view(found.occasion),
        policy=applied_view(found.policy),
        message=found.message,
    )
