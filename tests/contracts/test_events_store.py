"""What every store of events does: numbers for entries, lists newest first, and what readers have read."""

from dataclasses import replace

from bylaw.core.paging import Slice
from bylaw.review.events import EventFilter
from tests.contracts.values import START, A, B, event

ALL = Slice(limit=100, total=True)


async def found(unit, reader="ada", part=ALL, **where):
    return await unit.events.list(EventFilter(**where), part, reader=reader)


async def test_events_are_numbered_in_their_order_and_kept_once(store):
    one, two, three = event(), event(fields=({"name": "risk", "now": '"HIGH"', "was": ""},)), event()
    async with store.begin(A) as unit:
        await unit.events.add([one, two])
        await unit.events.add([replace(two, ident="other"), three])
        await unit.events.add([])
    async with store.begin(B) as unit:
        await unit.events.add([one])
    async with store.begin(A, writes=False) as unit:
        page = await found(unit)
        assert [seen.event for seen in page.items] == [
            replace(three, number=3),
            replace(two, number=2),
            replace(one, number=1),
        ]
        assert page.total == 3


async def test_lists_continue_after_a_cursor(store):
    async with store.begin(A) as unit:
        await unit.events.add([event(ident=str(n)) for n in range(5)])
        first = await found(unit, part=Slice(limit=2))
        second = await found(unit, part=Slice(limit=2, cursor=first.next_cursor))
        assert [seen.event.number for seen in (*first.items, *second.items)] == [5, 4, 3, 2]
        later = await found(unit, part=Slice(limit=2, offset=4))
        assert [seen.event.number for seen in later.items] == [1]


async def test_filters_combine(store):
    rows = [
        event(noun="policy", workspace_id="w1", who="ada"),
        event(noun="repo", workspace_id="w2", who="bob", at_ms=START + 5, change="deleted", ident="r"),
        event(noun="user", who="bob", at_ms=START + 9),
    ]
    cases = [
        ({"nouns": frozenset({"policy", "user"})}, [3, 1]),
        ({"nouns": frozenset()}, []),
        ({"change": "deleted"}, [2]),
        ({"ident": "r"}, [2]),
        ({"who": "bob"}, [3, 2]),
        ({"workspace_id": "w1"}, [1]),
        ({"from_ms": START + 5, "to_ms": START + 9}, [2]),
        ({"visible": ("ada", frozenset({"w2"}))}, [2, 1]),
        ({"visible": ("nobody", frozenset())}, []),
        ({"who": "bob", "visible": ("ada", frozenset({"w2"}))}, [2]),
    ]
    async with store.begin(A) as unit:
        await unit.events.add(rows)
        for where, numbers in cases:
            assert [seen.event.number for seen in (await found(unit, **where)).items] == numbers, where


async def test_what_one_reader_read_is_unread_for_another(store):
    async with store.begin(A) as unit:
        await unit.events.add([event(), event()])
        await unit.events.mark("ada", [1, 77])
        await unit.events.mark("ada", [1])
    async with store.begin(B) as unit:
        await unit.events.add([event()])
        await unit.events.mark("ada", [1])
    async with store.begin(A) as unit:
        assert [seen.is_read for seen in (await found(unit)).items] == [False, True]
        assert [seen.is_read for seen in (await found(unit, reader="bob")).items] == [False, False]
        unread = await found(unit, unread=True)
        assert ([seen.event.number for seen in unread.items], unread.total) == ([2], 1)
        await unit.events.unmark("ada", [1, 2])
        assert [seen.is_read for seen in (await found(unit)).items] == [False, False]
    async with store.begin(B, writes=False) as unit:
        assert [seen.is_read for seen in (await found(unit)).items] == [True]
