"""A provider on this machine, over real HTTP: it answers as it is told, and keeps what it was asked."""

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import h11

from tests.http_requests import headers_of, next_request


def said(text="All is well.", *, calls=(), usage=(7, 5), **fields):
    """An answer of a model as OpenAI has it; `calls` are pairs of a name and arguments."""
    message = {"role": "assistant", "content": text}
    if calls:
        message["tool_calls"] = [
            {
                "id": f"call_{n}",
                "type": "function",
                "function": {
                    "name": name,
                    "arguments": given if isinstance(given, str) else json.dumps(given),
                },
            }
            for n, (name, given) in enumerate(calls)
        ]
    choice = {"index": 0, "message": message, "finish_reason": "tool_calls" if calls else "stop"}
    tokens = {"prompt_tokens": usage[0], "completion_tokens": usage[1]}
    return {
        "id": "x",
        "object": "chat.completion",
        "model": "gpt-4.1",
        "choices": [choice],
        "usage": tokens,
    } | fields


@dataclass
class Asked:
    """One request that came."""

    method: str
    path: str
    headers: dict[str, str]
    body: object


@dataclass
class Scripted:
    """What is answered next, and what was asked so far.

    `stalls`: nothing is answered. `left` is set when whoever asked hangs up without an answer, `closed` when
    they do after one.
    """

    url: str = ""
    status: int = 200
    answer: object = field(default_factory=said)
    headers: dict[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    models: tuple[str, ...] = ("gpt-4.1",)
    stalls: bool = False
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    came: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    closed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def chats(self) -> list[dict]:
        """The bodies of what was asked of models."""
        return [each.body for each in self.asked if each.method == "POST"]

    def reset(self):
        """Answer as at first, and forget what was asked; its address and who is connected stay."""
        stays = {name: getattr(self, name) for name in ("url", "connections", "closed")}
        vars(self).update(vars(Scripted(**stays)))

    async def serve(self, reader, writer):
        """Answer what comes over one connection."""
        self.connections += 1
        state = h11.Connection(h11.SERVER)
        try:
            while (came := await next_request(state, reader)) is not None:
                head, body = came
                method, path = head.method.decode(), head.target.decode()
                asked = Asked(method, path, headers_of(head), json.loads(body) if body else None)
                self.asked.append(asked)
                self.came.set()
                if self.stalls:
                    await reader.read()
                    self.left.set()
                    return
                if self.raw is not None:
                    writer.write(self.raw)
                    return
                listing = asked.method == "GET"
                answer = {"data": [{"id": each} for each in self.models]} if listing else self.answer
                body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                status = 200 if listing else self.status
                headers = {
                    "content-type": "application/json",
                    "content-length": str(len(body)),
                } | self.headers
                head = h11.Response(status_code=status, headers=list(headers.items()))
                writer.write(
                    state.send(head) + state.send(h11.Data(data=body)) + state.send(h11.EndOfMessage())
                )
                await writer.drain()
                state.start_next_cycle()
            self.closed.set()
        except (ConnectionError, h11.ProtocolError):
            self.left.set()
        finally:
            writer.close()


@asynccontextmanager
async def scripted(host="127.0.0.1", port=0):
    """A provider that runs until the block ends."""
    provider = Scripted()
    server = await asyncio.start_server(provider.serve, host, port)
    async with server:
        provider.url = f"http://{host}:{server.sockets[0].getsockname()[1]}/v1"
        yield provider
        server.close()
