"""What goes over the wire about system events, field for field."""

from typing import Literal

import msgspec

from bylaw.api.compat.flashback.wire import FlashbackDone, Wire


class EventQuery(Wire, frozen=True, kw_only=True):
    """Which events are wanted; without times those of the last 24 hours.

    `context` and `event` are numbers: a kind of thing (0 to 14), and 0 created, 1 updated, 2 deleted.
    """

    since: str | None = msgspec.field(default=None, name="from_timestamp")
    until: str | None = msgspec.field(default=None, name="to_timestamp")
    context_id: str | None = None
    context: int | None = None
    event: int | None = None
    user_id: str | None = None
    workspace_id: str | None = None
    show_unread: bool | None = None
    skip: int | None = None
    take: int | None = None


class SystemEvent(Wire, frozen=True, kw_only=True):
    """Somebody changed one thing; `jsonData` is JSON with the word for the change and the fields told."""

    id: int
    timestamp: str
    context_id: str
    context: str
    event: Literal["created", "updated", "deleted"]
    org_id: str
    user_id: str
    user_name: str
    user_email: str
    workspace_id: str | None
    json_data: str | None
    show_unread: bool


class SystemEvents(Wire, frozen=True, kw_only=True):
    """Some of the events, newest first, and how many there are."""

    events: tuple[SystemEvent, ...]
    total: int
    skip: int
    take: int


class EventIds(Wire, frozen=True, kw_only=True):
    """One event or several by their numbers; what is no number is passed over."""

    id: object = None
    ids: list[object] | None = None


class Marked(FlashbackDone, frozen=True, kw_only=True):
    """The events are marked."""
