"""Events: what people changed, told from the entries that their changes left for the log.

There is one record of a change, its entry. An event is that entry as people look for it, with a number that
can be marked as read.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, Literal, Protocol

from bylaw.core.ids import AgentId, ConnectionId, KeyId, PolicyId, RepoId, TenantId
from bylaw.core.paging import Page, Slice
from bylaw.decisions.effects import Occasion
from bylaw.policies.store import Policies
from bylaw.review.queue import READS, readable
from bylaw.review.store import Review
from bylaw.tenancy.changes import Entry
from bylaw.tenancy.model import EVERYWHERE, Place
from bylaw.tenancy.principal import Acting
from bylaw.tenancy.store import Directory

Noun = Literal[
    "agent", "api_key", "approval", "attention", "connection", "gateway_key", "identity", "invitation",
    "membership", "password", "policy", "repo", "session", "user", "workspace",
]  # fmt: skip
Change = Literal["created", "updated", "deleted"]

_ANSWERS: Final = frozenset({"approved", "refused"})
_CREATED: Final = frozenset({"created", "proposed"})
_WAITING: Final = frozenset({"approval", "attention"})
_DELETED: Final = frozenset({"deleted", "revoked"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Somebody (`who`: a user, or else a key) did something to one thing.

    `number` rises with time inside a tenant; 0 until it is stored. `word` is the entry's own for the change,
    `entry_id` the id of the entry. `fields` are those that the entry tells.
    """

    number: int = 0
    entry_id: str
    at_ms: int
    noun: Noun
    change: Change
    ident: str
    word: str
    author: str
    who: str
    workspace_id: str = ""
    fields: tuple[Mapping[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenEvent:
    """An event, and whether the reader marked it as read."""

    event: Event
    is_read: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class EventFilter:
    """Which events are wanted; fields combine with AND, None means any.

    `visible`: those by this `who`, or in one of these workspaces. Units: `from_ms` is included, `to_ms` is
    not; milliseconds since the epoch.
    """

    from_ms: int | None = None
    to_ms: int | None = None
    nouns: frozenset[Noun] | None = None
    change: Change | None = None
    ident: str | None = None
    who: str | None = None
    workspace_id: str | None = None
    unread: bool = False
    visible: tuple[str, frozenset[str]] | None = None


class Events(Protocol):
    """The events of one tenant, and what each reader has read."""

    async def add(self, events: Sequence[Event]) -> None:
        """Store those whose entry is not there yet, each with the next number."""

    async def list(self, where: EventFilter, part: Slice, *, reader: str) -> Page[SeenEvent]:
        """Return a page of those that match, newest first."""

    async def mark(self, reader: str, numbers: Collection[int]) -> None:
        """Note that `reader` has read these; unknown numbers are passed over."""

    async def unmark(self, reader: str, numbers: Collection[int]) -> None:
        """Note that `reader` has not read these."""


class Held(Protocol):
    """A call that was held for people."""

    @property
    def occasion(self) -> Occasion:
        """Where it was held."""


class HeldCalls(Protocol):
    """The calls of one tenant that were held for people."""

    async def get(self, ident: str) -> Held | None:
        """Return the call or None."""


class EventUnit(Protocol):
    """One transaction of one tenant, as far as events need it."""

    @property
    def tenant_id(self) -> TenantId:
        """The tenant to which everything here belongs."""

    @property
    def tenancy(self) -> Directory:
        """Its places, people, keys and agents."""

    @property
    def policies(self) -> Policies:
        """Its policies."""

    @property
    def review(self) -> Review:
        """What its decisions left for people."""

    @property
    def approvals(self) -> HeldCalls:
        """Its calls that were held for people."""

    @property
    def events(self) -> Events:
        """Its events."""


async def list_events(acting: Acting[EventUnit], where: EventFilter, part: Slice) -> Page[SeenEvent]:
    """Return a page of the events that the caller may see: their own, and those where they may read.

    Raises: Forbidden.
    """
    places = readable(acting, READS, None)
    if EVERYWHERE not in places:
        known = frozenset(place.workspace_id for place in places if place.workspace_id and not place.repo_id)
        where = replace(where, visible=(reader_of(acting), known))
    return await acting.unit.events.list(where, part, reader=reader_of(acting))


async def mark_events(acting: Acting[EventUnit], numbers: Collection[int], *, read: bool) -> None:
    """Note for the caller that these events are read, or are not; doing so again changes nothing.

    Raises: Forbidden.
    """
    readable(acting, READS, None)
    store = acting.unit.events
    await (store.mark if read else store.unmark)(reader_of(acting), numbers)


def reader_of(acting: Acting[EventUnit]) -> str:
    """Return who reads: the user, or the key where there is none."""
    return acting.principal.user_id or acting.principal.id


async def project_events(unit: EventUnit, entries: Sequence[Entry]) -> None:
    """Store the events that these entries of the tenant are; what is there already stays as it is."""
    told = [_Told(entry) for entry in entries]
    places = await unit.policies.places({each.policy for each in told if each.entry.kind == "policy_version"})
    events = [await _event(unit, each, places) for each in told]
    found = [event for event in events if event is not None]
    if found:
        await unit.events.add(found)


async def _event(unit: EventUnit, told: "_Told", places: Mapping[PolicyId, Place]) -> Event | None:
    if told.entry.kind == "policy_version":
        return _of_policy(told, places.get(told.policy))
    if told.entry.kind == "approval":
        return await _of_approval(unit, told)
    if told.entry.kind != "change":
        return None
    return _of_waiting(told) if told.text("noun") in _WAITING else await _of_change(unit, told)


@dataclass(frozen=True, slots=True)
class _Told:
    """What an entry says."""

    entry: Entry
    fields: tuple[Mapping[str, str], ...] = field(init=False)

    def __post_init__(self) -> None:
        said = self.entry.payload.get("fields")
        told = tuple(
            {str(name): str(value) for name, value in each.items()}
            for each in (said if isinstance(said, (list, tuple)) else ())
            if isinstance(each, Mapping)
        )
        object.__setattr__(self, "fields", told)

    def text(self, name: str) -> str:
        """Return a text of the entry."""
        return str(self.entry.payload.get(name, ""))

    def value(self, name: str, when: str) -> object:
        """Return what a field is `now` or `was`, None when the entry does not tell."""
        found = next((each.get(when, "") for each in self.fields if each.get("name") == name), "")
        return json.loads(found) if found else None

    @property
    def policy(self) -> PolicyId:
        """Return the policy of which the entry is a version, empty when it is of none."""
        ref = self.entry.payload.get("policy")
        return PolicyId(str(ref.get("id", "")) if isinstance(ref, Mapping) else "")

    @property
    def is_first(self) -> bool:
        """Return whether the entry is the first version of a policy."""
        ref = self.entry.payload.get("policy")
        return isinstance(ref, Mapping) and ref.get("version") == 1

    def change(self) -> Change:
        """Return what became of the thing."""
        word = self.text("change")
        return "created" if word in _CREATED else "deleted" if word in _DELETED else "updated"


def _of_policy(told: _Told, place: Place | None) -> Event:
    event = _made(told, "policy", told.policy, "" if place is None else place.workspace_id)
    is_edit = event.change == "created" and not told.is_first
    return replace(event, change="updated") if is_edit else event


async def _of_approval(unit: EventUnit, told: _Told) -> Event | None:
    """Return that somebody answered; that the call was made then is what an agent did."""
    if told.text("change") not in _ANSWERS:
        return None
    ident = told.text("approval")
    call = await unit.approvals.get(ident)
    event = _made(told, "approval", ident, None if call is None else call.occasion.workspace_id)
    author = told.text("approver")
    return replace(event, author=author, who=_who(author))


async def _of_change(unit: EventUnit, told: _Told) -> Event | None:
    ident, tenancy = told.text("id"), unit.tenancy
    match told.text("noun"):
        case "workspace":
            return _made(told, "workspace", ident, ident)
        case "repo":
            repo = await tenancy.repos.get(RepoId(ident))
            return _made(told, "repo", ident, None if repo is None else repo.workspace_id)
        case "agent":
            agent = await tenancy.agents.get(AgentId(ident))
            return _made(told, "agent", ident, None if agent is None else agent.place.workspace_id)
        case "api_key":
            key = await tenancy.keys.get(KeyId(ident))
            noun: Noun = "api_key" if key is None or key.provider is None else "gateway_key"
            return _made(told, noun, ident, None if key is None else key.place.workspace_id)
        case "connection":
            link = await tenancy.connections.get(ConnectionId(ident))
            return _made(told, "connection", ident, None if link is None else link.workspace_id)
        case "user":
            return _of_user(told, ident)
        case "session" | "password" | "invitation" | "identity" as noun:
            return _made(told, noun, ident, None)
        case _:
            return None


def _of_waiting(told: _Told) -> Event:
    """Return that something which waits for people got into other hands, or was commented."""
    place = told.value("place", "now")
    noun: Noun = "approval" if told.text("noun") == "approval" else "attention"
    return _made(told, noun, told.text("id"), place.get("workspace_id") if isinstance(place, dict) else None)


def _of_user(told: _Told, ident: str) -> Event:
    """Return a change of a person; one of their roles in a workspace alone is of their membership."""
    was, now = told.value("workspace_roles", "was"), told.value("workspace_roles", "now")
    names = {each.get("name") for each in told.fields}
    if names != {"workspace_roles"} or not isinstance(was, dict) or not isinstance(now, dict):
        return _made(told, "user", ident, None)
    moved = [each for each in sorted({*was, *now}) if was.get(each) != now.get(each)]
    event = _made(told, "membership", ident, moved[0] if len(moved) == 1 else None)
    if all(each in now for each in moved):
        return event if any(each in was for each in moved) else replace(event, change="created")
    return replace(event, change="deleted")


def _made(told: _Told, noun: Noun, ident: str, workspace_id: str | None) -> Event:
    author = told.text("author")
    return Event(
        entry_id=told.entry.id,
        at_ms=told.entry.created_ms,
        noun=noun,
        change=told.change(),
        ident=ident,
        word=told.text("change"),
        author=author,
        who=_who(author),
        workspace_id=workspace_id or "",
        fields=told.fields,
    )


def _who(author: str) -> str:
    """Return the id of an author, who is a user or else a key."""
    return author.partition(":")[2]
