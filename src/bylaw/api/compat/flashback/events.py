"""System events: what people changed, newest first, with what the caller has read of it."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Final

import msgspec
from fastapi import APIRouter

from bylaw.api.answers import Reply
from bylaw.api.compat.flashback import wire_events as wire
from bylaw.api.ports import Unit
from bylaw.api.route import Route, body, needs
from bylaw.api.shape import moment
from bylaw.core.clock import DAY_MS, rfc3339
from bylaw.core.errors import InvalidInput
from bylaw.core.ids import KeyId, UserId
from bylaw.core.paging import Slice
from bylaw.review import events
from bylaw.review.events import Change, EventFilter, Noun, SeenEvent
from bylaw.tenancy.principal import Acting

router = APIRouter(tags=["flashback"], route_class=Route)

Seeing = Annotated[Acting[Unit], needs(None)]

_MOST: Final = 100
_USUAL: Final = 20
_BEYOND: Final = 1_000_000_000

# The position is the number by which a client asks; `policy` is ours, behind those of the contract.
CONTEXTS: Final = (
    "workspace",
    "bucket",
    "repo",
    "user",
    "org",
    "workspaceuser",
    "apikey",
    "usersettings",
    "orgsettings",
    "flashbacknode",
    "orgkey",
    "aillm",
    "aillmapikey",
    "conversation",
    "policy",
)
_NOUNS: Final[Mapping[str, Noun]] = MappingProxyType(
    {
        "workspace": "workspace",
        "repo": "repo",
        "user": "user",
        "workspaceuser": "membership",
        "apikey": "api_key",
        "aillm": "connection",
        "aillmapikey": "gateway_key",
        "policy": "policy",
    }
)
_NAMES: Final[Mapping[Noun, str]] = MappingProxyType({noun: name for name, noun in _NOUNS.items()})
_CHANGES: Final[tuple[Change, ...]] = ("created", "updated", "deleted")


@router.post("/systemevent")
async def list_events(
    acting: Seeing, query: Annotated[wire.EventQuery, body(wire.EventQuery)]
) -> Reply[wire.SystemEvents]:
    """List events: all of the organisation for its admins, their own and their workspaces' for others."""
    where, part = _where(query, acting.clock.now_ms()), _part(query)
    found = await events.list_events(acting, where, part)
    people = _People(acting.unit)
    answer = wire.SystemEvents(
        events=tuple([await _shown(each, acting.unit, people) for each in found.items]),
        total=found.total or 0,
        skip=part.offset,
        take=part.limit,
    )
    return Reply(answer)


@router.post("/systemevent/read")
async def mark_as_read(
    acting: Seeing, sent: Annotated[wire.EventIds, body(wire.EventIds)]
) -> Reply[wire.Marked]:
    """Mark events as read by the caller; those of other organisations are passed over."""
    await events.mark_events(acting, _numbers(sent), read=True)
    return Reply(wire.Marked())


@router.delete("/systemevent/read")
async def mark_as_unread(
    acting: Seeing, sent: Annotated[wire.EventIds, body(wire.EventIds)]
) -> Reply[wire.Marked]:
    """Mark events as not read by the caller."""
    await events.mark_events(acting, _numbers(sent), read=False)
    return Reply(wire.Marked())


def _where(query: wire.EventQuery, now_ms: int) -> EventFilter:
    """Return the filter that is meant. Raises: InvalidInput."""
    from_ms = moment(query.since or None, path="from_timestamp")
    to_ms = moment(query.until or None, path="to_timestamp")
    if from_ms is None and to_ms is None:
        from_ms = now_ms - DAY_MS
    return EventFilter(
        from_ms=from_ms,
        to_ms=None if to_ms is None else to_ms + 1,
        nouns=frozenset(_NOUNS.values()) if query.context is None else _nouns(query.context),
        change=None if query.event is None else _change(query.event),
        ident=query.context_id or None,
        who=query.user_id or None,
        workspace_id=query.workspace_id or None,
        unread=bool(query.show_unread),
    )


def _nouns(context: int) -> frozenset[Noun]:
    if not 0 <= context < len(CONTEXTS):
        message = f"A context is a number from 0 to {len(CONTEXTS) - 1}."
        raise InvalidInput.of("context", "out_of_range", message)
    noun = _NOUNS.get(CONTEXTS[context])
    return frozenset() if noun is None else frozenset({noun})


def _change(event: int) -> Change:
    if not 0 <= event < len(_CHANGES):
        message = "An event is 0 for created, 1 for updated or 2 for deleted."
        raise InvalidInput.of("event", "out_of_range", message)
    return _CHANGES[event]


def _part(query: wire.EventQuery) -> Slice:
    skip = 0 if query.skip is None else query.skip
    take = _USUAL if query.take is None else query.take
    if skip < 0 or take < 1:
        message = "skip is 0 or more, and take is 1 or more."
        raise InvalidInput.of("take" if take < 1 else "skip", "out_of_range", message)
    return Slice(limit=min(take, _MOST), offset=min(skip, _BEYOND), total=True)


def _numbers(sent: wire.EventIds) -> set[int]:
    """Return the numbers that were sent. Raises: InvalidInput when there is none."""
    given = [sent.id, *(sent.ids or [])]
    found = {
        each for each in given if isinstance(each, int) and not isinstance(each, bool) and 0 < each < 1 << 62
    }
    if not found:
        raise InvalidInput.of("ids", "required", "Send id, or ids with at least one number of an event.")
    return found


class _People:
    """Who made changes: name and e-mail address, each looked up once."""

    def __init__(self, unit: Unit) -> None:
        self._unit = unit
        self._known: dict[str, tuple[str, str]] = {}

    async def of(self, author: str) -> tuple[str, str]:
        """Return name and address of an author: a person, or a key, which has no address."""
        if author not in self._known:
            self._known[author] = await self._look_up(author)
        return self._known[author]

    async def _look_up(self, author: str) -> tuple[str, str]:
        kind, _, ident = author.partition(":")
        if kind == "user":
            user = await self._unit.tenancy.users.get(UserId(ident))
            return ("", "") if user is None else (user.full_name, user.email)
        key = await self._unit.tenancy.keys.get(KeyId(ident)) if kind == "key" else None
        return (ident if key is None else key.name, "")


async def _shown(seen: SeenEvent, unit: Unit, people: _People) -> wire.SystemEvent:
    event = seen.event
    name, email = await people.of(event.author)
    data = {"change": event.word, "fields": event.fields}
    return wire.SystemEvent(
        id=event.number,
        timestamp=rfc3339(event.at_ms),
        context_id=event.ident,
        context=_NAMES[event.noun],
        event=event.change,
        org_id=unit.tenant_id,
        user_id=event.who,
        user_name=name,
        user_email=email,
        workspace_id=event.workspace_id or None,
        json_data=msgspec.json.encode(data).decode(),
        show_unread=not seen.is_read,
    )
