"""One running server on SQLite, with two tenants that must never see each other."""

import shutil
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from bylaw import settings
from bylaw.app import App, build
from tests import postgres


@dataclass
class World:
    """A server, the keys of several callers, and the ids of what the tenant acme holds in workspace w1.

    `endpoint` is where the provider of its connections is, empty for the provider's own address.
    """

    app: App
    keys: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    endpoint: str = ""
    made: int = 0

    @property
    def mark(self) -> str:
        """A name for what is made next."""
        return f"thing-{self.made}"

    def client(self, caller: str | None = "admin") -> httpx.AsyncClient:
        headers = {} if caller is None else {"authorization": f"Bearer {self.keys.get(caller, caller)}"}
        transport = httpx.ASGITransport(self.app.asgi)
        return httpx.AsyncClient(
            transport=transport, base_url="http://bylaw.test", headers=headers, trust_env=False
        )

    async def send(self, caller: str | None, method: str, path: str, **options) -> httpx.Response:
        async with self.client(caller) as client:
            return await client.request(method, path, **options)

    async def make(self, path: str, body: dict, caller: str = "admin", method: str = "POST") -> dict:
        found = await self.send(caller, method, path, json=body)
        assert found.status_code in {200, 201, 202}, found.text
        return found.json()


SCOPES = (
    "policy:read",
    "policy:write",
    "policy:approve",
    "decisions:write",
    "receipts:read",
    "agents:read",
    "agents:write",
    "conversations:read",
    "conversations:write",
    "workspaces:write",
)


async def populate(world: World) -> None:
    """Make the tenants, their keys, and something of every kind in acme's workspace w1."""
    world.keys["operator"] = world.app.admin_key or ""
    for tenant, name in (("acme", "admin"), ("other", "stranger")):
        await world.make("/v1/tenants", {"id": tenant, "name": tenant}, "operator")
        made = await world.make(f"/v1/tenants/{tenant}/keys", {"name": name, "scopes": ["admin"]}, "operator")
        world.keys[name] = made["key"]
    for workspace in ("w1", "w2"):
        await world.make("/v1/workspaces", {"id": workspace, "name": workspace})
    neighbour = {"name": "neighbour", "scopes": ["admin"], "workspace_id": "w2"}
    world.keys["neighbour"] = (await world.make("/v1/keys", neighbour))["key"]
    approver = {"name": "approver", "scopes": ["conversations:write", "conversations:read"]}
    world.keys["approver"] = (await world.make("/v1/keys", approver))["key"]
    nobody = {"name": "nobody", "scopes": ["gateway:use"]}
    world.keys["nobody"] = (await world.make("/v1/keys", nobody))["key"]
    world.ids |= await belongings(world)
    await world.make("/v1/workspaces", {"id": "w3", "name": "no policies"})
    repo = await world.make("/v1/workspaces/w3/repos", {"name": "repo"})
    connection = {"workspace_id": "w3", "name": "models", "provider": "openai", "endpoint": world.endpoint}
    await world.make("/v1/connections", connection)
    key = await world.make(f"/repo/{repo['id']}/ai/apikey", {"name": "application", "aiType": "OPENAI"})
    world.keys["application"] = key["secret"]
    world.ids["calm_repo_id"] = repo["id"]


async def _policy(world: World) -> dict[str, str]:
    body = {"name": "p", "rules": [{"expr": "tool_call.arguments.amount < 5000"}], "reach": "bound"}
    return {"policy_id": (await world.make("/v1/policies", {**body, "workspace_id": "w1"}))["id"]}


async def _entry(world: World) -> dict[str, str]:
    body = {"topic": "refunds", "ruleText": "Ask for the order number.", "conditions": {"phase": "output"}}
    entry = await world.make("/api/workspaces/w1/policy-entries", body)
    # No two mean the same.
    said = world.mark.translate(str.maketrans("0123456789", "ghijklmnop"))
    lesson = {"said": [said], "policy_ids": [entry["id"]], "workspace_id": "w1"}
    (lesson,) = (await world.make("/v1/route/corrections", lesson))["corrections"]
    return {"entry_id": entry["id"], "correction_id": lesson["id"]}


async def _repo(world: World) -> dict[str, str]:
    repo = await world.make("/v1/workspaces/w1/repos", {"name": f"repo {world.mark}"})
    key = await world.make(f"/repo/{repo['id']}/ai/apikey", {"name": "application", "aiType": "OPENAI"})
    return {"repo_id": repo["id"], "ai_key_id": key["id"]}


async def _user(world: World) -> dict[str, str]:
    user = await world.make("/v1/users", {"email": f"{world.mark}@example.com", "name": "U"})
    await world.make(f"/v1/users/{user['id']}/workspaces/w1", {"role": "READ"}, method="PUT")
    return {"user_id": user["id"]}


async def _key(world: World) -> dict[str, str]:
    key = await world.make("/v1/keys", {"name": world.mark, "scopes": ["policy:read"], "workspace_id": "w1"})
    return {"key_id": key["id"]}


async def _connection(world: World) -> dict[str, str]:
    body = {"workspace_id": "w1", "name": world.mark, "provider": "openai", "key": "k" * 20}
    return {"connection_id": (await world.make("/v1/connections", body | {"endpoint": world.endpoint}))["id"]}


async def _webhook(world: World) -> dict[str, str]:
    body = {"url": world.endpoint or "https://hooks.example.com/", "workspace_id": "w1"}
    webhook = await world.make("/v1/webhooks", body)
    tried = await world.make(f"/v1/webhooks/{webhook['id']}/test", {})
    return {"webhook_id": webhook["id"], "delivery_id": tried["id"]}


async def _run(world: World) -> dict[str, str]:
    run = await world.make("/v1/learning/runs", {"workspace_id": "w1"})
    job = (await world.send("admin", "GET", "/v1/jobs?kind=learning.run")).json()["data"][0]
    return {"run_id": run["id"], "job_id": job["id"]}


async def _session(world: World) -> dict[str, str]:
    session = (await world.make("/v1/sessions", {}))["session"]
    return {"session_id": (await world.send(session, "GET", "/v1/session")).json()["key"]["id"]}


async def _agent(world: World) -> dict[str, str]:
    return {
        "agent_id": (await world.make("/v1/agents", {"id": f"agent/{world.mark}", "workspace_id": "w1"}))[
            "id"
        ]
    }


async def _decision(world: World) -> dict[str, str]:
    """A call that is held, in a conversation."""
    body = {"name": "h", "rules": [{"expr": "false"}], "workspace_id": "w1", "action": "review"}
    held = await world.make("/v1/policies", body)
    call = {"name": "pay", "arguments": {"mark": world.mark}}
    talk = await world.make("/api/conversations", {"workspaceId": "w1", "contactName": "Ada"})
    asked = {"workspace_id": "w1", "phase": "tool_call", "tool_call": call, "conversation_id": talk["id"]}
    decision = await world.make("/v1/decisions", asked)
    await world.make(f"/v1/policies/{held['id']}/archive", {})
    wanted = {each["kind"]: each["id"] for each in decision["obligations"]}
    return {
        "receipt_id": decision["receipt_id"],
        "approval_id": wanted["approval"],
        "attention_id": wanted["attention"],
        "conversation_id": talk["id"],
    }


# What makes a new thing of a kind in workspace w1 of acme, by the ids that come of it.
MAKERS = {
    ("policy_id",): _policy,
    ("entry_id", "correction_id"): _entry,
    ("repo_id", "ai_key_id"): _repo,
    ("user_id",): _user,
    ("key_id",): _key,
    ("connection_id",): _connection,
    ("webhook_id", "delivery_id"): _webhook,
    ("run_id", "job_id"): _run,
    ("session_id",): _session,
    ("agent_id",): _agent,
    ("receipt_id", "approval_id", "attention_id", "conversation_id"): _decision,
}
EVERY = frozenset(name for names in MAKERS for name in names)


async def belongings(world: World, wanted: Collection[str] = EVERY) -> dict[str, str]:
    """Return the ids of new things in workspace w1 of acme: of those kinds whose ids are `wanted`."""
    world.made += 1
    found = {
        "tenant_id": "acme",
        "kid": world.app.signing.kid,
        "log": world.app.stores.ledger.log.origin,
        "workspace_id": "w1",
        "number": "1",
        "model": "gpt-4.1",
    }
    for names, make in MAKERS.items():
        if set(names) & set(wanted):
            found |= await make(world)
    return found


@dataclass(frozen=True)
class Template:
    """What a populated server left on the disk, to be copied."""

    data: Path
    keys: dict[str, str]
    ids: dict[str, str]

    @asynccontextmanager
    async def running(self, data: Path) -> AsyncIterator[World]:
        """Run a server of its own on a copy in `data`."""
        shutil.copytree(self.data, data)
        async with build(settings.build(data=data)) as app:
            yield World(app=app, keys=dict(self.keys), ids=dict(self.ids))


@pytest.fixture(scope="session")
def template(tmp_path_factory) -> Template:
    """A server with something of every kind, populated once."""
    data = tmp_path_factory.mktemp("template") / "data"

    async def populated() -> World:
        async with build(settings.build(data=data)) as app:
            made = World(app=app)
            await populate(made)
        return made

    made = postgres.apart(populated)
    return Template(data, made.keys, made.ids)


@pytest.fixture
async def inhabited(tmp_path, template):
    """A server with something of every kind, which a test has to itself."""
    async with template.running(tmp_path / "data") as made:
        yield made


@pytest.fixture
async def server(tmp_path, empty_control):
    """A server that nothing has been told yet."""
    (tmp_path / "data").mkdir()
    shutil.copy(empty_control, tmp_path / "data")
    async with build(settings.build(data=tmp_path / "data")) as app:
        yield World(app=app, keys={"operator": app.admin_key or "", "admin": app.admin_key or ""})


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world(tmp_path_factory):
    """A server with something of every kind, which the tests of a module share."""
    async with build(settings.build(data=tmp_path_factory.mktemp("server"))) as app:
        made = World(app=app)
        await populate(made)
        yield made
