"""The store that review needs: what decisions left for people, of one tenant.

Rules for every implementation. `add` does nothing when the id is already there, so that a projection may run
again. Lists are ordered by (`occasion.at_ms`, id), newest first, and continue after a cursor. `save` replaces
an item whose `revision` is one above the stored one, and raises PreconditionFailed otherwise.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bylaw.core.paging import Page, Slice
from bylaw.policies.model import Risk
from bylaw.review.model import Alert, AttentionItem, AttentionStatus, Violation
from bylaw.tenancy.model import Place


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewFilter:
    """Which rows are wanted; fields combine with AND, None means any.

    `within`: only rows of decisions made in one of these places. `repo_id`: of that repo, wherever it was.
    `risks` and `block` look at violations only (an alert or attention item has neither: the fields are
    ignored there).
    Units: `from_ms` is included, `to_ms` is not; milliseconds since the epoch.
    """

    within: tuple[Place, ...] | None = None
    repo_id: str | None = None
    policy_ids: frozenset[str] | None = None
    receipt_id: str | None = None
    agent_id: str | None = None
    conversation_id: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    risks: frozenset[Risk] | None = None
    block: bool | None = None
    models: frozenset[str] | None = None
    providers: frozenset[str] | None = None
    hosts: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionFilter:
    """Which attention items are wanted; fields combine with AND, None means any."""

    within: tuple[Place, ...] | None = None
    status: AttentionStatus | None = None
    types: frozenset[str] | None = None
    policy_id: str | None = None
    receipt_id: str | None = None
    conversation_id: str | None = None


class Violations(Protocol):
    """The violations of one tenant."""

    async def add(self, rows: Sequence[Violation]) -> None:
        """Store those that are not there yet."""

    async def get(self, ident: str) -> Violation | None:
        """Return the violation or None."""

    async def list(self, where: ReviewFilter, part: Slice) -> Page[Violation]:
        """Return a page of those that match."""


class Alerts(Protocol):
    """The alerts of one tenant."""

    async def add(self, rows: Sequence[Alert]) -> None:
        """Store those that are not there yet."""

    async def get(self, ident: str) -> Alert | None:
        """Return the alert or None."""

    async def list(self, where: ReviewFilter, part: Slice) -> Page[Alert]:
        """Return a page of those that match."""


class Attention(Protocol):
    """The attention items of one tenant."""

    async def add(self, rows: Sequence[AttentionItem]) -> None:
        """Store those that are not there yet; one that was resolved since stays resolved."""

    async def get(self, ident: str) -> AttentionItem | None:
        """Return the item or None."""

    async def save(self, item: AttentionItem) -> None:
        """Store the next revision of an item. Raises: PreconditionFailed."""

    async def list(self, where: AttentionFilter, part: Slice) -> Page[AttentionItem]:
        """Return a page of those that match."""


class Review(Protocol):
    """All that decisions left for people, of one tenant."""

    @property
    def violations(self) -> Violations:
        """The violations."""

    @property
    def alerts(self) -> Alerts:
        """The alerts."""

    @property
    def attention(self) -> Attention:
        """The attention items."""
