"""Signing in while the tenant is not known yet, and the sessions of every tenant, in SQL."""

from collections.abc import Mapping, Sequence
from typing import TypeVar

from sqlalchemy import (
    LABEL_STYLE_TABLENAME_PLUS_COL,
    ColumnElement,
    RowMapping,
    Table,
    and_,
    delete,
    func,
    select,
    true,
    tuple_,
)

from bylaw.core.ids import KeyId, TenantId
from bylaw.storage.rows import from_row
from bylaw.storage.sql import tables
from bylaw.storage.sql.lists import equals
from bylaw.storage.sql.session import Session
from bylaw.tenancy.model import Credential, Tenant, User
from bylaw.tenancy.store import Candidate, Member

_K, _U, _C = tables.keys.c, tables.users.c, tables.credentials.c
_THEIRS = and_(_C.tenant_id == _U.tenant_id, _C.id == _U.id)
_T = TypeVar("_T", bound="Tenant | User | Credential")


class SqlSignIns:
    """Signing in, as far as the tenant is not known yet; and the sessions of every tenant."""

    def __init__(self, session: Session) -> None:
        self._session = session

    async def candidates(
        self, email: str, *, tenant_id: TenantId | None = None, limit: int
    ) -> Sequence[Candidate]:
        """Return the undeleted people with this address and a password, of one tenant or of all."""
        theirs = (_U.email_key == email.casefold(), *equals(_U.tenant_id, tenant_id))
        return [
            Candidate(
                tenant=_read(Tenant, tables.tenants, row),
                user=_read(User, tables.users, row),
                credential=_read(Credential, tables.credentials, row),
            )
            for row in await self._people((*theirs, _C.password_hash.is_not(None)), limit)
        ]

    async def bound(self, issuer: str, subject: str, *, limit: int) -> Sequence[Member]:
        """Return the undeleted people who are this subject of a sign-in service."""
        return _members(await self._people((_C.subject == subject, _C.issuer == issuer), limit))

    async def unbound(self, email: str, *, limit: int) -> Sequence[Member]:
        """Return the undeleted people with this address who are nobody yet at a sign-in service."""
        return _members(await self._people((_C.subject.is_(None), _U.email_key == email.casefold()), limit))

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

    async def _people(self, where: Sequence[ColumnElement[bool]], limit: int) -> Sequence[RowMapping]:
        """Return undeleted people with their tenants and what credentials they have, oldest tenant first."""
        wanted = (
            select(tables.tenants, tables.users, tables.credentials)
            .join_from(tables.users, tables.credentials, _THEIRS, isouter=True)
            .join(tables.tenants, tables.tenants.c.id == _U.tenant_id)
            .where(*where, _U.deleted_ms.is_(None))
            .order_by(tables.tenants.c.created_ms, tables.tenants.c.id)
            .limit(limit)
        )
        return await self._session.rows(wanted.set_label_style(LABEL_STYLE_TABLENAME_PLUS_COL))


def _members(rows: Sequence[RowMapping]) -> Sequence[Member]:
    return [
        Member(tenant=_read(Tenant, tables.tenants, row), user=_read(User, tables.users, row)) for row in rows
    ]


def _read(kind: type[_T], table: Table, row: RowMapping) -> _T:
    return from_row(kind, {column.name: row[column] for column in table.c})
