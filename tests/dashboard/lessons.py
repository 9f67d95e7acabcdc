"""A workspace that learnt from conversations, for the tests of review and of learning."""

import re
from contextlib import asynccontextmanager
from html import unescape

import httpx

from tests.api.conftest import World
from tests.api.test_learning import work
from tests.dashboard.serving import COOKIE, Site

CORRECTED = [
    {"role": "user", "content": "Can I have my money back before I send it?"},
    {"role": "assistant", "content": "I have refunded it right away."},
    {"role": "human", "content": "No, we never refund before the return has arrived."},
]
VOUCHERS = [
    {"role": "user", "content": "Use my second voucher too."},
    {"role": "assistant", "tool_calls": [{"id": "t1", "name": "find_order", "arguments": {"order": "F-1"}}]},
    {"role": "tool", "tool_call_id": "t1", "content": "On its way."},
    {"role": "assistant", "content": "I'm sorry, but vouchers cannot be combined."},
]


async def teach(world: World, workspace: str) -> list[dict]:
    """Make a workspace with two proposals, and return them, newest first."""
    await world.make("/v1/workspaces", {"id": workspace, "name": f"Shop {workspace}"})
    talks = [
        {"id": "c1", "messages": CORRECTED, "contact_name": "Ada", "outcome": "Refunded by mistake."},
        {"id": "2026/c2", "messages": VOUCHERS},
        {"id": "c3", "messages": [VOUCHERS[0], VOUCHERS[3]]},
    ]
    await world.make("/v1/conversations/import", {"workspace_id": workspace, "conversations": talks})
    await work(world)
    path = f"/v1/policies?waits=true&workspace_id={workspace}"
    return (await world.send("admin", "GET", path)).json()["data"]


class Reader:
    """Somebody who reads pages without scripts and sends their forms."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def open(self, path: str) -> httpx.Response:
        return await self.client.get(path)

    async def send(self, path: str, fields: dict[str, str], *, shown: str | None = None) -> httpx.Response:
        """Send the form of the page at `path`, with its hidden fields."""
        page = (await self.open(path)).text if shown is None else shown
        hidden = {
            name: unescape(value)
            for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', page)
            if name != "next"
        }
        return await self.client.post(path, data={**hidden, **fields})


@asynccontextmanager
async def reader(site: Site, caller: str = "admin"):
    transport = httpx.ASGITransport(site.world.app.asgi)
    cookies = {COOKIE: await site.session(caller)}
    async with httpx.AsyncClient(transport=transport, base_url=site.url, cookies=cookies) as client:
        yield Reader(client)
