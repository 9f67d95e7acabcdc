"""What every store of violations, alerts, attention items and approvals does."""

import asyncio
from dataclasses import replace

import pytest

from bylaw.approvals.store import ApprovalFilter
from bylaw.core.errors import Forbidden, PreconditionFailed
from bylaw.core.paging import Slice
from bylaw.review.store import AttentionFilter, ReviewFilter
from bylaw.tenancy.model import EVERYWHERE
from tests.contracts.lists import every
from tests.contracts.values import (
    START,
    A,
    B,
    alert,
    approval,
    attention,
    occasion,
    place,
    snapshot,
    violation,
)

ALL = Slice(limit=100)
KINDS = {"violations": violation, "alerts": alert, "attention": attention, "approvals": approval}
FILTERS = {
    "violations": ReviewFilter,
    "alerts": ReviewFilter,
    "attention": AttentionFilter,
    "approvals": ApprovalFilter,
}
CHANGED = {
    "attention": {"status": "resolved", "resolved_by": "ada", "resolved_ms": START},
    "approvals": {"status": "approved", "decided_by": "ada", "decided_ms": START, "decided_reason": "fine"},
}


@pytest.fixture(params=sorted(KINDS))
def kind(request):
    return request.param


@pytest.fixture(params=sorted(CHANGED))
def changing(request):
    return request.param


def rows(unit, kind):
    return unit.approvals if kind == "approvals" else getattr(unit.review, kind)


async def found(unit, kind, **where):
    return list((await rows(unit, kind).list(FILTERS[kind](**where), ALL)).items)


async def test_what_was_added_is_read_back_whole(store, kind):
    told = occasion(
        agent_id="bot",
        user_id="u",
        key_id="k",
        conversation_id="c",
        workspace_id="w",
        repo_id="r",
        model="m",
        provider="p",
        host="h",
    )
    item = KINDS[kind](occasion=told)
    async with store.begin(A) as unit:
        await rows(unit, kind).add([item])
    async with store.begin(A, writes=False) as unit:
        assert await rows(unit, kind).get(item.id) == item
        assert await rows(unit, kind).get("unknown") is None
        assert await found(unit, kind) == [item]


async def test_nothing_that_a_decision_said_is_too_odd_to_be_kept(store, kind):
    odd = "nul \0, half \ud800, long " + "x" * 5000
    told = occasion(agent_id=odd, conversation_id=odd, workspace_id=odd, model=odd, host=odd, user_id=odd)
    item = KINDS[kind](occasion=told)
    async with store.begin(A) as unit:
        await rows(unit, kind).add([item])
        assert await rows(unit, kind).get(item.id) == item
        assert await found(unit, kind, conversation_id=odd) == [item]
        assert await found(unit, kind, conversation_id=odd + "x") == []


async def test_adding_again_changes_nothing(store, kind):
    first, second = KINDS[kind](), KINDS[kind]()
    async with store.begin(A) as unit:
        await rows(unit, kind).add([])
        await rows(unit, kind).add([first])
        await rows(unit, kind).add([replace(first, occasion=occasion(at_ms=1)), second, second])
        assert await rows(unit, kind).get(first.id) == first
        assert len(await found(unit, kind)) == 2


async def test_many_are_added_at_once(store, kind):
    items = [KINDS[kind](occasion=occasion(at_ms=START + n)) for n in range(1100)]
    async with store.begin(A) as unit:
        await unit.review.statistics.outdate({item.occasion.at_ms for item in items})
        await rows(unit, kind).add(items)
        page = await rows(unit, kind).list(FILTERS[kind](), Slice(limit=500, total=True))
        assert (list(page.items), page.total) == (items[:-501:-1], 1100)


async def test_what_was_decided_stays_when_it_is_projected_again(store, changing):
    item = KINDS[changing]()
    async with store.begin(A) as unit:
        await rows(unit, changing).add([item])
        changed = replace(item, **CHANGED[changing], revision=2)
        await rows(unit, changing).save(changed)
        await rows(unit, changing).add([item])
        assert await rows(unit, changing).get(item.id) == changed
        assert await found(unit, changing, status=item.status) == []
        assert await found(unit, changing, status=changed.status) == [changed]


async def test_a_save_is_the_next_revision_or_nothing(store, changing):
    item = KINDS[changing]()
    async with store.begin(A) as unit:
        with pytest.raises(PreconditionFailed) as refused:
            await rows(unit, changing).save(replace(item, revision=2))
        assert refused.value.current == ""
        await rows(unit, changing).add([item])
        await rows(unit, changing).save(replace(item, reason="two", revision=2))
        for revision in (1, 2, 4):
            with pytest.raises(PreconditionFailed) as refused:
                await rows(unit, changing).save(replace(item, reason="late", revision=revision))
            assert refused.value.current == "2"
        assert (await rows(unit, changing).get(item.id)).reason == "two"


async def test_of_two_that_spend_an_approval_at_once_one_wins(store):
    item = approval(status="approved")
    async with store.begin(A) as unit:
        await unit.approvals.add([item])

    async def spend(receipt):
        async with store.begin(A) as unit:
            await unit.approvals.save(replace(item, status="spent", spent_on=receipt, revision=2))
        return receipt

    results = await asyncio.gather(*(spend(f"r{n}") for n in range(8)), return_exceptions=True)
    winners = [each for each in results if isinstance(each, str)]
    assert len(winners) == 1
    assert all(isinstance(each, PreconditionFailed) for each in results if not isinstance(each, str))
    async with store.begin(A) as unit:
        assert (await unit.approvals.get(item.id)).spent_on == winners[0]


async def test_lists_are_newest_first_and_continue(store, kind):
    items = [KINDS[kind](occasion=occasion(at_ms=START + n // 2)) for n in range(7)]
    async with store.begin(A) as unit:
        await unit.review.statistics.outdate([START])
        await rows(unit, kind).add(items[::-1])
        expected = sorted(items, key=lambda item: (item.occasion.at_ms, item.id), reverse=True)
        walked = await every(lambda part: rows(unit, kind).list(FILTERS[kind](), part), limit=3)
        assert walked == expected
        page = await rows(unit, kind).list(FILTERS[kind](), Slice(limit=2, offset=4, total=True))
        assert (list(page.items), page.total) == (expected[4:6], 7)


async def test_lists_narrow_by_place(store, kind):
    wide, shop, narrow, other = (
        KINDS[kind](occasion=occasion(at_ms=START + n, workspace_id=ws, repo_id=code))
        for n, (ws, code) in enumerate([("", ""), ("w1", ""), ("w1", "r1"), ("w2", "")])
    )
    async with store.begin(A) as unit:
        await rows(unit, kind).add([wide, shop, narrow, other])
        assert await found(unit, kind, within=(EVERYWHERE,)) == [other, narrow, shop, wide]
        assert await found(unit, kind, within=(place("w1"),)) == [narrow, shop]
        assert await found(unit, kind, within=(place("w1", "r1"), place("w2"))) == [other, narrow]
        assert await found(unit, kind, within=()) == []


async def test_violations_and_alerts_narrow_by_every_other_field(store):
    told = occasion(
        receipt_id="r",
        agent_id="bot",
        conversation_id="c",
        at_ms=START + 5,
        model="m",
        provider="p",
        host="h",
    )
    async with store.begin(A) as unit:
        for kind in ("violations", "alerts"):
            plain = KINDS[kind]()
            wanted = KINDS[kind](occasion=told, policy=snapshot(id="pol-2", risk="LOW"))
            await rows(unit, kind).add([plain, wanted])
            for where in (
                {"policy_ids": frozenset({"pol-2", "x"})},
                {"receipt_id": "r"},
                {"agent_id": "bot"},
                {"conversation_id": "c"},
                {"from_ms": START + 1},
                {"from_ms": START + 5, "to_ms": START + 6},
                {"models": frozenset({"m"})},
                {"providers": frozenset({"p"})},
                {"hosts": frozenset({"h"})},
            ):
                assert await found(unit, kind, **where) == [wanted], where
            assert await found(unit, kind, to_ms=START + 5) == [plain]
            assert await found(unit, kind, models=frozenset()) == []
        mild = violation(block=False, policy=snapshot(risk="MEDIUM"), occasion=occasion(at_ms=START + 9))
        await unit.review.violations.add([mild])
        assert await found(unit, "violations", block=False) == [mild]
        assert await found(unit, "violations", risks=frozenset({"MEDIUM"})) == [mild]
        assert len(await found(unit, "violations", risks=frozenset({"LOW", "HIGH"}), block=True)) == 2
        assert len(await found(unit, "alerts", risks=frozenset({"MEDIUM"}), block=False)) == 2


async def test_attention_items_narrow_by_every_other_field(store):
    plain = attention(policy=None)
    told = occasion(receipt_id="r", conversation_id="c", at_ms=START + 1)
    wanted = attention(occasion=told, policy=snapshot(id="pol-2"), type="escalation", status="resolved")
    async with store.begin(A) as unit:
        await unit.review.attention.add([plain, wanted])
        for where in (
            {"status": "resolved"},
            {"types": frozenset({"escalation", "x"})},
            {"other_than": frozenset({"policy_review", "x"})},
            {"policy_id": "pol-2"},
            {"receipt_id": "r"},
            {"conversation_id": "c"},
        ):
            assert await found(unit, "attention", **where) == [wanted], where
        assert await found(unit, "attention", status="open") == [plain]


async def test_approvals_narrow_by_every_other_field(store):
    plain = approval()
    told = occasion(agent_id="bot", conversation_id="c", at_ms=START + 1)
    policies = (snapshot(id='a"b'), snapshot(id="pol-2"))
    wanted = approval(occasion=told, policies=policies, status="spent", expires_ms=START + 90_000)
    async with store.begin(A) as unit:
        await unit.approvals.add([plain, wanted])
        for where in (
            {"status": "spent"},
            {"open_at_ms": START + 60_000},
            {"conversation_id": "c"},
            {"agent_id": "bot"},
            {"policy_id": "pol-2"},
            {"policy_id": 'a"b'},
        ):
            assert await found(unit, "approvals", **where) == [wanted], where
        assert await found(unit, "approvals", policy_id="b") == []
        assert await found(unit, "approvals", open_at_ms=START + 90_000) == []
        assert await found(unit, "approvals", open_at_ms=START + 59_999) == [wanted, plain]


async def test_an_item_of_another_tenant_is_refused(store, kind):
    async with store.begin(A) as unit:
        with pytest.raises(Forbidden):
            await rows(unit, kind).add([KINDS[kind](), KINDS[kind](B)])
        assert await found(unit, kind) == []


async def test_lists_narrow_by_the_person_who_has_it_or_nobody(store, changing):
    theirs, nobodys = KINDS[changing](assignee="ada"), KINDS[changing]()
    async with store.begin(A) as unit:
        await rows(unit, changing).add([theirs, nobodys])
        assert await found(unit, changing, assignee="ada") == [theirs]
        assert await found(unit, changing, assignee="eve") == []
        assert await found(unit, changing, is_assigned=True) == [theirs]
        assert await found(unit, changing, is_assigned=False) == [nobodys]
        given = replace(nobodys, assignee="eve", revision=2)
        await rows(unit, changing).save(given)
        await rows(unit, changing).save(replace(theirs, assignee=None, revision=2))
        assert await found(unit, changing, is_assigned=True, assignee="eve") == [given]
        assert len(await found(unit, changing, is_assigned=False)) == 1
