"""What becomes a notice, for whom, and that it does so once."""

from dataclasses import replace

import pytest

from bylaw.approvals.projection import project_approvals
from bylaw.core.clock import DAY_MS
from bylaw.core.errors import Conflict
from bylaw.core.paging import Slice
from bylaw.decisions.effects import ApprovalEffect, CallEffect, EvaluationEffect, Passed, ViolationEffect
from bylaw.notify.webhooks import MOST
from tests.contracts.values import A, notice, occasion, violation

WAITS_MS = 60_000


def held(acme, ident="apr_1"):
    policy = violation().policy
    return ApprovalEffect(
        id=ident,
        occasion=occasion(A, at_ms=acme.clock.now_ms()),
        tool="pay",
        call_digest="sha256:c",
        policies=(policy,),
        reason="said by nobody",
        expires_ms=acme.clock.now_ms() + WAITS_MS,
    )


async def project(acme, *effects):
    async with acme.store.begin(A) as unit:
        await project_approvals(unit.approvals, effects)
        await acme.telling.of_effects(unit, effects)


async def told(acme):
    async with acme.store.begin(A, writes=False) as unit:
        return sorted(each.type for each in (await unit.notify.notices.since(0, Slice(limit=100))).items)


async def test_a_call_that_waited_too_long_is_told_once(acme):
    await acme.listen("https://hooks.example.com/", "approval.*")
    effect = held(acme)
    await project(acme, effect)
    await project(acme, effect)
    await acme.deliver(after_ms=WAITS_MS - 1)
    assert await told(acme) == ["approval.requested"]
    await acme.deliver(after_ms=1)
    await project(acme, effect)
    await acme.deliver(after_ms=1)
    assert await told(acme) == ["approval.expired", "approval.requested"]


async def test_a_call_that_was_refused_in_time_does_not_expire(acme):
    await acme.listen("https://hooks.example.com/", "approval.expired")
    await project(acme, held(acme))
    async with acme.store.begin(A) as unit:
        found = await unit.approvals.get("apr_1")
        await unit.approvals.save(replace(found, status="refused", revision=2))
    await acme.deliver(after_ms=WAITS_MS)
    assert await told(acme) == []


async def test_what_happened_before_a_webhook_or_too_long_ago_is_not_told(acme):
    early = notice(created_ms=acme.clock.now_ms())
    acme.clock.advance(1)
    hook, _ = await acme.listen("https://hooks.example.com/")
    late = notice(created_ms=acme.clock.now_ms())
    acme.clock.advance(30 * DAY_MS)
    await acme.tell(early, late)
    assert await told(acme) == []
    now = notice(created_ms=acme.clock.now_ms())
    await acme.tell(early, late, now)
    await acme.tell(now)
    assert [each.notice_id for each in await acme.deliveries(hook)] == [now.id]


async def test_only_what_somebody_wants_is_kept(acme):
    await acme.listen("https://hooks.example.com/", "approval.requested")
    at = occasion(A, at_ms=acme.clock.now_ms())
    row = violation()
    effects = [
        ViolationEffect(id="vio_1", occasion=at, policy=row.policy, explanation="No.", block=True),
        EvaluationEffect(id="evl_1", occasion=at, tokens_in=1, tokens_out=1),
        CallEffect(id="cal_1", occasion=at, passed=Passed(connection_id="con_1", tokens_in=1, tokens_out=1)),
        held(acme),
    ]
    async with acme.store.begin(A) as unit:
        await acme.telling.of_effects(unit, effects)
    assert await told(acme) == ["approval.requested"]


async def test_what_is_told_holds_no_reason_and_no_more_than_its_fields(acme):
    await acme.listen("https://hooks.example.com/")
    await project(acme, held(acme))
    async with acme.store.begin(A, writes=False) as unit:
        [found] = (await unit.notify.notices.since(0, Slice())).items
    assert b"said by nobody" not in found.body()
    assert found.body() == replace(found).body()
    assert found.id == "ntc_apr_1"


async def test_a_tenant_has_so_many_webhooks_and_no_more(acme):
    for _ in range(MOST):
        await acme.listen("https://hooks.example.com/")
    with pytest.raises(Conflict) as refused:
        await acme.listen("https://hooks.example.com/")
    assert refused.value.reason == "too_many"
