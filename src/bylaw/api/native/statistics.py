"""Statistics: how much decisions left over time, and of what."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Annotated, Literal, get_args

import msgspec
from fastapi import APIRouter, Query, Request
from pydantic import Field

from bylaw.api.answers import Reply
from bylaw.api.native.query import StrictQuery
from bylaw.api.parts import Parts
from bylaw.api.ports import Unit
from bylaw.api.receipts import SCOPE
from bylaw.api.route import Route, admits, needs, needs_projected, parts_of, principal_of
from bylaw.api.shape import place_of
from bylaw.core.clock import rfc3339
from bylaw.decisions.enforcement import in_force
from bylaw.policies.model import Action, Outcome
from bylaw.review import queue, statistics
from bylaw.review.statistics import Bucket, Share, Span, StatisticsQuery, Window
from bylaw.review.store import Facet, Tally
from bylaw.tenancy.principal import Acting

router = APIRouter(tags=["statistics"], route_class=Route)

Reading = Annotated[Acting[Unit], needs_projected(queue.READS)]


class WindowQuery(StrictQuery):
    """Which time is counted."""

    window: Annotated[Window, Field(description="How far back.")] = "30d"
    bucket: Annotated[
        Bucket | None, Field(description="The step of the series, in UTC; by default one that fits.")
    ] = None

    def span(self, now_ms: int) -> Span:
        """Return the span that is meant. Raises: InvalidInput for too many buckets."""
        return statistics.span_of(self.window, now_ms, self.bucket)


class SpanQuery(WindowQuery):
    """Which time, place and things are counted; filters combine with AND."""

    workspace_id: str | None = None
    repo_id: Annotated[str | None, Field(description="Only this repo of the workspace.")] = None
    policy_id: str | None = None
    user_id: str | None = None
    key_id: str | None = None
    model: Annotated[str | None, Field(description="Only decisions about this model.")] = None

    def query(self, now_ms: int) -> StatisticsQuery:
        """Return what is asked for. Raises: InvalidInput for too many buckets."""
        only: Mapping[Facet, str | None] = {
            "policy": self.policy_id,
            "user": self.user_id,
            "key": self.key_id,
            "model": self.model,
        }
        place = place_of(self.workspace_id, self.repo_id)
        return StatisticsQuery(
            span=self.span(now_ms),
            within=None if self.workspace_id is None and self.repo_id is None else (place,),
            only={facet: ident for facet, ident in only.items() if ident is not None},
        )


class BreakdownQuery(SpanQuery):
    """What is counted, and which part of the list is wanted."""

    by: Annotated[Facet, Field(description="Of what the counts are.")] = "policy"
    series: Annotated[bool, Field(description="Add the series of each.")] = False
    limit: Annotated[int, Field(ge=1, le=100)] = 20
    offset: Annotated[int, Field(ge=0, le=1_000_000, description="How many to skip.")] = 0


class Counts(msgspec.Struct, frozen=True, kw_only=True):
    """How much there was; `low`, `medium` and `high` are violations by risk, tokens those of evaluators."""

    violations: int
    alerts: int
    blocks: int
    low: int
    medium: int
    high: int
    tokens_in: int
    tokens_out: int


class Point(Counts, frozen=True, kw_only=True):
    """What there was in the bucket that begins `at`."""

    at: str


class SpanView(msgspec.Struct, frozen=True, kw_only=True):
    """A stretch of time: `since` is included, `until` is not."""

    since: str
    until: str
    bucket: str


class SummaryView(msgspec.Struct, frozen=True, kw_only=True):
    """The buckets in a few numbers; `of` names the count that they are about."""

    total: int
    avg: float
    std_dev: float
    min: float
    max: float
    p10: float
    p50: float
    p90: float
    of: Literal["violations"] = "violations"


class SeriesView(msgspec.Struct, frozen=True, kw_only=True):
    """What there was over time, a point for each bucket."""

    span: SpanView
    summary: SummaryView
    series: tuple[Point, ...]


class ShareView(msgspec.Struct, frozen=True, kw_only=True):
    """What there was of one policy, user, key or model; `series` is null unless it was asked for."""

    id: str
    totals: Counts
    series: tuple[Point, ...] | None


class BreakdownView(msgspec.Struct, frozen=True, kw_only=True):
    """What there was of each, most violations first; `count` says of how many, `totals` what all comes to."""

    span: SpanView
    totals: Counts
    count: int
    data: tuple[ShareView, ...]


class OutcomesPoint(msgspec.Struct, frozen=True, kw_only=True):
    """How many decisions came out how in the bucket that begins `at`."""

    at: str
    allow: int
    flag: int
    review: int
    block: int


class OutcomesView(msgspec.Struct, frozen=True, kw_only=True):
    """How decisions came out over time, a point for each bucket."""

    span: SpanView
    series: tuple[OutcomesPoint, ...]


class InForceView(msgspec.Struct, frozen=True, kw_only=True):
    """How many policies are in force in a workspace, by what they do; `workspace_id` null for everywhere."""

    workspace_id: str | None
    log: int
    alert: int
    review: int
    block: int


class InForceListView(msgspec.Struct, frozen=True, kw_only=True):
    """Where policies are in force. A workspace without a policy of its own is not named."""

    data: tuple[InForceView, ...]


@router.get("/v1/statistics/policies")
async def count_policies(
    acting: Annotated[Acting[Unit], needs("policy:read")], request: Request
) -> Reply[InForceListView]:
    """Count the policies in force in each workspace with its repos, and those that hold everywhere."""
    snapshot = parts_of(request).engine.snapshots.of(acting.unit.tenant_id)
    found: defaultdict[str | None, Counter[Action]] = defaultdict(Counter)
    for place, counted in in_force(snapshot).items():
        if acting.principal.may("policy:read", place):
            found[place.workspace_id] += counted
    rows = sorted(found.items(), key=lambda each: each[0] or "")
    return Reply(
        InForceListView(
            data=tuple(
                InForceView(workspace_id=ident, **{action: counted[action] for action in get_args(Action)})
                for ident, counted in rows
            )
        )
    )


@router.get("/v1/statistics")
async def read_statistics(acting: Reading, query: Annotated[SpanQuery, Query()]) -> Reply[SeriesView]:
    """Count violations, alerts, blocks and evaluators' tokens over time, from what is stored."""
    asked = query.query(acting.clock.now_ms())
    found = await statistics.series(acting, asked)
    told = statistics.summary([each.violations for each in found])
    summary = SummaryView(**{name: getattr(told, name) for name in told.__dataclass_fields__})
    return Reply(
        SeriesView(span=_span(asked.span), summary=summary, series=_points(asked.span, tuple(found)))
    )


@router.get("/v1/statistics/outcomes")
async def count_outcomes(
    parts: Annotated[Parts, admits(SCOPE)], query: Annotated[WindowQuery, Query()], request: Request
) -> Reply[OutcomesView]:
    """Count how decisions came out over time, in the whole tenant: who holds less of it is refused.

    They are counted out of the index of the receipts, which does not say where a decision was asked for.
    """
    span = query.span(parts.clock.now_ms())
    found = await parts.receipts.outcomes(principal_of(request), span)
    points = (
        OutcomesPoint(
            at=rfc3339(start), **{outcome: counted.get(outcome, 0) for outcome in get_args(Outcome)}
        )
        for start, counted in zip(span.starts, found, strict=True)
    )
    return Reply(OutcomesView(span=_span(span), series=tuple(points)))


@router.get("/v1/statistics/breakdown")
async def read_breakdown(acting: Reading, query: Annotated[BreakdownQuery, Query()]) -> Reply[BreakdownView]:
    """Count the same by policy, user, key or model; what has none of these is in the totals alone."""
    asked = query.query(acting.clock.now_ms())
    found = await statistics.breakdown(
        acting, asked, query.by, limit=query.limit, offset=query.offset, with_series=query.series
    )
    return Reply(
        BreakdownView(
            span=_span(asked.span),
            totals=_counts(found.whole),
            count=found.entities,
            data=tuple(_share(each, asked.span) for each in found.shares),
        )
    )


def _span(span: Span) -> SpanView:
    return SpanView(since=rfc3339(span.from_ms), until=rfc3339(span.to_ms), bucket=span.bucket)


def _counts(tally: Tally) -> Counts:
    return Counts(**{name: getattr(tally, name) for name in Counts.__struct_fields__})


def _points(span: Span, tallies: tuple[Tally, ...]) -> tuple[Point, ...]:
    return tuple(
        Point(at=rfc3339(start), **{name: getattr(tally, name) for name in Counts.__struct_fields__})
        for start, tally in zip(span.starts, tallies, strict=True)
    )


def _share(share: Share, span: Span) -> ShareView:
    return ShareView(
        id=share.ident,
        totals=_counts(share.totals),
        series=None if share.series is None else _points(span, share.series),
    )
