"""The one HTTP client: small calls to addresses that were looked at first, within limits.

A name is resolved once and the call goes to what was found, so that a name cannot lead elsewhere after the
look. Redirects are not followed. A call that is cancelled closes its connection.
"""

import asyncio
import contextlib
import ipaddress
import ssl
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, Literal
from urllib.parse import urlsplit

import h11

from bylaw.providers.model import Failed
from bylaw.providers.resolving import Resolver

Outgoing = Literal["off", "public", "any"]

# What is read before others have their turn: small events in it take a hundredth of a second.
_CHUNK: Final = 16_384
_CONNECT_S: Final = 10.0
_IDLE_S: Final = 15.0
_MOST_IDLE: Final = 8
_MOST_ORIGINS: Final = 64
_SHARES: Final = 4  # one address under one key has one of them, so that a slow one leaves room for others
# What of IPv6 is given out (RFC 4291), and what stands for the IPv4 address at its end (RFC 6052).
_ASSIGNED: Final = ipaddress.IPv6Network("2000::/3")
_TRANSLATED: Final = ipaddress.IPv6Network("64:ff9b::/96")
# For protocols (RFC 6890), of which Python knows a part; clouds answer about their machines there.
_PROTOCOLS: Final = ipaddress.IPv4Network("192.0.0.0/24")
_OFF: Final = "This server makes no outgoing calls: set BYLAW_OUTGOING to `public` to let it ask providers."


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """What calls are held to: the time of a whole one, the size of an answer, how many at once.

    A quarter of `calls`, at least one, may be under way to one address with the same headers. An answer that
    is longer, or compressed, is none; unless `whole` is off, and it counts with as much of it as fits.
    Units: `timeout_ms` in milliseconds, `answer_bytes` in bytes.
    """

    timeout_ms: int = 120_000
    answer_bytes: int = 4 << 20
    whole: bool = True
    calls: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpCall:
    """One call; a body is JSON unless `headers` (in lower case) name another `content-type`.

    Units: `timeout_s` in seconds, None for the client's own.
    """

    method: Literal["GET", "POST"]
    url: str
    headers: Mapping[str, str]
    body: bytes = b""
    timeout_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpAnswer:
    """What was answered, whatever the status; header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class _Origin:
    """Where a connection leads: it is for one of these only."""

    is_tls: bool
    host: str
    port: int

    @property
    def name(self) -> str:
        """Return what the server is called in a request."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.is_tls else 80) else f"{host}:{self.port}"


# Whom a call goes to, and as whom: the headers hold the key.
_Share = tuple[_Origin, frozenset[tuple[str, str]]]


@dataclass(slots=True, kw_only=True)
class _Connection:
    """An open connection; `idle_since` is when it was last used."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    state: h11.Connection
    idle_since: float = 0.0


class _Unfit(Exception):
    """What came back cannot be used."""


class HttpClient:
    """Calls as far as `outgoing` allows: not at all, to public addresses, or to any."""

    def __init__(
        self,
        outgoing: Outgoing,
        limits: HttpLimits,
        *,
        ticks: Callable[[], float] = time.monotonic,
        resolver: Resolver | None = None,
    ) -> None:
        self._outgoing = outgoing
        self._limits = limits
        self._ticks = ticks
        self._resolver = Resolver() if resolver is None else resolver
        self._under_way: Counter[_Share] = Counter()
        self._idle: dict[_Origin, list[_Connection]] = {}
        self._tls: ssl.SSLContext | None = None

    async def send(self, call: HttpCall) -> HttpAnswer | Failed:
        """Return what is answered, or why nothing is."""
        if self._outgoing == "off":
            return Failed(reason="off", message=_OFF)
        parts = urlsplit(call.url)
        is_tls = parts.scheme == "https"
        origin = _Origin(is_tls=is_tls, host=parts.hostname or "", port=parts.port or (443 if is_tls else 80))
        timeout_s = self._limits.timeout_ms / 1000 if call.timeout_s is None else call.timeout_s
        share = (origin, frozenset(call.headers.items()))
        if self._is_taken(share):
            return Failed(reason="busy", message="Too many calls to providers are under way: try again.")
        self._under_way[share] += 1
        try:
            async with asyncio.timeout(timeout_s):
                return await self._send(origin, call)
        except TimeoutError:
            message = f"{origin.host} did not answer within {timeout_s:g} s."
            return Failed(reason="late", message=message)
        except (_Unfit, h11.ProtocolError) as error:
            said = str(error) if isinstance(error, _Unfit) else "it does not speak HTTP/1.1"
            return Failed(reason="malformed", message=f"{origin.host} answered what cannot be used: {said}.")
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or type(error).__name__
            return Failed(reason="unreachable", message=f"{origin.host} does not answer: {reason}.")
        finally:
            self._under_way[share] -= 1
            self._under_way += Counter()  # forgets those that are at nothing

    async def aclose(self) -> None:
        """Close what is open and unused."""
        kept, self._idle = self._idle, {}
        for each in (connection for connections in kept.values() for connection in connections):
            await _closed(each)

    def _is_taken(self, share: _Share) -> bool:
        """Return whether as many calls are under way as may be, of all or of this share."""
        most = self._limits.calls
        return self._under_way.total() >= most or self._under_way[share] >= max(1, most // _SHARES)

    async def _send(self, origin: _Origin, call: HttpCall) -> HttpAnswer | Failed:
        connection = self._kept(origin) or await self._connected(origin)
        if isinstance(connection, Failed):
            return connection
        is_reusable = False
        try:
            answer = await self._exchange(connection, origin, call)
            ended = connection.state.their_state is connection.state.our_state is h11.DONE
            # What came beyond the end of an answer would be read as the beginning of the next one.
            is_reusable = ended and not connection.state.trailing_data[0]
        finally:
            if not is_reusable:
                connection.writer.transport.abort()
        if is_reusable:
            self._keep(origin, connection)
        return answer

    async def _exchange(self, connection: _Connection, origin: _Origin, call: HttpCall) -> HttpAnswer:
        """Return the answer to one request. Raises: _Unfit, h11.ProtocolError, OSError."""
        state, asked = connection.state, urlsplit(call.url)
        target = (asked.path or "/") + (f"?{asked.query}" if asked.query else "")
        headers = [
            ("host", origin.name),
            ("accept", "application/json"),
            ("accept-encoding", "identity"),
            *call.headers.items(),
        ]
        if call.method == "POST":
            headers += [("content-type", "application/json")] if "content-type" not in call.headers else []
            headers += [("content-length", str(len(call.body)))]
        parts = (
            h11.Request(method=call.method, target=target, headers=headers),
            h11.Data(data=call.body),
            h11.EndOfMessage(),
        )
        connection.writer.write(b"".join(state.send(part) or b"" for part in parts))
        await connection.writer.drain()
        status, told, chunks, size = 0, {}, list[bytes](), 0
        while not isinstance(event := await _next(connection), h11.EndOfMessage):
            if isinstance(event, h11.Response):
                status = event.status_code
                told = {name.decode(): value.decode("latin-1") for name, value in event.headers}
                if self._limits.whole and told.get("content-encoding", "identity").lower() != "identity":
                    raise _Unfit("its body is compressed although that was not asked for")
            elif isinstance(event, h11.Data):
                size += len(event.data)
                chunks.append(bytes(event.data))
                if size > self._limits.answer_bytes:
                    if self._limits.whole:
                        raise _Unfit(f"its body has more than {self._limits.answer_bytes} bytes")
                    break
        return HttpAnswer(status=status, headers=told, body=b"".join(chunks))

    async def _connected(self, origin: _Origin) -> _Connection | Failed:
        """Return a new connection, to the first allowed address that takes one. Raises: OSError."""
        found = await self._resolver.addresses(origin.host)
        allowed = [each for each in found if self._may_reach(each)]
        if not allowed:
            message = f"{origin.host} is no public address: with BYLAW_OUTGOING=any it may be asked."
            return Failed(reason="forbidden", message=message)
        refused: OSError | None = None
        for address in allowed:
            try:
                async with asyncio.timeout(_CONNECT_S):
                    reader, writer = await asyncio.open_connection(
                        address,
                        origin.port,
                        ssl=self._context() if origin.is_tls else None,
                        server_hostname=origin.host if origin.is_tls else None,
                    )
            except OSError as error:
                refused = error
            else:
                return _Connection(reader=reader, writer=writer, state=h11.Connection(h11.CLIENT))
        raise refused if refused is not None else OSError

    def _kept(self, origin: _Origin) -> _Connection | None:
        """Return a connection that was used before and is still open, if there is one."""
        waiting = self._idle.get(origin, [])
        while waiting:
            connection = waiting.pop()
            is_fresh = self._ticks() - connection.idle_since < _IDLE_S
            if is_fresh and not connection.reader.at_eof() and not connection.writer.is_closing():
                return connection
            connection.writer.close()
        return None

    def _keep(self, origin: _Origin, connection: _Connection) -> None:
        self._close_stale()
        waiting = self._idle.setdefault(origin, [])
        if len(waiting) >= _MOST_IDLE or len(self._idle) > _MOST_ORIGINS:
            connection.writer.close()
            return
        connection.state.start_next_cycle()
        connection.idle_since = self._ticks()
        waiting.append(connection)

    def _close_stale(self) -> None:
        """Close what nobody used for a while, wherever it leads."""
        now = self._ticks()
        for origin, waiting in [*self._idle.items()]:
            fresh = [each for each in waiting if now - each.idle_since < _IDLE_S]
            for each in waiting:
                if each not in fresh:
                    each.writer.close()
            if fresh:
                self._idle[origin] = fresh
            else:
                del self._idle[origin]

    def _may_reach(self, address: str) -> bool:
        return self._outgoing == "any" or is_public(address)

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls


def is_public(address: str) -> bool:
    """Return whether an address, or the one that it stands for, is one of the public network."""
    found = ipaddress.ip_address(address)
    if isinstance(found, ipaddress.IPv6Address):
        if found in _TRANSLATED:
            found = ipaddress.IPv4Address(found.packed[-4:])
        elif found.sixtofour is not None:
            found = found.sixtofour
        elif found not in _ASSIGNED:
            return False
    return found.is_global and not found.is_multicast and found not in _PROTOCOLS


async def _next(connection: _Connection) -> h11.Event:
    """Return what comes next of an answer. Raises: h11.ProtocolError, _Unfit, OSError."""
    while (event := connection.state.next_event()) is h11.NEED_DATA:
        await asyncio.sleep(0)
        connection.state.receive_data(await connection.reader.read(_CHUNK))
    if isinstance(event, (h11.Response, h11.InformationalResponse, h11.Data, h11.EndOfMessage)):
        return event
    raise _Unfit("it hung up")


async def _closed(connection: _Connection) -> None:
    connection.writer.close()
    with contextlib.suppress(OSError):
        await connection.writer.wait_closed()
