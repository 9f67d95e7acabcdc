"""Deliveries against a real receiver: signed, at least once under one id, retried, given up, replayed."""

import asyncio
import os

import pytest
from standardwebhooks.webhooks import WebhookVerificationError

from bylaw.core.clock import DAY_MS, HOUR_MS, MINUTE_MS, ManualClock, SystemClock
from bylaw.core.errors import Conflict, NotFound, RateLimited
from bylaw.core.ids import WorkspaceId
from bylaw.core.paging import Slice
from bylaw.jobs.asking import cancel_job
from bylaw.jobs.model import NewJob
from bylaw.jobs.store import JobFilter
from bylaw.notify import deliveries, webhooks
from bylaw.notify.delivery import SCHEDULE_MS
from bylaw.notify.sending import secrets_of
from bylaw.notify.telling import FORGET
from bylaw.review.store import AttentionFilter
from tests.contracts.values import A, B, workspace
from tests.contracts.values import notice as made
from tests.notify.receiver import receiving

ALL = Slice(limit=100)


@pytest.fixture
def clock():
    """The clock of the machine where it was when the test began: receivers compare timestamps with it."""
    return ManualClock(SystemClock().now_ms())


def notice(acme, **given):
    return made(created_ms=acme.clock.now_ms(), **given)


async def until(receiver, count):
    """Return once so many requests have come."""
    while len(receiver.got) < count:
        receiver.came.clear()
        await receiver.came.wait()


async def test_a_notice_is_delivered_once_and_verifies(acme, receiver):
    hook, secret = await acme.listen(receiver.url)
    told = notice(acme, type="policy.approved", data={"policy": {"id": "p", "name": "\u00fc"}})
    await acme.tell(told)
    await acme.deliver()
    [got] = receiver.got
    said = got.verified(secret)
    assert (got.id, said["type"], said["data"]) == (told.id, "policy.approved", told.data)
    assert said["timestamp"].endswith("Z")
    assert (got.path, got.headers["content-type"]) == ("/hook?tenant=1", "application/json")
    [delivery] = await acme.deliveries(hook)
    assert (delivery.status, delivery.tried, delivery.next_ms) == ("delivered", 1, None)
    assert delivery.attempts[0].status == 204
    await acme.deliver(after_ms=DAY_MS)
    assert len(receiver.got) == 1


async def test_only_the_holder_of_the_secret_verifies_and_only_for_a_while(acme, receiver):
    await acme.listen(receiver.url)
    _, other = await acme.listen("https://elsewhere.example/", "webhook.test")
    acme.clock.advance(-6 * MINUTE_MS)  # the receiver's clock is six minutes ahead
    await acme.tell(made(created_ms=acme.clock.now_ms() + 6 * MINUTE_MS))
    acme.clock.advance(6 * MINUTE_MS)
    await acme.deliver()
    with pytest.raises(WebhookVerificationError):
        receiver.got[0].verified(other)


async def test_a_rotated_secret_and_the_one_before_sign_side_by_side_for_a_while(acme, receiver):
    hook, old = await acme.listen(receiver.url)
    async with acme.store.begin(A) as unit:
        acting = acme.acting(unit)
        hook, new = await webhooks.rotate_secret(acting, hook.id, acme.sealer, overlap_h=1)
    await acme.tell(notice(acme))
    await acme.deliver()
    assert receiver.got[0].verified(old) == receiver.got[0].verified(new)
    now_ms = acme.clock.now_ms() + 3_600_000
    assert list(secrets_of(hook, acme.sealer, now_ms=now_ms)) == [new]
    async with acme.store.begin(A) as unit:
        hook, newest = await webhooks.rotate_secret(acme.acting(unit), hook.id, acme.sealer, overlap_h=0)
    assert list(secrets_of(hook, acme.sealer, now_ms=now_ms)) == [newest]


async def test_what_was_told_long_ago_and_secrets_that_sign_no_more_are_forgotten(acme, receiver):
    hook, _ = await acme.listen(receiver.url)
    async with acme.store.begin(A) as unit:
        rotated, new = await webhooks.rotate_secret(acme.acting(unit), hook.id, acme.sealer, overlap_h=1)
        await unit.jobs.enqueue(NewJob(kind=FORGET))
    await acme.tell(notice(acme))
    await acme.deliver()
    assert (await acme.webhook(hook)).sealed_before == rotated.sealed_before != ""
    assert len(await acme.deliveries(hook)) == 1
    acme.clock.advance(30 * DAY_MS + 1)
    async with acme.store.begin(A) as unit:
        await unit.jobs.enqueue(NewJob(kind=FORGET))
    await acme.deliver()
    left = await acme.webhook(hook)
    assert (left.sealed, left.sealed_before) == (rotated.sealed, "")
    assert list(secrets_of(left, acme.sealer, now_ms=acme.clock.now_ms())) == [new]
    assert await acme.deliveries(hook) == ()


async def test_what_fails_is_tried_later_and_later_and_then_given_up(acme, receiver):
    receiver.status = 500
    receiver.body = b"out of \x00 order" * 100
    hook, _ = await acme.listen(receiver.url)
    told = notice(acme)
    await acme.tell(told)
    await acme.deliver()
    for tried, wait_ms in enumerate(SCHEDULE_MS, 1):
        [delivery] = await acme.deliveries(hook)
        assert (delivery.status, delivery.tried) == ("pending", tried)
        last = delivery.attempts[-1]
        assert (last.status, last.error) == (500, "It answered with status 500.")
        assert last.excerpt.startswith("out of   order")
        assert len(last.excerpt) == 500
        assert wait_ms <= delivery.next_ms - last.at_ms <= wait_ms * 1.1 + 1_000
        await acme.deliver(after_ms=wait_ms - 1_000 - (acme.clock.now_ms() - last.at_ms))
        assert len(receiver.got) == tried
        await acme.deliver(after_ms=delivery.next_ms - acme.clock.now_ms())
        assert len(receiver.got) == tried + 1
    [delivery] = await acme.deliveries(hook)
    assert (delivery.status, delivery.tried, delivery.next_ms) == ("failed", len(SCHEDULE_MS) + 1, None)
    assert len(delivery.attempts) == len(SCHEDULE_MS) + 1
    assert set(receiver.ids) == {told.id}
    assert len({got.body for got in receiver.got}) == 1
    assert (await acme.webhook(hook)).failing_since_ms == delivery.attempts[0].at_ms


@pytest.mark.parametrize(
    "answer", [{"manner": "huge"}, {"headers": {"content-encoding": "gzip"}, "body": b"\x1f\x8b"}]
)
async def test_a_status_counts_whatever_comes_with_it(acme, receiver, answer):
    vars(receiver).update(answer, status=200)
    hook, _ = await acme.listen(receiver.url)
    await acme.tell(notice(acme))
    await acme.deliver()
    [delivery] = await acme.deliveries(hook)
    assert (delivery.status, delivery.tried, delivery.attempts[0].status) == ("delivered", 1, 200)
    assert len(delivery.attempts[0].excerpt) <= 500


@pytest.mark.parametrize(
    ("manner", "said"),
    [
        ("stall", "did not answer within 0.2 s"),
        ("reset", "does not speak HTTP/1.1"),
    ],
)
async def test_a_receiver_that_misbehaves_is_tried_again(acme, receiver, manner, said):
    acme.timeout_ms = 200
    receiver.status, receiver.manner = 200, manner
    hook, secret = await acme.listen(receiver.url)
    await acme.tell(notice(acme))
    await acme.deliver()
    [delivery] = await acme.deliveries(hook)
    assert (delivery.status, delivery.attempts[-1].status) == ("pending", None)
    assert said in delivery.attempts[-1].error
    receiver.manner, acme.timeout_ms = "answer", 5_000
    await acme.deliver(after_ms=6_000)
    [delivery] = await acme.deliveries(hook)
    assert (delivery.status, delivery.tried) == ("delivered", 2)
    assert receiver.got[0].id == receiver.got[-1].id
    receiver.got[-1].verified(secret)
    assert (await acme.webhook(hook)).failing_since_ms is None


async def test_a_redirect_is_a_failure_and_is_not_followed(acme, receiver):
    async with receiving() as other:
        receiver.status, receiver.headers = 307, {"location": other.url}
        hook, _ = await acme.listen(receiver.url)
        await acme.tell(notice(acme))
        await acme.deliver()
        [delivery] = await acme.deliveries(hook)
        assert (delivery.status, delivery.attempts[-1].status) == ("pending", 307)
        assert other.got == []


async def test_a_receiver_may_ask_to_be_left_alone_for_a_while(acme, receiver):
    receiver.statuses, receiver.headers = [429], {"retry-after": "120"}
    hook, _ = await acme.listen(receiver.url)
    await acme.tell(notice(acme))
    await acme.deliver()
    [delivery] = await acme.deliveries(hook)
    assert delivery.next_ms - delivery.attempts[-1].at_ms >= 120_000
    await acme.deliver(after_ms=100_000)
    assert len(receiver.got) == 1
    await acme.deliver(after_ms=50_000)
    assert len(receiver.got) == 2


async def test_a_receiver_that_is_gone_is_told_nothing_more_and_people_are_told_so(acme, receiver):
    async with receiving() as other:
        receiver.status = 410
        hook, _ = await acme.listen(receiver.url, "policy.*")
        await acme.listen(other.url, "webhook.disabled")
        first, second = notice(acme), notice(acme)
        await acme.tell(first, second)
        await acme.deliver()
        found = await acme.webhook(hook)
        assert (found.is_active, found.stopped_reason) == (
            False,
            "The receiver answered that it is gone (410).",
        )
        statuses = {each.status for each in await acme.deliveries(hook)}
        assert statuses == {"failed"}
        assert [each.said["data"]["webhook_id"] for each in other.got] == [hook.id]
        assert other.got[0].said["data"]["host"] == f"http://127.0.0.1:{receiver.port}"
        before = len(receiver.got)
        await acme.tell(notice(acme))
        await acme.deliver(after_ms=DAY_MS)
        assert len(receiver.got) == before
        async with acme.store.begin(A, writes=False) as unit:
            [item] = (await unit.review.attention.list(AttentionFilter(status="open"), ALL)).items
            assert (item.type, hook.id in item.reason) == ("webhook_disabled", True)


async def test_a_webhook_that_takes_nothing_for_days_is_switched_off(acme, receiver):
    receiver.status = 503
    hook, _ = await acme.listen(receiver.url)
    for _ in range(3):
        await acme.tell(notice(acme))
        await acme.deliver(after_ms=2 * DAY_MS)
        assert (await acme.webhook(hook)).is_active
    await acme.tell(notice(acme))
    await acme.deliver(after_ms=2 * DAY_MS)
    found = await acme.webhook(hook)
    assert (found.is_active, found.stopped_reason) == (False, "Nothing was delivered for 5 days.")
    async with acme.store.begin(A) as unit:
        acting = acme.acting(unit)
        on = webhooks.WebhookChange(is_active=True)
        again = await webhooks.change_webhook(acting, hook.id, on, outgoing="any")
        assert (again.is_active, again.stopped_reason) == (True, "")
    receiver.status = 200
    await acme.tell(notice(acme))
    await acme.deliver()
    assert (await acme.webhook(hook)).is_active


@pytest.mark.parametrize(("outgoing", "said"), [("off", "BYLAW_OUTGOING"), ("public", "no public address")])
async def test_calls_go_no_further_than_the_server_may_call(acme, receiver, outgoing, said):
    hook, _ = await acme.listen(receiver.url)
    acme.outgoing = outgoing
    await acme.tell(notice(acme))
    await acme.deliver()
    [delivery] = await acme.deliveries(hook)
    assert said in delivery.attempts[-1].error
    assert receiver.got == []


async def test_a_receiver_that_starts_again_gets_what_it_missed(acme):
    async with receiving() as receiver:
        hook, _ = await acme.listen(receiver.url)
    told = [notice(acme) for _ in range(3)]
    await acme.tell(*told)
    await acme.deliver()
    assert {each.status for each in await acme.deliveries(hook)} == {"pending"}
    async with receiving(receiver):
        await acme.deliver(after_ms=6_000)
    assert {each.status for each in await acme.deliveries(hook)} == {"delivered"}
    assert set(receiver.ids) == {each.id for each in told}


async def test_two_workers_deliver_everything_once(acme, receiver):
    hook, _ = await acme.listen(receiver.url)
    told = [notice(acme) for _ in range(20)]
    await acme.tell(*told)
    await asyncio.gather(acme.worker("one").run_until_idle(), acme.worker("two").run_until_idle())
    await acme.deliver()
    assert sorted(receiver.ids) == sorted(each.id for each in told)
    assert {each.status for each in await acme.deliveries(hook)} == {"delivered"}


async def test_a_worker_that_dies_in_between_leaves_a_delivery_that_is_made_again(acme, receiver):
    hook, _ = await acme.listen(receiver.url)
    await acme.tell(notice(acme))
    async with acme.store.system() as system:
        due = await system.backlog.due([A], now_ms=acme.clock.now_ms(), each=1)
        until_ms = acme.clock.now_ms() + 30_000
        [job] = await system.backlog.claim(due, worker="first", now_ms=acme.clock.now_ms(), until_ms=until_ms)
    assert job.worker == "first"
    async with acme.store.begin(A, writes=False) as unit:
        told = await unit.notify.notices.get((await acme.deliveries(hook))[0].notice_id)
    await acme.sender.send(hook, told)
    await acme.deliver()
    assert len(receiver.got) == 1
    await acme.deliver(after_ms=31_000)
    assert receiver.ids == [told.id] * 2
    assert [each.status for each in await acme.deliveries(hook)] == ["delivered"]


async def test_a_delivery_is_replayed_under_its_id_at_once(acme, receiver):
    hook, _ = await acme.listen(receiver.url)
    told = notice(acme)
    await acme.tell(told)
    await acme.deliver()
    [delivery] = await acme.deliveries(hook)
    async with acme.store.begin(A) as unit:
        again = await deliveries.replay(acme.acting(unit), hook.id, delivery.id)
        assert (again.status, again.tried) == ("pending", 0)
    await acme.deliver()
    assert receiver.ids == [told.id] * 2
    [delivery] = await acme.deliveries(hook)
    assert (delivery.status, len(delivery.attempts)) == ("delivered", 2)


async def test_one_that_waits_is_tried_at_once_and_not_again_when_its_time_comes(acme, receiver):
    receiver.statuses = [500]
    hook, _ = await acme.listen(receiver.url)
    await acme.tell(notice(acme))
    await acme.deliver()
    [delivery] = await acme.deliveries(hook)
    async with acme.store.begin(A) as unit:
        await deliveries.replay(acme.acting(unit), hook.id, delivery.id)
    await acme.deliver()
    assert len(receiver.got) == 2
    await acme.deliver(after_ms=DAY_MS)
    assert len(receiver.got) == 2


async def test_what_failed_or_all_is_replayed_since_a_moment(acme, receiver):
    hook, _ = await acme.listen(receiver.url, "policy.*")
    early = notice(acme)
    await acme.tell(early)
    await acme.deliver()
    acme.clock.advance(MINUTE_MS)
    since_ms = acme.clock.now_ms()
    await acme.change(hook, is_active=False)
    missed = [notice(acme), notice(acme)]
    await acme.tell(*missed, notice(acme, type="alert.created"))
    await acme.deliver()
    assert len(receiver.got) == 1

    async def replay(which, **part):
        async with acme.store.begin(A) as unit:
            return await deliveries.replay_since(
                acme.acting(unit), acme.telling, hook.id, since_ms=since_ms, which=which, part=Slice(**part)
            )

    with pytest.raises(Conflict) as refused:
        await replay("all")
    assert refused.value.reason == "disabled"
    await acme.change(hook, is_active=True)
    assert (await replay("failed")).count == 0
    first = await replay("all", limit=1)
    assert (first.count, first.next_cursor is None) == (1, False)
    rest = await replay("all", limit=1, cursor=first.next_cursor)
    assert (rest.count, rest.next_cursor) == (1, None)
    await acme.deliver()
    assert sorted(receiver.ids[1:]) == sorted(each.id for each in missed)
    assert (await replay("all")).count == 2


async def test_one_whose_job_was_given_up_is_replayed(acme, receiver):
    hook, _ = await acme.listen(receiver.url)
    told, since_ms = notice(acme), acme.clock.now_ms()
    await acme.tell(told)

    async def replay():
        async with acme.store.begin(A) as unit:
            return await deliveries.replay_since(
                acme.acting(unit), acme.telling, hook.id, since_ms=since_ms, which="all", part=Slice()
            )

    async with acme.store.begin(A) as unit:
        for job in (await unit.jobs.list(JobFilter(), Slice())).items:
            await cancel_job(acme.acting(unit), job.id)
    assert (await replay()).count == 0
    acme.clock.advance(2 * HOUR_MS)
    assert (await replay()).count == 1
    await acme.deliver()
    assert receiver.ids == [told.id]


async def test_nothing_is_replayed_beside_a_long_backlog(acme, receiver, monkeypatch):
    monkeypatch.setattr(deliveries, "MOST_WAITING", 3)
    hook, _ = await acme.listen(receiver.url)
    other, _ = await acme.listen(receiver.url, "webhook.test")
    await acme.tell(notice(acme), notice(acme), notice(acme))
    first = (await acme.deliveries(hook))[0]
    async with acme.store.begin(A) as unit:
        acting = acme.acting(unit)
        with pytest.raises(RateLimited, match="3 deliveries to this webhook wait already"):
            await deliveries.replay(acting, hook.id, first.id)
        for ident, wait in ((hook.id, True), (other.id, False)):
            part = deliveries.replay_since(acting, acme.telling, ident, since_ms=0, which="failed", part=ALL)
            if wait:
                with pytest.raises(RateLimited):
                    await part
            else:
                assert (await part).count == 0
    await acme.deliver()
    async with acme.store.begin(A) as unit:
        await deliveries.replay(acme.acting(unit), hook.id, first.id)
    await acme.deliver()
    assert len(receiver.got) == 4


async def test_a_receiver_that_never_answers_holds_up_nobody_else(acme, receiver):
    """One webhook stalls for good: another of its tenant, and one of another tenant, are told at once."""
    async with receiving() as stalled:
        stalled.manner = "stall"
        acme.timeout_ms = 600_000
        await acme.listen(stalled.url, "policy.*")
        await acme.listen(receiver.url + "&ours", "alert.*")
        await acme.listen(receiver.url + "&theirs", tenant_id=B)
        await acme.tell(*[notice(acme, type="policy.created") for _ in range(50)])
        runs = acme.worker()
        running = asyncio.create_task(runs.run())
        await until(stalled, 2)
        theirs = notice(acme, type="policy.created", tenant_id=B)
        ours = notice(acme, type="alert.created")
        await acme.tell(ours)
        await acme.tell(theirs, tenant_id=B)
        runs.wake()
        await until(receiver, 2)
        assert {*receiver.ids} == {ours.id, theirs.id}
        assert len(stalled.got) == 2
        runs.stop()
        await running


async def test_replaying_what_failed_leaves_the_rest(acme, receiver):
    receiver.statuses = [410]
    hook, _ = await acme.listen(receiver.url)
    await acme.tell(notice(acme))
    await acme.deliver()
    await acme.change(hook, is_active=True)
    await acme.tell(notice(acme))
    await acme.deliver()
    async with acme.store.begin(A) as unit:
        replayed = await deliveries.replay_since(
            acme.acting(unit), acme.telling, hook.id, since_ms=0, which="failed", part=ALL
        )
    assert (replayed.count, replayed.next_cursor) == (1, None)
    await acme.deliver()
    assert {each.status for each in await acme.deliveries(hook)} == {"delivered"}
    assert len(receiver.got) == 3


async def test_what_waits_for_a_deleted_webhook_fails_without_a_call(acme, receiver):
    hook, _ = await acme.listen(receiver.url)
    await acme.tell(notice(acme))
    async with acme.store.begin(A) as unit:
        await webhooks.delete_webhook(acme.acting(unit), hook.id)
    await acme.deliver()
    [delivery] = await acme.deliveries(hook)
    assert (delivery.status, delivery.attempts[-1].error) == ("failed", "The webhook is switched off.")
    assert receiver.got == []
    async with acme.store.begin(A) as unit:
        with pytest.raises(NotFound):
            await webhooks.read_webhook(acme.acting(unit), hook.id)


async def test_a_secret_that_does_not_open_is_said_and_nothing_is_sent(acme, receiver):
    hook, _ = await acme.listen(receiver.url)
    await acme.change(hook, sealed="v1.other.AAAA")
    await acme.tell(notice(acme))
    await acme.deliver()
    [delivery] = await acme.deliveries(hook)
    assert "not in this server's secret file" in delivery.attempts[-1].error
    assert receiver.got == []


async def test_webhooks_hear_of_their_own_workspace_and_tenant_only(acme, receiver):
    shop = workspace()
    async with acme.store.begin(A) as unit:
        await unit.tenancy.workspaces.add(shop)
    await acme.listen(receiver.url + "&narrow", workspace_id=shop.id)
    await acme.listen(receiver.url + "&other", tenant_id=B)
    inside, outside = notice(acme, workspace_id=shop.id), notice(acme, workspace_id=WorkspaceId("w9"))
    await acme.tell(inside, outside, notice(acme))
    await acme.deliver()
    assert receiver.ids == [inside.id]


async def test_no_log_shows_a_secret_or_a_signature(acme, receiver, caplog):
    caplog.set_level("DEBUG")
    receiver.status = 500
    _, secret = await acme.listen(receiver.url)
    await acme.tell(notice(acme))
    await acme.deliver()
    said = caplog.text + os.linesep.join(map(str, caplog.records))
    assert secret not in said
    assert receiver.got[0].headers["webhook-signature"] not in said
