"""kill -9, of a server after its answers and of a worker in the middle of a delivery: nothing is lost."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from contextlib import asynccontextmanager

import httpx
import pytest
from standardwebhooks import Webhook as Verifier

from bylaw import settings
from bylaw.app import build
from bylaw.app.worker import join_worker
from bylaw.core.clock import ManualClock, SystemClock
from bylaw.core.ids import Ids
from tests.durability.killing import ROOT, environment
from tests.notify.receiver import receiving

KEY = "sf_test_v1_webhooks_0123456789abcdefghijk"
COUNT = 5


@asynccontextmanager
async def process(*command, **variables):
    """A command of ours that is killed at the end of the block."""
    env = {**environment(), "BYLAW_ADMIN_KEY": KEY, "BYLAW_OUTGOING": "any", **variables}
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bylaw", *command, stdout=PIPE, cwd=ROOT, env=env
    )
    try:
        yield started
    finally:
        started.kill()
        await started.communicate()


async def ask(url, path, body):
    async with httpx.AsyncClient(headers={"authorization": f"Bearer {KEY}"}, timeout=30) as client:
        answered = await client.post(url + path, json=body)
    assert answered.status_code < 300, answered.text
    return answered.json()


@pytest.mark.slow
async def test_what_was_answered_is_told_although_server_and_worker_are_killed(tmp_path):
    data = tmp_path / "data"
    async with receiving() as receiver:
        async with process("serve", "--data", str(data), "--port", "0", BYLAW_JOBS_WORKERS="0") as server:
            url = (await server.stdout.readline()).decode().split()[-1]
            webhook = await ask(url, "/v1/webhooks", {"url": receiver.url, "types": ["policy.*", "alert.*"]})
            policy = {"name": "none", "rules": [{"expr": "false"}]}
            await ask(url, "/v1/policies", policy)
            call = {"phase": "tool_call", "tool_call": {"name": "pay", "arguments": {}}}
            decided = [await ask(url, "/v1/decisions", call) for _ in range(COUNT)]
        receiver.manner = "stall"
        asked = settings.build(data=data, outgoing="any")
        async with build(asked) as app:  # which takes over what was left
            async with process("worker", "--data", str(data)):
                await receiver.came.wait()
            interrupted = set(receiver.ids)
            receiver.manner = "answer"
            clock = ManualClock(SystemClock().now_ms() + 31_000)  # when the leases of the dead are over
            stores = app.stores
            async with join_worker(
                asked, stores.control, stores.secret_file, clock=clock, ids=Ids(clock)
            ) as worker:
                await worker.run_until_idle()
    assert len(set(receiver.ids)) == COUNT + 1
    assert all(receiver.ids.count(each) > 1 for each in interrupted)
    told = {
        each.said["data"]["decision"]["receipt_id"]
        for each in receiver.got
        if "decision" in each.said["data"]
    }
    assert told == {each["receipt_id"] for each in decided}
    for got in receiver.got:
        Verifier(webhook["secret"]).verify(got.body, got.headers)
