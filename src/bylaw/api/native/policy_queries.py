"""What is asked of the routes that list and compare policies."""

from typing import Annotated, Final

from pydantic import Field
from typing_extensions import override

from bylaw.api.native.query import ListQuery, StrictQuery
from bylaw.api.shape import place_of
from bylaw.core.ids import AgentId, PolicyId
from bylaw.core.paging import Slice, decode_cursor
from bylaw.policies.model import Action, Reach, Risk, Status
from bylaw.policies.store import Match, PolicyFilter

_BEYOND: Final = 1_000_000  # no tenant holds so many


class PolicyQuery(ListQuery):
    """Which policies are wanted; filters combine with AND."""

    workspace_id: str | None = None
    repo_id: str | None = None
    match: Annotated[
        Match, Field(description="The place itself, all inside it, all that governs it, or either.")
    ] = "within"
    id: Annotated[list[PolicyId], Field(default_factory=list, description="Only these.")]
    status: Annotated[list[Status], Field(default_factory=list)]
    is_active: bool | None = None
    has_pending: bool | None = None
    in_force: bool | None = None
    waits: bool | None = None
    reach: Reach | None = None
    slug: str | None = None
    source_type: str | None = None
    topic: str | None = None
    action: Annotated[list[Action], Field(default_factory=list)]
    risk: Annotated[list[Risk], Field(default_factory=list)]
    text: Annotated[
        str | None,
        Field(
            description="Found in what the policy says, examples and conditions included, whatever the case."
        ),
    ] = None
    deleted: Annotated[bool, Field(description="Only those that were deleted.")] = False
    q: Annotated[
        str | None,
        Field(description="What is looked for, in words or by meaning; the best come first."),
    ] = None

    count: Annotated[bool, Field(description="Also count all that match (`total`), which takes longer.")] = (
        False
    )

    @property
    @override
    def part(self) -> Slice:
        """Return the part of a list that is wanted."""
        return Slice(limit=self.limit, cursor=self.cursor, total=self.count)

    @property
    def searched(self) -> Slice:
        """Return the part of what is found that is wanted. Raises: InvalidInput for the cursor of a list."""
        offset = 0 if self.cursor is None else decode_cursor(self.cursor, int)[0]
        return Slice(limit=self.limit, offset=min(max(0, int(offset)), _BEYOND))

    @property
    def where(self) -> PolicyFilter:
        """Return the filter that is meant."""
        everywhere = self.workspace_id is None and self.repo_id is None and self.match == "within"
        return PolicyFilter(
            place=None if everywhere else place_of(self.workspace_id, self.repo_id),
            match=self.match,
            ids=frozenset(self.id) or None,
            statuses=frozenset(self.status) or None,
            is_active=self.is_active,
            has_pending=self.has_pending,
            in_force=self.in_force,
            waits=self.waits,
            reach=self.reach,
            slugs=None if self.slug is None else frozenset({self.slug}),
            source_types=None if self.source_type is None else frozenset({self.source_type}),
            topic=self.topic,
            actions=frozenset(self.action) or None,
            risks=frozenset(self.risk) or None,
            text=self.text,
            only_deleted=self.deleted,
        )


class EffectiveQuery(ListQuery):
    """Whose policies are wanted."""

    workspace_id: str | None = None
    repo_id: str | None = None
    agent_id: Annotated[AgentId | None, Field(description="Its bound policy is included.")] = None


class DiffQuery(StrictQuery):
    """Which versions are compared."""

    old: Annotated[int, Field(ge=1)]
    new: Annotated[int, Field(ge=1)]
