"""What corrections teach about a text: to which policies people led messages that mean nearly the same.

1. The policies of the messages that are nearest to the text come into question.
2. A text is as like what leads to a policy as it is to the midst of all messages that do; one that is such a
   message itself, however it is written, is as like as can be.
3. Messages that no policy is about, as somebody said, speak against all of them, each for itself.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from bylaw.core.ids import PolicyId, WorkspaceId
from bylaw.core.paging import every
from bylaw.evaluators.patterns.masked import masked
from bylaw.search.finder import Finder
from bylaw.search.floats import Floats
from bylaw.search.fusion import midst
from bylaw.search.query import LEAST
from bylaw.search.store import Correction, CorrectionFilter, SearchUnit, said_digest

_NEAR: Final = 64
_POLICIES: Final = 8


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

    async def look(self, meant: Floats) -> Mapping[PolicyId, float]:
        """Return how like the text, which means `meant`, is to what leads to policies that are near."""
        index = await self._finder.said(self._unit)
        if index is None or not len(index):
            return {}
        near = {digest: alike for digest, alike in index.search(meant, _NEAR).items() if alike >= LEAST}
        own = said_digest(masked(self._said))
        if own in index:
            near[own] = 1.0
        best = defaultdict[PolicyId | None, float](float)
        for each in await self._told(digests=frozenset(near)):
            best[each.policy_id] = max(best[each.policy_id], near[each.digest])
        self.nobodys = best.pop(None, 0.0)
        found = {policy_id: alike for policy_id, alike in best.items() if policy_id is not None}
        first = sorted(found, key=lambda policy_id: (-found[policy_id], policy_id))[:_POLICIES]
        said = defaultdict[PolicyId | None, set[str]](set)
        for each in await self._told(policy_ids=frozenset(first)):
            said[each.policy_id].add(each.digest)
        return {
            each: 1.0 if own in said[each] else float(midst(index.rows(said[each])) @ meant) for each in first
        }

    async def _told(
        self, *, digests: Collection[str] | None = None, policy_ids: Collection[PolicyId] | None = None
    ) -> Sequence[Correction]:
        here = frozenset({None, self._workspace_id})
        where = CorrectionFilter(digests=digests, policy_ids=policy_ids, only=here)
        return [each async for each in every(lambda part: self._unit.corrections.list(where, part))]
