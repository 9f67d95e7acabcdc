"""What a write leaves behind for others: a raised change counter, and entries for the log."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from bylaw.core.canonical_json import Json
from bylaw.core.ids import TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One queued entry for the log; `id` is unique, so an entry that is issued again is recognised."""

    id: str
    tenant_id: TenantId
    kind: str
    payload: Mapping[str, object]
    created_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownLog:
    """A log as it was last seen, at `at_ms`: how many leaves, under which signed checkpoint."""

    origin: str
    size: int
    note: str
    at_ms: int


class Changes(Protocol):
    """The change counter of one tenant, inside a transaction."""

    async def bump(self) -> int:
        """Raise the counter by one when the transaction commits and return its new value."""


class Outbox(Protocol):
    """Entries for the log of one tenant, stored in the transaction that caused them."""

    async def add(self, kind: str, *payloads: Mapping[str, Json]) -> None:
        """Queue entries; each reaches the log once, after the commit and before the caller is answered."""


class Queue(Protocol):
    """The queued entries of every tenant, as the operator sees them; each is issued at least once."""

    async def pending(self, limit: int, *, tenant_id: TenantId | None = None) -> Sequence[Entry]:
        """Return up to `limit` entries, of one tenant or of all, each tenant's in their order."""

    async def remove(self, entries: Sequence[Entry]) -> None:
        """Take out entries that the log holds; one that is gone already is passed over."""


class Progress(Protocol):
    """How far the effects of each log have been projected, as the operator sees it."""

    async def positions(self) -> Mapping[str, int]:
        """Return the position of the last projected effect of each log, by its origin."""

    async def advance(self, origin: str, position: int) -> None:
        """Set the position of one log where it is further on; one that is behind changes nothing."""

    async def reset(self) -> None:
        """Forget every position, to project all effects again."""


class KnownLogs(Protocol):
    """How far each log was when it was last seen, as the operator knows it."""

    async def all(self) -> Sequence[KnownLog]:
        """Return what is known of each log: one for each process that ever wrote."""

    async def keep(self, seen: KnownLog) -> None:
        """Know a log as it was seen, unless it is known with as many leaves."""

    async def reset(self) -> None:
        """Forget every log, to know them as they are."""
