"""Signing in while the tenant is not known yet, and the sessions of every tenant, in SQL."""

from collections.abc import Mapping, Sequence

from sqlalchemy import LABEL_STYLE_TABLENAME_PLUS_COL, and_, delete, func, select, true, tuple_

from bylaw.core.ids import KeyId, TenantId
from bylaw.storage.rows import from_row
from bylaw.storage.sql import tables
from bylaw.storage.sql.lists import equals
from bylaw.storage.sql.session import Session
from bylaw.tenancy.model import Credential, Tenant, User
from bylaw.tenancy.store import Candidate

_K, _U, _C = tables.keys.c, tables.users.c, tables.credentials.c
_THEIRS = and_(_C.tenant_id == _U.tenant_id, _C.id == _U.id, _C.password_hash.is_not(None))


class SqlSignIns:
    """Signing in, as far as the tenant is not known yet; and the sessions of every tenant."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def candidates(
        self, email: str, *, tenant_id: TenantId | None = None, limit: int
    ) -> Sequence[Candidate]:
        """Return the undeleted people with this address and a password, of one tenant or of all."""
        kinds = {Tenant: tables.tenants, User: tables.users, Credential: tables.credentials}
        wanted = (
            select(*kinds.values())
            .join_from(tables.users, tables.credentials, _THEIRS)
            .join(tables.tenants, tables.tenants.c.id == _U.tenant_id)
            .where(
                _U.email_key == email.casefold(), _U.deleted_ms.is_(None), *equals(_U.tenant_id, tenant_id)
            )
            .order_by(tables.tenants.c.created_ms, tables.tenants.c.id)
            .limit(limit)
        )
        found: list[Candidate] = []
        for row in await self._session.rows(wanted.set_label_style(LABEL_STYLE_TABLENAME_PLUS_COL)):
            tenant, user, credential = (
                {column.name: row[column] for column in table.c} for table in kinds.values()
            )
            found.append(
                Candidate(
                    tenant=from_row(Tenant, tenant),
                    user=from_row(User, user),
                    credential=from_row(Credential, credential),
                )
            )
        return found

    async def organisations(self, limit: int) -> int:
        """Return in how many tenants somebody has a password, counted up to `limit`."""
        those = select(_C.tenant_id).where(_C.password_hash.is_not(None)).distinct().limit(limit)
        return await self._session.number(select(func.count()).select_from(those.subquery()))

    async def invited(self, sha256: str) -> Credential | None:
        """Return whose invitation has this hash, open or expired."""
        row = await self._session.row(select(tables.credentials).where(_C.invitation == sha256))
        return None if row is None else from_row(Credential, row)

    async def used(self, since_ms: int) -> Mapping[tuple[TenantId, KeyId], int]:
        """Return when each session was last used, of those that were at `since_ms` or later."""
        those = (_K.is_session.is_(true()), _K.expires_ms > since_ms, _K.last_used_ms >= since_ms)
        rows = await self._session.rows(select(_K.tenant_id, _K.id, _K.last_used_ms).where(*those))
        return {(row["tenant_id"], row["id"]): row["last_used_ms"] for row in rows}

    async def drop_sessions(self, *, before_ms: int, limit: int) -> int:
        """Forget up to `limit` sessions that expired before; return how many it were."""
        key = (_K.tenant_id, _K.id)
        old = select(*key).where(_K.is_session.is_(true()), _K.expires_ms < before_ms).limit(limit)
        return await self._session.change(delete(tables.keys).where(tuple_(*key).in_(old)))
