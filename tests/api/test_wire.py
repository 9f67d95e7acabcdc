"""What one connection is held to, over real sockets."""

import asyncio
import json
from contextlib import asynccontextmanager, suppress
from functools import partial

import pytest
import uvicorn
from uvicorn.server import ServerState

from bylaw.api.problems import Answer
from bylaw.api.wire import Wire, WireLimits
from bylaw.core.clock import ManualClock
from bylaw.core.ids import Ids
from tests.api.test_edge import client

LONG = 3600
SHORT = 0.5  # to wait for, and still enough for what arrives in time on a busy machine
HOST = b"host: x\r\n"
ASKED = b"POST /hot HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 2\r\n\r\n{}"


@asynccontextmanager
async def listening(edge=None, **limits):
    """Yield a function that opens a connection to an edge behind a wire with these limits."""
    config = uvicorn.Config(
        edge or client().edge, lifespan="off", access_log=False, ws="none", log_config=None
    )
    given = {"head_bytes": 1000, "head_s": LONG, "head_lines": 10, "address_bytes": 100, "stall_s": LONG}
    state = ServerState()
    make = partial(Wire, config, state, {}, limits=WireLimits(**given | limits), ids=Ids(ManualClock()))
    server = await asyncio.get_running_loop().create_server(make, "127.0.0.1", 0)
    opened = []

    async def connect():
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        opened.append(writer)
        return reader, writer

    async with server:
        yield connect
        for each in opened:
            each.transport.abort()
            with suppress(ConnectionError):
                await each.wait_closed()
        while state.connections:  # noqa: ASYNC110 - a plain set of uvicorn's
            await asyncio.sleep(0)


async def answer_of(reader):
    """Return the status, the headers and the body of the next answer."""
    status, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().strip().split("\r\n")
    headers = dict(line.split(": ", 1) for line in lines)
    return int(status.split()[1]), headers, await reader.readexactly(int(headers["content-length"]))


async def refused(reader):
    status, headers, body = await answer_of(reader)
    assert (headers["content-type"], headers["connection"]) == ("application/problem+json", "close")
    assert await reader.read() == b""
    problem = json.loads(body)
    assert problem["status"] == status
    return status, problem["code"]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 11 + b"\r\n", (431, "headers_too_large")),
        (b"GET / HTTP/1.1\r\na: " + b"x" * 1000 + b"\r\n\r\n", (431, "headers_too_large")),
        (b"GET /?" + b"x" * 100 + b" HTTP/1.1\r\n\r\n", (414, "uri_too_long")),
        (b"GET /?" + b"x" * 70_000 + b" HTTP/1.1\r\n\r\n", (414, "uri_too_long")),
        (b"nonsense\r\n\r\n", (400, "bad_request")),
        (
            b"POST / HTTP/1.1\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n",
            (400, "bad_request"),
        ),
    ],
)
async def test_a_head_over_a_limit_is_refused_with_a_problem(sent, expected):
    async with listening() as connect:
        reader, writer = await connect()
        writer.write(sent)
        assert await refused(reader) == expected


async def test_a_head_at_the_limits_is_answered():
    async with listening() as connect:
        reader, writer = await connect()
        lines = HOST + b"".join(b"a%d: b\r\n" % n for n in range(7))
        address = b"/hot?" + b"x" * 95
        head = (
            b"POST "
            + address
            + b" HTTP/1.1\r\ncontent-type: application/json\r\ncontent-length: 2\r\n"
            + lines
        )
        for _ in range(3):  # each request of a connection by itself
            writer.write(head + b"\r\n{}")
            assert (await answer_of(reader))[0] == 200


async def test_a_line_that_never_ends_is_refused_while_it_is_still_sent():
    async with listening() as connect:
        reader, writer = await connect()
        writer.write(b"GET / HTTP/1.1\r\na: ")
        await writer.drain()

        async def pour():
            while True:
                writer.write(b"x" * 100_000)
                await writer.drain()

        pouring = asyncio.create_task(pour())
        assert await refused(reader) == (431, "headers_too_large")
        pouring.cancel()
        with pytest.raises((asyncio.CancelledError, ConnectionError)):
            await pouring


async def test_lines_after_the_last_chunk_are_held_to_the_same_limit():
    async with listening() as connect:
        reader, writer = await connect()
        head = b"POST /hot HTTP/1.1\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n"
        writer.write(head + b"\r\n2\r\n{}\r\n0\r\n" + b"a: b\r\n" * 11)
        assert await refused(reader) == (431, "headers_too_large")


async def test_lines_after_the_last_chunk_say_nothing():
    async def named(incoming):
        return Answer(status=200, body=b" ".join(sorted(incoming.headers)))

    async with listening(client(named).edge) as connect:
        reader, writer = await connect()
        head = b"POST /hot HTTP/1.1\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n"
        after = b"authorization: Bearer k\r\nx-forwarded-for: 203.0.113.7\r\nexpect: 100-continue\r\n"
        writer.write(head + b"\r\n2\r\n{}\r\n0\r\n" + after + b"\r\n")
        assert (await answer_of(reader))[2] == b"content-type transfer-encoding"


H2C = b"connection: Upgrade, HTTP2-Settings\r\nupgrade: h2c\r\nhttp2-settings: AAMAAABkAARAAAAAAAIAAAAA\r\n"
WEBSOCKET = b"upgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\n"
HIDDEN = b"POST /hidden HTTP/1.1\r\nhost: y\r\n\r\n"


def offering(offer, *, version=b"1.1"):
    """Return a request that offers another protocol, whose body looks like a request."""
    kind = b"content-type: application/json\r\n"
    stated = b"content-length: %d\r\n\r\n" % len(HIDDEN)
    return b"POST /hot HTTP/" + version + b"\r\n" + HOST + kind + offer + stated + HIDDEN


async def write_in(writer, data, *, pieces):
    """Write `data`, as a rule in so many packets."""
    size = -(-len(data) // pieces)
    for start in range(0, len(data), size):
        writer.write(data[start : start + size])
        for _ in range(5):
            await asyncio.sleep(0)


@pytest.mark.parametrize("pieces", [1, 2, 50, 1000])
@pytest.mark.parametrize(
    "offer", [H2C, WEBSOCKET, b"connection: upgrade\r\nupgrade: x/1, y\r\nupgrade: z\r\n"]
)
async def test_an_offer_of_another_protocol_is_passed_over(offer, pieces):
    async with listening() as connect:
        reader, writer = await connect()
        for _ in range(2):  # the second shows that nobody took the body of the first for a request
            await write_in(writer, offering(offer), pieces=pieces)
            status, headers, body = await answer_of(reader)
            assert (status, body) == (200, HIDDEN)
            assert "upgrade" not in headers


async def test_offers_one_after_the_other_are_answered_in_order():
    async with listening() as connect:
        reader, writer = await connect()
        writer.write(offering(H2C) + ASKED + offering(WEBSOCKET) + ASKED)
        bodies = [(await answer_of(reader))[2] for _ in range(4)]
        assert bodies == [HIDDEN, b"{}", HIDDEN, b"{}"]


@pytest.mark.parametrize(
    "asked", [offering(b"connection: close, upgrade\r\nupgrade: h2c\r\n"), offering(H2C, version=b"1.0")]
)
async def test_an_offer_on_a_connection_that_ends_is_passed_over_too(asked):
    async with listening() as connect:
        reader, writer = await connect()
        await write_in(writer, asked, pieces=3)
        assert (await answer_of(reader))[::2] == (200, HIDDEN)
        assert await reader.read() == b""


async def test_an_offer_whose_body_waits_is_told_to_go_on():
    async with listening() as connect:
        reader, writer = await connect()
        asked = offering(b"expect: 100-continue\r\n" + H2C)
        writer.write(asked.removesuffix(HIDDEN))
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(HIDDEN)
        assert (await answer_of(reader))[::2] == (200, HIDDEN)


async def test_a_chunked_body_after_an_offer_is_a_body():
    async with listening() as connect:
        reader, writer = await connect()
        kind = b"content-type: application/json\r\ntransfer-encoding: chunked\r\n"
        chunks = b"%x\r\n%s\r\n0\r\n\r\n" % (len(HIDDEN), HIDDEN)
        writer.write(b"POST /hot HTTP/1.1\r\n" + kind + H2C + b"\r\n" + chunks + ASKED)
        assert [(await answer_of(reader))[2] for _ in range(2)] == [HIDDEN, b"{}"]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", (400, "bad_request")),
        (
            b"CONNECT example.org:443 HTTP/1.1\r\nhost: example.org:443\r\n\r\n" + ASKED,
            (501, "not_implemented"),
        ),
    ],
)
async def test_who_insists_on_another_protocol_is_refused(sent, expected):
    async with listening() as connect:
        reader, writer = await connect()
        writer.write(sent)
        assert await refused(reader) == expected


CHUNKED = b"POST /hot HTTP/1.1\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n"
BROKEN = [
    b"nonsense\r\n\r\n",
    CHUNKED.replace(b"chunked", b"xchunked") + b"\r\n2\r\n{}\r\n0\r\n\r\n",
    CHUNKED + b"\r\n2\n{}\n0\n\n",
    CHUNKED + b"expect: 100-continue\r\n\r\nz\r\n",
]


@pytest.mark.parametrize("before", [0, 1, 3])
@pytest.mark.parametrize("broken", BROKEN, ids=["nonsense", "coding", "chunk ends", "chunk size"])
async def test_what_is_broken_is_refused_after_the_requests_before_it_are_answered(broken, before):
    async with listening() as connect:
        reader, writer = await connect()
        writer.write(ASKED * before + broken + ASKED)
        for _ in range(before):
            assert (await answer_of(reader))[::2] == (200, b"{}")
        assert await refused(reader) == (400, "bad_request")


async def test_who_closes_their_side_after_something_broken_gets_every_answer():
    carried_out = asyncio.Event()

    async def slow(incoming):
        await carried_out.wait()
        return Answer(status=200, body=incoming.body)

    async with listening(client(slow).edge) as connect:
        reader, writer = await connect()
        writer.write(ASKED + BROKEN[1])
        writer.write_eof()
        asyncio.get_running_loop().call_later(0.05, carried_out.set)
        assert (await answer_of(reader))[::2] == (200, b"{}")
        assert await refused(reader) == (400, "bad_request")


@pytest.mark.parametrize("sent", [b"", b"GET / HT", b"GET / HTTP/1.1\r\nhost: x\r\n", b"\r\n"])
async def test_a_head_that_does_not_arrive_in_time_ends_the_connection(sent):
    async with listening(head_s=SHORT) as connect:
        reader, writer = await connect()
        writer.write(sent)
        if sent.strip():
            assert await refused(reader) == (408, "request_timeout")
        else:
            assert await reader.read() == b""


async def test_a_second_head_that_dribbles_ends_the_connection_too():
    async with listening(head_s=SHORT) as connect:
        reader, writer = await connect()
        writer.write(ASKED)
        assert (await answer_of(reader))[0] == 200
        writer.write(b"\r\nG")
        assert await refused(reader) == (408, "request_timeout")


async def test_the_time_for_a_head_does_not_run_while_a_request_is_carried_out():
    carried_out = asyncio.Event()

    async def slow(_):
        await carried_out.wait()
        return Answer(status=200, body=b"{}")

    async with listening(client(slow).edge, head_s=SHORT) as connect:
        reader, writer = await connect()
        writer.write(ASKED)
        other, _ = await connect()
        assert await other.read() == b""  # which has taken longer than a head may
        carried_out.set()
        assert (await answer_of(reader))[0] == 200


async def test_who_closes_their_side_after_the_request_still_gets_the_answer():
    carried_out = asyncio.Event()

    async def slow(incoming):
        await carried_out.wait()
        return Answer(status=200, body=incoming.body)

    async with listening(client(slow).edge) as connect:
        reader, writer = await connect()
        writer.write(ASKED)
        writer.write_eof()
        asyncio.get_running_loop().call_later(0.05, carried_out.set)
        status, headers, body = await answer_of(reader)
        assert (status, headers["connection"], body) == (200, "close", b"{}")
        assert await reader.read() == b""


@pytest.mark.parametrize("sent", [b"", b"GET / HT", ASKED[:-1]])
async def test_who_closes_their_side_within_a_request_gets_none(sent):
    async with listening() as connect:
        reader, writer = await connect()
        writer.write(sent)
        writer.write_eof()
        assert await reader.read() == b""


async def test_who_never_reads_the_answer_is_cut_off():
    cut_off = asyncio.Event()

    async def app(_scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        leaving = asyncio.create_task(receive())
        while not leaving.done():
            await send({"type": "http.response.body", "body": b"x" * 1_000_000, "more_body": True})
            await asyncio.sleep(0)
        cut_off.set()

    async with listening(app, stall_s=SHORT) as connect:
        _, writer = await connect()
        writer.transport.pause_reading()
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        await cut_off.wait()
