"""Signing in while the tenant is not known yet, and the sessions of every tenant, in memory."""

from collections.abc import Mapping, Sequence

from bylaw.core.ids import KeyId, TenantId
from bylaw.storage.memory.heap import Heap
from bylaw.storage.rows import from_row
from bylaw.storage.sql import tables
from bylaw.tenancy.model import ApiKey, Credential, Tenant, User
from bylaw.tenancy.store import Candidate, Member


class MemorySignIns:
    """Signing in, as far as the tenant is not known yet; and the sessions of every tenant."""

    def __init__(self, heap: Heap) -> None:
        self._heap = heap

    async def candidates(
        self, email: str, *, tenant_id: TenantId | None = None, limit: int
    ) -> Sequence[Candidate]:
        """Return the undeleted people with this address and a password, of one tenant or of all."""
        found = [
            Candidate(tenant=each.tenant, user=each.user, credential=credential)
            for each, credential in self._people()
            if credential is not None and credential.password_hash is not None
            if each.user.email.casefold() == email.casefold() and tenant_id in {None, each.tenant.id}
        ]
        return found[:limit]

    async def bound(self, issuer: str, subject: str, *, limit: int) -> Sequence[Member]:
        """Return the undeleted people who are this subject of a sign-in service."""
        found = [
            each
            for each, credential in self._people()
            if credential is not None and (credential.issuer, credential.subject) == (issuer, subject)
        ]
        return found[:limit]

    async def unbound(self, email: str, *, limit: int) -> Sequence[Member]:
        """Return the undeleted people with this address who are nobody yet at a sign-in service."""
        found = [
            each
            for each, credential in self._people()
            if credential is None or credential.subject is None
            if each.user.email.casefold() == email.casefold()
        ]
        return found[:limit]

    async def organisations(self, limit: int) -> int:
        """Return in how many tenants somebody has a password, counted up to `limit`."""
        those = {each.tenant_id for each in self._credentials() if each.password_hash is not None}
        return min(limit, len(those))

    async def invited(self, sha256: str) -> Credential | None:
        """Return whose invitation has this hash, open or expired."""
        return next((each for each in self._credentials() if each.invitation == sha256), None)

    async def used(self, since_ms: int) -> Mapping[tuple[TenantId, KeyId], int]:
        """Return when each session was last used, of those that were at `since_ms` or later."""
        return {
            (each.tenant_id, each.id): each.last_used_ms
            for each in self._sessions()
            if each.last_used_ms is not None and each.last_used_ms >= since_ms
        }

    async def drop_sessions(self, *, before_ms: int, limit: int) -> int:
        """Forget up to `limit` sessions that expired before; return how many it were."""
        old = [
            each for each in self._sessions() if each.expires_ms is not None and each.expires_ms < before_ms
        ]
        for each in old[:limit]:
            row = self._heap.get(tables.keys, each.tenant_id, each.id)
            if row is not None:
                self._heap.remove(tables.keys, row)
        return len(old[:limit])

    def _people(self) -> list[tuple[Member, Credential | None]]:
        """Return the undeleted people with what credentials they have, oldest tenant first."""
        held = {(each.tenant_id, each.id): each for each in self._credentials()}
        found: list[tuple[Member, Credential | None]] = []
        for row in self._heap.all(tables.users):
            tenant = self._heap.get(tables.tenants, row["tenant_id"])
            if row["deleted_ms"] is None and tenant is not None:
                member = Member(tenant=from_row(Tenant, tenant), user=from_row(User, row))
                found.append((member, held.get((member.tenant.id, member.user.id))))
        return sorted(found, key=lambda each: (each[0].tenant.created_ms, each[0].tenant.id))

    def _credentials(self) -> list[Credential]:
        return [from_row(Credential, row) for row in self._heap.all(tables.credentials)]

    def _sessions(self) -> list[ApiKey]:
        return [from_row(ApiKey, row) for row in self._heap.all(tables.keys) if row["is_session"]]
