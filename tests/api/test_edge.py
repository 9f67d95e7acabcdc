import asyncio
import json
import logging

import pytest

from bylaw.api.edge import Edge, EdgeLimits, Served
from bylaw.api.metrics import Metrics
from bylaw.api.problems import Answer
from bylaw.api.tracing import Untraced
from bylaw.core.clock import ManualClock
from bylaw.core.errors import (
    BylawError,
    Conflict,
    Corrupt,
    DeadlineExceeded,
    Forbidden,
    InvalidInput,
    NotFound,
    PreconditionFailed,
    Problem,
    RateLimited,
    RuleSyntax,
    TooLarge,
    Unauthenticated,
    Unavailable,
)
from bylaw.core.ids import Ids


class Client:
    """Speaks ASGI to an edge, in chunks, and keeps what comes back."""

    def __init__(self, edge):
        self.edge = edge

    async def send(self, path="/hot", *, chunks=(b"{}",), headers=(), method="POST", gone_after=None):
        sent = []
        waiting = list(chunks)
        given = 0

        async def receive():
            nonlocal given
            if gone_after is not None and given >= gone_after:
                return {"type": "http.disconnect"}
            given += 1
            self.given = given
            body = waiting.pop(0)
            if body is None:
                await asyncio.Event().wait()
            return {"type": "http.request", "body": body, "more_body": bool(waiting)}

        async def send(message):
            sent.append(message)

        kinds = [(b"content-type", b"application/json")] if b"content-type" not in dict(headers) else []
        scope = {"type": "http", "method": method, "path": path, "headers": [*kinds, *headers]}
        await self.edge(scope, receive, send)
        if not sent:
            return None, {}, b""
        body = b"".join(message.get("body", b"") for message in sent[1:])
        return sent[0]["status"], dict(sent[0]["headers"]), body


def client(hot=None, *, app=None, body_bytes=1000, request_ms=1000, access_log="off"):
    async def echo(incoming):
        return Answer(status=200, body=incoming.body)

    async def nothing(*_):
        raise AssertionError("not a framework route")

    limits = EdgeLimits(body_bytes=body_bytes, request_ms=request_ms, access_log=access_log)
    edge = Edge(
        Served(app=app or nothing, hot={("POST", "/hot"): hot or echo}),
        limits=limits,
        metrics=Metrics(),
        ids=Ids(ManualClock()),
        tracer=Untraced(),
    )
    return Client(edge)


async def test_a_request_keeps_the_id_that_it_came_with():
    status, headers, body = await client().send(headers=[(b"x-request-id", b"order-7:retry.2")])
    assert (status, headers[b"x-request-id"], body) == (200, b"order-7:retry.2", b"{}")


@pytest.mark.parametrize("sent", [b"", b"a b", b"x" * 129, b"a\r\nset-cookie: x", "é".encode()])
async def test_an_id_that_could_do_harm_is_replaced(sent):
    _, headers, _ = await client().send(headers=[(b"x-request-id", sent)])
    assert len(headers[b"x-request-id"]) == 36


@pytest.mark.parametrize(
    "name", [b"authorization", b"content-type", b"host", b"idempotency-key", b"x-api-key"]
)
async def test_a_header_that_has_one_value_is_refused_in_two_lines(name):
    lines = [(name, b"application/json"), (b"accept", b"*/*")]
    assert (await client().send(headers=lines))[0] == 200
    status, _, body = await client().send(headers=[*lines, (name, b"application/json")])
    assert (status, json.loads(body)["code"]) == (400, "bad_request")
    assert name.decode() in json.loads(body)["detail"]


async def test_other_headers_in_several_lines_are_a_list():
    async def told(incoming):
        return Answer(status=200, body=incoming.headers[b"x-forwarded-for"])

    lines = [(b"x-forwarded-for", each) for each in (b"192.0.2.1", b"192.0.2.2, 192.0.2.3", b"192.0.2.4")]
    _, _, body = await client(told).send(headers=lines)
    assert body == b"192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4"


async def test_a_body_in_many_chunks_is_read_whole():
    _, _, body = await client().send(chunks=[b'{"a"', b": ", b"1}"])
    assert body == b'{"a": 1}'


async def test_a_stated_length_over_the_limit_is_refused_before_reading():
    sender = client()
    sender.given = 0
    status, headers, body = await sender.send(headers=[(b"content-length", b"1001")])
    assert (status, headers[b"connection"], sender.given) == (413, b"close", 0)
    assert json.loads(body)["limit"] == 1000


async def test_a_stream_is_cut_off_at_the_limit():
    sender = client()
    status, _, _ = await sender.send(chunks=[b"x" * 600] * 50)
    assert (status, sender.given) == (413, 2)


async def test_a_body_that_never_ends_meets_the_deadline():
    status, headers, body = await client(request_ms=100).send(chunks=[b"{", None])
    assert (status, json.loads(body)["code"], headers[b"connection"]) == (504, "deadline_exceeded", b"close")


async def test_nobody_is_answered_who_has_left():
    sender = client()
    assert await sender.send(chunks=[b"{", b"}"], gone_after=1) == (None, {}, b"")
    assert b'status="499"' in sender.edge._metrics.text()


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ([(b"content-type", b"application/json; charset=utf-8")], 200),
        ([(b"content-type", b"application/merge-patch+json")], 200),
        ([(b"content-type", b"text/plain")], 415),
        ([(b"content-type", b"application/json"), (b"content-encoding", b"gzip")], 415),
    ],
)
async def test_only_plain_json_is_read(headers, status):
    assert (await client().send(headers=headers))[0] == status


ERRORS = [
    (InvalidInput("No.", Problem(path="a", code="b", message="c")), 422, "invalid_input"),
    (InvalidInput("No.", Problem(path="", code="malformed_json", message="c")), 400, "invalid_input"),
    (RuleSyntax("No.", line=1, column=2, caret="^"), 422, "rule_syntax"),
    (Unauthenticated("No."), 401, "unauthenticated"),
    (Forbidden("No.", needs="admin"), 403, "forbidden"),
    (NotFound("policy", "p"), 404, "not_found"),
    (Conflict("No.", reason="exists"), 409, "conflict"),
    (PreconditionFailed("No.", current="2"), 412, "precondition_failed"),
    (TooLarge("No.", limit=1, unit="bytes"), 413, "too_large"),
    (RateLimited("No.", retry_after_s=7), 429, "rate_limited"),
    (DeadlineExceeded("No."), 504, "deadline_exceeded"),
    (Unavailable("No."), 503, "unavailable"),
    (Corrupt("No.", place="log"), 500, "corrupt"),
]


def test_every_error_of_the_tree_has_a_status():
    assert {type(error) for error, _, _ in ERRORS} == set(BylawError.__subclasses__())


@pytest.mark.parametrize(("error", "status", "code"), ERRORS)
async def test_an_error_becomes_a_problem(error, status, code):
    async def fails(_):
        raise error

    got, headers, body = await client(fails).send()
    problem = json.loads(body)
    assert (got, problem["status"], problem["code"]) == (status, status, code)
    assert headers[b"content-type"] == b"application/problem+json"
    assert problem["request_id"].encode() == headers[b"x-request-id"]


async def test_who_is_too_fast_is_told_when_to_come_back():
    async def fails(_):
        raise RateLimited("No.", retry_after_s=7)

    _, headers, _ = await client(fails).send()
    assert headers[b"retry-after"] == b"7"


async def test_a_bug_is_a_problem_without_a_trace_and_logged_once(caplog):
    async def fails(_):
        raise ZeroDivisionError("secret detail")

    status, headers, body = await client(fails).send(headers=[(b"x-request-id", b"r1")])
    assert (status, headers[b"content-type"]) == (500, b"application/problem+json")
    assert b"secret" not in body
    assert b"r1" in body
    logged = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(logged) == 1
    assert "secret detail" in caplog.text


async def test_a_bug_after_the_answer_began_is_logged_and_ends_the_answer(caplog):
    async def app(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise ZeroDivisionError

    status, _, body = await client(app=app).send("/other")
    assert (status, body) == (200, b"")
    assert "ZeroDivisionError" in caplog.text


async def test_a_stream_that_began_in_time_may_take_longer_than_the_deadline():
    async def app(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(5):
            await asyncio.sleep(0.03)
            await send({"type": "http.response.body", "body": b"x", "more_body": True})

    status, _, body = await client(app=app, request_ms=100).send("/other")
    assert (status, body) == (200, b"xxxxx")


@pytest.mark.parametrize(("wanted", "lines"), [("all", 2), ("errors", 1), ("off", 0)])
async def test_the_access_log_holds_what_was_asked_for_and_no_secret(caplog, wanted, lines):
    caplog.set_level(logging.INFO, logger="bylaw.access")
    sender = client(access_log=wanted)
    await sender.send(headers=[(b"authorization", b"Bearer sf_live_v1_secret")])
    await sender.send(headers=[(b"content-type", b"text/plain")])
    found = [json.loads(r.message) for r in caplog.records if r.name == "bylaw.access"]
    assert len(found) == lines
    assert "secret" not in caplog.text
    if wanted == "errors":
        assert (found[0]["status"], found[0]["path"]) == (415, "/hot")


async def test_other_protocols_are_not_spoken():
    sent = []
    await client().edge({"type": "websocket"}, None, sent.append)
    assert sent == []
