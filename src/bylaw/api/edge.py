"""The edge: one plain ASGI callable around every route, hot or not.

It gives each request an id, reads its body up to a limit, holds it to a deadline, hands it to its route,
answers whatever goes wrong, and leaves one line in the access log and in the metrics.
"""

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeVar, cast

import msgspec

from bylaw.api.asgi import App, Message, Receive, Scope, Send
from bylaw.api.incoming import NOT_JSON, Incoming
from bylaw.api.metrics import Metrics
from bylaw.api.problems import Answer, Failures
from bylaw.api.tracing import Tracer
from bylaw.core.errors import BylawError, DeadlineExceeded, InvalidInput, Problem, TooLarge
from bylaw.core.ids import Ids

_log = logging.getLogger("bylaw.api")
_access = logging.getLogger("bylaw.access")
_REQUEST_ID: Final = re.compile(rb"[A-Za-z0-9._:-]{1,128}")

# Answers are for their caller and of this moment, and are what they say they are.
_ALWAYS: Final = ((b"cache-control", b"no-store"), (b"x-content-type-options", b"nosniff"))
# What has one value: who reads the first line and who reads the last would see different requests.
_ONCE: Final = (b"authorization", b"content-type", b"host", b"idempotency-key", b"x-api-key")

AccessLog = Literal["all", "errors", "off"]
T = TypeVar("T")

Hot = Callable[[Incoming], Awaitable[Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class EdgeLimits:
    """What the edge holds requests to. Units: `body_bytes` in bytes, `request_ms` in milliseconds."""

    body_bytes: int
    request_ms: int
    access_log: AccessLog = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """What is behind an edge: hot routes by method and path, `app` for all others, and how failures look."""

    app: App
    hot: Mapping[tuple[str, str], Hot]
    failures: Failures = field(default_factory=Failures)


class _Gone(Exception):
    """The client left before its request was answered."""


class Edge:
    """The ASGI application of the server."""

    def __init__(
        self,
        served: Served,
        *,
        limits: EdgeLimits,
        metrics: Metrics,
        ids: Ids,
        tracer: Tracer,
    ) -> None:
        self._app = served.app
        self._hot = served.hot
        self._failures = served.failures
        self._limits = limits
        self._metrics = metrics
        self._ids = ids
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; other protocols are not spoken."""
        if scope["type"] != "http":
            return
        started = time.perf_counter()
        headers = _joined(_lines(scope))
        incoming = Incoming(
            id=self._request_id(headers.get(b"x-request-id", b"")),
            method=cast("str", scope["method"]),
            path=cast("str", scope["path"]),
            headers=headers,
            peer=_peer(scope),
        )
        reply = _Reply(send, incoming)
        self._metrics.started()
        with self._tracer.request(incoming.method, incoming.path, headers) as span:
            await self._handle(scope, receive, reply)
            span.set_attribute("http.response.status_code", reply.status)
        self._finish(scope, reply, time.perf_counter() - started)

    async def _handle(self, scope: Scope, receive: Receive, reply: "_Reply") -> None:
        """Carry the request out; whatever goes wrong is answered here and nowhere else."""
        incoming = reply.incoming
        try:
            async with asyncio.timeout(self._limits.request_ms / 1000) as reply.deadline:
                incoming.body = await self._read(receive, incoming.headers)
                incoming.attended = _Attended(receive, reply.deadline, self._limits.request_ms / 1000)
                await self._route(scope, reply)
        except _Gone:
            await reply.leave()
        except TimeoutError:
            error = DeadlineExceeded(f"The request took longer than {self._limits.request_ms} ms.")
            await reply.finish(self._failures.of(error, incoming), close=True)
        except TooLarge as error:
            await reply.finish(self._failures.of(error, incoming), close=True)
        except BylawError as error:
            await reply.finish(self._failures.of(error, incoming))
        except Exception:  # noqa: BLE001 - the named boundary: a bug is a 500, logged once
            _log.exception("request %s %s %s failed", incoming.id, incoming.method, incoming.path)
            await reply.finish(self._failures.unexpected(incoming))

    async def _route(self, scope: Scope, reply: "_Reply") -> None:
        incoming = reply.incoming
        repeated = _repeated(_lines(scope), incoming.headers)
        if repeated:
            await reply.finish(self._failures.of_status(400, f"Send {repeated} in one line.", incoming))
            return
        hot = self._hot.get((incoming.method, incoming.path))
        if hot is not None:
            refused = None if incoming.is_json else self._failures.of_status(415, NOT_JSON, incoming)
            await reply.finish(await hot(incoming) if refused is None else refused)
            return
        if "\0" in incoming.path or b"%00" in cast("bytes", scope.get("query_string", b"")):
            problem = Problem(path="url", code="nul", message="The address holds NUL: take it out.")
            raise InvalidInput(problem.message, problem)
        scope["bylaw"] = incoming
        await self._app(scope, _replay(incoming.body), reply.forward)

    async def _read(self, receive: Receive, headers: Mapping[bytes, bytes]) -> bytes:
        """Return the body. Raises: TooLarge as soon as it is known to be, without reading on."""
        limit = self._limits.body_bytes
        stated = headers.get(b"content-length", b"0")
        if stated.isdigit() and int(stated) > limit:
            raise _too_large(limit)
        chunks: list[bytes] = []
        size = 0
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise _Gone
            chunk = cast("bytes", message.get("body", b""))
            size += len(chunk)
            if size > limit:
                raise _too_large(limit)
            chunks.append(chunk)
            more = cast("bool", message.get("more_body", False))
        return chunks[0] if len(chunks) == 1 else b"".join(chunks)

    def _request_id(self, sent: bytes) -> str:
        return sent.decode() if _REQUEST_ID.fullmatch(sent) else self._ids.uuid7()

    def _finish(self, scope: Scope, reply: "_Reply", seconds: float) -> None:
        incoming = reply.incoming
        is_hot = (incoming.method, incoming.path) in self._hot
        route = incoming.path if is_hot else getattr(scope.get("route"), "path", "(none)")
        self._metrics.finished(incoming.method, route, reply.status, seconds)
        wanted = self._limits.access_log
        if wanted == "all" or (wanted == "errors" and reply.status >= 400):
            line = {
                "method": incoming.method,
                "path": incoming.path,
                "status": reply.status,
                "ms": round(seconds * 1000, 2),
                "caller": incoming.caller,
                "request_id": incoming.id,
            }
            _access.info(msgspec.json.encode(line).decode())


class _Reply:
    """The answer on its way out: written once, with the request id and the headers that the route added."""

    __slots__ = ("_send", "deadline", "incoming", "is_started", "status")

    def __init__(self, send: Send, incoming: Incoming) -> None:
        self._send = send
        self.incoming = incoming
        self.status = 500
        self.is_started = False
        self.deadline: asyncio.Timeout | None = None

    async def finish(self, answer: Answer, *, close: bool = False) -> None:
        """Send a whole answer; when another one has begun already, only the connection can tell."""
        if self.is_started:
            return
        self.status = answer.status
        self.is_started = True
        headers = [
            *answer.headers,
            (b"content-length", str(len(answer.body)).encode()),
            (b"x-request-id", self.incoming.id.encode()),
            *_ALWAYS,
            *self.incoming.answer_headers,
        ]
        if close:
            headers.append((b"connection", b"close"))
        await self._send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await self._send({"type": "http.response.body", "body": answer.body})

    async def leave(self) -> None:
        """Note that the client left; an answer that has begun ends there."""
        if self.is_started:
            await self._send({"type": "http.response.body", "body": b""})
        else:
            self.status = 499

    async def forward(self, message: Message) -> None:
        """Send one message of a framework's answer; once it has begun, the deadline no longer holds."""
        if message["type"] == "http.response.start":
            self.status = cast("int", message["status"])
            self.is_started = True
            headers = cast("list[tuple[bytes, bytes]]", message["headers"])
            said = {name for name, _ in headers}
            added = [
                (b"x-request-id", self.incoming.id.encode()),
                *(each for each in _ALWAYS if each[0] not in said),
                *self.incoming.answer_headers,
            ]
            message = {**message, "headers": [*headers, *added]}
            if self.deadline is not None:
                self.deadline.reschedule(None)
        await self._send(message)


class _Attended:
    """Waits for work of other servers: the deadline stands still, and a client who leaves ends it."""

    def __init__(self, receive: Receive, deadline: asyncio.Timeout, request_s: float) -> None:
        self._receive = receive
        self._deadline = deadline
        self._request_s = request_s

    async def __call__(self, work: Awaitable[T], /) -> T:
        """Return what comes of `work`. Raises: _Gone, and what `work` raises."""
        self._deadline.reschedule(None)
        # The body was read whole: whatever comes now says that nothing more does.
        working, leaving = asyncio.ensure_future(work), asyncio.ensure_future(self._receive())
        try:
            await asyncio.wait({working, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if not working.done():
                raise _Gone
            return working.result()
        finally:
            working.cancel()
            leaving.cancel()
            await asyncio.wait({working, leaving})
            self._deadline.reschedule(asyncio.get_running_loop().time() + self._request_s)


def _peer(scope: Scope) -> str:
    client = cast("tuple[str, int] | None", scope.get("client"))
    return "" if client is None else client[0]


def _lines(scope: Scope) -> list[tuple[bytes, bytes]]:
    return cast("list[tuple[bytes, bytes]]", scope["headers"])


def _joined(lines: list[tuple[bytes, bytes]]) -> Mapping[bytes, bytes]:
    """Return each header with its value; several lines of one are a list (RFC 9110 section 5.3)."""
    headers = dict(lines)
    if len(headers) < len(lines):
        headers = {name: b", ".join(value for each, value in lines if each == name) for name in headers}
    return headers


def _repeated(lines: list[tuple[bytes, bytes]], headers: Mapping[bytes, bytes]) -> str:
    """Return the name of a header that has one value and came in several lines, if any."""
    if len(headers) == len(lines):
        return ""
    names = [name for name, _ in lines]
    return next((name.decode() for name in _ONCE if names.count(name) > 1), "")


def _replay(body: bytes) -> Receive:
    """Return a `receive` that hands out the body that was read, then waits for ever."""
    handed_out = False

    async def receive() -> Message:
        nonlocal handed_out
        if handed_out:
            await asyncio.Event().wait()
        handed_out = True
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body has more than {limit} bytes.", limit=limit, unit="bytes")
