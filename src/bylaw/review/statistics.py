"""Statistics: how much decisions left over time, and of what; computed from the stored rows."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Final, Literal

from bylaw.core.clock import DAY_MS, HOUR_MS, MINUTE_MS
from bylaw.core.errors import InvalidInput
from bylaw.review.queue import READS, ReviewUnit, readable
from bylaw.review.store import Facet, Tally, TallyFilter
from bylaw.tenancy.model import Place
from bylaw.tenancy.principal import Acting

MOST_POINTS: Final = 10_000

Window = Literal["24h", "7d", "30d", "90d", "180d", "365d"]
Bucket = Literal["5m", "10m", "1h", "6h", "12h", "1d"]

_WINDOWS: Final[Mapping[Window, tuple[int, Bucket]]] = {
    "24h": (DAY_MS, "10m"),
    "7d": (7 * DAY_MS, "1h"),
    "30d": (30 * DAY_MS, "6h"),
    "90d": (90 * DAY_MS, "1d"),
    "180d": (180 * DAY_MS, "1d"),
    "365d": (365 * DAY_MS, "1d"),
}
_BUCKETS: Final[Mapping[Bucket, int]] = {
    "5m": 5 * MINUTE_MS,
    "10m": 10 * MINUTE_MS,
    "1h": HOUR_MS,
    "6h": 6 * HOUR_MS,
    "12h": 12 * HOUR_MS,
    "1d": DAY_MS,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of time in equal buckets, which begin at multiples of `bucket_ms` in UTC.

    Units: milliseconds; `from_ms` is included, `to_ms` is not.
    """

    from_ms: int
    to_ms: int
    bucket_ms: int
    bucket: Bucket

    @property
    def starts(self) -> range:
        """Where each bucket begins."""
        return range(self.from_ms, self.to_ms, self.bucket_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticsQuery:
    """What is asked for: a span, the places to count in (None: all), and of facets one id each."""

    span: Span
    within: tuple[Place, ...] | None = None
    only: Mapping[Facet, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """One number for each bucket, described: `std_dev` is of all of them, percentiles are interpolated."""

    total: int
    avg: float
    std_dev: float
    min: float
    max: float
    p10: float
    p50: float
    p90: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What there was of one id, and when if that was asked for."""

    ident: str
    totals: Tally
    series: tuple[Tally, ...] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Breakdown:
    """Some of the ids, most violations first; of how many they are; and what all of it comes to."""

    shares: tuple[Share, ...]
    entities: int
    whole: Tally


def span_of(window: Window, now_ms: int, bucket: Bucket | None = None) -> Span:
    """Return the latest `window` in whole buckets; the last of them holds `now_ms`.

    Raises: InvalidInput for buckets that would be too many.
    """
    length_ms, usual = _WINDOWS[window]
    chosen = usual if bucket is None else bucket
    bucket_ms = _BUCKETS[chosen]
    if length_ms // bucket_ms > MOST_POINTS:
        message = f"{window} in buckets of {chosen} has more than {MOST_POINTS} points: take longer ones."
        raise InvalidInput.of("bucket", "too_many_points", message)
    to_ms = now_ms - now_ms % bucket_ms + bucket_ms
    return Span(from_ms=to_ms - length_ms, to_ms=to_ms, bucket_ms=bucket_ms, bucket=chosen)


async def series(acting: Acting[ReviewUnit], query: StatisticsQuery) -> Sequence[Tally]:
    """Return what there was in each bucket of the span, where the caller may read. Raises: Forbidden."""
    where = _filter(acting, query)
    span = query.span
    found = await acting.unit.review.statistics.series(where, bucket_ms=span.bucket_ms)
    return filled(found, span)


async def breakdown(
    acting: Acting[ReviewUnit],
    query: StatisticsQuery,
    by: Facet,
    *,
    limit: int = 50,
    offset: int = 0,
    with_series: bool = False,
) -> Breakdown:
    """Return what there was by policy, user, key or model, where the caller may read. Raises: Forbidden."""
    where, span = _filter(acting, query), query.span
    statistics = acting.unit.review.statistics
    found = await statistics.totals(where, by, limit=limit, offset=offset)
    told: Mapping[str, Mapping[int, Tally]] = {}
    if with_series and found.items:
        idents = [ident for ident, _ in found.items]
        told = await statistics.series_of(where, by, idents, bucket_ms=span.bucket_ms)
    whole = await statistics.series(where, bucket_ms=DAY_MS)
    return Breakdown(
        shares=tuple(
            Share(
                ident=ident,
                totals=totals,
                series=tuple(filled(told.get(ident, {}), span)) if with_series else None,
            )
            for ident, totals in found.items
        ),
        entities=found.total,
        whole=total(list(whole.values())),
    )


def filled(found: Mapping[int, Tally], span: Span) -> Sequence[Tally]:
    """Return one tally for each bucket of the span."""
    nothing = Tally()
    return [found.get(start, nothing) for start in span.starts]


def total(tallies: Sequence[Tally]) -> Tally:
    """Return the sum of all."""
    return Tally(**{each.name: sum(getattr(one, each.name) for one in tallies) for each in fields(Tally)})


def summary(values: Sequence[int]) -> Summary:
    """Return what describes the values of the buckets, all zero when there are none."""
    if not values:
        return Summary(total=0, avg=0, std_dev=0, min=0, max=0, p10=0, p50=0, p90=0)
    ordered, whole = sorted(values), sum(values)
    mean = whole / len(values)
    return Summary(
        total=whole,
        avg=mean,
        std_dev=math.sqrt(math.fsum((value - mean) ** 2 for value in values) / len(values)),
        min=ordered[0],
        max=ordered[-1],
        p10=_percentile(ordered, 10),
        p50=_percentile(ordered, 50),
        p90=_percentile(ordered, 90),
    )


def _percentile(ordered: Sequence[int], percent: int) -> float:
    """Return the value below which `percent` of them lie, between neighbours in proportion."""
    whole, rest = divmod((len(ordered) - 1) * percent, 100)
    if not rest:
        return ordered[whole]
    return ordered[whole] + (ordered[whole + 1] - ordered[whole]) * rest / 100


def _filter(acting: Acting[ReviewUnit], query: StatisticsQuery) -> TallyFilter:
    return TallyFilter(
        from_ms=query.span.from_ms,
        to_ms=query.span.to_ms,
        within=readable(acting, READS, query.within),
        only=query.only,
    )
