"""Answering: a person approves or refuses a tool call that waits.

    pending ── approve ──▶ approved ── spend ──▶ spent
       └────── refuse ───▶ refused

Answering the same again is a success that changes nothing; another answer is a Conflict (`already_answered`),
and so is one that comes too late (`expired`). A key does not answer for the call that it made, so that an
agent never lifts what holds it; only an admin key does, which could make itself another key anyway.
"""

from dataclasses import replace
from typing import Final, Literal

from bylaw.approvals.model import PendingApproval
from bylaw.approvals.store import ApprovalFilter, ApprovalUnit
from bylaw.core.errors import Conflict, Forbidden, NotFound
from bylaw.core.paging import Page, Slice
from bylaw.tenancy.model import overlap
from bylaw.tenancy.naming import checked_reason
from bylaw.tenancy.principal import Acting
from bylaw.tenancy.revisions import require_revision

Answer = Literal["approved", "refused"]

KIND: Final = "approval"
READS: Final = "conversations:read"
ANSWERS: Final = "conversations:write"


async def list_approvals(
    acting: Acting[ApprovalUnit], where: ApprovalFilter, part: Slice
) -> Page[PendingApproval]:
    """Return a page of the approvals that the caller may read. Raises: Forbidden."""
    acting.principal.require(READS)
    seen = acting.principal.places(READS)
    within = seen if where.within is None else overlap(where.within, seen)
    return await acting.unit.approvals.list(replace(where, within=within), part)


async def read_approval(acting: Acting[ApprovalUnit], ident: str) -> PendingApproval:
    """Return one approval. Raises: NotFound, Forbidden."""
    return await _found(acting, ident, READS)


async def answer(
    acting: Acting[ApprovalUnit], ident: str, said: Answer, *, reason: str = "", revision: int | None = None
) -> PendingApproval:
    """Store the answer to a call that waits, with an entry for the log, and return the approval.

    Raises: NotFound; Forbidden, also for the key that made the call; Conflict (`already_answered`,
    `expired`); PreconditionFailed; InvalidInput.
    """
    approval = await _found(acting, ident, ANSWERS)
    require_revision(approval.revision, revision)
    asked_with = acting.principal.kind == "key" and acting.principal.acts_as == approval.occasion.key_id
    if asked_with and not acting.principal.may("admin", approval.occasion.place):
        raise Forbidden("The key that made a call does not answer for it: ask a person.", needs="another key")
    why = checked_reason(reason)
    if approval.status == said:
        return approval
    if approval.status != "pending":
        raise Conflict(f"This call is {approval.status} already.", reason="already_answered")
    now_ms = acting.clock.now_ms()
    if now_ms >= approval.expires_ms:
        raise Conflict("This call waited too long: let the agent ask again.", reason="expired")
    answered = replace(
        approval,
        status=said,
        decided_by=acting.principal.actor,
        decided_ms=now_ms,
        decided_reason=why,
        revision=approval.revision + 1,
    )
    await acting.unit.approvals.save(answered)
    await record(acting, answered, change=said, receipt_id=approval.occasion.receipt_id, reason=why)
    return answered


async def record(
    acting: Acting[ApprovalUnit], approval: PendingApproval, *, change: str, receipt_id: str, reason: str = ""
) -> None:
    """Queue the entry for the log: who did what to which exact call, under which policy versions."""
    await acting.unit.outbox.add(
        KIND,
        {
            "approval": approval.id,
            "approver": approval.decided_by or "",
            "call_digest": approval.call_digest,
            "change": change,
            "expires_ms": approval.expires_ms,
            "policies": [
                {"digest": each.digest, "id": each.id, "version": each.version} for each in approval.policies
            ],
            "reason": reason,
            "receipt": receipt_id,
        },
    )


async def _found(acting: Acting[ApprovalUnit], ident: str, scope: str) -> PendingApproval:
    acting.principal.require(scope)
    approval = await acting.unit.approvals.get(ident)
    if approval is None or not acting.principal.may(READS, approval.occasion.place):
        raise NotFound("approval", ident)
    acting.principal.require(scope, approval.occasion.place)
    return approval
