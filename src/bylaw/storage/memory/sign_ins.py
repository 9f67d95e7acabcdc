"""Signing in while the tenant is not known yet, and the sessions of every tenant, in memory."""

from collections.abc import Mapping, Sequence

from bylaw.core.ids import KeyId, TenantId
from bylaw.storage.memory.heap import Heap
from bylaw.storage.rows import from_row
from bylaw.storage.sql import tables
from bylaw.tenancy.model import ApiKey, Credential, Tenant, User
from bylaw.tenancy.store import Candidate


class MemorySignIns:
    """Signing in, as far as the tenant is not known yet; and the sessions of every tenant."""

    def __init__(self, heap: Heap) -> None:
        self._heap = heap

    async def candidates(
        self, email: str, *, tenant_id: TenantId | None = None, limit: int
    ) -> Sequence[Candidate]:
        """Return the undeleted people with this address and a password, of one tenant or of all."""
        found = [each for each in self._candidates(email) if tenant_id in {None, each.tenant.id}]
        return sorted(found, key=lambda each: (each.tenant.created_ms, each.tenant.id))[:limit]

    def _candidates(self, email: str) -> list[Candidate]:
        found: list[Candidate] = []
        for credential in self._credentials():
            user = self._heap.get(tables.users, credential.tenant_id, credential.id) or {}
            tenant = self._heap.get(tables.tenants, credential.tenant_id) or {}
            if user["email_key"] == email.casefold() and user["deleted_ms"] is None:
                found.append(
                    Candidate(
                        tenant=from_row(Tenant, tenant), user=from_row(User, user), credential=credential
                    )
                )
        return [each for each in found if each.credential.password_hash is not None]

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

    def _credentials(self) -> list[Credential]:
        return [from_row(Credential, row) for row in self._heap.all(tables.credentials)]

    def _sessions(self) -> list[ApiKey]:
        return [from_row(ApiKey, row) for row in self._heap.all(tables.keys) if row["is_session"]]
