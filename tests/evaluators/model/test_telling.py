"""What the operator is told of a model that gives no answer, and what nobody is told."""

import logging
from dataclasses import replace

import pytest

from bylaw.evaluators.ask import ask
from tests.evaluators.model.judging import RIVAL, Time, batch, evaluator_of, judged
from tests.evaluators.model.test_failures_of_models import BROKEN
from tests.model_server.server import Answer, failure, serving

TOLD = {
    "nobody there": (None, "127.0.0.1 does not answer: ", "whether it runs"),
    "401": (failure(401), "It refuses the key (status 401).", "BYLAW_JUDGE_KEY_FILE"),
    "404": (failure(404), "It knows no such path or model (status 404).", "BYLAW_JUDGE_MODEL"),
    "429": (failure(429), "It asks to slow down (status 429).", "BYLAW_JUDGE_CALLS"),
    "302": (failure(302), "It leads elsewhere, which is not followed (status 302).", "BYLAW_JUDGE_URL"),
    "500": (failure(500), "It fails (status 500).", "its own log"),
    "400": (failure(400), "It refuses what is asked (status 400).", "its own log"),
    "a page": (BROKEN["a page"][0], "The provider answered what cannot be used", "BYLAW_JUDGE_API"),
    "prose": (Answer(text="No."), "not the JSON object", "write JSON"),
    "stalls": (Answer(stalls=True), "127.0.0.1 did not answer within", "BYLAW_JUDGE_MS"),
}


@pytest.mark.parametrize("how", TOLD)
async def test_the_operator_is_told_once_where_why_and_what_to_do(how, caplog):
    answer, reason, to_do = TOLD[how]
    async with serving(lambda _: answer) as server:
        evaluator = evaluator_of(server, time=None if how == "stalls" else Time())
        where = server.endpoint().address if answer else "http://127.0.0.1:1/v1"
        evaluator._model.endpoint = replace(server.endpoint(), address=where)
        await judged(evaluator, RIVAL, timeout_ms=300 if how == "stalls" else 10_000)
    (record,) = (each for each in caplog.records if each.name.startswith("bylaw.evaluators"))
    said = record.getMessage()
    assert said.startswith(f"The model m at {where} did not judge: ")
    assert reason in said
    assert to_do in said


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
            said.append((asked, evaluator.digest, evaluator.state_of("t1")))
    assert key not in repr(said)
    assert key not in caplog.text
    assert RIVAL not in caplog.text
    assert "It refuses the key (status 401)." in caplog.text
