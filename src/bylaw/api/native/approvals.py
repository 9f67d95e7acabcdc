"""Approvals: tool calls that wait for a person, and the person's answer."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query
from pydantic import Field

from bylaw.api.answers import Page, Reply, page
from bylaw.api.native.care import HandsQuery, PersonInCareView, person_in_care
from bylaw.api.native.occasion import AppliedView, OccasionView, applied_view, occasion_view
from bylaw.api.native.policy_requests import Reason
from bylaw.api.ports import Unit
from bylaw.api.route import Revision, Route, body, needs_projected
from bylaw.api.shape import place_of, when
from bylaw.approvals import answer as answers
from bylaw.approvals.model import ApprovalStatus, PendingApproval
from bylaw.approvals.store import ApprovalFilter
from bylaw.core.clock import rfc3339
from bylaw.inbox.model import Care
from bylaw.inbox.store import InboxUnit
from bylaw.inbox.things import cared_for
from bylaw.tenancy.principal import Acting

router = APIRouter(tags=["approvals"], route_class=Route)

Reading = Annotated[Acting[Unit], needs_projected(answers.READS)]
Answering = Annotated[Acting[Unit], needs_projected(answers.ANSWERS)]
Why = Annotated[Reason, body(Reason, may_be_empty=True)]


class ApprovalQuery(HandsQuery):
    """Which approvals are wanted; filters combine with AND."""

    workspace_id: str | None = None
    status: ApprovalStatus | None = None
    waits: Annotated[bool, Field(description="Only those that can still be answered.")] = False
    conversation_id: str | None = None
    agent_id: str | None = None
    policy_id: Annotated[str | None, Field(description="A policy that asked for it.")] = None

    def where(self, now_ms: int) -> ApprovalFilter:
        """Return the filter that is meant."""
        return ApprovalFilter(
            within=None if self.workspace_id is None else (place_of(self.workspace_id, None),),
            status="pending" if self.waits else self.status,
            open_at_ms=now_ms if self.waits else None,
            conversation_id=self.conversation_id,
            agent_id=self.agent_id,
            policy_id=self.policy_id,
            assignee=self.assignee_id,
            is_assigned=self.is_assigned,
        )


class ApprovalView(msgspec.Struct, frozen=True, kw_only=True):
    """A tool call that waits for a person, or what became of it.

    It covers the exact call (`call_digest`: name and arguments), under `policies`, until `expires_at`, once:
    `spent_on` is the receipt of the decision that used it. `assignee` is the person who sees to it,
    `comments` are how many there are.
    """

    id: str
    occasion: OccasionView
    tool: str
    call_digest: str
    policies: tuple[AppliedView, ...]
    reason: str
    expires_at: str
    status: ApprovalStatus
    decided_by: str | None
    decided_at: str | None
    decided_reason: str | None
    spent_on: str | None
    spent_at: str | None
    assignee: PersonInCareView | None
    comments: int


@router.get("/v1/approvals")
async def list_approvals(
    acting: Reading, query: Annotated[ApprovalQuery, Query()]
) -> Reply[Page[ApprovalView]]:
    """List the calls that wait for a person, and those that were answered."""
    where = query.where(acting.clock.now_ms())
    found = await answers.list_approvals(acting, where, query.part)
    cares = await cared_for(acting.unit, found.items)
    return Reply(page(found, lambda approval: view(approval, cares[approval.id])))


@router.get("/v1/approvals/{approval_id}")
async def read_approval(acting: Reading, approval_id: str) -> Reply[ApprovalView]:
    """Read one approval."""
    return await approval_reply(acting.unit, await answers.read_approval(acting, approval_id))


@router.post("/v1/approvals/{approval_id}/approve")
async def approve_call(
    acting: Answering, approval_id: str, why: Why, revision: Revision
) -> Reply[ApprovalView]:
    """Approve exactly this call; the agent makes it again with `approval_id`, once."""
    done = await answers.answer(acting, approval_id, "approved", reason=why.reason, revision=revision)
    return await approval_reply(acting.unit, done)


@router.post("/v1/approvals/{approval_id}/refuse")
async def refuse_call(
    acting: Answering, approval_id: str, why: Why, revision: Revision
) -> Reply[ApprovalView]:
    """Refuse this call."""
    done = await answers.answer(acting, approval_id, "refused", reason=why.reason, revision=revision)
    return await approval_reply(acting.unit, done)


def view(approval: PendingApproval, care: Care) -> ApprovalView:
    """Return an approval as it goes over the wire."""
    return ApprovalView(
        id=approval.id,
        occasion=occasion_view(approval.occasion),
        tool=approval.tool,
        call_digest=approval.call_digest,
        policies=tuple(applied_view(each) for each in approval.policies),
        reason=approval.reason,
        expires_at=rfc3339(approval.expires_ms),
        status=approval.status,
        decided_by=approval.decided_by,
        decided_at=when(approval.decided_ms),
        decided_reason=approval.decided_reason,
        spent_on=approval.spent_on,
        spent_at=when(approval.spent_ms),
        assignee=person_in_care(care.assignee),
        comments=care.comments,
    )


async def approval_reply(unit: InboxUnit, approval: PendingApproval) -> Reply[ApprovalView]:
    """Return an approval as an answer, with who sees to it."""
    cares = await cared_for(unit, [approval])
    return Reply(view(approval, cares[approval.id]), revision=approval.revision)
