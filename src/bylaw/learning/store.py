"""The store that learning needs: the conversations of one tenant, how its workspaces learn, and the runs.

Rules for every implementation. Ids are unique inside a tenant. Lists are ordered by (`created_ms`, id),
newest first, and continue after a cursor. `save` replaces a conversation whose `revision` is one above the
stored one, and raises PreconditionFailed otherwise.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Protocol

from bylaw.core.ids import WorkspaceId
from bylaw.core.paging import Page, Slice
from bylaw.learning.model import Conversation, ConversationId, ConversationStatus
from bylaw.learning.report import LearningSettings, Run, RunId
from bylaw.tenancy.model import Place
from bylaw.tenancy.store import TenancyUnit


@dataclass(frozen=True, slots=True, kw_only=True)
class ConversationFilter:
    """Which conversations are wanted; fields combine with AND, None means any.

    `within`: only those in one of these places. `has_attention`: an attention item of it is open, or none.
    `text` is found case-folded in its `search_text`. `owned`: it is somebody's alone, of one of the
    `owners`, or nobody's. `reader`: of those that others have alone, only those in one of the
    places `open_in`. `repo_id` and the moments of its beginning say what they say, `to_ms` excluded; deleted
    ones are left out unless `deleted`.
    """

    within: tuple[Place, ...] | None = None
    status: ConversationStatus | None = None
    contact_id: str | None = None
    account_id: str | None = None
    human_managed: bool | None = None
    has_attention: bool | None = None
    text: str | None = None
    owned: bool | None = None
    owners: frozenset[str] | None = None
    reader: str | None = None
    open_in: tuple[Place, ...] = ()
    repo_id: str | None = None
    from_ms: int | None = None
    to_ms: int | None = None
    deleted: bool = False


class Conversations(Protocol):
    """The conversations of one tenant."""

    async def get(self, ident: ConversationId, /) -> Conversation | None:
        """Return the conversation or None."""

    async def add(self, item: Conversation, /) -> None:
        """Store a new conversation. Raises: Conflict (`exists`)."""

    async def save(self, item: Conversation, /) -> None:
        """Store the next revision of a conversation. Raises: PreconditionFailed."""

    async def list(self, where: ConversationFilter, part: Slice) -> Page[Conversation]:
        """Return a page of those that match and are not forgotten."""

    async def forgotten(self, idents: Collection[str], /) -> frozenset[str]:
        """Return which of these were forgotten."""


class SettingsOfWorkspaces(Protocol):
    """How the workspaces of one tenant learn."""

    async def get(self, ident: WorkspaceId, /) -> LearningSettings | None:
        """Return the settings of a workspace, or None where nobody chose any."""

    async def add(self, item: LearningSettings, /) -> None:
        """Store the first settings of a workspace. Raises: Conflict (`exists`)."""

    async def save(self, item: LearningSettings, /) -> None:
        """Store the next revision of settings. Raises: PreconditionFailed."""

    async def keeping(self) -> Sequence[LearningSettings]:
        """Return those of workspaces that keep conversations for a while only, by id."""


class Runs(Protocol):
    """The runs of one tenant."""

    async def get(self, ident: RunId, /) -> Run | None:
        """Return the run or None."""

    async def add(self, item: Run, /) -> None:
        """Store a new run. Raises: Conflict (`exists`)."""

    async def save(self, item: Run, /) -> None:
        """Store the next revision of a run. Raises: PreconditionFailed."""

    async def list(self, within: tuple[Place, ...], part: Slice) -> Page[Run]:
        """Return a page of those in any of these places."""

    async def unfinished(self, place: Place) -> Sequence[Run]:
        """Return those of this very place that wait or go on, the oldest first."""

    async def drawing_on(self, ident: ConversationId, /) -> Sequence[RunId]:
        """Return those with a report that draws on a conversation, by id."""


class Learning(Protocol):
    """What learning keeps beside the conversations."""

    @property
    def settings(self) -> SettingsOfWorkspaces:
        """How its workspaces learn."""

    @property
    def runs(self) -> Runs:
        """Its runs."""


class LearningUnit(TenancyUnit, Protocol):
    """One transaction of one tenant, as far as learning needs it."""

    @property
    def conversations(self) -> Conversations:
        """Its conversations."""

    @property
    def learning(self) -> Learning:
        """How it learns, and what it found."""
