"""Statistics of policies: over time, what evaluators used, and by policy or person."""

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from fastapi import APIRouter
from fastapi import Query as FromQuery
from msgspec import UNSET, UnsetType
from pydantic import Field
from typing_extensions import override

from bylaw.api.answers import Reply
from bylaw.api.compat.flashback import wire_statistics as wire
from bylaw.api.compat.flashback.query import Id, Query
from bylaw.api.ports import Unit
from bylaw.api.route import Route, needs_projected
from bylaw.core.errors import InvalidInput
from bylaw.core.ids import PolicyId, RepoId, WorkspaceId
from bylaw.core.paging import Slice
from bylaw.review import statistics
from bylaw.review.model import Alert, Violation
from bylaw.review.statistics import Bucket, Share, Span, StatisticsQuery, Window
from bylaw.review.store import Facet, ReviewFilter, Tally
from bylaw.tenancy.model import Place
from bylaw.tenancy.principal import Acting

router = APIRouter(tags=["flashback"], route_class=Route)

Seeing = Annotated[Acting[Unit], needs_projected(None)]

MOST: Final = 100
_BEYOND: Final = 1_000_000_000


class _Counted(Query):
    """What is counted in every question."""

    id: Annotated[Id, Field(description="The workspace or repo; not for an organisation.")] = None
    window: Annotated[Window, Field(description="How far back.")]
    rule_id: Annotated[Id, Field(alias="ruleId", description="Only this policy.")] = None
    api_key_id: Annotated[Id, Field(alias="apiKeyId", description="Only this API key.")] = None

    @property
    def only(self) -> Mapping[Facet, str]:
        """Return the things to which the counts are limited."""
        wanted: Mapping[Facet, str | None] = {"policy": self.rule_id, "key": self.api_key_id}
        return {facet: ident for facet, ident in wanted.items() if ident is not None}


class SeriesQuery(_Counted):
    """What is counted over time."""

    scope: Annotated[wire.Scope, Field(description="What `id` is of.")]
    bucket: Annotated[
        Bucket | None, Field(alias="timeBucketSize", description="The step; by default one that fits.")
    ] = None


class BreakdownQuery(_Counted):
    """What is counted by policy or person."""

    scope: Annotated[wire.Scope, Field(description="What `id` is of.")] = "org"
    include_series: Annotated[
        bool, Field(alias="includeSeries", description="Add what there was of each over time.")
    ] = False
    limit: Annotated[int, Field(ge=1, description="Most to return; more than 100 are 100.")] = 20
    offset: Annotated[int, Field(ge=0, description="How many to skip.")] = 0
    model: Annotated[Id, Field(description="Only decisions about this model.")] = None
    user_id: Annotated[Id, Field(alias="userId", description="Only this person.")] = None
    ai_llm_id: Annotated[
        Id, Field(alias="aiLlmId", description="Refused: no decision says through which one it went.")
    ] = None

    @property
    @override
    def only(self) -> Mapping[Facet, str]:
        """Return the things to which the counts are limited. Raises: InvalidInput."""
        if self.ai_llm_id is not None:
            message = "Decisions do not say through which AI connection they went: leave it out."
            raise InvalidInput.of("aiLlmId", "unsupported", message)
        wanted: Mapping[Facet, str | None] = {"model": self.model, "user": self.user_id}
        return {**super().only, **{facet: ident for facet, ident in wanted.items() if ident is not None}}


@router.get("/v2/stats/policies")
async def read_policy_statistics(
    acting: Seeing, query: Annotated[SeriesQuery, FromQuery()]
) -> Reply[wire.PolicySeries]:
    """Count violations, alerts, blocks and severities over time; `summary` describes the violations."""
    asked = await _asked(acting, query, query.bucket)
    found = await statistics.series(acting, asked)
    points = [
        wire.PolicyPoint(
            **_totals(each), ts=start, policy_tokens_in=each.tokens_in, policy_tokens_out=each.tokens_out
        )
        for start, each in zip(asked.span.starts, found, strict=True)
    ]
    summary = _summary(statistics.summary([each.violations for each in found]))
    return Reply(wire.PolicySeries(meta=_meta(query, asked), summary=summary, series=tuple(points)))


@router.get("/v2/stats/policies/tokens")
async def read_policy_tokens(
    acting: Seeing, query: Annotated[SeriesQuery, FromQuery()]
) -> Reply[wire.TokenSeries]:
    """Count the tokens of evaluators over time; `summary` describes those in and out together.

    A model is asked about the rules of several policies at once: each rule has the same share of a call.
    """
    asked = await _asked(acting, query, query.bucket)
    found = await statistics.series(acting, asked)
    points = [
        wire.TokenPoint(ts=start, policy_tokens_in=each.tokens_in, policy_tokens_out=each.tokens_out)
        for start, each in zip(asked.span.starts, found, strict=True)
    ]
    summary = _summary(statistics.summary([each.tokens_in + each.tokens_out for each in found]))
    return Reply(wire.TokenSeries(meta=_meta(query, asked), summary=summary, series=tuple(points)))


@router.get("/v2/stats/policies/breakdown/rules")
async def read_breakdown_by_rules(
    acting: Seeing, query: Annotated[BreakdownQuery, FromQuery()]
) -> Reply[wire.BreakdownAnswer]:
    """Count the same by policy, most violations first."""
    return await _breakdown(acting, query, "rules")


@router.get("/v2/stats/policies/breakdown/users")
async def read_breakdown_by_users(
    acting: Seeing, query: Annotated[BreakdownQuery, FromQuery()]
) -> Reply[wire.BreakdownAnswer]:
    """Count the same by person, most violations first."""
    return await _breakdown(acting, query, "users")


async def _breakdown(
    acting: Acting[Unit], query: BreakdownQuery, by: Literal["rules", "users"]
) -> Reply[wire.BreakdownAnswer]:
    asked = await _asked(acting, query, None)
    limit, offset = min(query.limit, MOST), min(query.offset, _BEYOND)
    facet: Facet = "policy" if by == "rules" else "user"
    found = await statistics.breakdown(
        acting, asked, facet, limit=limit, offset=offset, with_series=query.include_series
    )
    answer = wire.BreakdownAnswer(
        meta=wire.BreakdownMeta(
            start=asked.span.from_ms,
            end=asked.span.to_ms,
            scope=query.scope,
            scope_id=_scope_id(query),
            breakdown_by=by,
            includes_series=query.include_series,
            limit=limit,
            offset=offset,
            total_entities=found.entities,
            resource_filter=_resource(asked),
        ),
        summary=wire.Whole(total=found.whole.violations),
        entities=tuple([await _entity(acting, each, by, asked.span) for each in found.shares]),
    )
    return Reply(answer)


async def _entity(
    acting: Acting[Unit], share: Share, by: Literal["rules", "users"], span: Span
) -> wire.Entity:
    latest = await _latest(acting, share.ident, by)
    if latest is not None:
        name = latest.policy.name if by == "rules" else latest.names.user
    else:
        name = await _policy_name(acting, share.ident) if by == "rules" else ""
    series: tuple[wire.TotalsPoint, ...] | UnsetType = UNSET
    if share.series is not None:
        series = tuple(
            wire.TotalsPoint(**_totals(each), ts=start)
            for start, each in zip(span.starts, share.series, strict=True)
        )
    return wire.Entity(
        entity_id=share.ident,
        entity_name=name or UNSET,
        totals=wire.Totals(**_totals(share.totals)),
        series=series,
    )


async def _policy_name(acting: Acting[Unit], ident: str) -> str:
    """Return what a policy is called now, of which there is no violation and no alert."""
    found = await acting.unit.policies.currents([PolicyId(ident)])
    return found[0].version.content.name if found else ""


async def _latest(
    acting: Acting[Unit], ident: str, by: Literal["rules", "users"]
) -> Violation | Alert | None:
    """Return the latest violation of a policy or by a person, else the latest alert, which has their name."""
    where = ReviewFilter(policy_ids=frozenset({ident})) if by == "rules" else ReviewFilter(user_id=ident)
    violations = await acting.unit.review.violations.list(where, Slice(limit=1))
    if violations.items:
        return violations.items[0]
    alerts = await acting.unit.review.alerts.list(where, Slice(limit=1))
    return alerts.items[0] if alerts.items else None


async def _asked(
    acting: Acting[Unit], query: SeriesQuery | BreakdownQuery, bucket: Bucket | None
) -> StatisticsQuery:
    """Return what is asked for; an unknown place is one where nothing was. Raises: InvalidInput."""
    span = statistics.span_of(query.window, acting.clock.now_ms(), bucket)
    return StatisticsQuery(span=span, within=await _within(acting, query), only=query.only)


async def _within(acting: Acting[Unit], query: SeriesQuery | BreakdownQuery) -> tuple[Place, ...] | None:
    if query.scope == "org":
        return None if query.id in {None, acting.unit.tenant_id} else ()
    if query.id is None:
        raise InvalidInput.of("id", "required", f"Name the {query.scope}.")
    if query.scope == "workspace":
        return (Place(workspace_id=WorkspaceId(query.id)),)
    repo = await acting.unit.tenancy.repos.get(RepoId(query.id))
    return () if repo is None else (Place(workspace_id=repo.workspace_id, repo_id=repo.id),)


def _meta(query: SeriesQuery, asked: StatisticsQuery) -> wire.SeriesMeta:
    return wire.SeriesMeta(
        start=asked.span.from_ms,
        end=asked.span.to_ms,
        scope=query.scope,
        scope_id=_scope_id(query),
        window=query.window,
        time_bucket_size=asked.span.bucket,
        resource_filter=_resource(asked),
    )


def _scope_id(query: _Counted) -> str | UnsetType:
    return UNSET if query.id is None else query.id


_RESOURCES: Final[tuple[tuple[Facet, Literal["rule", "apiKey", "model", "user"]], ...]] = (
    ("policy", "rule"),
    ("key", "apiKey"),
    ("model", "model"),
    ("user", "user"),
)


def _resource(asked: StatisticsQuery) -> wire.ResourceFilter | UnsetType:
    """Return the first filter: the contract has room for one."""
    found = [
        wire.ResourceFilter(type=kind, id=asked.only[facet])
        for facet, kind in _RESOURCES
        if facet in asked.only
    ]
    return found[0] if found else UNSET


def _summary(told: statistics.Summary) -> wire.SummaryStats:
    return wire.SummaryStats(**{name: getattr(told, name) for name in told.__dataclass_fields__})


def _totals(tally: Tally) -> dict[str, int]:
    return {
        "violations": tally.violations,
        "alerts": tally.alerts,
        "blocks": tally.blocks,
        "severity_low": tally.low,
        "severity_medium": tally.medium,
        "severity_high": tally.high,
    }
