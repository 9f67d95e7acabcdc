"""What becomes of a batch when the model fails: a word for why, in time, at no other tenant's cost."""

import asyncio
import logging

import pytest

from bylaw.evaluators.ask import ask
from tests.evaluators.model.judging import RIVAL, Time, batch, evaluator_of, judged, outcome
from tests.model_server.minds import judge
from tests.model_server.server import Answer, failure, serving

HTML = b"<!doctype html><html><body>502 Bad Gateway</body></html>"
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: "

BROKEN = {
    "500": (failure(500), "model_unavailable"),
    "503": (failure(503), "model_unavailable"),
    "529": (failure(529), "model_unavailable"),
    "429": (failure(429), "rate_limited"),
    "reset": (Answer(text="{}", resets=True), "model_unavailable"),
    "hung up": (Answer(raw=b""), "model_unavailable"),
    "a page": (Answer(body=HTML, headers={"content-type": "text/html"}), "model_unavailable"),
    "half a body": (Answer(raw=HEAD + b"500\r\n\r\n{}"), "model_unavailable"),
    "a short length": (Answer(raw=HEAD + b'2\r\n\r\n{"choices": []}'), "model_unavailable"),
    "no HTTP": (Answer(raw=b"SSH-2.0-OpenSSH_9.2\r\n"), "model_unavailable"),
    "no JSON": (Answer(body=b"{"), "model_unavailable"),
    "another JSON": (Answer(body=b'{"choices": []}'), "model_unavailable"),
    "events": (
        Answer(
            body=b'data: {"choices": []}\n\ndata: [DONE]\n\n', headers={"content-type": "text/event-stream"}
        ),
        "model_unavailable",
    ),
}
FINAL = {
    "400": (failure(400), "model_refused"),
    "401": (failure(401), "model_refused"),
    "403": (failure(403), "model_refused"),
    "404": (failure(404, "no such model"), "model_refused"),
}


@pytest.mark.parametrize("how", BROKEN)
async def test_what_may_pass_is_tried_again_after_a_while(how):
    answer, code = BROKEN[how]
    time = Time()
    async with serving(judge()) as server:
        server.plays += [answer] * 2
        assert outcome((await judged(evaluator_of(server, time=time), RIVAL))[RIVAL]) == "violated"
        assert len(server.asked) == 3
        server.script = lambda _: answer
        assert outcome((await judged(evaluator_of(server, time=time), RIVAL))[RIVAL]) == (
            "indeterminate",
            code,
        )
        assert len(server.asked) == 6
    assert len(time.waits) == 4
    assert all(0.125 <= wait <= 0.5 for wait in time.waits)


@pytest.mark.parametrize("how", FINAL)
async def test_what_will_not_pass_is_not_tried_again(how):
    answer, code = FINAL[how]
    time = Time()
    async with serving(lambda _: answer) as server:
        found = await judged(evaluator_of(server, time=time), RIVAL)
    assert outcome(found[RIVAL]) == ("indeterminate", code)
    assert time.waits == []
    assert len(server.asked) == (3 if how == "400" else 1)


@pytest.mark.parametrize(("wait_s", "calls"), [(3, 2), (20, 1)])
async def test_who_is_asked_to_wait_waits_if_there_is_time(wait_s, calls):
    time = Time()
    async with serving(judge()) as server:
        server.plays.append(failure(429, retry_after=str(wait_s)))
        found = await judged(evaluator_of(server, time=time), RIVAL)
    assert outcome(found[RIVAL]) == ("violated" if calls == 2 else ("indeterminate", "rate_limited"))
    assert len(server.asked) == calls
    assert all(wait_s <= wait <= wait_s + 0.25 for wait in time.waits)


async def test_an_answer_in_pieces_is_one_answer():
    async with serving(judge()) as server:
        server.plays.append(lambda asked: _pieces(judge()(asked)))
        found = await judged(evaluator_of(server), RIVAL)
    assert outcome(found[RIVAL]) == "violated"


def _pieces(answer):
    return Answer(text=answer.text, pieces=7)


async def test_a_model_that_stalls_is_left_in_time():
    async with serving(lambda _: Answer(stalls=True)) as server:
        asked = await ask(evaluator_of(server), batch(RIVAL, timeout_ms=300))
    (verdict,) = asked.verdicts.values()
    assert outcome(verdict) == ("indeterminate", "deadline")


async def test_a_caller_who_leaves_closes_the_connection():
    async with serving(lambda _: Answer(stalls=True)) as server:
        task = asyncio.create_task(evaluator_of(server).evaluate(batch(RIVAL)))
        await server.came.wait()
        task.cancel()
        await asyncio.wait([task])
        await server.left.wait()
    assert task.cancelled()


async def test_one_slow_call_of_several_costs_only_its_rules():
    rules = [f"The agent must not say 'word{number}'." for number in range(9)]
    async with serving(judge()) as server:
        server.plays.append(Answer(stalls=True))
        found = await judged(evaluator_of(server), *rules, timeout_ms=1_000)
    ends = sorted(map(str, map(outcome, found.values())))
    assert len(server.asked) == 2
    assert set(ends) == {"('indeterminate', 'deadline')", "satisfied"}


async def test_a_model_that_keeps_failing_is_left_alone_then_tried_once():
    time = Time()
    async with serving(lambda _: failure(500)) as server:
        evaluator = evaluator_of(server, time=time)
        found = [outcome((await judged(evaluator, RIVAL))[RIVAL])[1] for _ in range(3)]
        assert found == ["model_unavailable", "breaker_open", "breaker_open"]
        assert (len(server.asked), evaluator.state) == (5, "open")
        time.now += 30
        assert evaluator.state == "half_open"
        assert outcome((await judged(evaluator, RIVAL))[RIVAL]) == ("indeterminate", "breaker_open")
        assert (len(server.asked), evaluator.state) == (6, "open")
        time.now += 30
        server.script = judge()
        assert outcome((await judged(evaluator, RIVAL))[RIVAL]) == "violated"
        assert evaluator.state == "closed"


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
        assert evaluator.state == "closed"


async def test_who_gives_no_time_does_not_stop_it_for_others():
    async with serving(lambda _: Answer(stalls=True)) as server:
        evaluator = evaluator_of(server)
        for _ in range(6):
            await judged(evaluator, RIVAL, timeout_ms=10)
        assert evaluator.state == "closed"


async def test_a_tenant_has_so_many_tokens_a_day():
    time = Time()
    async with serving(judge()) as server:
        evaluator = evaluator_of(server, time=time, tokens_per_day=1_300)
        assert outcome((await judged(evaluator, RIVAL))[RIVAL]) == "violated"
        assert evaluator.spent("t1") == 120
        evaluator._tokens.settle("t1", 0, 500)
        assert outcome((await judged(evaluator, RIVAL))[RIVAL]) == ("indeterminate", "over_budget")
        assert outcome((await judged(evaluator, RIVAL, asker="t2"))[RIVAL]) == "violated"
        time.clock.advance(86_400_000)
        assert evaluator.spent("t1") == 0
        assert outcome((await judged(evaluator, RIVAL))[RIVAL]) == "violated"
    assert len(server.asked) == 3


async def test_a_provider_that_counts_nothing_is_counted_for():
    async with serving(judge()) as server:
        answer = judge()
        server.script = lambda asked: Answer(text=answer(asked).text, usage=(0, 0))
        evaluator = evaluator_of(server)
        await judged(evaluator, RIVAL)
    assert evaluator.spent("t1") > 500


async def test_calls_at_once_do_not_pass_the_budget_together():
    gate = asyncio.Event()
    async with serving(judge()) as server:
        answer = judge()
        server.script = lambda asked: Answer(text=answer(asked).text, gate=gate)
        evaluator = evaluator_of(server, tokens_per_day=1_300)
        tasks = [asyncio.create_task(judged(evaluator, RIVAL)) for _ in range(4)]
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        gate.set()
        ends = [outcome(each[RIVAL]) for each in await asyncio.gather(*tasks)]
    assert ends.count("violated") == 1
    assert ends.count(("indeterminate", "over_budget")) == 3
    assert done


async def test_what_failed_before_it_was_answered_costs_nothing():
    async with serving(lambda _: failure(401)) as server:
        evaluator = evaluator_of(server)
        await judged(evaluator, RIVAL)
    assert evaluator.spent("t1") == 0


async def test_one_tenant_leaves_room_for_another():
    gate = asyncio.Event()
    async with serving(judge()) as server:
        answer = judge()
        server.plays += [lambda asked: Answer(text=answer(asked).text, gate=gate)] * 2
        evaluator = evaluator_of(server, calls_per_tenant=2)
        busy = [asyncio.create_task(judged(evaluator, RIVAL)) for _ in range(2)]
        while len(server.asked) < 2:
            server.came.clear()
            await server.came.wait()
        assert outcome((await judged(evaluator, RIVAL, timeout_ms=50))[RIVAL]) == ("indeterminate", "busy")
        assert outcome((await judged(evaluator, RIVAL, asker="t2"))[RIVAL]) == "violated"
        waiting = asyncio.create_task(judged(evaluator, RIVAL))
        gate.set()
        assert outcome((await waiting)[RIVAL]) == "violated"
        await asyncio.gather(*busy)
    assert evaluator._caller._places._held == {}


async def test_a_key_stands_in_no_answer_and_in_no_log(caplog):
    key = "sk-live-abcdef0123456789"
    caplog.set_level(logging.DEBUG)
    scripts = [failure(status, f"bad key {key} of {RIVAL}") for status in (400, 401, 429, 500)]
    said = []
    for answer in (*scripts, Answer(text=f"{key}"), Answer(text="{}", resets=True), Answer(raw=key.encode())):
        async with serving(lambda _, answer=answer: answer) as server:
            evaluator = evaluator_of(server, time=Time())
            evaluator._model.endpoint = server.endpoint(key=key)
            asked = await ask(evaluator, batch(RIVAL))
            assert server.asked[0].headers["authorization"] == f"Bearer {key}"
            said.append((asked, evaluator.digest, evaluator.state))
    assert key not in repr(said)
    assert key not in caplog.text
    assert RIVAL not in caplog.text
    assert "a model gave no answer: refused, status 401" in caplog.text


async def test_the_digest_says_how_it_judges_and_not_as_whom():
    async with serving(judge()) as server:
        one = evaluator_of(server)
        same = evaluator_of(server, tokens_per_day=5, calls_per_tenant=1)
        same._model.endpoint = server.endpoint(key="another")
        others = [
            evaluator_of(server, "anthropic"),
            evaluator_of(server, samples=3),
            evaluator_of(server, temperature=0.7),
            evaluator_of(server, record_chars=5_000),
        ]
        assert one.digest == same.digest
        assert len({one.digest, *(each.digest for each in others)}) == 5
