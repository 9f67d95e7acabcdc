"""A server with a scripted provider behind it, and the key of an application in repo r1 of workspace w1."""

from dataclasses import dataclass, field

import pytest_asyncio

from bylaw import settings
from bylaw.app import build
from tests.api.conftest import World
from tests.gateway.scripted import Scripted, scripted

SECRET = "sk-of-the-provider-0123456789"
PATH = "/v1/chat/completions"


@dataclass
class Gate(World):
    """The server, and the provider to whom its connections lead."""

    provider: Scripted = field(default_factory=Scripted)

    async def chat(self, *said, caller="application", status=200, **fields):
        """Ask a model what a user says, and return the answer."""
        messages = [{"role": "user", "content": each} for each in said or ("Hello.",)]
        body = {"model": "gpt-4.1", "messages": messages} | fields
        found = await self.send(caller, "POST", PATH, json=body)
        assert found.status_code == status, found.text
        return found

    async def refused(self, *said, status=403, **fields):
        """Ask a model, fail unless it is refused, and return the error."""
        found = await self.chat(*said, status=status, **fields)
        assert found.headers["content-type"] == "application/json"
        return found.json()["error"]

    async def policy(self, text="Reject any message that contains 'rival'.", action="block", **fields):
        """Make a policy of the whole tenant."""
        body = {"name": "Rivals", "rules": [{"text": text}], "action": action} | fields
        return await self.make("/v1/policies", body)

    async def records(self):
        """Return the violations and alerts that there are, newest first."""
        found = [await self.send("admin", "GET", f"/policy/{kind}") for kind in ("violations", "alerts")]
        return found[0].json()["violations"], found[1].json()["alerts"]

    async def connect(self, **fields):
        """Make a connection in w1 and return it."""
        body = {"workspace_id": "w1", "provider": "openai", "key": SECRET, "endpoint": self.provider.url}
        return await self.make("/v1/connections", body | fields)


async def populate(gate):
    """Make two workspaces with a repo each, a connection in the first, and keys."""
    for workspace, repo in (("w1", "r1"), ("w2", "r2")):
        await gate.make("/v1/workspaces", {"id": workspace, "name": workspace})
        await gate.make(f"/v1/workspaces/{workspace}/repos", {"id": repo, "name": repo})
    await gate.connect(name="models")
    for name, repo in (("application", "r1"), ("unconnected", "r2")):
        made = await gate.make(f"/repo/{repo}/ai/apikey", {"name": name, "aiType": "OPENAI"})
        gate.keys[name] = made["secret"]
        gate.ids[name] = made["id"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running(tmp_path_factory):
    data = tmp_path_factory.mktemp("server")
    async with (
        scripted() as provider,
        build(settings.build(data=data, outgoing="any", provider_ms=20_000, provider_bytes=65_536)) as app,
    ):
        gate = Gate(app=app, keys={"admin": app.admin_key or ""}, provider=provider)
        await populate(gate)
        yield gate


@pytest_asyncio.fixture(loop_scope="module")
async def gate(running):
    """The server without policies, and the provider as it is before it is told anything."""
    while held := (await running.send("admin", "GET", "/v1/policies?limit=500")).json()["data"]:
        for each in held:
            await running.send("admin", "DELETE", f"/v1/policies/{each['id']}")
    running.provider.reset()
    return running
