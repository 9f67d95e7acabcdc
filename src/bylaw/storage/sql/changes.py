"""What a write leaves behind for others, in SQL: counters, entries for the log, and kept answers."""

from collections.abc import Mapping, Sequence
from itertools import groupby

from sqlalchemy import and_, delete, func, select, update

from bylaw.core.canonical_json import Json
from bylaw.core.clock import Clock
from bylaw.core.errors import NotFound
from bylaw.core.ids import Ids, TenantId
from bylaw.storage.refusals import taken
from bylaw.storage.rows import from_row, reply_row, to_row
from bylaw.storage.sql import tables
from bylaw.storage.sql.lists import equals
from bylaw.storage.sql.session import Session
from bylaw.tenancy.changes import Entry, KnownLog
from bylaw.tenancy.replies import Reply


class SqlChanges:
    """The change counter of one tenant."""

    def __init__(self, session: Session, tenant_id: TenantId) -> None:
        self._session = session
        self._tenant_id = tenant_id

    async def bump(self) -> int:
        """Raise the counter by one when the transaction commits and return its new value."""
        mine = tables.tenants.c.id == self._tenant_id
        raised = update(tables.tenants).where(mine).values(changes=tables.tenants.c.changes + 1)
        if not await self._session.change(raised):
            raise NotFound("tenant", self._tenant_id)
        return await self._session.number(select(tables.tenants.c.changes).where(mine))


class SqlOutbox:
    """Entries for the log of one tenant."""

    def __init__(self, session: Session, tenant_id: TenantId, *, ids: Ids, clock: Clock) -> None:
        self._session = session
        self._tenant_id = tenant_id
        self._ids = ids
        self._clock = clock

    async def add(self, kind: str, *payloads: Mapping[str, Json]) -> None:
        """Queue entries; each reaches the log once, after the commit and before the caller is answered."""
        columns = tables.outbox.c
        newest = select(func.max(columns.position)).where(columns.tenant_id == self._tenant_id)
        last = await self._session.number(newest)
        rows = [
            {
                "tenant_id": self._tenant_id,
                "id": self._ids.uuid7(),
                "position": position,
                "kind": kind,
                "payload": payload,
                "created_ms": self._clock.now_ms(),
            }
            for position, payload in enumerate(payloads, last + 1)
        ]
        if await self._session.insert_new(tables.outbox, *rows) < len(rows):
            raise taken("entry")


class SqlQueue:
    """The queued entries of every tenant."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def pending(self, limit: int, *, tenant_id: TenantId | None = None) -> Sequence[Entry]:
        """Return up to `limit` entries, of one tenant or of all, each tenant's in their order."""
        columns = tables.outbox.c
        wanted = select(tables.outbox).where(*equals(columns.tenant_id, tenant_id))
        ordered = wanted.order_by(columns.tenant_id, columns.position).limit(limit)
        return [from_row(Entry, row) for row in await self._session.rows(ordered)]

    async def remove(self, entries: Sequence[Entry]) -> None:
        """Take out entries that the log holds; one that is gone already is passed over."""
        columns = tables.outbox.c
        for tenant_id, group in groupby(sorted(entries, key=_owner), key=_owner):
            gone = and_(columns.tenant_id == tenant_id, columns.id.in_([entry.id for entry in group]))
            await self._session.change(delete(tables.outbox).where(gone))


def _owner(entry: Entry) -> TenantId:
    return entry.tenant_id


class SqlReplies:
    """Answers kept for repeats, of one tenant or (for None) of the operator."""

    def __init__(self, session: Session, tenant_id: TenantId | None) -> None:
        self._session = session
        self._tenant_id = "" if tenant_id is None else tenant_id

    async def get(self, caller: str, key: str, *, since_ms: int) -> Reply | None:
        """Return the answer kept for this key at `since_ms` or later, or None; writing drops an older one."""
        columns = tables.replies.c
        mine = and_(columns.tenant_id == self._tenant_id, columns.caller == caller, columns.key == key)
        row = await self._session.row(select(tables.replies).where(mine))
        if row is not None and row["created_ms"] < since_ms:
            if self._session.writes:
                await self._session.change(delete(tables.replies).where(mine))
            return None
        return None if row is None else from_row(Reply, row)

    async def add(self, reply: Reply) -> None:
        """Keep an answer in place of an older one that `get` no longer returns.

        Raises: Conflict (`exists`) when another transaction kept one for this key first.
        """
        row = {**reply_row(reply), "tenant_id": self._tenant_id}
        if not await self._session.insert_new(tables.replies, row):
            raise taken("kept answer")


class SqlProgress:
    """How far the effects of each log have been projected."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def positions(self) -> Mapping[str, int]:
        """Return the position of the last projected effect of each log, by its origin."""
        rows = await self._session.rows(select(tables.progress))
        return {row["origin"]: row["position"] for row in rows}

    async def advance(self, origin: str, position: int) -> None:
        """Set the position of one log where it is further on; one that is behind changes nothing."""
        columns = tables.progress.c
        if not await self._session.insert_new(tables.progress, {"origin": origin, "position": position}):
            behind = and_(columns.origin == origin, columns.position < position)
            await self._session.change(update(tables.progress).where(behind).values(position=position))

    async def reset(self) -> None:
        """Forget every position, to project all effects again."""
        await self._session.change(delete(tables.progress))


class SqlKnownLogs:
    """How far each log was when it was last seen."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def all(self) -> Sequence[KnownLog]:
        """Return what is known of each log."""
        return [from_row(KnownLog, row) for row in await self._session.rows(select(tables.known_logs))]

    async def keep(self, seen: KnownLog) -> None:
        """Know a log as it was seen, unless it is known with as many leaves."""
        row, columns = to_row(seen), tables.known_logs.c
        if not await self._session.insert_new(tables.known_logs, row):
            shorter = and_(columns.origin == seen.origin, columns.size < seen.size)
            await self._session.change(update(tables.known_logs).where(shorter).values(**row))

    async def reset(self) -> None:
        """Forget every log, to know them as they are."""
        await self._session.change(delete(tables.known_logs))
