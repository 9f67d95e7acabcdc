"""A receiver of webhooks on this machine, over real HTTP: it verifies what comes with the public library."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import h11
from standardwebhooks import Webhook as Verifier

from tests.http_requests import headers_of, next_request, send_answer


@dataclass
class Got:
    """One request that came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self):
        return self.headers["webhook-id"]

    @property
    def said(self):
        return json.loads(self.body)

    def verified(self, secret):
        """What the public library makes of it; it raises for what is not signed with this secret."""
        return Verifier(secret).verify(self.body, self.headers)


@dataclass
class Receiver:
    """What is answered next, and what came so far.

    `statuses` are answered first, one each, then `status`. `manner`: answer, stall, reset, or an answer of
    many bytes.
    """

    status: int = 204
    statuses: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    manner: str = "answer"
    got: list[Got] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    port: int = 0

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/hook?tenant=1"

    @property
    def types(self):
        return [each.said["type"] for each in self.got]

    @property
    def ids(self):
        return [each.id for each in self.got]

    async def serve(self, reader, writer):
        state = h11.Connection(h11.SERVER)
        try:
            while (came := await next_request(state, reader)) is not None:
                head, body = came
                self.got.append(Got(head.target.decode(), headers_of(head), body))
                self.came.set()
                if self.manner == "stall":
                    await reader.read()
                    return
                if self.manner == "reset":
                    writer.transport.abort()
                    return
                body = b"x" * 1_000_000 if self.manner == "huge" else self.body
                status = self.statuses.pop(0) if self.statuses else self.status
                await send_answer(state, writer, status, self.headers, body)
        except (ConnectionError, h11.ProtocolError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def receiving(receiver=None):
    """A receiver that runs until the block ends; one that ran before comes back on its port."""
    found = Receiver() if receiver is None else receiver
    server = await asyncio.start_server(found.serve, "127.0.0.1", found.port)
    async with server:
        found.port = server.sockets[0].getsockname()[1]
        yield found
        server.close()
