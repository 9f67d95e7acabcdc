"""The store that review needs: what decisions left for people, of one tenant.

Rules for every implementation. `add` does nothing when the id is already there, so that a projection may run
again. Lists are ordered by (`occasion.at_ms`, id), newest first, and continue after a cursor. `save` replaces
an item whose `revision` is one above the stored one, and raises PreconditionFailed otherwise.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from bylaw.core.ids import UserId
from bylaw.core.paging import Page, Slice
from bylaw.policies.model import Risk
from bylaw.review.model import Alert, AttentionItem, AttentionStatus, Evaluation, ModelCall, Violation
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
    user_id: str | None = None
    key_id: str | None = None
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
    """Which attention items are wanted; fields combine with AND, None means any.

    `other_than`: none of these types.
    `assignee`: those that this person has. `is_assigned`: those that somebody has, or nobody.
    """

    within: tuple[Place, ...] | None = None
    status: AttentionStatus | None = None
    types: frozenset[str] | None = None
    other_than: frozenset[str] = frozenset()
    policy_id: str | None = None
    receipt_id: str | None = None
    conversation_id: str | None = None
    assignee: UserId | None = None
    is_assigned: bool | None = None


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


class Evaluations(Protocol):
    """What the evaluations of one tenant's decisions cost."""

    async def add(self, rows: Sequence[Evaluation]) -> None:
        """Store those that are not there yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """How many calls there were through a connection, and what they used in tokens."""

    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0


class ModelCalls(Protocol):
    """The calls of models that the gateway passed on for one tenant."""

    async def add(self, rows: Sequence[ModelCall]) -> None:
        """Store those that are not there yet."""

    async def used(self, connection_id: str) -> Used:
        """Return what the calls through one connection used."""


Facet = Literal["policy", "user", "key", "model"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """How much there was of everything; `low`, `medium` and `high` count violations by risk."""

    violations: int = 0
    alerts: int = 0
    blocks: int = 0
    low: int = 0
    medium: int = 0
    high: int = 0
    tokens_in: int = 0
    tokens_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class TallyFilter:
    """What is counted; fields combine with AND. `only`: of each of these facets this one id.

    Tokens of a call about several rules are shared between their policies, each rule alike.
    Units: `from_ms` is included, `to_ms` is not; milliseconds since the epoch.
    """

    from_ms: int
    to_ms: int
    within: tuple[Place, ...] | None = None
    only: Mapping[Facet, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tallies:
    """Some of what was counted by id, and of how many ids they are."""

    items: tuple[tuple[str, Tally], ...]
    total: int


class Statistics(Protocol):
    """Counts of the violations, alerts and evaluations of one tenant: always what their rows amount to.

    A store may keep sums of whole hours (`tally`) beside the rows. `outdate` comes first in a transaction
    that adds rows; the sums of such an hour are not used until it is tallied again.
    """

    async def series(self, where: TallyFilter, *, bucket_ms: int) -> Mapping[int, Tally]:
        """Return what there was in each bucket, by its start; buckets with nothing are left out.

        Buckets begin at multiples of `bucket_ms` since the epoch.
        """

    async def totals(self, where: TallyFilter, by: Facet, *, limit: int, offset: int = 0) -> Tallies:
        """Return what there was of each id, most violations first; what has no id is left out."""

    async def series_of(
        self, where: TallyFilter, by: Facet, idents: Collection[str], *, bucket_ms: int
    ) -> Mapping[str, Mapping[int, Tally]]:
        """Return the series of each of these ids."""

    async def outdate(self, moments_ms: Collection[int]) -> None:
        """Say that rows of these moments come in this transaction."""

    async def tally(self, day_ms: int, *, before_ms: int) -> None:
        """Sum up the outdated hours of a day that were over at `before_ms`."""


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

    @property
    def evaluations(self) -> Evaluations:
        """What evaluations cost."""

    @property
    def calls(self) -> ModelCalls:
        """The calls of models."""

    @property
    def statistics(self) -> Statistics:
        """Counts of these rows."""
