"""Answers kept for repeats: a request sent twice under one Idempotency-Key is carried out once."""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer stored in the transaction that it reports.

    `caller` is who sent it (`Principal.actor`, or the key) and `key` their Idempotency-Key; together they are
    unique inside a tenant. `digest` covers method, path and body. `headers` and `body` hold no secret.
    """

    caller: str
    key: str
    digest: str
    status: int
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes
    created_ms: int


class Replies(Protocol):
    """The kept answers of one tenant, inside a transaction."""

    async def get(self, caller: str, key: str, *, since_ms: int) -> Reply | None:
        """Return the answer kept for this key at `since_ms` or later, or None; writing drops an older one."""

    async def add(self, reply: Reply) -> None:
        """Keep an answer in place of an older one that `get` no longer returns.

        Raises: Conflict (`exists`) when another transaction kept one for this key first.
        """
