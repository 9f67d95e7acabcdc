"""What a write leaves behind for others: a raised change counter, and entries for the log."""

from collections.abc import Mapping
from typing import Protocol

from bylaw.core.canonical_json import Json


class Changes(Protocol):
    """The change counter of one tenant, inside a transaction."""

    async def bump(self) -> int:
        """Raise the counter by one when the transaction commits and return its new value."""


class Outbox(Protocol):
    """Entries for the log of one tenant, stored in the transaction that caused them."""

    async def add(self, kind: str, payload: Mapping[str, Json]) -> None:
        """Queue one entry; it reaches the log once, after the commit and before the caller is answered."""
