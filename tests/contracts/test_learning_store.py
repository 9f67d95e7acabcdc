"""What every store of the learning loop does."""

from dataclasses import replace

import pytest

from bylaw.core.errors import Conflict, PreconditionFailed
from bylaw.core.paging import Slice
from bylaw.learning.mining.model import Case, Draft, Quote, Tried
from bylaw.learning.report import Choices, Finding, Report
from bylaw.tenancy.model import EVERYWHERE
from tests.contracts.lists import every
from tests.contracts.values import START, A, learning_settings, place, run, workspace


async def test_choices_are_read_back_and_replaced_by_their_next_revision(store):
    shop = workspace()
    first = learning_settings(id=shop.id)
    async with store.begin(A) as unit:
        await unit.tenancy.workspaces.add(shop)
        assert await unit.learning.settings.get(shop.id) is None
        await unit.learning.settings.add(first)
        with pytest.raises(Conflict):
            await unit.learning.settings.add(first)
        chosen = replace(first, choices=Choices(enabled=False, similarity=0.5, miner="model"), revision=2)
        await unit.learning.settings.save(chosen)
        with pytest.raises(PreconditionFailed):
            await unit.learning.settings.save(chosen)
    async with store.begin(A, writes=False) as unit:
        assert await unit.learning.settings.get(shop.id) == chosen


def report() -> Report:
    draft = Draft(
        kind="correction",
        text="Never promise a date.",
        expr="tool_call.name != 'ship'",
        topic="shipping",
        quotes=(Quote(conversation_id="c", message=3, speaker="human", text="We never promise a date."),),
        supports=("c", "d"),
        against=1,
        confidence=0.62,
        examples=(
            Case(
                name="kept",
                expect="pass",
                request={"agent_output": "It is on its way."},
                conversation_id="e",
            ),
        ),
        tried=Tried(satisfied=3, violated=1, undecided=2, samples=("c",)),
    )
    finding = Finding(draft=draft, held_back="duplicate", because_of="pol_1", notes=("as one in force",))
    return Report(miner="offline", embedder="ngrams", read=7, findings=(finding,), note="n")


async def test_a_run_is_read_back_whole_with_what_it_found(store):
    begun = run(conversation_id="c", dry_run=True, cause="resolved")
    done = replace(begun, status="finished", report=report(), finished_ms=START + 5, revision=2)
    async with store.begin(A) as unit:
        await unit.learning.runs.add(begun)
        assert await unit.learning.runs.get(begun.id) == begun
        await unit.learning.runs.save(done)
    async with store.begin(A, writes=False) as unit:
        assert await unit.learning.runs.get(begun.id) == done
        assert await unit.learning.runs.get("unknown") is None


async def test_runs_are_listed_newest_first_where_they_may_be_read(store):
    shop = workspace()
    async with store.begin(A) as unit:
        await unit.tenancy.workspaces.add(shop)
        there = [run(created_ms=START + n // 2, place=place(shop.id)) for n in range(5)]
        elsewhere = run(created_ms=START + 9)
        for each in (*there, elsewhere):
            await unit.learning.runs.add(each)
        listed = await every(lambda part: unit.learning.runs.list((place(shop.id),), part))
        assert listed == sorted(there, key=lambda each: (each.created_ms, each.id), reverse=True)
        assert (await unit.learning.runs.list((), Slice(limit=5))).items == ()
        everything = await unit.learning.runs.list((EVERYWHERE,), Slice(limit=9, total=True))
        assert (everything.items[0], everything.total) == (elsewhere, 6)


async def test_runs_that_are_not_over_are_found_the_oldest_first(store):
    shop = workspace()
    async with store.begin(A) as unit:
        await unit.tenancy.workspaces.add(shop)
        there = place(shop.id)
        later, first = run(place=there, created_ms=START + 2), run(place=there, status="running")
        over = (run(place=there, status="finished"), run(place=there, status="failed"))
        for each in (later, first, *over, run(place=EVERYWHERE)):
            await unit.learning.runs.add(each)
        assert await unit.learning.runs.unfinished(there) == [first, later]


async def test_a_run_is_found_by_every_conversation_on_which_its_report_draws(store):
    begun, other = run(), run()
    async with store.begin(A) as unit:
        for each in (begun, other):
            await unit.learning.runs.add(each)
        done = replace(begun, status="finished", report=report(), revision=2)
        await unit.learning.runs.save(done)
        await unit.learning.runs.save(replace(done, revision=3))
    async with store.begin(A, writes=False) as unit:
        for ident in ("c", "d", "e"):
            assert await unit.learning.runs.drawing_on(ident) == [begun.id]
        assert await unit.learning.runs.drawing_on("f") == []


async def test_workspaces_that_keep_conversations_for_a_while_are_found(store):
    shops = sorted((workspace(), workspace(), workspace()), key=lambda each: each.id)
    async with store.begin(A) as unit:
        for shop, days in zip(shops, (7, 0, 30), strict=True):
            await unit.tenancy.workspaces.add(shop)
            await unit.learning.settings.add(learning_settings(id=shop.id, choices=Choices(keep_days=days)))
        assert [each.id for each in await unit.learning.settings.keeping()] == [shops[0].id, shops[2].id]
