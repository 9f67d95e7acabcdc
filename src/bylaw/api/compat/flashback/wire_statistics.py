"""What goes over the wire about statistics, field for field; what is left out is not there at all.

Units: `ts`, `start` and `end` in milliseconds since the epoch; `start` is included, `end` is not.
"""

from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from bylaw.api.compat.flashback.wire import Wire
from bylaw.review.statistics import Bucket, Window

Scope = Literal["org", "workspace", "repo"]


class ResourceFilter(Wire, frozen=True, kw_only=True):
    """The one thing to which the counts are limited."""

    type: Literal["rule", "apiKey", "model", "user"]
    id: str


class SeriesMeta(Wire, frozen=True, kw_only=True):
    """What was counted: when, where, and in which steps."""

    start: int
    end: int
    scope: Scope
    scope_id: str | UnsetType = UNSET
    window: Window
    time_bucket_size: Bucket
    resource_filter: ResourceFilter | UnsetType = UNSET


class BreakdownMeta(Wire, frozen=True, kw_only=True):
    """What was counted, by what, and which part of the list this is."""

    start: int
    end: int
    scope: Scope
    scope_id: str | UnsetType = UNSET
    breakdown_by: Literal["rules", "users"]
    includes_series: bool
    limit: int
    offset: int
    total_entities: int
    resource_filter: ResourceFilter | UnsetType = UNSET


class SummaryStats(Wire, frozen=True, kw_only=True):
    """The values of all buckets in a few numbers: of violations, or of tokens in and out together."""

    total: int
    avg: float
    std_dev: float
    min: float
    max: float
    p10: float
    p50: float
    p90: float


class Totals(Wire, frozen=True, kw_only=True):
    """How often policies were enforced."""

    violations: int
    alerts: int
    blocks: int
    severity_low: int
    severity_medium: int
    severity_high: int


class TotalsPoint(Wire, frozen=True, kw_only=True):
    """How often policies were enforced in the bucket that begins at `ts`."""

    ts: int
    violations: int
    alerts: int
    blocks: int
    severity_low: int
    severity_medium: int
    severity_high: int


class PolicyPoint(TotalsPoint, frozen=True, kw_only=True):
    """The same, with the tokens that evaluators used."""

    policy_tokens_in: int
    policy_tokens_out: int


class TokenPoint(Wire, frozen=True, kw_only=True):
    """The tokens that evaluators used in the bucket that begins at `ts`."""

    ts: int
    policy_tokens_in: int
    policy_tokens_out: int


class PolicySeries(Wire, frozen=True, kw_only=True):
    """How policies were enforced over time."""

    success: Literal[True] = True
    meta: SeriesMeta
    summary: SummaryStats
    series: tuple[PolicyPoint, ...]


class TokenSeries(Wire, frozen=True, kw_only=True):
    """What evaluators used over time."""

    success: Literal[True] = True
    meta: SeriesMeta
    summary: SummaryStats
    series: tuple[TokenPoint, ...]


class Entity(Wire, frozen=True, kw_only=True):
    """One policy or person, with the name that the latest violation has of it."""

    entity_id: str
    entity_name: str | UnsetType = UNSET
    totals: Totals
    series: tuple[TotalsPoint, ...] | UnsetType = UNSET


class Whole(msgspec.Struct, frozen=True, kw_only=True):
    """How many violations there were, those of nobody included."""

    total: int


class BreakdownAnswer(Wire, frozen=True, kw_only=True):
    """How policies were enforced, by policy or by person."""

    success: Literal[True] = True
    meta: BreakdownMeta
    summary: Whole
    entities: tuple[Entity, ...]
