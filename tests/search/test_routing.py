"""From what a customer says to topics."""

import pytest

from bylaw.core.clock import ManualClock
from bylaw.core.ids import Ids
from bylaw.policies.model import DeterministicRule, NaturalRule
from bylaw.search.routing import MARGIN, MOST, first_said, route
from bylaw.search.routing import routed as routed_by
from bylaw.tenancy.model import EVERYWHERE
from bylaw.tenancy.principal import Acting, system_principal
from tests.contracts.values import A, content, current, policy
from tests.search.test_query import Concepts, embed, finder_of, store

__all__ = ["store"]

JUDGED = (NaturalRule(id="r", text="Be kind."),)
NOTHING = {}
CERTAIN = (DeterministicRule(id="r", expr="amount < 5"),)


async def write(store, name, topic, *, rules=JUDGED, action="log", said=NOTHING, **given):
    text = content(
        name=name,
        topic=topic,
        rules=rules,
        action=action,
        description="",
        conditions=None,
        examples=(),
        mask=None,
        **said,
    )
    async with store.begin(A) as unit:
        await unit.policies.add_all([current(policy(**given), content=text)])


async def routed(store, said, principal=None):
    clock = ManualClock()
    async with store.begin(A, writes=False) as unit:
        who = system_principal(A) if principal is None else principal
        acting = Acting(unit=unit, principal=who, clock=clock, ids=Ids(clock))
        return await route(acting, finder_of(Concepts()), said, place=EVERYWHERE)


async def test_a_topic_that_leads_is_chosen(store):
    await write(store, "Reimburse in a week", "returns")
    await write(store, "Never shout at the furious", "tempers")
    await embed(store, Concepts())
    found = await routed(store, "Hello!\nI want my money back")
    assert (found.chosen, found.topics, found.margin) == (("returns",), ("returns",), 1)
    assert found.candidates[0].name == "Reimburse in a week"


@pytest.mark.parametrize("count", [MOST, MOST + 1])
async def test_topics_that_are_equally_near_are_all_chosen_unless_they_are_many(store, count):
    for n in range(count):
        await write(store, "Reimburse", f"topic {n}")
    await embed(store, Concepts())
    found = await routed(store, "money back")
    assert (found.margin, len(found.candidates)) == (0, count)
    assert (len(found.chosen), bool(found.why)) == ((MOST, False) if count == MOST else (0, True))


async def test_a_topic_that_is_hardly_less_like_it_is_chosen_too_however_scores_spread(store):
    await write(store, "Reimburse", "returns")
    await write(store, "Give money back", "money")
    await embed(store, Concepts())
    found = await routed(store, "money back")
    assert found.margin > MARGIN
    assert set(found.chosen) == {"returns", "money"}


async def test_what_only_shares_a_word_with_what_was_said_is_not_chosen(store):
    await write(store, "Never shout at the furious", "tempers")
    await embed(store, Concepts())
    found = await routed(store, "My parcel moved, never mind to shout")
    assert found.candidates[0].words == ("never", "shout")
    assert (found.chosen, found.topics, found.why) == ((), (), "No topic is near to what was said.")


async def meant(store, embedder, *turns):
    clock = ManualClock()
    async with store.begin(A, writes=False) as unit:
        acting = Acting(unit=unit, principal=system_principal(A), clock=clock, ids=Ids(clock))
        return await routed_by(acting, finder_of(embedder), turns, place=EVERYWHERE)


async def test_a_decision_is_led_to_what_is_chosen_and_told_who_compared(store):
    await write(store, "Reimburse in a week", "returns")
    await write(store, "Never shout at the furious", "tempers", action="block")
    await embed(store, Concepts())
    found = await meant(store, Concepts(), "Hello!", "I want my money back")
    assert (found.topics, found.embedder, found.why) == (("returns",), "concepts@1", "")


async def test_nothing_is_left_out_while_something_is_not_compared(store):
    await write(store, "Reimburse", "returns")
    assert (await meant(store, Concepts(), "money back")).topics == ()
    await embed(store, Concepts())
    assert (await meant(store, Concepts(), "money back")).topics == ("returns",)
    failing = await meant(store, Concepts(fails=True), "reimburse money back")
    assert (failing.topics, failing.why) == ((), "Nobody tells at the moment what is meant.")
    other = await meant(store, Concepts("concepts@2"), "money back")
    assert (other.topics, other.why) == ((), "Not embedded yet: 1 texts of policies.")
    await write(store, "Anything", "fresh")
    assert (await meant(store, Concepts(), "money back")).topics == ()


async def test_where_nothing_is_found_nothing_is_left_out(store):
    await write(store, "Reimburse", "returns", action="block")
    await embed(store, Concepts())
    found = await routed(store, "the weather")
    assert (found.chosen, found.topics, found.margin, found.candidates) == ((), (), 0, ())


@pytest.mark.parametrize(
    ("action", "rules", "stays"),
    [
        ("block", JUDGED, True),
        ("review", JUDGED, True),
        ("log", CERTAIN, True),
        ("alert", CERTAIN, True),
        ("log", JUDGED, False),
        ("alert", (*JUDGED, *CERTAIN), False),
    ],
)
async def test_likeness_never_takes_out_what_blocks_or_is_certain(store, action, rules, stays):
    await write(store, "Reimburse", "returns")
    await write(store, "Something else", "other", action=action, rules=rules)
    await embed(store, Concepts())
    found = await routed(store, "money back")
    assert found.chosen == ("returns",)
    assert found.topics == (("other", "returns") if stays else ("returns",))


async def test_only_policies_in_force_are_candidates(store):
    await write(store, "Reimburse", "returns", is_active=False)
    await write(store, "Reimburse", "drafts", status="pending_review", approved=None)
    await embed(store, Concepts())
    assert (await routed(store, "money back")).candidates == ()


def test_what_was_said_first_is_one_text():
    assert first_said(["Hello", "I moved", "Yes", "Thanks"]) == "Hello\nI moved\nYes"
