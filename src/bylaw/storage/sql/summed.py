"""Long lists of what decisions left: how many items there are by day, told by the sums behind statistics.

So the number of all, and where a page begins that skips a million, cost no more than a year of sums. A list
that the sums do not tell apart is counted row by row.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Final

from bylaw.core.clock import DAY_MS
from bylaw.core.ids import RepoId
from bylaw.core.paging import Slice
from bylaw.policies.model import Risk
from bylaw.review.store import Facet, ReviewFilter, Tally, TallyFilter
from bylaw.storage.sql.statistics import SqlStatistics
from bylaw.tenancy.model import EVERYWHERE, Place

_FOREVER_MS: Final = 1 << 53
_BY_RISK: Final[Mapping[Risk, Callable[[Tally], int]]] = {
    "LOW": lambda tally: tally.low,
    "MEDIUM": lambda tally: tally.medium,
    "HIGH": lambda tally: tally.high,
}

Days = Mapping[int, int]
Count = Callable[[Tally], int]


def alerts(tally: Tally) -> int:
    """Return how many alerts a sum holds."""
    return tally.alerts


def violations(risks: Collection[Risk] | None, *, block: bool | None) -> Count | None:
    """Return what tells the number of these violations from a sum; None where it tells too little."""
    if risks is None:
        if block is None:
            return lambda tally: tally.violations
        return lambda tally: tally.blocks if block else tally.violations - tally.blocks
    if block is None:
        return lambda tally: sum(_BY_RISK[risk](tally) for risk in risks)
    return None


async def days_of(statistics: SqlStatistics, where: ReviewFilter, count: Count | None) -> Days | None:
    """Return how many items there are by the day's start; None when the sums do not tell."""
    only = None if count is None else _only(where)
    if count is None or only is None:
        return None
    found: dict[int, int] = {}
    for each in only:
        span = TallyFilter(
            from_ms=0 if where.from_ms is None else where.from_ms,
            to_ms=_FOREVER_MS if where.to_ms is None else where.to_ms,
            within=_within(where),
            only=each,
        )
        for day_ms, tally in (await statistics.series(span, bucket_ms=DAY_MS)).items():
            found[day_ms] = found.get(day_ms, 0) + count(tally)
    return found


def skipped(days: Days, part: Slice) -> tuple[Slice, int | None]:
    """Return the same part of what lies before a moment, and that moment; None when it is near the start."""
    left, before_ms = part.offset, None
    for day_ms in sorted(days, reverse=True) if part.cursor is None else ():
        if left < days[day_ms]:
            break
        left, before_ms = left - days[day_ms], day_ms
    return replace(part, offset=left), before_ms


def _only(where: ReviewFilter) -> list[Mapping[Facet, str]] | None:
    """Return the limits of which the sums are added up; None when there are others, or several."""
    kept: Mapping[Facet, Collection[str] | None] = {
        "policy": where.policy_ids,
        "user": None if where.user_id is None else {where.user_id},
        "key": None if where.key_id is None else {where.key_id},
        "model": where.models,
    }
    asked = [(facet, idents) for facet, idents in kept.items() if idents is not None]
    others = (where.receipt_id, where.agent_id, where.conversation_id, where.providers, where.hosts)
    placed = where.repo_id is None or _is_one_workspace(where)
    if len(asked) > 1 or any(each is not None for each in others) or not placed:
        return None
    limits: list[Mapping[Facet, str]] = [{facet: ident} for facet, idents in asked for ident in idents]
    if any("" in each.values() for each in limits):
        return None
    return limits if asked else [{}]


def _is_one_workspace(where: ReviewFilter) -> bool:
    return (
        where.within is not None
        and len(where.within) == 1
        and where.within[0].repo_id is None
        and (where.within[0] != EVERYWHERE)
    )


def _within(where: ReviewFilter) -> tuple[Place, ...] | None:
    if where.repo_id is None or where.within is None:
        return where.within
    return (replace(where.within[0], repo_id=RepoId(where.repo_id)),)
