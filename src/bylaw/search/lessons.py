"""What corrections teach about a text: to which policies people led messages that mean nearly the same.

The very same message, however it is written, is as like as can be. A message that no policy is about, as
somebody said, speaks against all of them.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Final

from bylaw.core.ids import PolicyId, WorkspaceId
from bylaw.core.paging import every
from bylaw.evaluators.patterns.masked import masked
from bylaw.search.finder import Finder, Vector
from bylaw.search.query import LEAST
from bylaw.search.store import CorrectionFilter, SearchUnit, said_digest

_NEAR: Final = 64


class Lessons:
    """What was taught about one text, in one workspace; `nobodys` is known once somebody looked."""

    def __init__(
        self, unit: SearchUnit, finder: Finder, said: str, *, workspace_id: WorkspaceId | None
    ) -> None:
        self._unit = unit
        self._finder = finder
        self._said = said
        self._workspace_id = workspace_id
        self.nobodys = 0.0

    async def look(self, meant: Vector) -> Mapping[PolicyId, float]:
        """Return how like the text, which means `meant`, is to the nearest message that leads to a policy."""
        index = await self._finder.said(self._unit)
        if not index:
            return {}
        near = {digest: alike for digest, alike in index.search(meant, _NEAR).items() if alike >= LEAST}
        own = said_digest(masked(self._said))
        if own in index:
            near[own] = 1.0
        best = defaultdict[PolicyId | None, float](float)
        where = CorrectionFilter(digests=frozenset(near), only=frozenset({None, self._workspace_id}))
        async for each in every(lambda part: self._unit.corrections.list(where, part)):
            best[each.policy_id] = max(best[each.policy_id], near[each.digest])
        self.nobodys = best.pop(None, 0.0)
        return {policy_id: alike for policy_id, alike in best.items() if policy_id is not None}
