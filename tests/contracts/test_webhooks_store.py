"""What every store of webhooks does."""

from dataclasses import replace

import pytest

from bylaw.core.errors import Conflict, Forbidden, PreconditionFailed
from bylaw.core.ids import WorkspaceId
from bylaw.core.paging import Slice
from bylaw.notify.model import DeliveryId, NoticeId, WebhookId
from bylaw.notify.store import DeliveryFilter
from tests.contracts.values import START, A, B, delivery, notice, webhook, workspace

ALL = Slice(limit=100)
HOOK, NOTICE = WebhookId("wh"), NoticeId("n")


async def fill(unit):
    await unit.notify.webhooks.add(webhook(unit.tenant_id, id=HOOK))
    await unit.notify.notices.add([notice(unit.tenant_id, id=NOTICE)])


async def test_a_webhook_is_read_back_whole_and_replaced_by_its_next_revision(store):
    shop = workspace()
    first = webhook(workspace_id=shop.id, types=("policy.*",), sealed_before="v1.k.t", overlap_ends_ms=START)
    async with store.begin(A) as unit:
        await unit.tenancy.workspaces.add(shop)
        await unit.notify.webhooks.add(first)
        with pytest.raises(Conflict):
            await unit.notify.webhooks.add(first)
        assert await unit.notify.webhooks.get(first.id) == first
        later = replace(first, is_active=False, stopped_reason="gone", revision=2)
        await unit.notify.webhooks.save(later)
        with pytest.raises(PreconditionFailed) as refused:
            await unit.notify.webhooks.save(later)
        assert refused.value.current == "2"
        assert await unit.notify.webhooks.get(first.id) == later


async def test_whether_it_fails_is_noted_beside_its_revisions(store):
    first = webhook()
    async with store.begin(A) as unit:
        await unit.notify.webhooks.add(first)
        await unit.notify.webhooks.mark(first.id, failing_since_ms=START)
        await unit.notify.webhooks.save(replace(first, description="other", revision=2))
        found = await unit.notify.webhooks.get(first.id)
        assert (found.failing_since_ms, found.description, found.revision) == (START, "other", 2)
        await unit.notify.webhooks.mark(first.id, failing_since_ms=None)
        assert (await unit.notify.webhooks.get(first.id)).failing_since_ms is None


async def test_webhooks_are_listed_by_workspace_and_those_that_listen_in_all(store):
    shop = workspace()
    old, narrow = webhook(), webhook(workspace_id=shop.id, created_ms=START + 1)
    gone = webhook(deleted_ms=START, created_ms=START + 2)
    async with store.begin(A) as unit:
        await unit.tenancy.workspaces.add(shop)
        for each in (old, narrow, gone):
            await unit.notify.webhooks.add(each)
        listed = unit.notify.webhooks.list
        assert (await listed(ALL)).items == (narrow, old)
        assert (await listed(ALL, only=frozenset({shop.id}))).items == (narrow,)
        assert (await listed(ALL, only=frozenset({WorkspaceId("other")}))).items == ()
        assert list(await unit.notify.webhooks.listening()) == [old, narrow]
    async with store.begin(B) as unit:
        assert list(await unit.notify.webhooks.listening()) == []


async def test_a_notice_is_told_once(store):
    first, second = notice(), notice(created_ms=START + 1, workspace_id="w" * 3_000)
    async with store.begin(A) as unit:
        assert list(await unit.notify.notices.add([first])) == [first]
        assert [each.id for each in await unit.notify.notices.add([first, second, second])] == [second.id]
        assert await unit.notify.notices.get(first.id) == first
        newest = await unit.notify.notices.since(START, Slice(limit=1))
        assert [each.id for each in newest.items] == [second.id]
        rest = await unit.notify.notices.since(START, Slice(limit=1, cursor=newest.next_cursor))
        assert rest.items == (first,)
        assert (await unit.notify.notices.since(START + 2, ALL)).items == ()
        with pytest.raises(Forbidden):
            await unit.notify.notices.add([notice(B)])


async def test_many_notices_at_once_are_all_kept(store):
    many = [notice() for _ in range(1_201)]
    async with store.begin(A) as unit:
        assert len(await unit.notify.notices.add(many)) == len(many)
        assert list(await unit.notify.notices.add(many)) == []


async def test_deliveries_narrow_by_every_field(store):
    other, late = NoticeId("n2"), START + 5
    async with store.begin(A) as unit:
        await fill(unit)
        await unit.notify.notices.add([notice(id=other)])
        await unit.notify.webhooks.add(webhook(id=WebhookId("wh2")))
        first = delivery(status="failed", next_ms=None)
        second = delivery(notice_id=other, type="policy.edited", created_ms=late)
        third = delivery(webhook_id=WebhookId("wh2"))
        await unit.notify.deliveries.add_all([first, second, third])

        async def found(**where):
            page = await unit.notify.deliveries.list(DeliveryFilter(webhook_id=HOOK, **where), ALL)
            return list(page.items)

        assert await found() == [second, first]
        assert await found(status="failed") == [first]
        assert await found(type="policy.edited") == [second]
        assert await found(notice_id=NOTICE) == [first]
        assert await found(since_ms=late) == [second]
        assert await unit.notify.deliveries.get(third.id) == third
        assert await unit.notify.deliveries.get(DeliveryId("unknown")) is None


async def test_a_notice_is_on_its_way_to_a_webhook_once(store):
    async with store.begin(A) as unit:
        await fill(unit)
        await unit.notify.deliveries.add_all([delivery()])
        with pytest.raises(Conflict):
            await unit.notify.deliveries.add_all([delivery()])


async def test_a_delivery_of_what_is_not_there_cannot_exist(store):
    with pytest.raises(Conflict) as refused:
        async with store.begin(A) as unit:
            await unit.notify.deliveries.add_all([delivery()])
    assert refused.value.reason == "unknown_reference"


async def test_a_delivery_is_replaced_by_its_next_revision(store):
    async with store.begin(A) as unit:
        await fill(unit)
        first = delivery()
        await unit.notify.deliveries.add_all([first])
        later = replace(first, status="delivered", tried=1, next_ms=None, revision=2)
        await unit.notify.deliveries.save(later)
        assert await unit.notify.deliveries.get(first.id) == later
        with pytest.raises(PreconditionFailed):
            await unit.notify.deliveries.save(later)


async def test_old_notices_are_forgotten_with_their_deliveries_a_bounded_number_at_once(store):
    async with store.begin(A) as unit:
        await fill(unit)
        kept, old = notice(created_ms=START + 10), notice()
        await unit.notify.notices.add([kept, old])
        await unit.notify.deliveries.add_all([delivery(), delivery(notice_id=kept.id)])
        assert await unit.notify.notices.forget(before_ms=START + 10, limit=1) == 1
        assert await unit.notify.notices.forget(before_ms=START + 10, limit=9) == 1
        assert await unit.notify.notices.forget(before_ms=START + 10, limit=9) == 0
        assert (await unit.notify.notices.since(0, ALL)).items == (kept,)
        left = await unit.notify.deliveries.list(DeliveryFilter(webhook_id=HOOK), ALL)
        assert [each.notice_id for each in left.items] == [kept.id]
