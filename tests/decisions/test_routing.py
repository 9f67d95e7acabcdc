"""Decisions that find their topics: what likeness may leave out, and what it never does."""

import asyncio
from dataclasses import dataclass, field

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bylaw.core.errors import Unavailable
from bylaw.decisions.model import Routed
from bylaw.decisions.request import customer_turns, read
from bylaw.decisions.snapshot import build
from bylaw.policies.outcomes import RANK, is_firm
from tests.decisions.test_against_reference import requests, usable, worlds
from tests.decisions.world import World, agent, caller, place, policy

TOPICS = ["returns", "Order-Verification", "nothing here"]


@dataclass
class Leads:
    """A router that always leads the same way; `turns` is what it was told."""

    found: Routed
    turns: list = field(default_factory=list)

    async def route(self, _tenant_id, _place, turns):
        self.turns += turns
        return self.found


class Fails:
    async def route(self, *_asked):
        raise Unavailable("The model is not there.")


class Late:
    async def route(self, *_asked):
        await asyncio.Event().wait()


def to(*topics):
    return Leads(Routed(topics=topics, margin=0.5, embedder="concepts@1"))


def decided(world, router, **request):
    """The request with where it leads, and what is decided about it."""
    engine, by = world.engine(router=router), caller("decisions:write", "policy:write")

    async def decide():
        led = await engine.routed(read({"route": True, **request}), by)
        return led, await engine.decide(led, by)

    return asyncio.run(decide())


def outcome_and_policies(decision):
    return decision.outcome, [(each.id, each.status, each.outcome) for each in decision.policies]


@settings(max_examples=200, deadline=None)
@given(worlds(requiring=False), requests, st.lists(st.sampled_from(TOPICS), max_size=2))
def test_a_routed_decision_is_never_weaker_than_what_firm_policies_give_alone(made, request, topics):
    world, _ = made
    request = {key: value for key, value in usable(world, request).items() if key not in {"topics", "routed"}}
    request["user_intent"] = "hello"
    _, decision = decided(world, to(*topics), **request)
    applied = {each.id for each in decision.policies}
    firm = [each for each in world.policies if is_firm(each.version.content)]
    bound = {each.policy.id for each in world.policies} & {"p0", "p1"}
    kept = {each.policy.id for each in firm} | (applied & bound)
    world.policies = [each for each in world.policies if each.policy.id in kept]
    world.dormant = {*world.dormant, "p0", "p1"} - kept
    if request.get("policy_id") not in kept:
        request.pop("policy_id", None)
    _, alone = decided(world, None, **{**request, "route": False})
    assert RANK[decision.outcome] >= RANK[alone.outcome]
    assert applied >= {each.id for each in alone.policies}


@settings(max_examples=200, deadline=None)
@given(worlds(), requests, st.lists(st.sampled_from(TOPICS), max_size=2))
def test_the_recorded_request_is_decided_the_same_by_somebody_who_routes_nothing(made, request, topics):
    world, _ = made
    led, decision = decided(world, to(*topics), **usable(world, request))
    recorded = msgspec.to_builtins(msgspec.json.decode(msgspec.json.encode(led)))
    again, replayed = decided(world, None, **recorded)
    assert again == led
    assert outcome_and_policies(replayed) == outcome_and_policies(decision)
    assert replayed.routed == decision.routed


SOFT = [policy("a", "flag:be kind", topic="returns", action="log"),
        policy("b", "flag:be quick", topic="shipping", action="alert")]  # fmt: skip


def applied(decision):
    return [each.id for each in decision.policies]


def test_likeness_leaves_out_what_only_notes_and_is_judged():
    led, decision = decided(World(policies=SOFT), to("returns"), user_intent="money back")
    assert applied(decision) == ["a"]
    assert led.routed == decision.routed == Routed(topics=("returns",), margin=0.5, embedder="concepts@1")


@pytest.mark.parametrize(
    "stays",
    [
        {"action": "block"},
        {"action": "review"},
        {"on_indeterminate": "block"},
        {"mask": {"personal_data": ["email"]}},
        {"rules": ["true"]},
        {"rules": [{"type": "nl", "text": "be kind", "effect": "flag", "attention": True}]},
        {"topic": None},
    ],
    ids=["block", "review", "undecided", "mask", "deterministic", "attention", "no topic"],
)
def test_likeness_never_leaves_out_what_stops_withholds_asks_or_is_certain(stays):
    said = {"topic": "shipping", "action": "alert", **stays}
    other = policy("b", *said.pop("rules", ["flag:be kind"]), **said)
    _, decision = decided(World(policies=[SOFT[0], other]), to("returns"), user_intent="money back")
    assert applied(decision) == ["a", "b"]


def test_conditions_do_not_see_where_likeness_leads():
    about = policy("b", "false", topic="shipping", conditions={"topics": ["shipping"]}, action="block")
    _, decision = decided(World(policies=[SOFT[0], about]), to("returns"), user_intent="money back")
    assert decision.outcome == "block"


def test_given_topics_are_not_looked_for():
    router = to("returns")
    led, decision = decided(World(policies=SOFT), router, user_intent="money back", topics=["shipping"])
    assert (applied(decision), router.turns, led.routed) == (["b"], [], msgspec.UNSET)


@pytest.mark.parametrize(
    ("router", "request_", "why"),
    [
        (None, {}, "There is nobody here who compares meanings."),
        (Fails(), {}, "The model is not there."),
        (Late(), {"deadline_ms": 40}, "Comparing meanings took too long."),
        (to("returns"), {"user_intent": " "}, "The customer has not said anything."),
        (to("returns"), {"agent_id": "guest", "workspace_id": "w2"}, "The agent takes along"),
    ],
    ids=["nobody", "failing", "late", "silent", "elsewhere"],
)
def test_in_doubt_nothing_is_left_out_and_the_answer_says_why(router, request_, why):
    world = World(policies=SOFT, agents=[agent("guest", where=place("w1"))])
    _, decision = decided(world, router, **{"user_intent": "money back", **request_})
    assert applied(decision) == ["a", "b"]
    assert decision.routed.topics == ()
    assert decision.routed.why.startswith(why)


def test_a_policy_that_came_while_meanings_were_compared_is_not_left_out():
    world = World(policies=SOFT[:1])

    class Publishes(Leads):
        async def route(self, *_asked):
            world.policies = SOFT
            engine.snapshots.publish(build(world.material(revision=2)))
            return self.found

    engine = world.engine(router=Publishes(Routed(topics=("returns",))))

    async def decide():
        led = await engine.routed(read({"route": True, "user_intent": "money back"}), caller())
        return await engine.decide(led, caller())

    decision = asyncio.run(decide())
    assert applied(decision) == ["a", "b"]
    assert decision.routed.why == "Policies changed meanwhile."


def test_turns_are_those_of_the_customer_in_their_order():
    asked = read(
        {
            "messages": [
                {"role": "system", "content": "Be kind."},
                {"role": "user", "content": "Hello"},
                {"role": "assistant", "content": "Yes?"},
                {"role": "customer", "content": [{"type": "text", "text": "I moved"}]},
                {"role": "user", "content": " "},
            ],
            "user_intent": "And now?",
        }
    )
    assert customer_turns(asked) == ["Hello", "I moved", "And now?"]
