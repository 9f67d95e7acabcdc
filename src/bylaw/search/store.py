"""The store that finding by meaning needs: what every content means as vectors, by the digest of the content.

Rules for every implementation. Each version of a policy that is stored has its content listed here, without
vectors until somebody keeps them, so nothing that was saved is forgotten by whoever embeds. A content has
vectors of one embedder at a time; kept again, they are replaced. Numbers rise with all that is kept.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bylaw.core.ids import TenantId
from bylaw.policies.model import Content
from bylaw.policies.store import Policies


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A content and its digest."""

    digest: str
    content: Content


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Meaning:
    """The vectors of a content; `procedure` is None where there is none. Precision: that of 16 bits."""

    digest: str
    about: NDArray[np.float32]
    procedure: NDArray[np.float32] | None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Numbered:
    """Vectors as they are stored, with their number."""

    number: int
    meaning: Meaning


class Vectors(Protocol):
    """The vectors of one tenant."""

    async def waiting(self, embedder: str) -> int:
        """Return how many contents have no vectors of this embedder."""

    async def newest(self) -> int:
        """Return the highest number that was given; 0 while nobody has embedded anything."""

    async def has_untold(self) -> bool:
        """Return whether some content has no vectors of anybody."""

    async def lacking(self, embedder: str, *, limit: int) -> Sequence[Told]:
        """Return up to `limit` of those contents."""

    async def keep(self, embedder: str, meanings: Sequence[Meaning]) -> None:
        """Store the vectors of contents that are listed; others are passed over."""

    async def after(self, embedder: str, number: int, *, limit: int) -> Sequence[Numbered]:
        """Return up to `limit` vectors of this embedder with numbers above `number`, by rising number."""


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
