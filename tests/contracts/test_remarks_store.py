"""What every store of remarks about the inbox does."""

from dataclasses import replace

import pytest

from bylaw.core.errors import Forbidden
from bylaw.core.paging import Slice
from tests.contracts.lists import every
from tests.contracts.values import START, A, B, attention, remark


async def thread(unit, about="att-1"):
    return list((await unit.remarks.list(about, Slice(limit=100))).items)


async def test_what_was_said_is_read_back_whole_and_of_its_thing_alone(store):
    said, odd = remark(text="half a word: \u00e9\u202e"), remark(about="apr-1")
    given = remark(kind="assigned", assignee="ada", text="", created_ms=START + 1)
    async with store.begin(A) as unit:
        for each in (said, odd, given):
            await unit.remarks.add(each)
    async with store.begin(A, writes=False) as unit:
        assert await thread(unit) == [given, said]
        assert await thread(unit, "apr-1") == [odd]
        assert await thread(unit, "unknown") == []
    async with store.begin(B, writes=False) as unit:
        assert await thread(unit) == []


async def test_a_thread_is_newest_first_and_continues(store):
    said = [remark(created_ms=START + n // 2) for n in range(7)]
    async with store.begin(A) as unit:
        for each in said:
            await unit.remarks.add(each)
        walked = await every(lambda part: unit.remarks.list("att-1", part), limit=3)
    assert walked == sorted(said, key=lambda each: (each.created_ms, each.id), reverse=True)


async def test_comments_are_counted_and_nothing_else(store):
    async with store.begin(A) as unit:
        for each in (remark(), remark(), remark(about="att-2"), remark(kind="unassigned", about="att-3")):
            await unit.remarks.add(each)
        assert await unit.remarks.comments(["att-1", "att-2", "att-3", "att-4"]) == {"att-1": 2, "att-2": 1}
        assert await unit.remarks.comments(["att-2"]) == {"att-2": 1}
        assert await unit.remarks.comments([]) == {}


async def test_erasing_takes_the_words_about_one_decision_and_leaves_that_there_were_some(store):
    said, other = remark(), remark(receipt_id="rcpt-2", created_ms=START + 1)
    given = remark(kind="assigned", assignee="ada", text="", created_ms=START + 2)
    async with store.begin(A) as unit:
        for each in (said, other, given):
            await unit.remarks.add(each)
        await unit.remarks.erase("rcpt-1")
        assert await thread(unit) == [given, other, replace(said, text=None)]
        assert await unit.remarks.comments(["att-1"]) == {"att-1": 2}


async def test_a_remark_of_another_tenant_is_refused(store):
    async with store.begin(A) as unit:
        with pytest.raises(Forbidden):
            await unit.remarks.add(remark(B))
        assert await thread(unit) == []


async def test_what_the_server_takes_out_of_hands_is_kept_from_the_operators_transaction(store):
    item, told = attention(assignee="ada"), remark(kind="unassigned", assignee="ada", text="")
    async with store.begin(A) as unit:
        await unit.review.attention.add([item])
    async with store.system() as system:
        await system.of(A).review.attention.save(replace(item, assignee=None, revision=2))
        await system.of(A).remarks.add(told)
    async with store.begin(A, writes=False) as unit:
        assert await thread(unit) == [told]
        assert (await unit.review.attention.get(item.id)).assignee is None
