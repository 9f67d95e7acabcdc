"""A server of models on this machine: three dialects over real sockets, answering as a script says.

A script is a function from what was asked to what is answered: an `Answer`, plain or broken in any way that a
real provider is. `Server.plays` puts answers in a row before the script.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import h11

from bylaw.providers.calling import Endpoint, Providers
from bylaw.providers.http import HttpClient, HttpLimits
from bylaw.tenancy.connections import Credentials
from tests.http_requests import headers_of, next_request

DIALECTS = {"/v1/chat/completions": "openai", "/v1/messages": "anthropic", "/api/chat": "ollama"}


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request: the body as it came, and what it says in the words of all dialects."""

    dialect: str
    headers: dict[str, str]
    body: dict

    @property
    def system(self) -> str:
        """The system text."""
        if self.dialect == "anthropic":
            system = self.body.get("system", "")
            return system if isinstance(system, str) else "".join(each["text"] for each in system)
        return next((each["content"] for each in self.body["messages"] if each["role"] == "system"), "")

    @property
    def user(self) -> str:
        """The text of the user."""
        content = next(each["content"] for each in self.body["messages"] if each["role"] == "user")
        return content if isinstance(content, str) else "".join(each["text"] for each in content)

    @property
    def schema(self) -> dict | None:
        """The schema that the answer is to have, if one was sent natively."""
        if self.dialect == "anthropic":
            return self.body.get("output_config", {}).get("format", {}).get("schema")
        if self.dialect == "ollama":
            return self.body["format"] if isinstance(self.body.get("format"), dict) else None
        form = self.body.get("response_format", {})
        return form.get("json_schema", {}).get("schema")

    @property
    def rung(self) -> str:
        """How the answer is bound to its form."""
        if self.schema is not None:
            return "schema"
        bound = self.body.get("response_format") or self.body.get("format") or self.body.get("tool_choice")
        return "json" if bound else "plain"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What is answered.

    `text` is what the model says; None stands for no content. `raw` are bytes in place of a whole HTTP
    answer. `pieces`: the body is sent in chunks of so many bytes. `resets` drops the connection after the
    head and half of the body, `halts` says no more there; `stalls` never answers, `drips` never ends.
    `gate` is waited for first.
    """

    text: str | None = ""
    status: int = 200
    finish: str = "stop"
    usage: tuple[int, int] = (100, 20)
    model: str = "scripted-1"
    refusal: str | None = None
    as_tool: bool = False
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    raw: bytes | None = None
    pieces: int = 0
    resets: bool = False
    halts: bool = False
    stalls: bool = False
    drips: bool = False
    gate: asyncio.Event | None = None


Script = Callable[[Asked], Answer]


def failure(status: int, message: str = "no", **headers: str) -> Answer:
    """Return a failure as providers put it."""
    body = json.dumps({"error": {"message": message, "type": "error"}}).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status=status, body=body, headers=named)


@dataclass
class Server:
    """What is answered, and what was asked so far; `left` is set when somebody hangs up without an answer."""

    script: Script
    url: str = ""
    plays: list[Answer | Script] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    connections: int = 0
    tasks: set[asyncio.Task] = field(default_factory=set)
    clients: list[Providers] = field(default_factory=list)
    came: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    def endpoint(self, dialect: str = "openai", key: str = "sk-1") -> Endpoint:
        """Return an endpoint that speaks `dialect`."""
        provider = "anthropic" if dialect == "anthropic" else "other"
        address = f"{self.url}/{'api' if dialect == 'ollama' else 'v1'}"
        return Endpoint(provider=provider, address=address, credentials=Credentials(key=key))

    def providers(self, **limits: int) -> Providers:
        """Return what calls this server, closed when it ends."""
        self.clients.append(Providers(HttpClient("any", HttpLimits(**limits))))
        return self.clients[-1]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer what comes over one connection."""
        self.connections += 1
        self.tasks.add(asyncio.current_task())
        state = h11.Connection(h11.SERVER)
        try:
            while (request := await next_request(state, reader)) is not None:
                asked = _asked(*request)
                self.asked.append(asked)
                self.came.set()
                play = self.plays.pop(0) if self.plays else self.script
                answer = play if isinstance(play, Answer) else play(asked)
                if not await self._answered(answer, asked, state, reader, writer):
                    return
                state.start_next_cycle()
        except (ConnectionError, h11.ProtocolError):
            self.left.set()
        except asyncio.CancelledError:
            pass  # the server ends
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()
            self.tasks.discard(asyncio.current_task())

    async def _answered(self, answer, asked, state, reader, writer) -> bool:
        """Send one answer; return whether the connection may go on."""
        if answer.gate is not None:
            await answer.gate.wait()
        if answer.stalls:
            await reader.read()
            self.left.set()
            return False
        if answer.raw is not None:
            writer.write(answer.raw)
            await writer.drain()
            return False
        body = json.dumps(_body(answer, asked)).encode() if answer.body is None else answer.body
        is_chunked = answer.pieces or answer.drips
        length = {"transfer-encoding": "chunked"} if is_chunked else {"content-length": str(len(body))}
        headers = {"content-type": "application/json"} | length | answer.headers
        writer.write(state.send(h11.Response(status_code=answer.status, headers=list(headers.items()))))
        if answer.resets or answer.halts:
            writer.write(body[: len(body) // 2])
            await writer.drain()
            if answer.halts:
                await reader.read()
                self.left.set()
            writer.transport.abort()
            return False
        while answer.drips:
            writer.write(state.send(h11.Data(data=b" ")))
            await writer.drain()
            await asyncio.sleep(0)
        for part in _parts(body, answer.pieces):
            writer.write(state.send(h11.Data(data=part)))
            await writer.drain()
        writer.write(state.send(h11.EndOfMessage()))
        await writer.drain()
        return True


def _parts(body: bytes, size: int) -> Iterator[bytes]:
    return (body[at : at + size] for at in range(0, len(body), size)) if size else iter([body])


def _body(answer: Answer, asked: Asked) -> dict:
    name = _tool(asked)
    if asked.dialect == "anthropic":
        content = [{"type": "text", "text": answer.text or ""}]
        if name or answer.as_tool:
            content = [{"type": "tool_use", "id": "t1", "name": name or "x", "input": _loaded(answer.text)}]
        reasons = {"stop": "end_turn", "length": "max_tokens", "content_filter": "refusal"}
        usage = {"input_tokens": answer.usage[0], "output_tokens": answer.usage[1]}
        return {
            "content": content,
            "model": answer.model,
            "stop_reason": reasons[answer.finish],
            "usage": usage,
        }
    if asked.dialect == "ollama":
        return {
            "message": {"role": "assistant", "content": answer.text or "", "thinking": "Hm."},
            "model": answer.model,
            "done_reason": answer.finish,
            "prompt_eval_count": answer.usage[0],
            "eval_count": answer.usage[1],
        }
    message = {"role": "assistant", "content": answer.text, "reasoning_content": "Hm."}
    if answer.refusal is not None:
        message["refusal"] = answer.refusal
    if answer.as_tool:
        function = {"name": "verdicts", "arguments": answer.text}
        message |= {"content": None, "tool_calls": [{"id": "c1", "type": "function", "function": function}]}
    usage = {"prompt_tokens": answer.usage[0], "completion_tokens": answer.usage[1]}
    choice = {"index": 0, "message": message, "finish_reason": answer.finish}
    return {"model": answer.model, "choices": [choice], "usage": usage}


def _tool(asked: Asked) -> str:
    return (asked.body.get("tool_choice") or {}).get("name", "") if asked.dialect == "anthropic" else ""


def _loaded(text: str | None) -> object:
    try:
        return json.loads(text or "{}")
    except ValueError:
        return {"said": text}


def _asked(head: h11.Request, body: bytes) -> Asked:
    return Asked(dialect=DIALECTS[head.target.decode()], headers=headers_of(head), body=json.loads(body))


@asynccontextmanager
async def serving(script: Script) -> AsyncIterator[Server]:
    """Run a server of `script` until the block ends."""
    server = Server(script)
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0)
    async with listening:
        server.url = f"http://127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        yield server
        for each in server.clients:
            await each.aclose()
        listening.close()
        for each in [*server.tasks]:
            each.cancel()
        await asyncio.gather(*server.tasks, return_exceptions=True)
