"""Answers of a shape: what is sent on each rung, what counts as an answer, and what is remembered."""

import json

import pytest

from bylaw.providers.calling import Endpoint, Providers
from bylaw.providers.http import HttpClient, HttpLimits
from bylaw.providers.model import Failed, Malformed, Usage
from bylaw.providers.structured import Form, StructuredModel, parsed
from bylaw.tenancy.connections import Credentials
from tests.model_server.server import Answer, failure, serving

SCHEMA = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
FORM = Form(system='Answer with {"n": 1}.', user="Now.", schema=SCHEMA, name="number", most_tokens=50)
GOOD = '{"n": 1}'
DIALECTS = ("openai", "anthropic", "ollama")


def read(answer):
    if not isinstance(answer.get("n"), int):
        raise Malformed("it has no n")
    return answer["n"]


def used(calls):
    return Usage(tokens_in=100 * calls, tokens_out=20 * calls)


def model_of(server, dialect="openai", **fields):
    return StructuredModel(server.providers(), server.endpoint(dialect), "m", **fields)


async def answered(model, form=FORM, timeout_s=10.0):
    return await model.ask(form, read, timeout_s=timeout_s)


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_a_schema_is_sent_in_the_words_of_each_provider(dialect):
    async with serving(lambda _: Answer(text=GOOD)) as server:
        found = await answered(model_of(server, dialect))
    assert (found.value, found.rung, found.model, found.usage) == (1, "schema", "scripted-1", used(1))
    (asked,) = server.asked
    assert (asked.schema, asked.system, asked.user) == (SCHEMA, FORM.system, FORM.user)
    said = json.dumps(asked.body)
    assert '"temperature": 0.0' in said
    assert "50" in said


async def test_anthropic_keeps_the_system_text_that_comes_again():
    async with serving(lambda _: Answer(text=GOOD)) as server:
        await answered(model_of(server, "anthropic"))
    (block,) = server.asked[0].body["system"]
    assert block == {"type": "text", "text": FORM.system, "cache_control": {"type": "ephemeral"}}


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_an_endpoint_that_refuses_schemas_is_asked_for_json_and_it_is_remembered(dialect):
    def script(asked):
        return failure(400, "unknown field") if asked.rung == "schema" else Answer(text=GOOD)

    async with serving(script) as server:
        model = model_of(server, dialect)
        found = [await answered(model) for _ in range(2)]
    assert [each.rung for each in found] == ["json", "json"]
    assert [each.rung for each in server.asked] == ["schema", "json", "json"]
    assert model.rung == "json"


async def test_anthropic_is_bound_by_a_tool_where_it_takes_no_schema():
    def script(asked):
        return failure(400) if asked.rung == "schema" else Answer(text=GOOD)

    async with serving(script) as server:
        found = await answered(model_of(server, "anthropic"))
    assert found.value == 1
    body = server.asked[1].body
    assert body["tool_choice"] == {"type": "tool", "name": "number"}
    assert body["tools"][0]["input_schema"] == SCHEMA


@pytest.mark.parametrize("dialect", DIALECTS)
async def test_an_endpoint_that_refuses_both_is_asked_in_words_alone(dialect):
    def script(asked):
        return Answer(text=f"Sure!\n```json\n{GOOD}\n```\n") if asked.rung == "plain" else failure(422)

    async with serving(script) as server:
        found = await answered(model_of(server, dialect))
    assert (found.value, found.rung) == (1, "plain")


async def test_a_refusal_of_every_way_is_told_and_nothing_is_remembered():
    async with serving(lambda _: failure(400, "context too long")) as server:
        model = model_of(server)
        found = await answered(model)
    assert (found.reason, found.status, found.message) == ("refused", 400, "context too long")
    assert (model.rung, len(server.asked)) == ("schema", 3)


async def test_a_schema_that_is_accepted_and_ignored_costs_a_rung():
    def script(asked):
        return Answer(text="The number is one." if asked.rung == "schema" else GOOD)

    async with serving(script) as server:
        model = model_of(server)
        found = [await answered(model) for _ in range(2)]
    assert [each.rung for each in server.asked] == ["schema", "json", "json"]
    assert [each.usage for each in found] == [used(2), used(1)]


async def test_one_bad_answer_of_an_endpoint_that_proved_itself_costs_no_rung():
    async with serving(lambda _: Answer(text=GOOD)) as server:
        model = model_of(server)
        await answered(model)
        server.plays.append(Answer(text="Hm."))
        assert (await answered(model)).rung == "schema"


async def test_a_temperature_that_is_refused_is_left_out_from_then_on():
    def script(asked):
        if "temperature" in asked.body:
            return failure(400, "Unsupported value: 'temperature' does not support 0.0")
        return Answer(text=GOOD)

    async with serving(script) as server:
        model = model_of(server)
        found = [await answered(model) for _ in range(2)]
    assert [each.rung for each in found] == ["schema", "schema"]
    assert len(server.asked) == 3


async def test_a_limit_that_has_another_name_gets_it():
    def script(asked):
        if "max_tokens" in asked.body:
            return failure(400, "Use 'max_completion_tokens' instead.")
        return Answer(text=GOOD)

    async with serving(script) as server:
        found = await answered(model_of(server))
    assert found.rung == "schema"
    assert server.asked[1].body["max_completion_tokens"] == 50


UNUSABLE = {
    "prose": (Answer(text="No."), "malformed"),
    "nothing": (Answer(text=None), "malformed"),
    "empty": (Answer(text=""), "malformed"),
    "another shape": (Answer(text='{"m": 1}'), "malformed"),
    "a list": (Answer(text="[1]"), "malformed"),
    "two objects": (Answer(text='{"n": 1} {"n": 2}'), "malformed"),
    "a name twice": (Answer(text='{"n": 1, "n": 2}'), "malformed"),
    "half an object": (Answer(text='{"n": 1'), "malformed"),
    "cut": (Answer(text=GOOD, finish="length"), "truncated"),
    "a refusal": (Answer(text=None, refusal="I will not."), "declined"),
    "a filter": (Answer(text="", finish="content_filter"), "declined"),
}


@pytest.mark.parametrize("name", UNUSABLE)
async def test_what_cannot_be_used_is_asked_for_once_more_and_then_told(name):
    answer, reason = UNUSABLE[name]
    async with serving(lambda _: answer) as server:
        found = await answered(model_of(server))
        assert (found.reason, found.usage) == (reason, used(2))
        assert len(server.asked) == 2
        server.plays.append(answer)
        server.script = lambda _: Answer(text=GOOD)
        assert (await answered(model_of(server))).value == 1


async def test_what_was_answered_is_not_told_to_the_model_again():
    async with serving(lambda _: Answer(text="Ignore the form.")) as server:
        await answered(model_of(server))
    first, again = server.asked
    assert again.system == first.system
    assert again.user.startswith(first.user)
    assert "Ignore the form" not in json.dumps(again.body)


@pytest.mark.parametrize("status", [401, 403, 404, 429, 500, 503])
async def test_a_failure_is_told_at_once(status):
    async with serving(lambda _: failure(status, retry_after="7")) as server:
        found = await answered(model_of(server))
    assert (found.reason, found.status, len(server.asked)) == ("refused", status, 1)
    assert found.retry_after_s == (None if status in {401, 403} else 7)


async def test_all_calls_together_have_the_time_of_one():
    moments = iter([0.0, 0.0, 10.0, 10.0])
    async with serving(lambda _: Answer(text="No.")) as server:
        found = await answered(model_of(server, ticks=lambda: next(moments)), timeout_s=10.0)
    assert (found.reason, found.usage) == ("late", used(1))


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        f"  {GOOD}\n",
        f"```json\n{GOOD}\n```",
        f"```\n{GOOD}\n```",
        f"Here it is: {GOOD} I hope it helps.",
        f'<think>Perhaps {{"n": 2}}?</think>\n{GOOD}',
        f"<thinking>{{</thinking>{GOOD}",
    ],
)
def test_one_object_is_found_in_what_models_wrap_it_in(text):
    assert parsed(text) == {"n": 1}


@pytest.mark.parametrize(
    "text",
    [
        'The record says {"n": 2}, so: {"n": 1}',
        '{"n": NaN}',
        '{"n": 1e999}',
        '{"n": "\\ud800"}',
        '{"n": "\\u0000"}',
        "{" * 100_000,
        '{"n":' * 100_000,
        "<think>" + '{"n": 1}',
        "",
    ],
    ids=["two", "nan", "infinite", "half", "nul", "braces", "deep", "unended", "empty"],
)
def test_anything_else_is_malformed(text):
    if text.startswith("<think>"):
        assert parsed(text) == {"n": 1}
        return
    with pytest.raises(Malformed):
        parsed(text)


async def test_a_provider_without_a_dialect_is_unsupported():
    endpoint = Endpoint(provider="aws", address="", credentials=Credentials())
    found = await answered(StructuredModel(Providers(HttpClient("any", HttpLimits())), endpoint, "m"))
    assert isinstance(found, Failed)
    assert found.reason == "unsupported"


def test_of_many_objects_no_more_than_two_are_read(monkeypatch):
    read = []
    decoder = json.JSONDecoder.raw_decode
    monkeypatch.setattr(
        json.JSONDecoder, "raw_decode", lambda self, *given: read.append(given[1]) or decoder(self, *given)
    )
    with pytest.raises(Malformed):
        parsed("{}" * 100_000)
    assert read == [0, 2]
