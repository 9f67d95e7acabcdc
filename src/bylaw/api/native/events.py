"""Events: what people changed, with what the caller has read of it."""

from typing import Annotated

import msgspec
from fastapi import APIRouter, Query, Response
from pydantic import Field

from bylaw.api.answers import Page, Reply, page
from bylaw.api.native.query import ListQuery
from bylaw.api.ports import Unit
from bylaw.api.route import Route, body, needs
from bylaw.api.shape import moment
from bylaw.core.clock import rfc3339
from bylaw.receipts.issue import PREFIX
from bylaw.review import events
from bylaw.review.events import Change, EventFilter, Noun, SeenEvent
from bylaw.review.queue import READS
from bylaw.tenancy.principal import Acting

router = APIRouter(tags=["events"], route_class=Route)

Reading = Annotated[Acting[Unit], needs(READS)]


class EventQuery(ListQuery):
    """Which events are wanted; filters combine with AND."""

    noun: Annotated[Noun | None, Field(description="Only changes of things of this kind.")] = None
    change: Annotated[Change | None, Field(description="Only this kind of change.")] = None
    id: Annotated[str | None, Field(description="Only changes of this thing.")] = None
    who: Annotated[str | None, Field(description="Only changes by this user or key.")] = None
    workspace_id: str | None = None
    unread: Annotated[bool, Field(description="Only those that the caller has not read.")] = False
    since: Annotated[str | None, Field(description="At this moment (RFC 3339) or later.")] = None
    until: Annotated[str | None, Field(description="Before this moment.")] = None

    @property
    def where(self) -> EventFilter:
        """Return the filter that is meant. Raises: InvalidInput for a moment that is none."""
        return EventFilter(
            from_ms=moment(self.since, path="query.since"),
            to_ms=moment(self.until, path="query.until"),
            nouns=None if self.noun is None else frozenset({self.noun}),
            change=self.change,
            ident=self.id,
            who=self.who,
            workspace_id=self.workspace_id,
            unread=self.unread,
        )


class ToldField(msgspec.Struct, frozen=True, kw_only=True):
    """What a field is now and was before, as JSON text; empty is not told."""

    name: str
    now: str
    was: str


class EventView(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody changed one thing; `receipt_id` is the entry of the log that proves it."""

    number: int
    at: str
    noun: Noun
    change: Change
    word: str
    id: str
    author: str
    workspace_id: str | None
    fields: tuple[ToldField, ...]
    receipt_id: str
    read: bool


class Numbers(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Events by their numbers."""

    numbers: Annotated[list[int], msgspec.Meta(min_length=1, max_length=1000)]


@router.get("/v1/events")
async def list_events(acting: Reading, query: Annotated[EventQuery, Query()]) -> Reply[Page[EventView]]:
    """List what people changed where the caller may read receipts, and what they changed themselves."""
    return Reply(page(await events.list_events(acting, query.where, query.part), _view))


@router.post("/v1/events/read", status_code=204)
async def mark_events_read(acting: Reading, sent: Annotated[Numbers, body(Numbers)]) -> Response:
    """Mark events as read by the caller; unknown numbers are passed over."""
    await events.mark_events(acting, sent.numbers, read=True)
    return Response(status_code=204)


@router.post("/v1/events/unread", status_code=204)
async def mark_events_unread(acting: Reading, sent: Annotated[Numbers, body(Numbers)]) -> Response:
    """Mark events as not read by the caller."""
    await events.mark_events(acting, sent.numbers, read=False)
    return Response(status_code=204)


def _view(seen: SeenEvent) -> EventView:
    event = seen.event
    return EventView(
        number=event.number,
        at=rfc3339(event.at_ms),
        noun=event.noun,
        change=event.change,
        word=event.word,
        id=event.ident,
        author=event.author,
        workspace_id=event.workspace_id or None,
        fields=tuple(
            ToldField(name=each["name"], now=each.get("now", ""), was=each.get("was", ""))
            for each in event.fields
        ),
        receipt_id=PREFIX + event.entry_id,
        read=seen.is_read,
    )
