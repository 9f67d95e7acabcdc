"""Packs: policies as files, planned, applied in one transaction, and written back."""

import asyncio
from typing import Annotated, cast

from fastapi import APIRouter, Query
from pydantic import Field

from bylaw.api.answers import Reply
from bylaw.api.native.pack_views import (
    AppliedPlanView,
    ChangedPolicy,
    PackCountsView,
    PackCountView,
    PackDocument,
    PacksToApply,
    PacksToPlan,
    PacksView,
    PackText,
    PlanStepView,
    PlanView,
)
from bylaw.api.native.policy_views import diff_view, warnings_view
from bylaw.api.native.query import StrictQuery
from bylaw.api.ports import Unit
from bylaw.api.route import Route, body, needs
from bylaw.core.canonical_json import Json
from bylaw.core.errors import InvalidInput
from bylaw.policies.packs import apply, export, plan
from bylaw.policies.packs.documents import Document, load_document
from bylaw.policies.packs.load import parse_packs
from bylaw.policies.packs.model import NAME_PATTERN, Pack
from bylaw.policies.packs.plan import Write
from bylaw.policies.packs.shipped import shipped_documents
from bylaw.tenancy.principal import Acting

router = APIRouter(tags=["packs"], route_class=Route)

Reading = Annotated[Acting[Unit], needs("policy:read")]
Writing = Annotated[Acting[Unit], needs("policy:write")]


class ExportQuery(StrictQuery):
    """Which policies are written, and the name for those that no pack made."""

    pack: Annotated[str | None, Field(pattern=NAME_PATTERN, description="Only this pack.")] = None
    others: Annotated[
        str, Field(pattern=NAME_PATTERN, description="The pack into which all others are written.")
    ] = "exported"


@router.post("/v1/packs/plan")
async def plan_packs(acting: Reading, sent: Annotated[PacksToPlan, body(PacksToPlan)]) -> Reply[PlanView]:
    """Say what applying these files would do."""
    return Reply(_plan(await plan.plan_packs(acting, await _packs(sent), prune=sent.prune)))


@router.post("/v1/packs/apply")
async def apply_packs(
    acting: Writing, sent: Annotated[PacksToApply, body(PacksToApply)]
) -> Reply[AppliedPlanView]:
    """Make the policies say what these files say: everything or nothing; twice does nothing more."""
    agreed = apply.Agreed(prune=sent.prune, reason=sent.reason, plan_digest=sent.plan)
    done = await apply.apply_packs(acting, await _packs(sent), agreed)
    changed = tuple(
        ChangedPolicy(
            slug=slug,
            id=policy.id,
            status=policy.status,
            is_in_force=policy.is_in_force,
            version=policy.current,
            pending=policy.pending,
        )
        for slug, policy in done.policies.items()
    )
    return Reply(AppliedPlanView(plan=_plan(done.plan), policies=changed))


@router.get("/v1/packs")
async def export_packs(acting: Reading, query: Annotated[ExportQuery, Query()]) -> Reply[PacksView]:
    """Write the approved policies as files of packs."""
    files = await export.export_packs(acting, pack=query.pack, others=query.others)
    documents = (
        PackDocument(file=f"{name}.yaml", document=cast("dict[str, object]", data))
        for name, data in files.items()
    )
    return Reply(PacksView(documents=tuple(documents)))


@router.get("/v1/packs/counts")
async def count_packs(acting: Reading) -> Reply[PackCountsView]:
    """Count the approved policies of each pack."""
    found = sorted((await export.count_packs(acting)).items())
    counts = (PackCountView(pack=pack or None, policies=policies) for pack, policies in found)
    return Reply(PackCountsView(data=tuple(counts)))


@router.get("/v1/packs/shipped")
async def list_shipped_packs(acting: Reading) -> Reply[PacksView]:
    """List the packs that come with this server, to be planned and applied."""
    del acting
    return Reply(PacksView(documents=tuple(map(_document, await asyncio.to_thread(shipped_documents)))))


@router.post("/v1/packs/read")
async def read_pack(acting: Reading, sent: Annotated[PackText, body(PackText)]) -> Reply[PackDocument]:
    """Read a file of a pack as plain data, or say at which line and column it cannot be read."""
    del acting
    return Reply(_document(await asyncio.to_thread(load_document, sent.text, file=sent.file)))


def _document(document: Document) -> PackDocument:
    """Return one file. Raises: InvalidInput when it holds no fields."""
    if not isinstance(document.value, dict):
        raise InvalidInput.of("text", "no_pack", "A file of a pack has fields, such as pack and policies.")
    return PackDocument(file=document.file, document=cast("dict[str, object]", document.value))


async def _packs(sent: PacksToPlan) -> tuple[Pack, ...]:
    """Return the packs in the files, read in a thread: thousands of rules would hold all decisions up."""
    documents = [Document(file=each.file, value=cast("Json", each.document)) for each in sent.documents]
    return await asyncio.to_thread(parse_packs, documents)


def _plan(made: plan.Plan) -> PlanView:
    return PlanView(
        digest=made.digest, is_empty=made.is_empty, steps=tuple(_step(each) for each in made.steps)
    )


def _step(step: plan.Write | plan.Archive) -> PlanStepView:
    diff = step.diff if isinstance(step, Write) else None
    return PlanStepView(
        kind=step.kind,
        slug=step.slug,
        policy_id=None if step.current is None else step.current.policy.id,
        revision=None if step.current is None else step.current.policy.revision,
        diff=None if diff is None else diff_view(diff),
        switches=step.switches if isinstance(step, Write) else (),
        note=step.note,
        warnings=warnings_view(step.packed.warnings if isinstance(step, Write) else ()),
    )
