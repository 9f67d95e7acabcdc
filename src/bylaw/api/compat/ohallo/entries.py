"""Policy entries: listed, searched, made, changed, reviewed, put away and deleted."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from bylaw.api.answers import Reply
from bylaw.api.compat.ohallo import translate
from bylaw.api.compat.ohallo.query import EntryQuery, EntryView, SearchQuery, accepts_array
from bylaw.api.compat.ohallo.wire import Done, Entries, Entry, EntryChange, EntryPart, NewEntry, Rejection
from bylaw.api.ports import Unit
from bylaw.api.route import Route, body, needs, parts_of
from bylaw.core.errors import Conflict
from bylaw.core.ids import PolicyId, WorkspaceId
from bylaw.core.paging import Page
from bylaw.policies import editing, lifecycle, reading
from bylaw.policies.model import Current, Policy
from bylaw.policies.store import PolicyFilter
from bylaw.search.query import search_policies
from bylaw.tenancy.model import Place
from bylaw.tenancy.places import require_place
from bylaw.tenancy.principal import Acting

router = APIRouter(tags=["ohallo"], route_class=Route)

Reading = Annotated[Acting[Unit], needs("policy:read")]
Writing = Annotated[Acting[Unit], needs("policy:write")]
Listed = Reply[Entries | tuple[EntryPart, ...]]
Array = Annotated[bool, Depends(accepts_array)]


@router.get("/api/workspaces/{workspace_id}/policy-entries")
async def list_entries(
    acting: Reading, workspace_id: WorkspaceId, query: Annotated[EntryQuery, Query()], array: Array
) -> Listed:
    """List the entries of a workspace, newest first."""
    place = await _place(acting, "policy:read", workspace_id)
    list_them = reading.list_waiting if query.status == "pending_review" else reading.list_policies
    found = await list_them(acting, query.where(place), query.part)
    return _listed(found, query, workspace_id, array=array)


@router.get("/api/workspaces/{workspace_id}/policy-entries/search")
async def search_entries(
    request: Request,
    acting: Reading,
    workspace_id: WorkspaceId,
    *,
    query: Annotated[SearchQuery, Query()],
    array: Array,
) -> Listed:
    """Search the entries of a workspace by the words that stand in them and by meaning, the best first."""
    where = _near(await _place(acting, "policy:read", workspace_id))
    found = await search_policies(acting, parts_of(request).finder, query.q, where=where, part=query.part)
    page = Page(items=tuple(each.current for each in found.items), total=found.total)
    return _listed(page, query, workspace_id, array=array)


@router.get("/api/workspaces/{workspace_id}/policy-entries/pending")
async def list_pending(
    acting: Reading, workspace_id: WorkspaceId, query: Annotated[EntryView, Query()], array: Array
) -> Listed:
    """List what waits for review in a workspace: new entries, and changes of approved ones."""
    where = _near(await _place(acting, "policy:read", workspace_id))
    found = await reading.list_waiting(acting, where, query.part)
    return _listed(found, query, workspace_id, array=array)


@router.post("/api/workspaces/{workspace_id}/policy-entries", status_code=201)
async def create_entry(
    acting: Writing, workspace_id: WorkspaceId, new: Annotated[NewEntry, body(NewEntry)]
) -> Reply[Entry]:
    """Make an entry. It is in force at once, unless it, or its workspace, asks for review."""
    place = await _place(acting, "policy:write", workspace_id)
    policy = translate.new_policy(new, place=place, ident=acting.ids.uuid7())
    return Reply(translate.entry(await editing.create_policy(acting, policy)))


@router.get("/api/policy-entries/{entry_id}")
async def read_entry(acting: Reading, entry_id: PolicyId) -> Reply[Entry]:
    """Read one entry."""
    return Reply(translate.entry(await reading.read_policy(acting, entry_id)))


@router.patch("/api/policy-entries/{entry_id}")
async def change_entry(
    acting: Writing, entry_id: PolicyId, change: Annotated[EntryChange, body(EntryChange)]
) -> Reply[Entry]:
    """Change an entry; fields left out stay, and so does its status, unless its workspace reviews changes."""
    before = await reading.read_policy(acting, entry_id)
    _require_one_workspace(before.policy)
    newest = await reading.waiting(acting.unit, before)
    fields = translate.changed_fields(newest.version.content, change)
    after = await editing.edit_policy(acting, entry_id, editing.Edit(fields=fields))
    return Reply(translate.entry(await reading.waiting(acting.unit, after)))


@router.delete("/api/policy-entries/{entry_id}", status_code=204)
async def delete_entry(acting: Writing, entry_id: PolicyId) -> Response:
    """Delete an entry."""
    _require_one_workspace(await reading.readable_policy(acting, entry_id))
    await lifecycle.delete_policy(acting, entry_id)
    return Response(status_code=204)


@router.post("/api/policy-entries/{entry_id}/approve")
async def approve_entry(acting: Writing, entry_id: PolicyId) -> Reply[Done]:
    """Approve an entry, or the change that waits; approving it again changes nothing."""
    await lifecycle.decide_policy(acting, entry_id, "approve")
    return Reply(Done())


@router.post("/api/policy-entries/{entry_id}/reject")
async def reject_entry(
    acting: Writing, entry_id: PolicyId, why: Annotated[Rejection, body(Rejection, may_be_empty=True)]
) -> Reply[Done]:
    """Reject an entry, or the change that waits; rejecting it again changes nothing."""
    await lifecycle.decide_policy(acting, entry_id, "reject", reason=why.reason or "")
    return Reply(Done())


@router.post("/api/policy-entries/{entry_id}/archive")
async def archive_entry(acting: Writing, entry_id: PolicyId) -> Reply[Done]:
    """Take an approved entry out of force and keep it for reference."""
    current = await reading.read_policy(acting, entry_id)
    if translate.status_of(current) != "archived":
        await lifecycle.decide_policy(acting, entry_id, "archive")
    return Reply(Done())


@router.post("/api/policy-entries/{entry_id}/restore")
async def restore_entry(acting: Writing, entry_id: PolicyId) -> Reply[Done]:
    """Bring an archived entry back into force."""
    policy = await lifecycle.decide_policy(acting, entry_id, "restore")
    await lifecycle.set_active(acting, policy.id, is_active=True)
    return Reply(Done())


async def _place(acting: Acting[Unit], scope: str, workspace_id: WorkspaceId) -> Place:
    """Return the workspace as a place. Raises: Forbidden without `scope` in it; NotFound."""
    place = Place(workspace_id=workspace_id)
    acting.principal.require(scope, place)
    await require_place(acting.unit, place)
    return place


def _near(place: Place) -> PolicyFilter:
    return PolicyFilter(place=place, match="near")


def _listed(found: Page[Current], view: EntryView, workspace_id: WorkspaceId, *, array: bool) -> Listed:
    fields, total = view.shown, found.total or 0
    alone = array if view.envelope is None else view.envelope == "array"
    items = tuple(
        translate.part(translate.entry(each, workspace_id=workspace_id), fields) for each in found.items
    )
    answer = Reply[Entries | tuple[EntryPart, ...]](items if alone else Entries(items=items, total=total))
    answer.headers["x-total-count"] = str(total)
    answer.headers["vary"] = "accept"
    return answer


def _require_one_workspace(policy: Policy) -> None:
    """Return nothing if a policy holds in one workspace. Raises: Conflict (`other_shape`)."""
    if policy.place.workspace_id is None:
        message = "It holds in every workspace: change it with PATCH or DELETE /v1/policies/{policy_id}."
        raise Conflict(message, reason="other_shape")
