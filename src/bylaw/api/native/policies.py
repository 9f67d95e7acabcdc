"""Policies: written, edited, diffed, rolled back, and taken through their life."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from bylaw.api.answers import Page, Reply, page
from bylaw.api.fit import fit
from bylaw.api.native.evaluators import judged_rules
from bylaw.api.native.policy_queries import DiffQuery, EffectiveQuery, PolicyQuery
from bylaw.api.native.policy_requests import NewPolicy, PolicyEdit, PolicyFrame, Reason, Rollback
from bylaw.api.native.policy_views import (
    DiffView,
    PolicyView,
    SavedPolicyView,
    VersionView,
    diff_view,
    saved_view,
    version_view,
    view,
)
from bylaw.api.native.query import ListQuery
from bylaw.api.native.search_views import PolicyList, found_view, listed
from bylaw.api.ports import Unit
from bylaw.api.route import Revision, Route, body, needs, parts_of, raw_body
from bylaw.api.shape import place_of
from bylaw.core.errors import InvalidInput
from bylaw.core.ids import PolicyId
from bylaw.evaluators.judging import unjudged
from bylaw.policies import editing, lifecycle, reading
from bylaw.policies.lifecycle import Decision
from bylaw.policies.model import Current, Policy, Reach, Source
from bylaw.policies.parse import parse_content
from bylaw.policies.reader import Reader
from bylaw.policies.saved import newest_content, read_warnings
from bylaw.search.query import search_policies
from bylaw.tenancy.principal import Acting

router = APIRouter(tags=["policies"], route_class=Route)

Reading = Annotated[Acting[Unit], needs("policy:read")]
Writing = Annotated[Acting[Unit], needs("policy:write")]
Approving = Annotated[Acting[Unit], needs("policy:approve")]
Why = Annotated[Reason, body(Reason, may_be_empty=True)]

_FRAME = frozenset(PolicyFrame.__struct_fields__)
_EDIT_FRAME = frozenset({"reason", "reach", "is_active"})


@router.post("/v1/policies", status_code=201)
async def create_policy(
    request: Request, acting: Writing, data: Annotated[dict[str, object], raw_body(NewPolicy)]
) -> Reply[SavedPolicyView]:
    """Write a policy. It is in force at once, unless it waits for review."""
    with _fields_of(NewPolicy, data) as known:
        return await _saved(acting, await editing.create_policy(acting, _new(known)), request)


@router.get("/v1/policies")
async def list_policies(
    request: Request, acting: Reading, query: Annotated[PolicyQuery, Query()]
) -> Reply[PolicyList]:
    """List policies, each with its current version: newest first, or with `q` as they answer a search."""
    if query.q is None:
        return Reply(listed(await reading.list_policies(acting, query.where, query.part)))
    if query.deleted:
        message = "A search looks through what is not deleted: leave out q, or deleted."
        raise InvalidInput.of("deleted", "bad_value", message)
    finder, part = parts_of(request).finder, query.searched
    found = await search_policies(acting, finder, query.q, where=query.where, part=part)
    return Reply(found_view(found, offset=part.offset))


@router.get("/v1/effective-policies")
async def list_effective(
    acting: Reading, query: Annotated[EffectiveQuery, Query()]
) -> Reply[Page[PolicyView]]:
    """List what governs a place, and an agent there: the policies of the place and of all that enclose it."""
    place = place_of(query.workspace_id, query.repo_id)
    return Reply(page(await reading.list_effective(acting, place, query.part, agent_id=query.agent_id), view))


@router.get("/v1/policies/{policy_id}")
async def read_policy(acting: Reading, policy_id: PolicyId) -> Reply[PolicyView]:
    """Read a policy with its current version."""
    return _current(await reading.read_policy(acting, policy_id))


@router.patch("/v1/policies/{policy_id}")
async def edit_policy(
    acting: Writing,
    policy_id: PolicyId,
    data: Annotated[dict[str, object], raw_body(PolicyEdit)],
    revision: Revision,
    *,
    request: Request,
) -> Reply[SavedPolicyView]:
    """Change a policy; fields left out stay. What changes its content makes a new version.

    Switched off, it is so before its text changes; on, after that: no text was in force in between.
    """
    with _fields_of(PolicyEdit, data) as known:
        frame = fit({name: value for name, value in known.items() if name in _EDIT_FRAME}, PolicyEdit)
        if isinstance(frame.reach, str):
            await lifecycle.set_reach(acting, policy_id, frame.reach, reason=frame.reason, revision=revision)
            revision = None
        if frame.is_active is False:
            await lifecycle.set_active(
                acting, policy_id, is_active=False, reason=frame.reason, revision=revision
            )
            revision = None
        fields = {name: value for name, value in known.items() if name not in _EDIT_FRAME}
        edit = editing.Edit(fields=fields, reason=frame.reason, revision=revision)
        current = await editing.edit_policy(acting, policy_id, edit)
        if frame.is_active is True:
            policy = await lifecycle.set_active(acting, policy_id, is_active=True, reason=frame.reason)
            current = replace(current, policy=policy)
    return await _saved(acting, current, request)


@router.delete("/v1/policies/{policy_id}", status_code=204)
async def delete_policy(acting: Writing, policy_id: PolicyId, revision: Revision) -> Response:
    """Delete a policy; its versions stay readable."""
    await lifecycle.delete_policy(acting, policy_id, revision=revision)
    return Response(status_code=204)


@router.post("/v1/policies/{policy_id}/undelete")
async def undelete_policy(
    acting: Writing, policy_id: PolicyId, why: Why, revision: Revision
) -> Reply[PolicyView]:
    """Bring a deleted policy back as it was, switched off; `GET /v1/policies?deleted=true` lists them."""
    policy = await lifecycle.undelete_policy(acting, policy_id, reason=why.reason, revision=revision)
    return await _again(acting, policy)


@router.get("/v1/policies/{policy_id}/versions")
async def list_versions(
    acting: Reading, policy_id: PolicyId, query: Annotated[ListQuery, Query()]
) -> Reply[Page[VersionView]]:
    """List the versions of a policy, of a deleted one too."""
    return Reply(page(await reading.list_versions(acting, policy_id, query.part), version_view))


@router.get("/v1/policies/{policy_id}/versions/{number}")
async def read_version(acting: Reading, policy_id: PolicyId, number: int) -> Reply[VersionView]:
    """Read one version; it never changes."""
    return Reply(version_view(await reading.read_version(acting, policy_id, number=number)))


@router.get("/v1/policies/{policy_id}/diff")
async def diff_versions(
    acting: Reading, policy_id: PolicyId, query: Annotated[DiffQuery, Query()]
) -> Reply[DiffView]:
    """Compare two versions field by field and rule by rule, and say whether more or less is allowed."""
    return Reply(diff_view(await reading.diff_versions(acting, policy_id, old=query.old, new=query.new)))


@router.post("/v1/policies/{policy_id}/rollback")
async def roll_back(
    acting: Writing,
    policy_id: PolicyId,
    wanted: Annotated[Rollback, body(Rollback)],
    revision: Revision,
    *,
    request: Request,
) -> Reply[SavedPolicyView]:
    """Make a new version with the content of an old one."""
    current = await editing.roll_back(
        acting, policy_id, number=wanted.version, reason=wanted.reason, revision=revision
    )
    return await _saved(acting, current, request)


@router.post("/v1/policies/{policy_id}/approve")
async def approve_policy(
    acting: Approving, policy_id: PolicyId, why: Why, revision: Revision
) -> Reply[PolicyView]:
    """Approve a policy, or its pending edit."""
    return await _decide(acting, policy_id, "approve", why=why, revision=revision)


@router.post("/v1/policies/{policy_id}/reject")
async def reject_policy(
    acting: Approving, policy_id: PolicyId, why: Why, revision: Revision
) -> Reply[PolicyView]:
    """Reject a policy, or its pending edit."""
    return await _decide(acting, policy_id, "reject", why=why, revision=revision)


@router.post("/v1/policies/{policy_id}/archive")
async def archive_policy(
    acting: Writing, policy_id: PolicyId, why: Why, revision: Revision
) -> Reply[PolicyView]:
    """Take an approved policy out of force."""
    return await _decide(acting, policy_id, "archive", why=why, revision=revision)


@router.post("/v1/policies/{policy_id}/restore")
async def restore_policy(
    acting: Approving, policy_id: PolicyId, why: Why, revision: Revision
) -> Reply[PolicyView]:
    """Bring an archived policy back into force."""
    return await _decide(acting, policy_id, "restore", why=why, revision=revision)


@router.post("/v1/policies/{policy_id}/activate")
async def activate_policy(
    acting: Writing, policy_id: PolicyId, why: Why, revision: Revision
) -> Reply[PolicyView]:
    """Switch enforcement on."""
    policy = await lifecycle.set_active(
        acting, policy_id, is_active=True, reason=why.reason, revision=revision
    )
    return await _again(acting, policy)


@router.post("/v1/policies/{policy_id}/deactivate")
async def deactivate_policy(
    acting: Writing, policy_id: PolicyId, why: Why, revision: Revision
) -> Reply[PolicyView]:
    """Switch enforcement off, keeping status and history."""
    policy = await lifecycle.set_active(
        acting, policy_id, is_active=False, reason=why.reason, revision=revision
    )
    return await _again(acting, policy)


@contextmanager
def _fields_of(kind: type[PolicyEdit | NewPolicy], data: dict[str, object]) -> Iterator[dict[str, object]]:
    """Yield the fields of `data` that a `kind` has; others are told with whatever else is wrong."""
    reader = Reader()
    reader.fields(data, kind.__struct_fields__, "")
    try:
        yield {name: value for name, value in data.items() if name in kind.__struct_fields__}
    except InvalidInput as error:
        raise InvalidInput(error.message, *reader.problems, *error.problems) from None
    reader.finish("The policy is not usable")


def _new(data: dict[str, object]) -> editing.NewPolicy:
    frame = _frame(data)
    source = frame.source
    usual: Reach = "bound" if "version" in data else "place"
    return editing.NewPolicy(
        content={name: value for name, value in data.items() if name not in _FRAME},
        place=place_of(frame.workspace_id, frame.repo_id),
        reach=usual if frame.reach is None else frame.reach,
        slug=frame.slug,
        source=Source(
            type=source.type,
            conversation_id=source.conversation_id,
            confidence=source.confidence,
            rationale=source.rationale,
            evidence=source.evidence,
        ),
        status=frame.status,
        is_active=frame.is_active,
        reason=frame.reason,
        id=frame.id,
        version=frame.version,
    )


def _frame(data: dict[str, object]) -> PolicyFrame:
    """Return what is said beside the content. Raises: InvalidInput that names what is wrong with either."""
    try:
        return fit({name: value for name, value in data.items() if name in _FRAME}, PolicyFrame)
    except InvalidInput as error:
        problems = list(error.problems)
    try:
        parse_content({name: value for name, value in data.items() if name not in _FRAME})
    except InvalidInput as error:
        problems += error.problems
    raise InvalidInput("The policy is not usable.", *problems)


async def _decide(
    acting: Acting[Unit], policy_id: PolicyId, decision: Decision, *, why: Reason, revision: int | None
) -> Reply[PolicyView]:
    policy = await lifecycle.decide_policy(acting, policy_id, decision, reason=why.reason, revision=revision)
    return await _again(acting, policy)


async def _again(acting: Acting[Unit], policy: Policy) -> Reply[PolicyView]:
    version = await reading.stored_version(acting.unit, policy, number=policy.current)
    return _current(Current(policy=policy, version=version))


async def _saved(acting: Acting[Unit], current: Current, request: Request) -> Reply[SavedPolicyView]:
    content = await newest_content(acting, current)
    has_model = parts_of(request).engine.panel.model is not None
    warnings = await read_warnings(acting, current.policy, content)
    told = (*warnings, *unjudged(content, has_model=has_model))
    judged = judged_rules(content, has_model=has_model)
    return Reply(saved_view(current, judged, told), revision=current.policy.revision)


def _current(current: Current) -> Reply[PolicyView]:
    return Reply(view(current), revision=current.policy.revision)
