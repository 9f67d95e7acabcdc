"""One connection: uvicorn's protocol, held to limits that it has no settings for.

    bytes ─► head (size, lines, address, time) ─► uvicorn ─► edge (body, deadline) ─► answer ─► client (stall)

A head that is over a limit, and what is no HTTP, is answered with a problem and the connection is closed,
before anybody looks for a key; requests that came whole before it are answered first. A client that has sent
its request and closed its own side still gets its answer. No other protocol is spoken: an offer of one is
passed over.
"""

from asyncio import TimerHandle, Transport
from dataclasses import dataclass
from typing import Final

from httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from typing_extensions import override
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from bylaw.api import problems
from bylaw.core.ids import Ids

# What a line of the head costs beside its name and value: ": " and CR LF.
_AROUND: Final = 4
# For how long a refused client may go on sending before it is cut off.
_LINGER_S: Final = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class WireLimits:
    """What a connection is held to.

    Units: `head_bytes` in bytes, `address_bytes` in bytes of its first line's address, `head_lines` in lines;
    `head_s` in seconds from the first byte of a request (or the connection) to the last of its head,
    `stall_s` in seconds for which an answer may wait for its client to read.
    """

    head_bytes: int
    head_s: float
    head_lines: int = 100
    address_bytes: int = 8192
    stall_s: float = 30


class Wire(HttpToolsProtocol):
    """A connection that is held to limits."""

    def __init__(self, *given: object, limits: WireLimits, ids: Ids, **named: object) -> None:
        super().__init__(*given, **named)  # type: ignore[arg-type]  # what uvicorn gives to its own protocol
        self._limits = limits
        self._ids = ids
        self._in_head = False
        self._has_ended = False  # a refused connection, or one whose client said all that it will say
        self._unanswered = 0
        self._last_words = b""  # the problem that a refused connection ends with
        self._head_bytes = 0
        self._head_lines = 0
        self._unfinished = 0
        self._waiting: TimerHandle | None = None
        self._stalled: TimerHandle | None = None

    @override
    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn narrows it
        super().connection_made(transport)
        self._wait_for_head()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._head_is_there()
        self._unset_stall()
        super().connection_lost(exc)

    @override
    def data_received(self, data: bytes) -> None:
        if self._has_ended:
            return
        was_in_head = self._in_head
        if self._waiting is None and self._is_idle():
            self._wait_for_head()
        self._unset_keepalive_if_required()
        try:
            self._parse(memoryview(data))
        except HttpParserError:
            self.send_400_response("This is no request of HTTP/1.1.")
        # The parser hands out whole lines only: one that never ends is seen by its bytes.
        self._unfinished = self._unfinished + len(data) if was_in_head and self._in_head else 0
        if self._unfinished > self._limits.head_bytes:
            self._refuse_large_head()

    @override
    def eof_received(self) -> bool:  # type: ignore[override]  # uvicorn's answer is always None
        """Return whether the connection stays open: while a whole request waits for its answer."""
        if self._has_ended:
            return not self._is_idle()
        if self._is_idle() or self.cycle.more_body:
            return False
        self._has_ended = True
        self.cycle.keep_alive = False
        # Whoever waits for more is told that nothing comes: `Edge` gives up what it asked other servers then.
        self.cycle.message_event.set()
        return True

    @override
    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head = True
        self._head_bytes = self._head_lines = 0

    @override
    def on_url(self, url: bytes) -> None:
        self._head_bytes += len(url)
        if len(self.url) <= self._limits.address_bytes:
            super().on_url(url)

    @override
    def on_header(self, name: bytes, value: bytes) -> None:
        """Note a line of the head; one after the last chunk of a body is counted and says nothing."""
        self._head_lines += 1
        self._head_bytes += len(name) + len(value) + _AROUND
        if self._in_head and not self._is_too_large():
            super().on_header(name, value)
        elif not self._in_head and self._is_too_large():
            self._refuse_large_head()

    @override
    def on_headers_complete(self) -> None:
        self._in_head = False
        self._head_is_there()
        if self._has_ended:
            return
        if self._is_too_large() or len(self.url) > self._limits.address_bytes:
            self._refuse_large_head()
        elif self.parser.get_method() == b"CONNECT":
            self._refuse(501, "not_implemented", "This server is no proxy.")
        elif not self.parser.should_upgrade():
            super().on_headers_complete()
            self._unanswered += 1

    @override
    def on_body(self, body: bytes) -> None:
        if not self._has_ended:
            super().on_body(body)

    @override
    def on_message_complete(self) -> None:
        if not self._has_ended and not self.parser.should_upgrade():
            super().on_message_complete()

    @override
    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._unanswered -= 1
        if self.transport.is_closing():
            self._close()
        elif self._last_words and self._is_idle():
            self._end()

    @override
    def shutdown(self) -> None:
        """Finish what is under way, and tell an answer without an end of it."""
        if not self._is_idle():
            self.cycle.scope["bylaw.ending"] = True  # type: ignore[typeddict-unknown-key]  # a key of ours
        super().shutdown()

    @override
    def send_400_response(self, msg: str) -> None:
        """Answer what is no HTTP request."""
        self._refuse(400, "bad_request", msg)

    @override
    def timeout_keep_alive_handler(self) -> None:
        """Close a connection that nobody uses."""
        self._close()

    @override
    def pause_writing(self) -> None:
        super().pause_writing()
        self._wait_for_reader()

    @override
    def resume_writing(self) -> None:
        self._unset_stall()
        super().resume_writing()

    def _is_idle(self) -> bool:
        """Return whether no request is under way."""
        return self._unanswered == 0

    def _parse(self, data: memoryview) -> None:
        """Parse `data`; a head that offers another protocol is parsed once more, without the offer.

        The parser ends such a message with its head, and would take its body for the next request.
        Source: RFC 9110 section 7.8, a server may ignore the offer.
        """
        while data and not self._has_ended:
            try:
                self.parser.feed_data(data)
            except HttpParserUpgrade as offered:
                data = data[offered.args[0] :]
                if not self._has_ended:
                    head = self._head_without_offer()
                    self.parser = HttpRequestParser(self)
                    self.parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
                    self.parser.feed_data(head)
            else:
                return

    def _head_without_offer(self) -> bytes:
        version = self.parser.get_http_version().encode()
        lines = [name + b": " + value for name, value in self.headers if name != b"upgrade"]
        return b"\r\n".join(
            [b"%s %s HTTP/%s" % (self.parser.get_method(), self.url, version), *lines, b"", b""]
        )

    def _is_too_large(self) -> bool:
        return self._head_lines > self._limits.head_lines or self._head_bytes > self._limits.head_bytes

    def _wait_for_head(self) -> None:
        self._waiting = self.loop.call_later(self._limits.head_s, self._head_is_late)

    def _head_is_there(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _head_is_late(self) -> None:
        self._waiting = None
        if self._in_head:
            detail = f"The head of the request did not arrive within {self._limits.head_s:g} s."
            self._refuse(408, "request_timeout", detail)
        else:
            self.transport.abort()

    def _close(self) -> None:
        """Close the connection; what is left of its last answer has the time of every other."""
        self.transport.close()
        if self._stalled is None and self.transport.get_write_buffer_size():
            self._wait_for_reader()

    def _wait_for_reader(self) -> None:
        self._stalled = self.loop.call_later(self._limits.stall_s, self.transport.abort)

    def _unset_stall(self) -> None:
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _refuse_large_head(self) -> None:
        limits = self._limits
        if len(self.url) > limits.address_bytes:
            self._refuse(414, "uri_too_long", f"An address has at most {limits.address_bytes} bytes.")
            return
        detail = f"A head has at most {limits.head_bytes} bytes in {limits.head_lines} lines."
        self._refuse(431, "headers_too_large", detail)

    def _refuse(self, status: int, code: str, detail: str) -> None:
        """Close the connection with a problem, once the whole requests before it are answered."""
        if self._has_ended:
            return
        self._has_ended = True
        self._head_is_there()
        if not self._is_idle() and self.cycle.more_body:
            self._drop_half_request()
        if self.transport.is_closing():
            return
        answer = problems.details(problems.body_of_status(status, detail, self._ids.uuid7(), code=code))
        headers = (*answer.headers, (b"content-length", b"%d" % len(answer.body)), (b"connection", b"close"))
        lines = b"".join(name + b": " + value + b"\r\n" for name, value in headers)
        self._last_words = STATUS_LINE[status] + lines + b"\r\n" + answer.body
        if self._is_idle():
            self._end()

    def _drop_half_request(self) -> None:
        """Let nobody wait for the rest of the latest request, nor answer it, unless that has begun."""
        cycle = self.cycle
        if cycle.response_started:
            self.transport.close()
            return
        cycle.disconnected = True
        cycle.waiting_for_100_continue = False
        cycle.message_event.set()
        self._unanswered -= 1
        if self.pipeline and self.pipeline[0][0] is cycle:
            self.pipeline.popleft()

    def _end(self) -> None:
        """Say the last words, and hang up."""
        self.transport.write(self._last_words)
        # Closing while more comes in would take the answer back: what is still sent is passed over.
        self.transport.write_eof()
        self._waiting = self.loop.call_later(_LINGER_S, self.transport.abort)
