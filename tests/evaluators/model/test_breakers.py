"""When a model is left alone, and by whom: what is its fault, and what is that of who asks."""

import asyncio
from dataclasses import replace

import pytest

from bylaw.evaluators.model.breaker import Breakers
from tests.evaluators.model.judging import RIVAL, Time, evaluator_of, judged, outcome
from tests.evaluators.model.test_failures_of_models import BROKEN
from tests.model_server.minds import judge
from tests.model_server.server import Answer, failure, serving


async def test_a_model_that_keeps_failing_is_left_alone_then_tried_once():
    time = Time()
    async with serving(lambda _: failure(500)) as server:
        evaluator = evaluator_of(server, time=time)
        found = [outcome((await judged(evaluator, RIVAL))[RIVAL])[1] for _ in range(3)]
        assert found == ["model_unavailable", "breaker_open", "breaker_open"]
        assert (len(server.asked), evaluator.state_of("t1")) == (5, "open")
        time.now += 30
        assert evaluator.state_of("t1") == "half_open"
        assert outcome((await judged(evaluator, RIVAL))[RIVAL]) == ("indeterminate", "breaker_open")
        assert (len(server.asked), evaluator.state_of("t1")) == (6, "open")
        time.now += 30
        server.script = judge()
        assert outcome((await judged(evaluator, RIVAL))[RIVAL]) == "violated"
        assert evaluator.state_of("t1") == "closed"


async def test_only_one_call_tries_a_model_again():
    time, gate = Time(), asyncio.Event()
    async with serving(lambda _: failure(500)) as server:
        evaluator = evaluator_of(server, time=time)
        for _ in range(2):
            await judged(evaluator, RIVAL)
        time.now += 30
        server.came.clear()
        answer = judge()
        server.script = lambda asked: Answer(text=answer(asked).text, gate=gate)
        first = asyncio.create_task(judged(evaluator, RIVAL))
        await server.came.wait()
        assert outcome((await judged(evaluator, RIVAL))[RIVAL]) == ("indeterminate", "breaker_open")
        gate.set()
        assert outcome((await first)[RIVAL]) == "violated"
        assert len(server.asked) == 6


async def test_a_try_that_is_given_up_leaves_the_next_one_to_try():
    time = Time()
    async with serving(lambda _: failure(500)) as server:
        evaluator = evaluator_of(server, time=time)
        for _ in range(2):
            await judged(evaluator, RIVAL)
        time.now += 30
        server.came.clear()
        server.plays.append(Answer(stalls=True))
        server.script = judge()
        first = asyncio.create_task(judged(evaluator, RIVAL))
        await server.came.wait()
        first.cancel()
        await asyncio.wait([first])
        assert outcome((await judged(evaluator, RIVAL))[RIVAL]) == "violated"


@pytest.mark.parametrize(
    "answer",
    [Answer(text="No."), Answer(text="", finish="content_filter"), failure(400)],
    ids=["prose", "filter", "400"],
)
async def test_what_facts_can_make_a_model_say_does_not_stop_it_for_others(answer):
    async with serving(lambda _: answer) as server:
        evaluator = evaluator_of(server, time=Time())
        for _ in range(8):
            await judged(evaluator, RIVAL)
        assert evaluator.state_of("t1") == "closed"


def slow(time):
    """Return a model that takes ten seconds to say nothing that can be used."""

    def script(_asked):
        time.now += 10
        return Answer(text="Hm.")

    return script


async def test_a_model_that_is_late_for_one_tenant_is_left_alone_by_that_one():
    time = Time()
    async with serving(slow(time)) as server:
        evaluator = evaluator_of(server, time=time)
        found = [outcome((await judged(evaluator, RIVAL))[RIVAL])[1] for _ in range(6)]
        assert found == ["deadline"] * 5 + ["breaker_open"]
        assert (evaluator.state_of("t1"), evaluator.state_of("t2"), evaluator.rests) == (
            "open",
            "closed",
            True,
        )
        server.script = judge()
        assert outcome((await judged(evaluator, RIVAL, asker="t2"))[RIVAL]) == "violated"
        assert outcome((await judged(evaluator, RIVAL))[RIVAL]) == ("indeterminate", "breaker_open")
        time.now += 30
        assert evaluator.state_of("t1") == "half_open"
        assert outcome((await judged(evaluator, RIVAL))[RIVAL]) == "violated"
        assert (evaluator.state_of("t1"), evaluator.rests) == ("closed", False)


async def test_a_model_that_is_late_for_several_tenants_is_left_alone_by_all():
    time = Time()
    async with serving(slow(time)) as server:
        evaluator = evaluator_of(server, time=time)
        for asker in ("t1", "t2", "t3", "t4", "t5"):
            assert evaluator.state_of("t9") == "closed"
            found = await judged(evaluator, RIVAL, asker=asker)
            assert outcome(found[RIVAL]) == ("indeterminate", "deadline")
        assert outcome((await judged(evaluator, RIVAL, asker="t9"))[RIVAL]) == (
            "indeterminate",
            "breaker_open",
        )
    assert evaluator.state_of("t9") == "open"


@pytest.mark.parametrize("how", ["503", "429", "401", "reset", "hung up", "nobody there"])
async def test_what_is_the_fault_of_an_endpoint_counts_for_all_tenants(how):
    time = Time()
    async with serving(lambda _: BROKEN[how][0] if how in BROKEN else failure(401)) as server:
        evaluator = evaluator_of(server, time=time)
        if how == "nobody there":
            evaluator._model.endpoint = replace(server.endpoint(), address="http://127.0.0.1:1/v1")
        for asker in ("t1", "t2", "t3", "t4", "t5"):
            await judged(evaluator, RIVAL, asker=asker)
        found = await judged(evaluator, RIVAL, asker="t9")
    assert outcome(found[RIVAL]) == ("indeterminate", "breaker_open")


@pytest.mark.parametrize("status", [400, 413, 422])
async def test_who_asks_too_much_stops_it_for_nobody(status):
    async with serving(lambda _: failure(status, "this model reads 8192 tokens")) as server:
        evaluator = evaluator_of(server, time=Time())
        for _ in range(8):
            await judged(evaluator, RIVAL)
        server.script = judge()
        assert outcome((await judged(evaluator, RIVAL, asker="t2"))[RIVAL]) == "violated"


async def test_who_is_over_budget_stops_it_for_nobody():
    async with serving(judge()) as server:
        evaluator = evaluator_of(server, time=Time(), tokens_per_day=1_300)
        evaluator._tokens.settle("t1", 0, 1_300)
        for _ in range(8):
            assert outcome((await judged(evaluator, RIVAL))[RIVAL]) == ("indeterminate", "over_budget")
        assert outcome((await judged(evaluator, RIVAL, asker="t2"))[RIVAL]) == "violated"
        assert evaluator.state_of("t1") == "closed"


def test_a_late_tenant_does_not_use_up_the_one_try_of_all():
    time = Time()
    breakers = Breakers(lambda: time.now)
    for asker in ("t1", "t2", "t3", "t4", "t5", "t1", "t1", "t1", "t1"):
        breakers.report(asker, "late")
    assert {breakers.state_of(each) for each in ("t1", "t9")} == {"open"}
    time.now += 30
    breakers.report("t1", "late")
    assert (breakers.state_of("t1"), breakers.state_of("t9")) == ("open", "half_open")
    assert not breakers.admits("t1")
    assert breakers.admits("t9")
    assert not breakers.admits("t8")
    breakers.report("t9", "works")
    assert (breakers.state_of("t1"), breakers.state_of("t9")) == ("open", "closed")


async def test_who_gives_no_time_does_not_stop_it_for_others():
    async with serving(lambda _: Answer(stalls=True)) as server:
        evaluator = evaluator_of(server)
        for _ in range(6):
            await judged(evaluator, RIVAL, timeout_ms=10)
        assert evaluator.state_of("t1") == "closed"
