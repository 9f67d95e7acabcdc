"""Corrections: where a message should have been led, so that it and messages like it are led there."""

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import Field

from bylaw.api.answers import Page, Reply, page
from bylaw.api.native.query import InWorkspace
from bylaw.api.native.routing import Turn
from bylaw.api.ports import Unit
from bylaw.api.route import Route, body, needs
from bylaw.core.clock import rfc3339
from bylaw.core.ids import PolicyId, WorkspaceId
from bylaw.decisions.model import Id
from bylaw.learning import corrections
from bylaw.search.store import Correction, CorrectionId
from bylaw.tenancy.principal import Acting

router = APIRouter(tags=["policies"], route_class=Route)

Writing = Annotated[Acting[Unit], needs(corrections.WRITES)]


class NewCorrection(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a customer said, turn by turn, and the policies that are about it: an empty list for none.

    The first three turns count. It holds for decisions of the workspace, or of the whole tenant, and replaces
    what was said of the same message there. `receipt_id` is the decision that is corrected, and
    `conversation_id` where it was said: with either of them it is forgotten.
    """

    said: Annotated[list[Turn], msgspec.Meta(min_length=1, max_length=100)]
    policy_ids: Annotated[list[Id], msgspec.Meta(max_length=100)]
    workspace_id: Id | None = None
    conversation_id: Id | None = None
    receipt_id: Id | None = None


class CorrectionView(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody said of a message; `policy_id` is null where no policy is about it.

    `text` is what was said first, with personal data, secrets and ids masked: more of it is not stored.
    """

    id: str
    workspace_id: str | None
    policy_id: str | None
    text: str
    conversation_id: str | None
    receipt_id: str | None
    created_by: str
    created_at: str


class CorrectedView(msgspec.Struct, frozen=True, kw_only=True):
    """What is said of the message now, and whether that is new."""

    result: Literal["stored", "unchanged"]
    corrections: tuple[CorrectionView, ...]


class CorrectionQuery(InWorkspace):
    """Which corrections are wanted."""

    policy_id: Annotated[PolicyId | None, Field(description="Only those that lead to this policy.")] = None


@router.post("/v1/route/corrections")
async def correct_routing(
    acting: Writing, new: Annotated[NewCorrection, body(NewCorrection)]
) -> Reply[CorrectedView]:
    """Say which policies a message is about. It and messages like it are led there from then on."""
    corrected = await corrections.correct(
        acting,
        corrections.NewCorrection(
            said=new.said,
            policy_ids=tuple(PolicyId(each) for each in new.policy_ids),
            workspace_id=None if new.workspace_id is None else WorkspaceId(new.workspace_id),
            conversation_id=new.conversation_id,
            receipt_id=new.receipt_id,
        ),
    )
    return Reply(
        CorrectedView(
            result="unchanged" if corrected.is_unchanged else "stored",
            corrections=tuple(_view(each) for each in corrected.corrections),
        )
    )


@router.get("/v1/route/corrections")
async def list_corrections(
    acting: Annotated[Acting[Unit], needs(corrections.READS)], query: Annotated[CorrectionQuery, Query()]
) -> Reply[Page[CorrectionView]]:
    """List corrections, newest first."""
    found = await corrections.list_corrections(
        acting, query.part, workspace_id=query.workspace_id, policy_id=query.policy_id
    )
    return Reply(page(found, _view))


@router.delete("/v1/route/corrections/{correction_id}", status_code=204)
async def delete_correction(acting: Writing, correction_id: CorrectionId) -> Response:
    """Forget a correction, with the message and what it means."""
    await corrections.delete_correction(acting, correction_id)
    return Response(status_code=204)


def _view(correction: Correction) -> CorrectionView:
    return CorrectionView(
        id=correction.id,
        workspace_id=correction.workspace_id,
        policy_id=correction.policy_id,
        text=correction.text,
        conversation_id=correction.conversation_id,
        receipt_id=correction.receipt_id,
        created_by=correction.created_by,
        created_at=rfc3339(correction.created_ms),
    )
