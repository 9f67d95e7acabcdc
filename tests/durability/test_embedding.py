"""A worker that is killed while it embeds: what was kept stays, and the next one tells the rest."""

import asyncio
import json
import os
import subprocess
import sys
from contextlib import AsyncExitStack, asynccontextmanager

from bylaw.app.embedding import ask_to_embed
from bylaw.app.worker import join_worker
from bylaw.core.clock import ManualClock, SystemClock
from bylaw.core.ids import Ids
from bylaw.settings import load
from bylaw.storage.control import open_control
from bylaw.stores import open_control_plane
from tests.contracts.values import A, content, current, policy, tenant
from tests.durability.killing import ROOT, environment

MANY = 160
PATIENCE_S = 60
LATER_MS = 3_600_000


class Endpoint:
    """Embeds whatever it is asked; `asked` are the texts of each call. The third call ends `victim`."""

    def __init__(self) -> None:
        self.asked = []
        self.victim = None
        self.has_killed = asyncio.Event()

    async def answer(self, reader, writer):
        head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        length = next(
            int(line.partition(":")[2]) for line in head.split("\r\n") if line.startswith("content-length")
        )
        texts = json.loads(await reader.readexactly(length))["input"]
        self.asked.append(texts)
        if self.victim is not None and len(self.asked) == 3:
            self.victim.kill()
            self.has_killed.set()
        rows = [{"index": n, "embedding": [1, len(text) % 7, n % 5]} for n, text in enumerate(texts)]
        told = json.dumps({"data": rows}).encode()
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\nconnection: close\r\n\r\n" % len(told) + told)
        writer.close()


@asynccontextmanager
async def served():
    endpoint = Endpoint()
    server = await asyncio.start_server(endpoint.answer, "127.0.0.1", 0)
    async with server:
        yield endpoint, f"127.0.0.1:{server.sockets[0].getsockname()[1]}"


def started(folder, named):
    """Return a worker as a process, whose model is the one that is named."""
    given = {f"BYLAW_{name.upper()}": str(value) for name, value in named.items()}
    return subprocess.Popen(
        [sys.executable, "-m", "bylaw", "worker", "--data", str(folder)],
        cwd=ROOT,
        env={**environment(), **given, "BYLAW_OUTGOING": "any"},
        stderr=subprocess.DEVNULL,
    )


async def waiting(store, embedder):
    async with store.begin(A, writes=False) as unit:
        return await unit.vectors.waiting(embedder)


async def test_what_a_killed_worker_has_embedded_is_kept_and_another_tells_the_rest(tmp_path):
    clock = SystemClock()
    async with AsyncExitStack() as stack:
        store = await open_control(f"sqlite:///{tmp_path / 'control.db'}", ids=Ids(clock), clock=clock)
        stack.push_async_callback(store.close)
        endpoint, host = await stack.enter_async_context(served())
        async with store.system() as system:
            await system.add_tenant(tenant(A))
        made = [current(policy(A), content=content(name=f"Policy {n}", examples=())) for n in range(MANY)]
        async with store.begin(A) as unit:
            await unit.policies.add_all(made)
        await ask_to_embed(store, A)
        named = {"embed_model": "words-3", "embed_dimensions": 3, "embed_url": f"http://{host}/v1"}
        endpoint.victim = started(tmp_path, named)
        stack.callback(endpoint.victim.kill)
        await asyncio.wait_for(endpoint.has_killed.wait(), PATIENCE_S)
        await asyncio.to_thread(endpoint.victim.wait, PATIENCE_S)
        kept = {text for texts in endpoint.asked[:2] for text in texts if text.startswith("Policy")}
        assert await waiting(store, f"words-3@{host}/3") == MANY - len(kept) > 0

        endpoint.victim = None
        endpoint.asked.clear()
        settings = load({"data": str(tmp_path), "outgoing": "any", **named}, os.environ, signs=False)
        later = ManualClock(clock.now_ms() + LATER_MS)  # when the lease of the dead is over
        plane = await open_control_plane(settings, later, Ids(later), stack)
        joined = join_worker(settings, plane.control, plane.secret_file, clock=later, ids=Ids(later))
        worker = await stack.enter_async_context(joined)
        await worker.run_until_idle()
        assert await waiting(store, f"words-3@{host}/3") == 0
        again = {text for texts in endpoint.asked for text in texts if text.startswith("Policy")}
        assert not again & kept
        assert len(again | kept) == MANY
