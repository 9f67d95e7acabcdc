"""Who sees to what waits for people, and what they say about it: the same for both lists of the inbox."""

from collections.abc import Mapping
from typing import Annotated

import msgspec
from fastapi import APIRouter, Query

from bylaw.api.answers import Page, Reply, page
from bylaw.api.native.approvals import ApprovalView, approval_reply
from bylaw.api.native.care import PersonInCareView, person_in_care
from bylaw.api.native.query import ListQuery, StrictQuery
from bylaw.api.native.review import AttentionView, attention_reply
from bylaw.api.ports import Unit
from bylaw.api.route import Revision, Route, body, needs, needs_projected
from bylaw.api.shape import place_of
from bylaw.approvals.answer import read_approval
from bylaw.core.clock import rfc3339
from bylaw.core.ids import UserId
from bylaw.inbox.assignment import assign, people_for
from bylaw.inbox.model import Remark, RemarkKind, Thing
from bylaw.inbox.things import READS, WRITES
from bylaw.inbox.thread import comment, people_in, read_thread
from bylaw.review.queue import read_attention
from bylaw.tenancy.model import User
from bylaw.tenancy.principal import Acting

router = APIRouter(tags=["inbox"], route_class=Route)

Reading = Annotated[Acting[Unit], needs_projected(READS)]
Handling = Annotated[Acting[Unit], needs_projected(WRITES)]
Part = Annotated[ListQuery, Query()]


class Assignee(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The person who is to see to it."""

    user_id: UserId


class Comment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to be said: at most 4,000 characters."""

    text: str


class PlaceQuery(StrictQuery):
    """The place where something waits; the whole tenant without one."""

    workspace_id: str | None = None
    repo_id: str | None = None


class RemarkView(msgspec.Struct, frozen=True, kw_only=True):
    """A `comment`, or that it was put into somebody's hands (`assigned`) or taken out of them (`unassigned`).

    `assignee` is who got it, or had it until then. `author_name` is null for a key. `text` is null once it is
    erased, in a repeated answer, and for what is no comment.
    """

    id: str
    at: str
    kind: RemarkKind
    author: str
    author_name: str | None
    assignee: PersonInCareView | None
    text: str | None


class PeopleView(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody who may see to what waits in a place, by name."""

    data: tuple[PersonInCareView, ...]


@router.get("/v1/inbox/people")
async def list_people(
    acting: Annotated[Acting[Unit], needs(WRITES)], query: Annotated[PlaceQuery, Query()]
) -> Reply[PeopleView]:
    """List the people to whom something that waits in a place can be assigned."""
    found = await people_for(acting, place_of(query.workspace_id, query.repo_id))
    return Reply(PeopleView(data=tuple(PersonInCareView(id=each.id, name=each.full_name) for each in found)))


@router.put("/v1/attention/{attention_id}/assignee")
async def assign_attention(
    acting: Handling,
    attention_id: str,
    new: Annotated[Assignee, body(Assignee)],
    revision: Revision,
) -> Reply[AttentionView]:
    """Put an open attention item into the hands of a person who may act where it lies."""
    item = await read_attention(acting, attention_id)
    return await attention_reply(acting.unit, await assign(acting, item, new.user_id, revision=revision))


@router.delete("/v1/attention/{attention_id}/assignee")
async def unassign_attention(acting: Handling, attention_id: str, revision: Revision) -> Reply[AttentionView]:
    """Take an open attention item out of everybody's hands."""
    item = await read_attention(acting, attention_id)
    return await attention_reply(acting.unit, await assign(acting, item, None, revision=revision))


@router.get("/v1/attention/{attention_id}/thread")
async def read_attention_thread(acting: Reading, attention_id: str, query: Part) -> Reply[Page[RemarkView]]:
    """List what was said about an attention item, and through whose hands it went."""
    return await _thread(acting, await read_attention(acting, attention_id), query)


@router.post("/v1/attention/{attention_id}/comments", status_code=201)
async def comment_attention(
    acting: Handling, attention_id: str, new: Annotated[Comment, body(Comment)]
) -> Reply[RemarkView]:
    """Say something about an attention item, open or resolved; it stays as it is said."""
    item = await read_attention(acting, attention_id)
    return await _said(acting, await comment(acting, item, new.text))


@router.put("/v1/approvals/{approval_id}/assignee")
async def assign_approval(
    acting: Handling,
    approval_id: str,
    new: Annotated[Assignee, body(Assignee)],
    revision: Revision,
) -> Reply[ApprovalView]:
    """Put a call that waits into the hands of a person who may answer it."""
    held = await read_approval(acting, approval_id)
    return await approval_reply(acting.unit, await assign(acting, held, new.user_id, revision=revision))


@router.delete("/v1/approvals/{approval_id}/assignee")
async def unassign_approval(acting: Handling, approval_id: str, revision: Revision) -> Reply[ApprovalView]:
    """Take a call that waits out of everybody's hands."""
    held = await read_approval(acting, approval_id)
    return await approval_reply(acting.unit, await assign(acting, held, None, revision=revision))


@router.get("/v1/approvals/{approval_id}/thread")
async def read_approval_thread(acting: Reading, approval_id: str, query: Part) -> Reply[Page[RemarkView]]:
    """List what was said about a call that waits or waited, and through whose hands it went."""
    return await _thread(acting, await read_approval(acting, approval_id), query)


@router.post("/v1/approvals/{approval_id}/comments", status_code=201)
async def comment_approval(
    acting: Handling, approval_id: str, new: Annotated[Comment, body(Comment)]
) -> Reply[RemarkView]:
    """Say something about a call that waits or waited; it stays as it is said."""
    held = await read_approval(acting, approval_id)
    return await _said(acting, await comment(acting, held, new.text))


async def _thread(acting: Acting[Unit], thing: Thing, query: ListQuery) -> Reply[Page[RemarkView]]:
    found = await read_thread(acting, thing, query.part)
    people = await people_in(acting.unit, found.items)
    return Reply(page(found, lambda remark: _view(remark, people)))


async def _said(acting: Acting[Unit], remark: Remark) -> Reply[RemarkView]:
    view = _view(remark, await people_in(acting.unit, [remark]))
    return Reply(view, kept=msgspec.structs.replace(view, text=None))


def _view(remark: Remark, people: Mapping[str, User]) -> RemarkView:
    author = people.get(remark.author.partition(":")[2])
    return RemarkView(
        id=remark.id,
        at=rfc3339(remark.created_ms),
        kind=remark.kind,
        author=remark.author,
        author_name=None if author is None else author.full_name,
        assignee=None if remark.assignee is None else person_in_care(people.get(remark.assignee)),
        text=remark.text if remark.kind == "comment" else None,
    )
