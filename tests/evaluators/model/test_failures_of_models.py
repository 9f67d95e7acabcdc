"""What becomes of a batch when the model fails: a word for why, in time, at no other tenant's cost."""

import asyncio
import gzip

import pytest

from bylaw.evaluators.ask import ask
from tests.evaluators.model.judging import RIVAL, Time, batch, evaluator_of, judged, outcome
from tests.model_server.minds import judge
from tests.model_server.server import Answer, failure, serving

HTML = b"<!doctype html><html><body>502 Bad Gateway</body></html>"
HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: "
CHUNKED = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n"

BROKEN = {
    "500": (failure(500), "model_unavailable"),
    "503": (failure(503), "model_unavailable"),
    "529": (failure(529), "model_unavailable"),
    "429": (failure(429), "rate_limited"),
    "reset": (Answer(text="{}", resets=True), "model_unavailable"),
    "hung up": (Answer(raw=b""), "model_unavailable"),
    "a page": (Answer(body=HTML, headers={"content-type": "text/html"}), "model_unavailable"),
    "half a body": (Answer(raw=HEAD + b"500\r\n\r\n{}"), "model_unavailable"),
    "half a chunk": (Answer(raw=CHUNKED + b"ff\r\n{}"), "model_unavailable"),
    "no chunk": (Answer(raw=CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n"), "model_unavailable"),
    "gzip": (Answer(body=gzip.compress(b"{}"), headers={"content-encoding": "gzip"}), "model_unavailable"),
    "no gzip": (Answer(text="{}", headers={"content-encoding": "gzip"}), "model_unavailable"),
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
    "302": (failure(302, location="https://elsewhere.example/v1/chat/completions"), "model_refused"),
    "307": (failure(307, location="/v1/elsewhere"), "model_refused"),
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


@pytest.mark.parametrize(
    "answer",
    [Answer(stalls=True), Answer(text="{}", halts=True), Answer(drips=True)],
    ids=["never", "half", "drops"],
)
async def test_a_model_that_stalls_is_left_in_time(answer):
    async with serving(lambda _: answer) as server:
        asked = await ask(evaluator_of(server), batch(RIVAL, timeout_ms=300))
        await server.left.wait()
    (verdict,) = asked.verdicts.values()
    assert outcome(verdict) == ("indeterminate", "deadline")


async def test_an_answer_that_is_huge_is_not_read_to_its_end():
    async with serving(lambda _: Answer(drips=True)) as server:
        evaluator = evaluator_of(server, time=Time())
        evaluator._model._providers = server.providers(answer_bytes=1_000)
        found = await judged(evaluator, RIVAL)
        await server.left.wait()
    assert outcome(found[RIVAL]) == ("indeterminate", "model_unavailable")


async def test_what_an_answer_is_called_does_not_matter():
    async with serving(judge()) as server:
        answer = judge()
        server.script = lambda asked: Answer(text=answer(asked).text, headers={"content-type": "text/html"})
        found = await judged(evaluator_of(server), RIVAL)
    assert outcome(found[RIVAL]) == "violated"


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
        refused = asyncio.as_completed(tasks)
        async with asyncio.timeout(60):  # ends where more than one call waits for the gate
            early = [outcome((await next(refused))[RIVAL]) for _ in range(3)]
        gate.set()
        assert outcome((await next(refused))[RIVAL]) == "violated"
    assert early == [("indeterminate", "over_budget")] * 3


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
        assert outcome((await judged(evaluator, RIVAL, timeout_ms=1_000))[RIVAL]) == ("indeterminate", "busy")
        assert outcome((await judged(evaluator, RIVAL, asker="t2"))[RIVAL]) == "violated"
        waiting = asyncio.create_task(judged(evaluator, RIVAL))
        gate.set()
        assert outcome((await waiting)[RIVAL]) == "violated"
        await asyncio.gather(*busy)
    assert evaluator._caller._places._held == {}


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
