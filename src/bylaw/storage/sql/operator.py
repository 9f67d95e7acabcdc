"""The operator's view over all tenants, in SQL."""

from collections.abc import Mapping, Sequence

from sqlalchemy import (
    LABEL_STYLE_TABLENAME_PLUS_COL,
    and_,
    delete,
    exists,
    literal,
    or_,
    select,
    tuple_,
    union_all,
    update,
)

from bylaw.core.clock import DAY_MS, HOUR_MS, Clock
from bylaw.core.ids import Ids, KeyId, TenantId
from bylaw.core.paging import Page, Slice
from bylaw.storage.refusals import require_tenant_id, taken
from bylaw.storage.rows import from_row, to_row
from bylaw.storage.sql import tables
from bylaw.storage.sql.backlog import SqlBacklog
from bylaw.storage.sql.changes import SqlKnownLogs, SqlProgress, SqlQueue, SqlReplies
from bylaw.storage.sql.lists import Listing, equals
from bylaw.storage.sql.session import Session
from bylaw.storage.sql.sign_ins import SqlSignIns
from bylaw.storage.sql.unit import SqlUnit
from bylaw.tenancy.model import ApiKey, Tenant, User


class SqlSystemUnit:
    """One transaction of the operator: the only view that spans tenants."""

    def __init__(self, session: Session, *, ids: Ids, clock: Clock) -> None:
        self._session = session
        self._ids = ids
        self._clock = clock
        self.replies = SqlReplies(session, None)
        self.queue = SqlQueue(session)
        self.progress = SqlProgress(session)
        self.known_logs = SqlKnownLogs(session)
        self.backlog = SqlBacklog(session)
        self.sign_ins = SqlSignIns(session)

    async def drop_replies(self, *, before_ms: int, limit: int) -> int:
        """Forget up to `limit` kept answers, of anybody, that are older; return how many it were."""
        replies = tables.replies.c
        owners = union_all(select(tables.tenants.c.id), select(literal("")))
        key = (replies.tenant_id, replies.caller, replies.key)
        old = select(*key).where(replies.tenant_id.in_(owners), replies.created_ms < before_ms).limit(limit)
        return await self._session.change(delete(tables.replies).where(tuple_(*key).in_(old)))

    async def untallied(self, *, before_ms: int, limit: int) -> Sequence[tuple[TenantId, int]]:
        """Return up to `limit` days, each of a tenant, with outdated hours that were over at `before_ms`."""
        columns = tables.untallied.c
        day = (columns.hour_ms - columns.hour_ms % DAY_MS).label("day")
        over = select(columns.tenant_id, day).where(columns.hour_ms <= before_ms - HOUR_MS).distinct()
        rows = await self._session.rows(over.order_by(columns.tenant_id, day).limit(limit))
        return [(TenantId(row["tenant_id"]), row["day"]) for row in rows]

    async def probe(self) -> None:
        """Look at every table. Raises: Unavailable or Corrupt when one cannot be read."""
        looks = [exists(select(literal(1)).select_from(table)) for table in tables.metadata.sorted_tables]
        await self._session.row(select(*looks))

    def of(self, tenant_id: TenantId) -> SqlUnit:
        """Return what a tenant holds, inside this transaction; its own writers are not waited for."""
        return SqlUnit(self._session, tenant_id, ids=self._ids, clock=self._clock)

    async def tenant(self, tenant_id: TenantId) -> Tenant | None:
        """Return the tenant or None."""
        row = await self._session.row(select(tables.tenants).where(tables.tenants.c.id == tenant_id))
        return None if row is None else from_row(Tenant, row)

    async def add_tenant(self, tenant: Tenant) -> None:
        """Store a new tenant with a change counter of 0. Raises: Conflict (`exists`)."""
        require_tenant_id(tenant.id)
        if not await self._session.insert_new(tables.tenants, {**to_row(tenant), "changes": 0}):
            raise taken("tenant")

    async def tenants(self, part: Slice) -> Page[Tenant]:
        """Return a page of the tenants, newest first."""
        columns = tables.tenants.c
        return await Listing(select(tables.tenants), columns.created_ms, columns.id).page(
            self._session,
            part,
            read=lambda row: from_row(Tenant, row),
            key=lambda tenant: (tenant.created_ms, tenant.id),
        )

    async def keys(self, tenant_id: TenantId | None = None) -> Sequence[tuple[ApiKey, User | None]]:
        """Return every unrevoked key, of one tenant or of all, with the user for whom it speaks."""
        keys, users = tables.keys.c, tables.users.c
        theirs = and_(users.tenant_id == keys.tenant_id, users.id == keys.user_id)
        both = select(tables.keys, tables.users).join_from(tables.keys, tables.users, theirs, isouter=True)
        wanted = both.where(keys.revoked_ms.is_(None), *equals(keys.tenant_id, tenant_id))
        found: list[tuple[ApiKey, User | None]] = []
        for row in await self._session.rows(wanted.set_label_style(LABEL_STYLE_TABLENAME_PLUS_COL)):
            key = from_row(ApiKey, {column.name: row[column] for column in keys})
            user = {column.name: row[column] for column in users}
            found.append((key, None if user["id"] is None else from_row(User, user)))
        return found

    async def touch_keys(self, used: Mapping[tuple[TenantId, KeyId], int]) -> None:
        """Set `last_used_ms` of these keys where it is earlier; changes no revision and no counter."""
        keys = tables.keys.c
        for (tenant_id, key_id), at_ms in sorted(used.items()):
            earlier = or_(keys.last_used_ms.is_(None), keys.last_used_ms < at_ms)
            this = and_(keys.tenant_id == tenant_id, keys.id == key_id, earlier)
            await self._session.change(update(tables.keys).where(this).values(last_used_ms=at_ms))

    async def counters(self) -> Mapping[TenantId, int]:
        """Return the change counter of every tenant."""
        columns = tables.tenants.c
        rows = await self._session.rows(select(columns.id, columns.changes))
        return {TenantId(row["id"]): row["changes"] for row in rows}
