"""What is said to each kind of provider, and what is understood of its answers."""

import json

import pytest

from bylaw.providers import anthropic, ollama, openai
from bylaw.providers.calling import Endpoint, Providers
from bylaw.providers.http import HttpClient, HttpLimits
from bylaw.providers.model import Ask, Call, Choice, Completion, Failed, Malformed, Unsupported, Usage
from bylaw.tenancy.connections import Credentials
from tests.gateway.scripted import said, scripted

IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
CALL = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Bern"}'}}
TOOL = {
    "type": "function",
    "function": {"name": "weather", "description": "Tells.", "parameters": {"type": "object"}},
}
TALK = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "What is this?"}, IMAGE]},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "c1", "content": "Sunny."},
    {"role": "user", "content": "And?"},
]


def ask(messages=TALK, **options):
    return Ask(model="m", messages=messages, options=options)


def test_openai_gets_what_was_asked_as_it_is():
    assert openai.body_of(ask(temperature=0.1)) == {"model": "m", "messages": TALK, "temperature": 0.1}


def test_anthropic_gets_turns_of_blocks():
    body = anthropic.body_of(ask(max_tokens=9, stop="END", tools=[TOOL], tool_choice="required", top_p=0.5))
    assert body == {
        "model": "m",
        "max_tokens": 9,
        "system": "Be brief.",
        "stop_sequences": ["END"],
        "top_p": 0.5,
        "tools": [{"name": "weather", "description": "Tells.", "input_schema": {"type": "object"}}],
        "tool_choice": {"type": "any"},
        "messages": [
            {
                "role": "user",
                "content": [
                    {"type": "text", "text": "What is this?"},
                    {
                        "type": "image",
                        "source": {"type": "base64", "media_type": "image/png", "data": "aGk="},
                    },
                ],
            },
            {
                "role": "assistant",
                "content": [{"type": "tool_use", "id": "c1", "name": "weather", "input": {"city": "Bern"}}],
            },
            {
                "role": "user",
                "content": [
                    {
                        "type": "tool_result",
                        "tool_use_id": "c1",
                        "content": [{"type": "text", "text": "Sunny."}],
                    },
                    {"type": "text", "text": "And?"},
                ],
            },
        ],
    }


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({}, None),
        ({"tool_choice": "auto"}, {"type": "auto"}),
        ({"tool_choice": "none", "parallel_tool_calls": False}, {"type": "none"}),
        ({"parallel_tool_calls": False}, {"type": "auto", "disable_parallel_tool_use": True}),
        ({"tool_choice": {"function": {"name": "weather"}}}, {"type": "tool", "name": "weather"}),
    ],
    ids=str,
)
def test_anthropic_is_told_which_tool_to_choose(options, wanted):
    assert anthropic.body_of(ask(tools=[TOOL], **options)).get("tool_choice") == wanted


def test_ollama_gets_texts_images_and_options():
    body = ollama.body_of(ask(max_tokens=9, seed=1, tools=[TOOL], response_format={"type": "json_object"}))
    assert body == {
        "model": "m",
        "stream": False,
        "options": {"num_predict": 9, "seed": 1},
        "tools": [TOOL],
        "format": "json",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "What is this?", "images": ["aGk="]},
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"function": {"name": "weather", "arguments": {"city": "Bern"}}}],
            },
            {"role": "tool", "content": "Sunny."},
            {"role": "user", "content": "And?"},
        ],
    }


ODD = [
    [{"role": "user", "content": [{"type": "input_audio"}]}],
    [{"role": "user", "content": ["x"]}],
    [{"role": "assistant", "tool_calls": [{}]}],
    [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{"}}]}],
    [{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": '{"a":' + "[" * 5_000}}]}],
]


@pytest.mark.parametrize("dialect", [anthropic, ollama], ids=["anthropic", "ollama"])
@pytest.mark.parametrize("messages", ODD, ids=lambda each: str(each)[:80])
def test_what_a_provider_has_no_words_for_is_refused(dialect, messages):
    with pytest.raises(Unsupported):
        dialect.body_of(ask(messages))
    with pytest.raises(Unsupported):
        dialect.body_of(ask(n=2))


def test_anthropics_answer_is_understood():
    body = {
        "model": "claude",
        "content": [
            {"type": "thinking", "thinking": "unseen"},
            {"type": "text", "text": "Look"},
            {"type": "text", "text": "ing."},
            {"type": "tool_use", "id": "t1", "name": "weather", "input": {"city": "Bern"}},
        ],
        "stop_reason": "tool_use",
        "usage": {"input_tokens": 3, "cache_read_input_tokens": 4, "output_tokens": 5},
    }
    call = Call(id="t1", name="weather", arguments='{"city": "Bern"}')
    assert anthropic.read(json.dumps(body).encode()) == Completion(
        model="claude",
        choices=(Choice(text="Looking.", calls=(call,), finish="tool_calls"),),
        usage=Usage(tokens_in=7, tokens_out=5),
    )


def test_ollamas_answer_is_understood():
    message = {"content": "x", "tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]}
    body = {"model": "llama", "message": message, "prompt_eval_count": 3, "eval_count": 4, "done": True}
    assert ollama.read(json.dumps(body).encode()) == Completion(
        model="llama",
        choices=(
            Choice(text="x", calls=(Call(id="call_0", name="f", arguments='{"a": 1}'),), finish="tool_calls"),
        ),
        usage=Usage(tokens_in=3, tokens_out=4),
    )
    assert ollama.read_models(b'{"models": [{"name": "llama"}]}') == ("llama",)


@pytest.mark.parametrize("dialect", [openai, anthropic, ollama], ids=["openai", "anthropic", "ollama"])
@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"null", b"{}", b"\xff", b'{"content": 1}'], ids=str)
def test_an_answer_of_another_shape_is_malformed(dialect, body):
    with pytest.raises(Malformed):
        dialect.read(body)


LONG = "x" * 4_097
TOOL_USE = {"type": "tool_use", "name": "f"}


def answers(name):
    """What holds `name` where callers get it: of each dialect, its model and the id of a call."""
    call = {"id": name, "function": {"name": "f"}}
    return [
        (openai.read, {"model": name, "choices": [{"message": {"content": "x"}}]}),
        (openai.read, {"choices": [{"message": {"tool_calls": [call]}}]}),
        (anthropic.read, {"model": name, "content": []}),
        (anthropic.read, {"content": [TOOL_USE | {"id": name}]}),
        (ollama.read, {"model": name, "message": {"content": "x"}}),
        (openai.read_models, {"data": [{"id": name}]}),
        (ollama.read_models, {"models": [{"name": name}]}),
    ]


@pytest.mark.parametrize("at", range(7))
def test_a_name_or_an_id_that_is_too_long_is_malformed(at):
    (read, fits), (_, body) = answers(LONG[1:])[at], answers(LONG)[at]
    assert LONG[1:] in repr(read(json.dumps(fits).encode()))
    with pytest.raises(Malformed):
        read(json.dumps(body).encode())


@pytest.mark.parametrize(
    ("dialect", "models", "name"),
    [(openai, "data", "id"), (ollama, "models", "name")],
    ids=["openai", "ollama"],
)
def test_a_list_of_too_many_models_is_malformed(dialect, models, name):
    rows = [{name: f"m{n}"} for n in range(10_001)]
    assert len(dialect.read_models(json.dumps({models: rows[1:]}).encode())) == 10_000
    with pytest.raises(Malformed):
        dialect.read_models(json.dumps({models: rows}).encode())


@pytest.mark.parametrize(
    ("provider", "tail", "path", "answer"),
    [
        ("openai", "", "/v1/chat/completions", said("x")),
        ("google", "", "/v1/openai/chat/completions", said("x")),
        ("other", "", "/v1/chat/completions", said("x")),
        ("other", "/api", "/v1/api/chat", {"message": {"content": "x"}}),
        ("anthropic", "", "/v1/messages", {"content": [{"type": "text", "text": "x"}]}),
    ],
    ids=str,
)
async def test_each_provider_is_asked_where_it_answers(provider, tail, path, answer):
    async with scripted() as script:
        script.answer = answer
        client = HttpClient("any", HttpLimits())
        endpoint = Endpoint(provider=provider, address=script.url + tail, credentials=Credentials(key="k"))
        found = await Providers(client).complete(endpoint, ask([{"role": "user", "content": "x"}]))
        await client.aclose()
    assert isinstance(found, Completion)
    assert found.choices[0].text == "x"
    assert script.asked[0].path == path


@pytest.mark.parametrize("provider", ["openai", "google", "other"])
async def test_hints_are_for_the_provider_that_has_them(provider):
    hints = {"prompt_cache_key": "k", "prompt_cache_retention": "24h", "safety_identifier": "u"}
    async with scripted() as script:
        client = HttpClient("any", HttpLimits())
        endpoint = Endpoint(provider=provider, address=script.url, credentials=Credentials(key="k"))
        await Providers(client).complete(endpoint, ask([{"role": "user", "content": "x"}], n=1, **hints))
        await client.aclose()
    (sent,) = script.chats
    assert {name for name in sent if name in hints} == (set(hints) if provider == "openai" else set())
    assert sent["n"] == 1


async def test_aws_is_not_called():
    providers = Providers(HttpClient("any", HttpLimits()))
    endpoint = Endpoint(provider="aws", address="", credentials=Credentials())
    for found in (await providers.complete(endpoint, ask()), await providers.models(endpoint)):
        assert isinstance(found, Failed)
        assert found.reason == "unsupported"
