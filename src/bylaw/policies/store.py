"""The store that policies need: identities, their immutable versions, and filters over the current ones.

Rules for every implementation. Ids and the slugs of undeleted policies are unique inside a tenant. `get` also
finds what was deleted. `save_all` replaces policies whose `revision` is one above the stored one and raises
PreconditionFailed otherwise. A version is only ever added. Lists are ordered by (`created_ms`, id), newest
first; a filter on topic, action, risk or text looks at the current version.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from bylaw.core.ids import PolicyId, TenantId
from bylaw.core.paging import Page, Slice
from bylaw.policies.model import Action, Current, Outline, Policy, Reach, Risk, Status, Version
from bylaw.policies.searching import Word
from bylaw.tenancy.changes import Changes, Outbox
from bylaw.tenancy.model import Place
from bylaw.tenancy.store import Directory

Match = Literal["exact", "within", "effective", "near"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyFilter:
    """Which policies are wanted; fields combine with AND, None means any.

    `match`: `exact` is `place` itself, `within` is `place` and all inside it, `effective` is `place` and all
    that enclose it (what governs there), `near` is either. `or_policy` joins one policy to an effective list
    whatever its place and reach. `readable`: only policies whose place contains, or lies inside, one of
    these, and those of the whole tenant. `waits`: it is pending review, or has a pending version. `topic` is
    compared by `topic_key`. `text` is found case-folded in `search_text` of the content, `digests` are those
    of contents. `only_deleted`: what was deleted, and nothing else.
    """

    place: Place | None = None
    match: Match = "within"
    ids: frozenset[PolicyId] | None = None
    or_policy: PolicyId | None = None
    readable: tuple[Place, ...] | None = None
    statuses: frozenset[Status] | None = None
    is_active: bool | None = None
    has_pending: bool | None = None
    in_force: bool | None = None
    waits: bool | None = None
    reach: Reach | None = None
    slugs: frozenset[str] | None = None
    slug_prefix: str | None = None
    source_types: frozenset[str] | None = None
    topic: str | None = None
    actions: frozenset[Action] | None = None
    risks: frozenset[Risk] | None = None
    text: str | None = None
    digests: frozenset[str] | None = None
    include_deleted: bool = False
    only_deleted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A policy that answers a search by words: the digest of what it says, and what that is worth."""

    id: PolicyId
    digest: str
    created_ms: int
    worth: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Facets:
    """What a filter looks at but for names and texts, so many policies share it; `topic` is a `topic_key`."""

    place: Place
    reach: Reach
    status: Status
    is_active: bool
    has_pending: bool
    in_force: bool
    source_type: str
    topic: str | None
    action: Action
    risk: Risk


@dataclass(frozen=True, slots=True, kw_only=True)
class Spelled:
    """What a search knows of a policy: `text` is that of `search_text`; deleted, it has no facets.

    `number` rises inside the tenant with every change of a policy, so whoever follows reads those above the
    last that they saw.
    """

    number: int
    id: PolicyId
    created_ms: int
    digest: str
    text: str
    facets: Facets | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TopicCount:
    """A topic as one of its policies spells it, and how many have it."""

    topic: str
    policies: int


class Policies(Protocol):
    """The policies of one tenant."""

    async def get(self, policy_id: PolicyId) -> Policy | None:
        """Return the policy, deleted or not, or None."""

    async def add_all(self, made: Sequence[Current]) -> None:
        """Store new policies with their first versions, in few statements. Raises: Conflict (`exists`)."""

    async def save_all(self, changed: Sequence[tuple[Policy, Version | None]]) -> None:
        """Store the next revisions of different policies, each with its new version if there is one.

        Raises: PreconditionFailed; Conflict (`exists`) when a slug or the number of a version is taken.
        """

    async def version(self, policy_id: PolicyId, number: int) -> Version | None:
        """Return one version or None; those of a deleted policy too."""

    async def versions(self, policy_id: PolicyId, part: Slice) -> Page[Version]:
        """Return a page of the versions, newest first."""

    async def list(self, where: PolicyFilter, part: Slice) -> Page[Current]:
        """Return a page of the policies that match, each with its current version."""

    async def search(self, words: Sequence[Word], where: PolicyFilter, part: Slice) -> Page[Hit]:
        """Return a page of the policies that match and whose current version has any of `words`.

        The best by `searching.score` come first, then the newest; such a list has no cursor. Without words,
        all that match are found, and worth nothing.
        """

    async def topics(self, where: PolicyFilter) -> Sequence[TopicCount]:
        """Return the topics of the policies that match, each once, by `topic_key`."""

    async def packs(self, where: PolicyFilter) -> Mapping[str, int]:
        """Return how many policies that match each pack made; those of none under the empty name."""

    async def currents(self, ids: Collection[PolicyId]) -> Sequence[Current]:
        """Return those of these policies that are not deleted, each with its current version."""

    async def places(self, ids: Collection[PolicyId]) -> Mapping[PolicyId, Place]:
        """Return where these policies are, deleted or not; unknown ones are left out."""

    async def outlines(self, part: Slice) -> Page[Outline]:
        """Return a page of all undeleted policies without their texts, by falling id."""

    async def last_spelled(self) -> int | None:
        """Return the highest number of a change, 0 without any; None if some may still be taken back.

        Those are of this transaction.
        """

    async def spelled_after(self, number: int, *, limit: int) -> Sequence[Spelled]:
        """Return up to `limit` policies that changed after `number`, as they are now, by rising number."""


class PolicyUnit(Protocol):
    """One transaction of one tenant, as far as policies need it."""

    @property
    def tenant_id(self) -> TenantId:
        """The tenant to which everything here belongs."""

    @property
    def tenancy(self) -> Directory:
        """Its places, people, keys and agents."""

    @property
    def policies(self) -> Policies:
        """Its policies."""

    @property
    def changes(self) -> Changes:
        """Its change counter."""

    @property
    def outbox(self) -> Outbox:
        """Its entries for the log."""
