"""What happened under policies: violations and alerts, of all of them or of one."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, TypeVar

from fastapi import APIRouter, Query
from pydantic import Field
from typing_extensions import override

from bylaw.api.answers import Reply
from bylaw.api.compat.flashback import translate
from bylaw.api.compat.flashback.query import Id, RecordQuery, Words, risks
from bylaw.api.compat.flashback.wire import Alerts, Violations
from bylaw.api.ports import Unit
from bylaw.api.route import Route, needs_projected
from bylaw.core.ids import PolicyId
from bylaw.policies import reading
from bylaw.review import queue
from bylaw.review.store import ReviewFilter
from bylaw.tenancy.principal import Acting

router = APIRouter(tags=["flashback"], route_class=Route)

Seeing = Annotated[Acting[Unit], needs_projected(None)]
T = TypeVar("T")


class ViolationQuery(RecordQuery):
    """Which violations of a policy are wanted; filters combine with AND."""

    severity: Annotated[Words, Field(description="LOW, MEDIUM or HIGH, with commas between them.")] = None
    block: Annotated[bool | None, Field(description="Only those by which a call was stopped, or not.")] = None

    @override
    def where(self, policy_id: str | None = None) -> ReviewFilter:
        """Return the filter that is meant. Raises: InvalidInput."""
        return replace(super().where(policy_id), risks=risks(self.severity), block=self.block)


class AnyViolationQuery(ViolationQuery):
    """Which violations are wanted; filters combine with AND."""

    policy_id: Annotated[Id, Field(alias="policyId", description="Those of this policy.")] = None


class AnyAlertQuery(RecordQuery):
    """Which alerts are wanted; filters combine with AND."""

    policy_id: Annotated[Id, Field(alias="policyId", description="Those of this policy.")] = None


@router.get("/policy/violations")
async def list_violations(acting: Seeing, query: Annotated[AnyViolationQuery, Query()]) -> Reply[Violations]:
    """List violations where the caller may see them, newest first."""
    return await _violations(acting, query, query.policy_id)


@router.get("/policy/{policy_id}/violations")
async def list_violations_of_a_policy(
    acting: Seeing, policy_id: PolicyId, query: Annotated[ViolationQuery, Query()]
) -> Reply[Violations]:
    """List the violations of a policy, of a deleted one too, newest first."""
    await reading.known_policy(acting, policy_id)
    return await _violations(acting, query, policy_id)


@router.get("/policy/alerts")
async def list_alerts(acting: Seeing, query: Annotated[AnyAlertQuery, Query()]) -> Reply[Alerts]:
    """List alerts where the caller may see them, newest first."""
    return await _alerts(acting, query, query.policy_id)


@router.get("/policy/{policy_id}/alerts")
async def list_alerts_of_a_policy(
    acting: Seeing, policy_id: PolicyId, query: Annotated[RecordQuery, Query()]
) -> Reply[Alerts]:
    """List the alerts of a policy, of a deleted one too, newest first."""
    await reading.known_policy(acting, policy_id)
    return await _alerts(acting, query, policy_id)


async def _violations(
    acting: Acting[Unit], query: ViolationQuery, policy_id: str | None
) -> Reply[Violations]:
    found = await queue.list_violations(acting, query.where(policy_id), query.part)
    answer = Violations(
        violations=tuple(translate.violation(each) for each in _taken(found.items, query)),
        total=found.total or 0,
        skip=query.skip,
        take=query.taken,
    )
    return Reply(answer)


async def _alerts(acting: Acting[Unit], query: RecordQuery, policy_id: str | None) -> Reply[Alerts]:
    found = await queue.list_alerts(acting, query.where(policy_id), query.part)
    answer = Alerts(
        alerts=tuple(translate.alert(each) for each in _taken(found.items, query)),
        total=found.total or 0,
        skip=query.skip,
        take=query.taken,
    )
    return Reply(answer)


def _taken(items: Sequence[T], query: RecordQuery) -> Sequence[T]:
    return items[: query.taken]
