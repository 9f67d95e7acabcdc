"""The stores that finding by meaning needs: what was saved as vectors, and where people say messages lead.

Rules for every implementation. Each version of a policy that is stored has its content listed among the
vectors, and each correction its text, without vectors until somebody keeps them, so nothing that was saved is
forgotten by whoever embeds. What is listed has vectors of one embedder at a time; kept again, they are
replaced. Numbers rise with all that is kept, and none is given twice, whatever is removed.
"""

import hashlib
from collections.abc import Collection, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final, NewType, Protocol

from bylaw.core.ids import PolicyId, TenantId, WorkspaceId
from bylaw.core.paging import Page, Slice
from bylaw.policies.model import Content
from bylaw.policies.store import Policies
from bylaw.search.floats import Floats

CorrectionId = NewType("CorrectionId", str)

# What the digest of a message begins with, and that of a content never does.
SAID: Final = "said:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unembedded:
    """A content, or the message of a correction, and its digest."""

    digest: str
    content: Content | str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Meaning:
    """The vectors of a content or message; `procedure` is None where there is none. Precision: 16 bits."""

    digest: str
    about: Floats
    procedure: Floats | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Numbered:
    """Vectors as they are stored, with their number."""

    number: int
    meaning: Meaning


class Vectors(Protocol):
    """The vectors of one tenant."""

    async def waiting(self, embedder: str) -> int:
        """Return how many contents and messages have no vectors of this embedder."""

    async def newest(self) -> int:
        """Return the highest number that was given; 0 while nobody has embedded anything."""

    async def has_unembedded(self) -> bool:
        """Return whether some content or message has no vectors of anybody."""

    async def unembedded(self, embedder: str, *, limit: int) -> Sequence[Unembedded]:
        """Return up to `limit` contents and messages that have no vectors of this embedder."""

    async def keep(self, embedder: str, meanings: Sequence[Meaning]) -> None:
        """Store the vectors of what is listed; others are passed over."""

    async def after(self, embedder: str, number: int, *, limit: int) -> Sequence[Numbered]:
        """Return up to `limit` vectors of this embedder with numbers above `number`, by rising number."""

    async def compared(self) -> "Compared | None":
        """Return what compares them in the database, None where it cannot."""


class Compared(Protocol):
    """The vectors of one tenant as the database itself compares them: of contents, each by one (`joined`)."""

    async def is_whole(self, embedder: str) -> bool:
        """Return whether all that this embedder told of contents is there, and that is something."""

    async def told(self, embedder: str) -> int:
        """Return how many vectors this embedder told, taken over or not."""

    async def take(self, embedder: str, *, limit: int) -> int:
        """Take over up to `limit` vectors that are not there yet, and return how many these were.

        What another embedder told before makes room for them.
        """

    async def said(self, embedder: str, number: int, *, limit: int) -> Sequence[Numbered]:
        """Return what `Vectors.after` does, of messages alone, which are not compared there."""

    async def nearest(
        self, embedder: str, query: Floats, limit: int, *, among: AbstractSet[str] | None = None
    ) -> Mapping[str, float]:
        """Return the digests and products of the `limit` best, best first; exactly those `among` some."""


def said_digest(text: str) -> str:
    """Return the digest by which a message is known, whatever its case and spaces."""
    return SAID + hashlib.sha256(" ".join(text.split()).casefold().encode()).hexdigest()


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What somebody said of a message: that it leads to this policy, or for None that no policy is about it.

    It holds for decisions of its workspace, None for all. The text is masked. `receipt_id` is the decision
    that it corrects, `conversation_id` where it was said.
    """

    id: CorrectionId
    tenant_id: TenantId
    workspace_id: WorkspaceId | None = None
    policy_id: PolicyId | None = None
    digest: str
    text: str
    conversation_id: str | None = None
    receipt_id: str | None = None
    created_by: str
    created_ms: int
    revision: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionFilter:
    """Which corrections are wanted; fields combine with AND, None means any.

    `only`: those of these workspaces, with None among them those of all. `digests`: those of these messages.
    """

    only: frozenset[WorkspaceId | None] | None = None
    policy_ids: Collection[PolicyId] | None = None
    is_nobodys: bool = False
    digests: Collection[str] | None = None
    conversation_id: str | None = None
    receipt_id: str | None = None


class Corrections(Protocol):
    """What people of one tenant said of where messages lead; it goes with a policy that is deleted."""

    async def get(self, ident: CorrectionId, /) -> Correction | None:
        """Return the correction or None."""

    async def add(self, item: Correction, /) -> None:
        """Store a new correction, and list its text to be embedded. Raises: Conflict (`exists`)."""

    async def list(self, where: CorrectionFilter, part: Slice) -> Page[Correction]:
        """Return a page of those that match, newest first."""

    async def remove(self, idents: Collection[CorrectionId]) -> None:
        """Forget corrections, and what a text means that nobody says any more."""


class SearchUnit(Protocol):
    """One transaction of one tenant, as far as finding needs it."""

    @property
    def tenant_id(self) -> TenantId:
        """The tenant to which everything here belongs."""

    @property
    def policies(self) -> Policies:
        """Its policies."""

    @property
    def vectors(self) -> Vectors:
        """What they mean."""

    @property
    def corrections(self) -> Corrections:
        """Where people say that messages lead."""
