"""From what a customer says to topics."""

import pytest

from bylaw.core.clock import ManualClock
from bylaw.core.ids import Ids
from bylaw.policies.model import DeterministicRule, NaturalRule
from bylaw.search.routing import MOST, first_said, route
from bylaw.tenancy.model import EVERYWHERE
from bylaw.tenancy.principal import Acting, system_principal
from tests.contracts.values import A, content, current, policy
from tests.search.test_query import Concepts, embed, finder_of, store

__all__ = ["store"]

JUDGED = (NaturalRule(id="r", text="Be kind."),)
CERTAIN = (DeterministicRule(id="r", expr="amount < 5"),)


async def write(store, name, topic, *, rules=JUDGED, action="log", **given):
    text = content(
        name=name, topic=topic, rules=rules, action=action, description="", conditions=None, examples=()
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


async def test_topics_that_are_equally_near_are_all_chosen_up_to_a_few(store):
    for n in range(MOST + 2):
        await write(store, "Reimburse", f"topic {n}")
    await embed(store, Concepts())
    found = await routed(store, "money back")
    assert (len(found.chosen), found.margin, len(found.candidates)) == (MOST, 0, MOST + 2)


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
