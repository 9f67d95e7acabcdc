"""What every store of conversations does."""

from dataclasses import replace

import pytest

from bylaw.core.errors import Conflict, PreconditionFailed
from bylaw.core.paging import Slice
from bylaw.learning.store import ConversationFilter
from tests.contracts.lists import every
from tests.contracts.values import START, A, attention, conversation, occasion, place, workspace

ALL = Slice(limit=100)


async def ids(unit, **where):
    return [each.id for each in (await unit.conversations.list(ConversationFilter(**where), ALL)).items]


async def test_a_conversation_is_read_back_whole_and_replaced_by_its_next_revision(store):
    first = conversation(outcome="refunded", resolved_by="ada", resolved_ms=START, human_managed=True)
    async with store.begin(A) as unit:
        await unit.conversations.add(first)
        with pytest.raises(Conflict):
            await unit.conversations.add(replace(first, contact_name="Bob"))
        assert await unit.conversations.get(first.id) == first
        assert await unit.conversations.get("unknown") is None
    later = replace(first, status="closed", revision=2)
    async with store.begin(A) as unit:
        await unit.conversations.save(later)
        with pytest.raises(PreconditionFailed) as refused:
            await unit.conversations.save(later)
        assert refused.value.current == "2"
        assert await unit.conversations.get(first.id) == later


async def test_lists_narrow_by_every_field(store):
    shop = workspace()
    plain = conversation()
    odd = conversation(
        created_ms=START + 1,
        place=place(shop.id),
        status="resolved",
        contact_id="c7",
        account_id="a7",
        contact_email="Eve@example.org",
        human_managed=True,
        messages=(),
    )
    told = occasion(A, conversation_id=odd.id)
    done = attention(occasion=occasion(A, conversation_id=plain.id), status="resolved")
    async with store.begin(A) as unit:
        await unit.tenancy.workspaces.add(shop)
        for each in (plain, odd):
            await unit.conversations.add(each)
        await unit.review.attention.add([attention(occasion=told), done])
        assert await ids(unit) == [odd.id, plain.id]
        for where in (
            {"within": (place(shop.id),)},
            {"status": "resolved"},
            {"contact_id": "c7"},
            {"account_id": "a7"},
            {"human_managed": True},
            {"has_attention": True},
            {"text": "EVE@"},
        ):
            assert await ids(unit, **where) == [odd.id], where
        for where in ({"text": "STRASSE 7"}, {"human_managed": False}, {"has_attention": False}):
            assert await ids(unit, **where) == [plain.id], where
        for where in ({"within": ()}, {"text": "nowhere"}, {"status": "closed"}):
            assert await ids(unit, **where) == [], where


async def test_a_list_is_newest_first_and_continues(store):
    made = [conversation(created_ms=START + n // 2) for n in range(7)]
    async with store.begin(A) as unit:
        for each in made:
            await unit.conversations.add(each)
        walked = await every(lambda part: unit.conversations.list(ConversationFilter(), part))
    assert walked == sorted(made, key=lambda each: (each.created_ms, each.id), reverse=True)


async def test_what_somebody_has_alone_is_found_by_them_and_where_it_is_open(store):
    shop = workspace()
    shared, gone = conversation(), conversation(created_ms=START + 1, deleted_ms=START + 9)
    mine = conversation(created_ms=START + 2, owner="user:ada", place=place(shop.id))
    theirs = conversation(created_ms=START + 3, owner="user:bob", place=place(shop.id))
    async with store.begin(A) as unit:
        await unit.tenancy.workspaces.add(shop)
        for each in (shared, gone, mine, theirs):
            await unit.conversations.add(each)
        for where, wanted in (
            ({}, (theirs, mine, shared)),
            ({"deleted": True}, (theirs, mine, gone, shared)),
            ({"owned": True}, (theirs, mine)),
            ({"owned": False}, (shared,)),
            ({"owners": frozenset({"user:bob", "key:bob"})}, (theirs,)),
            ({"reader": "user:ada"}, (mine, shared)),
            ({"reader": "user:eve"}, (shared,)),
            ({"reader": "user:eve", "open_in": (place(shop.id),)}, (theirs, mine, shared)),
            ({"repo_id": "r"}, ()),
            ({"from_ms": START + 2, "to_ms": START + 3}, (mine,)),
        ):
            assert await ids(unit, **where) == [each.id for each in wanted], where


async def test_a_forgotten_conversation_is_in_no_list(store):
    kept, forgotten = conversation(), conversation(deleted_ms=START, forgotten_ms=START)
    async with store.begin(A) as unit:
        for each in (kept, forgotten):
            await unit.conversations.add(each)
    async with store.begin(A, writes=False) as unit:
        assert await unit.conversations.get(forgotten.id) == forgotten
        assert await ids(unit) == await ids(unit, deleted=True) == [kept.id]
        some = [kept.id, forgotten.id, "unknown"]
        assert await unit.conversations.forgotten(some) == frozenset({forgotten.id})
        assert await unit.conversations.forgotten([]) == frozenset()
