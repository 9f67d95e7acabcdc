"""What is refused, what fails, and who is told what of it."""

import asyncio
import json
import socket
from contextlib import asynccontextmanager
from functools import partial

import pytest
import uvicorn

from bylaw import settings
from bylaw.api.resealing import reseal
from bylaw.api.wire import Wire, WireLimits
from bylaw.app import build
from bylaw.core.ids import Ids, TenantId
from tests.gateway.conftest import PATH, SECRET, Gate, populate
from tests.gateway.scripted import said, scripted

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest.mark.parametrize(("caller", "status"), [(None, 401), ("sk-none", 401), ("admin", 403)])
@pytest.mark.parametrize("path", [PATH, "/v1/models", "/v1/models/gpt-4.1"])
async def test_another_kind_of_key_is_refused(gate, caller, status, path):
    method = "POST" if path == PATH else "GET"
    body = {"model": "gpt-4.1", "messages": [{"role": "user", "content": "x"}]} if method == "POST" else None
    found = await gate.send(caller, method, path, json=body)
    assert found.status_code == status
    assert set(found.json()["error"]) == {"message", "type", "param", "code"}
    assert gate.provider.asked == []


@pytest.mark.parametrize("path", ["embeddings", "responses", "completions", "images/generations", "files"])
async def test_what_is_not_policed_is_not_passed_on(gate, path):
    found = await gate.send("application", "POST", f"/v1/{path}", json={"model": "m", "input": "x"})
    assert found.status_code == 404
    assert "nothing else" in found.json()["error"]["message"]
    assert gate.provider.asked == []


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "wizard", "content": "x"}]}, "messages[0].role"),
        ({"messages": ["x"]}, "messages[0]"),
        ({"n": 9}, "n"),
        *(
            ({"messages": [{"role": "user", "content": "x"} | message]}, f"messages[0].{place}")
            for message, place in (
                ({"content": [{"type": "text", "content": "fine", "text": "x"}]}, "content[0]"),
                ({"content": [{"type": "text", "text": ["x"]}]}, "content[0].text"),
                ({"content": [{"type": "input_text", "input_text": "x"}]}, "content[0].type"),
                ({"content": ["x"]}, "content[0]"),
                ({"content": {"text": "x"}}, "content"),
                ({"content": 7}, "content"),
                ({"function_call": {"name": "f", "arguments": "x"}}, "function_call"),
                ({"reasoning_content": "x"}, "reasoning_content"),
                ({"refusal": "x"}, "refusal"),
            )
        ),
        ({"model": ""}, "model"),
        ({"logprobs": True}, "logprobs"),
        ({"prediction": {"type": "content", "content": "unseen"}}, "prediction"),
        ({"functions": []}, "functions"),
        ({"modalities": ["text", "audio"]}, "modalities"),
        ({"top_logprobs": 3}, "top_logprobs"),
        ({"prompt_cache_options": {"text": "unseen"}}, "prompt_cache_options"),
        ({"safety_identifier": ["u"]}, "safety_identifier"),
        ({"metadata": {"workspace_id": "w2"}}, "metadata.workspace_id"),
        ({"metadata": {"user_id": 7}}, "user_id"),
        ({"metadata": {"workspace_id": ["w1"]}}, "metadata.workspace_id"),
        ({"metadata": {"agent_id": ["a"]}}, "agent_id"),
    ],
    ids=str,
)
async def test_what_cannot_be_policed_is_refused_and_named(gate, fields, param):
    error = await gate.refused(status=400, **fields)
    assert (error["type"], error["param"]) == ("invalid_request_error", param)
    assert gate.provider.asked == []


@pytest.mark.parametrize(
    ("status", "shown", "code"),
    [
        (400, 400, "invalid_request"),
        (401, 502, "provider_refused"),
        (403, 502, "provider_refused"),
        (404, 400, "model_not_found"),
        (429, 429, "provider_refused"),
        (500, 502, "provider_refused"),
        (503, 503, "provider_refused"),
        (302, 502, "provider_refused"),
    ],
)
async def test_a_failure_of_the_provider_is_passed_on(gate, status, shown, code):
    gate.provider.status, gate.provider.headers = (
        status,
        {"retry-after": "9", "location": "http://localhost/"},
    )
    gate.provider.answer = {"error": {"message": f"Not so, {SECRET}.", "type": "x"}}
    found = await gate.chat(status=shown)
    error = found.json()["error"]
    assert error["code"] == code
    assert SECRET not in found.text
    assert len(gate.provider.asked) == 1
    if status not in {401, 403}:
        assert found.headers["retry-after"] == "9"
        assert error["message"] == "Not so, [credentials]."


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"choices": []}',
        b'{"choices": [{"message": {"content": 7}}]}',
        b'{"choices": [{"message": {"content": "\\ud800"}}]}',
        b'{"choices": [{"message": {"content": "x", "tool_calls": [{"id": "a"}]}}]}',
        b'{"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": -1}}',
        b'{"choices":' + b"[" * 5_000,
        b" " * 70_000,
        said("", calls=[("pay", "not JSON")]),
        said("", calls=[("pay", '{"amount": 1, "amount": 9999}')]),
        said("", calls=[("pay", "[]")]),
        said("", calls=[("x" * 300, {})]),
        said("", calls=[("pay", {})] * 129),
        said(choices=said()["choices"] * 2),
        said("a\0b"),
        said("", calls=[("pay\0", {})]),
    ],
    ids=lambda each: f"{str(each)[:40]}-{len(str(each))}",
)
async def test_an_answer_that_is_none_is_delivered_to_nobody(gate, answer):
    gate.provider.answer = answer
    error = await gate.refused(status=502)
    assert error["code"] == "provider_malformed"


@pytest.mark.parametrize(
    "raw",
    [
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ncontent-encoding: gzip\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\ndata: {}\n\n",
        b"",
    ],
    ids=str,
)
async def test_a_provider_that_does_not_speak_http_is_no_provider(gate, raw):
    gate.provider.raw = raw
    assert (await gate.refused(status=502))["code"] == "provider_malformed"


async def test_a_provider_that_says_oddly_when_to_come_back_is_passed_on(gate):
    gate.provider.raw = b"HTTP/1.1 429 x\r\nretry-after: \xb2\r\ncontent-length: 2\r\n\r\n{}"
    found = await gate.chat(status=429)
    assert "retry-after" not in found.headers


async def test_parts_of_an_answer_that_nobody_judges_are_left_out(gate):
    gate.provider.answer = said("fine", system_fingerprint="the rival")
    gate.provider.answer["choices"][0]["message"]["reasoning_content"] = "the rival"
    gate.provider.answer["choices"][0]["logprobs"] = {"content": [{"token": "the rival"}]}
    assert "rival" not in (await gate.chat()).text


async def test_a_caller_who_leaves_ends_the_call(gate):
    gate.provider.stalls = True
    body = {"model": "gpt-4.1", "messages": [{"role": "user", "content": "x"}]}
    content = [json.dumps(body).encode()]
    left, sent = asyncio.Event(), []

    async def receive():
        if content:
            return {"type": "http.request", "body": content.pop(), "more_body": False}
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    headers = [
        (b"authorization", f"Bearer {gate.keys['application']}".encode()),
        (b"content-type", b"application/json"),
    ]
    scope = {"type": "http", "method": "POST", "path": PATH, "headers": headers, "query_string": b""}
    asking = asyncio.create_task(gate.app.asgi(scope, receive, send))
    await gate.provider.came.wait()
    left.set()
    await asking
    await gate.provider.left.wait()
    assert sent == []

    return [json.dumps(body).encode()]


@asynccontextmanager
async def listening(app):
    """A server that listens on this machine as `bylaw serve` does, and its port."""
    limits = WireLimits(head_bytes=32_768, head_s=20)
    config = uvicorn.Config(
        app.asgi,
        http=partial(Wire, limits=limits, ids=Ids()),
        ws="none",
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=5,
    )
    server, listener = uvicorn.Server(config), socket.create_server(("127.0.0.1", 0))
    config.load()
    server.lifespan = config.lifespan_class(config)
    await server.startup(sockets=[listener])
    try:
        yield listener.getsockname()[1]
    finally:
        await server.shutdown(sockets=[listener])


async def left_so_far(gate):
    """How many callers left before their answer, as the metrics tell."""
    told = (await gate.send("admin", "GET", "/metrics")).text
    return sum(
        float(line.split()[-1])
        for line in told.splitlines()
        if line.startswith("bylaw_http_requests_total") and 'status="499"' in line
    )


@pytest.mark.parametrize("stream", [False, True])
async def test_a_connection_that_is_cut_ends_the_call(gate, stream):
    gate.provider.stalls = True
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "x"}], "stream": stream})
    before = await left_so_far(gate)
    async with listening(gate.app) as port:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        lines = (
            f"POST {PATH} HTTP/1.1",
            "host: x",
            f"authorization: Bearer {gate.keys['application']}",
            "content-type: application/json",
            f"content-length: {len(body)}",
            "",
            body,
        )
        writer.write("\r\n".join(lines).encode())
        await gate.provider.came.wait()
        writer.transport.abort()
        await gate.provider.left.wait()
    assert await left_so_far(gate) == before + 1


async def test_an_open_connection_is_used_again(gate):
    await gate.chat()
    before = gate.provider.connections
    for _ in range(3):
        await gate.chat()
    assert gate.provider.connections == before


async def test_there_is_no_model_without_a_connection(gate):
    error = await gate.refused(caller="unconnected", status=400)
    assert error["code"] == "model_not_found"


async def test_the_model_picks_the_connection(gate):
    async with scripted() as claude, scripted() as local:
        claude.answer = {
            "content": [{"type": "text", "text": "I am Claude."}],
            "stop_reason": "end_turn",
            "usage": {"input_tokens": 3, "output_tokens": 4},
        }
        local.models = ("llama",)
        made = [
            await gate.connect(name="claude", provider="anthropic", endpoint=claude.url),
            await gate.connect(name="local", provider="other", endpoint=local.url),
        ]
        found = (await gate.chat(model="claude-sonnet-4")).json()
        assert found["choices"][0]["message"]["content"] == "I am Claude."
        assert (claude.asked[0].path, claude.asked[0].headers["x-api-key"]) == ("/v1/messages", SECRET)
        await gate.chat(model="llama")
        assert [each["model"] for each in local.chats] == ["llama"]
        assert (await gate.refused(model="nothing", status=400))["code"] == "model_not_found"
        listed = (await gate.send("application", "GET", "/v1/models")).json()["data"]
        assert {(each["id"], each["owned_by"]) for each in listed} == {
            ("gpt-4.1", "openai"), ("gpt-4.1", "anthropic"), ("llama", "other"),
        }  # fmt: skip
        for each in made:
            await gate.send("admin", "DELETE", f"/v1/connections/{each['id']}")


@pytest.mark.parametrize(
    ("options", "status", "code"),
    [
        ({"outgoing": "off"}, 503, "provider_off"),
        ({"outgoing": "public"}, 502, "provider_forbidden"),
        ({"outgoing": "any", "provider_ms": 100}, 504, "provider_late"),
    ],
    ids=["off", "public", "late"],
)
async def test_a_server_calls_whom_it_may_and_waits_no_longer_than_it_is_told(
    tmp_path, options, status, code
):
    async with scripted() as provider, build(settings.build(data=tmp_path / "d", **options)) as app:
        gate = Gate(app=app, keys={"admin": app.admin_key or ""}, provider=provider)
        await populate(gate)
        provider.stalls = True
        error = await gate.refused(status=status)
        assert error["code"] == code
        assert len(provider.asked) == (1 if code == "provider_late" else 0)


async def test_no_more_calls_are_under_way_than_may_be(tmp_path):
    options = settings.build(data=tmp_path / "d", outgoing="any", provider_calls=1)
    async with scripted() as provider, build(options) as app:
        gate = Gate(app=app, keys={"admin": app.admin_key or ""}, provider=provider)
        await populate(gate)
        provider.stalls = True
        waiting = asyncio.create_task(gate.chat())
        await provider.came.wait()
        found = await gate.chat(status=503)
        assert (found.json()["error"]["code"], found.headers["retry-after"]) == ("provider_busy", "1")
        waiting.cancel()
        await asyncio.wait({waiting})


async def test_the_credentials_are_nowhere(gate, caplog):
    caplog.set_level(0)
    gate.provider.status = 500
    gate.provider.answer = {"error": SECRET}
    told = [(await gate.chat(status=502)).text]
    receipts = (await gate.send("admin", "GET", "/v1/receipts?limit=100")).text
    assert all(SECRET not in each for each in (*told, receipts, caplog.text))
    assert gate.provider.asked[0].headers["authorization"] == f"Bearer {SECRET}"


async def test_credentials_that_are_sealed_anew_go_on_working(gate):
    stores = gate.app.stores
    for _ in range(3):
        await gate.chat()
        await reseal(stores.control, stores.secret_file)
        await gate.app.settle(TenantId("default"))
    await gate.chat()
    assert {each.headers["authorization"] for each in gate.provider.asked} == {f"Bearer {SECRET}"}


async def test_a_repo_that_moves_takes_its_key_along(gate):
    made = await gate.make("/v1/workspaces/w1/repos", {"name": "moving"})
    key = await gate.make(f"/repo/{made['id']}/ai/apikey", {"name": "moving", "aiType": "OPENAI"})
    await gate.chat(caller=key["secret"])
    await gate.send("admin", "PUT", f"/repo/{made['id']}", json={"workspaceId": "w2"})
    await gate.refused(caller=key["secret"], status=400)  # there is no connection in w2
