"""Connections to providers: what goes in is encrypted, checked, used, and never shown again."""

import asyncio
from contextlib import aclosing, asynccontextmanager

import httpx
import pytest

from bylaw import settings
from bylaw.api.resealing import reseal
from bylaw.app import build
from bylaw.providers.calling import Endpoint, Providers
from bylaw.providers.http import HttpClient, HttpLimits
from bylaw.tenancy.connections import Credentials
from tests.api.conftest import World

KEY = "sk-live-very-secret-0123456789"


@asynccontextmanager
async def provider(status=200, headers=""):
    """A provider on this machine that answers every request so, and what it was asked."""
    asked = []

    async def answer(reader, writer):
        asked.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(f"HTTP/1.1 {status} OK\r\ncontent-length: 2\r\n{headers}\r\n{{}}".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    async with server:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked


@pytest.fixture
async def shop(tmp_path):
    async with build(settings.build(data=tmp_path / "data", outgoing="any")) as app:
        world = World(app=app, keys={"admin": app.admin_key or ""})
        for workspace in ("w1", "w2"):
            await world.make("/v1/workspaces", {"id": workspace, "name": workspace})
        yield world


async def make(world, **fields):
    body = {"workspace_id": "w1", "name": "models", "provider": "openai", "key": KEY} | fields
    return await world.send("admin", "POST", "/v1/connections", json=body)


async def try_out(outgoing, name, url, key=KEY):
    async with aclosing(Providers(HttpClient(outgoing, HttpLimits()))) as providers:
        endpoint = Endpoint(provider=name, address=url, credentials=Credentials(key=key))
        return await providers.try_out(endpoint)


async def validate(world, ident):
    found = await world.send("admin", "POST", f"/ai/llm/{ident}/validate")
    assert found.status_code == 200, found.text
    return found.json()


async def test_a_key_never_comes_out_again(shop, tmp_path):
    headers = {"idempotency-key": "once"}
    body = {"workspace_id": "w1", "name": "models", "provider": "openai", "key": KEY, "secret": KEY + "2"}
    made = await shop.send("admin", "POST", "/v1/connections", json=body, headers=headers)
    assert made.status_code == 201, made.text
    ident = made.json()["id"]
    paths = ("connections", f"connections/{ident}", "events?limit=100", "receipts?limit=100")
    told = [(await shop.send("admin", "GET", f"/v1/{path}")).text for path in paths]
    told += [(await shop.send("admin", "GET", path)).text for path in ("/ai/llm", "/ai/llm/available")]
    told.append((await shop.send("admin", "PATCH", f"/v1/connections/{ident}", json={"name": "n"})).text)
    assert all(KEY not in each for each in [made.text, *told])
    assert made.json()["key"] == "****6789"
    await shop.app.upkeep.write_notes()
    for path in (tmp_path / "data").iterdir():
        assert KEY.encode() not in path.read_bytes(), path.name


async def test_a_name_is_held_once_in_a_workspace(shop):
    first = (await make(shop)).json()
    assert (await make(shop)).status_code == 409
    assert (await make(shop, workspace_id="w2")).status_code == 201
    other = (await make(shop, name="other")).json()
    path = f"/v1/connections/{other['id']}"
    assert (await shop.send("admin", "PATCH", path, json={"name": "models"})).status_code == 409
    assert (await shop.send("admin", "DELETE", f"/v1/connections/{first['id']}")).status_code == 204
    assert (await shop.send("admin", "PATCH", path, json={"name": "models"})).status_code == 200


@pytest.mark.parametrize(
    "endpoint",
    [
        "ftp://models.example.com",
        "http://models.example.com/v1",
        "https://user:pass@models.example.com",
        "https://models.example.com/v1?key=1",
        "https://models.example.com:port",
        "https://",
        "models.example.com",
        "https://models.example.com/a b",
    ],
)
async def test_an_address_that_is_none_is_refused(shop, endpoint):
    found = await make(shop, endpoint=endpoint)
    assert found.status_code == 422, found.text
    assert found.json()["errors"][0]["path"] == "endpoint"


async def test_another_address_needs_the_key_again(shop):
    ident = (await make(shop, endpoint="https://models.example.com/v1")).json()["id"]
    path, elsewhere = f"/v1/connections/{ident}", {"endpoint": "https://elsewhere.example.com"}
    assert (await shop.send("admin", "PATCH", path, json=elsewhere)).status_code == 422
    assert (await shop.send("admin", "PATCH", path, json=elsewhere | {"key": "k" * 20})).status_code == 200


async def test_a_connection_is_tried_with_a_real_call(shop):
    async with provider() as (url, asked):
        ident = (await make(shop, endpoint=url)).json()["id"]
        assert (await validate(shop, ident))["success"] is True
    assert asked[0].startswith("GET /models HTTP/1.1\r\n")
    assert f"authorization: Bearer {KEY}\r\n" in asked[0]
    assert (await validate(shop, ident))["success"] is False  # nobody listens there any more


@pytest.mark.parametrize(
    ("status", "said"), [(401, "refuses the key"), (500, "status 500"), (302, "status 302")]
)
async def test_what_a_provider_says_is_told(shop, status, said):
    async with provider(status, "location: http://127.0.0.1:1/\r\n") as (url, asked):
        ident = (await make(shop, endpoint=url)).json()["id"]
        found = await validate(shop, ident)
    assert found["success"] is False
    assert said in found["message"]
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("name", "header"),
    [("anthropic", "x-api-key"), ("google", "x-goog-api-key"), ("other", "authorization")],
)
async def test_each_provider_gets_its_key_as_it_wants_it(name, header):
    async with provider() as (url, asked):
        assert (await try_out("any", name, url)).works
        assert (await try_out("any", name, url, key="")).works
    assert f"{header}: " in asked[0]
    assert KEY not in asked[1]


async def test_calls_are_off_unless_they_are_allowed():
    async with provider() as (url, asked):
        off = await try_out("off", "openai", url)
        public = await try_out("public", "openai", url)
    assert "no outgoing calls" in off.message
    assert "no public address" in public.message
    assert asked == []
    assert not (await try_out("any", "aws", "")).works


async def test_a_new_key_seals_everything_anew(shop):
    async with provider() as (url, asked):
        ident = (await make(shop, endpoint=url)).json()["id"]
        stores = shop.app.stores
        before = stores.secret_file.path.read_bytes()
        for _ in range(3):
            assert await reseal(stores.control, stores.secret_file) == 1
        assert (await validate(shop, ident))["success"] is True
        assert f"Bearer {KEY}" in asked[-1]
    assert before not in stores.secret_file.path.read_bytes()


async def test_the_contract_lists_and_changes_them(shop):
    body = {"name": "models", "aiType": "OPENAI", "key": KEY, "workspaceId": "w1"}
    made = await shop.send("admin", "POST", "/ai/llm", json=body)
    assert made.status_code == 200, made.text
    ident = made.json()["aiLlmId"]
    (shown,) = (await shop.send("admin", "GET", "/ai/llm?workspaceId=w1")).json()["aiLlms"]
    assert list(shown) == [
        "id", "orgId", "workspaceId", "userId", "name", "aiType", "endpoint", "key", "createdAt",
    ]  # fmt: skip
    assert (await shop.send("admin", "GET", "/ai/llm?workspaceId=w2")).json()["aiLlms"] == []
    changed = await shop.send("admin", "PUT", f"/ai/llm/{ident}", json={"name": "m", "key": None})
    assert (changed.status_code, changed.json()["aiLlmId"]) == (200, ident)
    (counts,) = (await shop.send("admin", "GET", f"/ai/llm/stats?aiLlmId={ident}")).json()["stats"]
    assert all(isinstance(each, str) for each in counts.values())
    assert (await shop.send("admin", "DELETE", f"/ai/llm/{ident}")).status_code == 200
    assert (await shop.send("admin", "DELETE", f"/ai/llm/{ident}")).status_code == 404
    for wrong in ({"aiType": "X"}, {"name": ""}, {"apiKeyUuid": "1"}, {"aiType": "OTHER"}):
        refused = await shop.send("admin", "POST", "/ai/llm", json=body | wrong)
        assert (refused.status_code, refused.json()["success"]) == (400, False), wrong


async def test_only_those_of_the_workspace_see_it(shop):
    ident = (await make(shop)).json()["id"]
    for name, workspace in (("here", "w1"), ("there", "w2")):
        key = {"name": name, "scopes": ["agents:read"], "workspace_id": workspace}
        shop.keys[name] = (await shop.make("/v1/keys", key))["key"]
    assert (await shop.send("here", "GET", f"/v1/connections/{ident}")).status_code == 200
    assert (await shop.send("there", "GET", f"/v1/connections/{ident}")).status_code == 404
    assert (await shop.send("there", "GET", "/v1/connections")).json()["data"] == []
    assert (await shop.send("here", "POST", f"/ai/llm/{ident}/validate")).status_code == 403
    assert (await shop.send("here", "DELETE", f"/v1/connections/{ident}")).status_code == 403
    assert isinstance(await shop.send("there", "POST", f"/ai/llm/{ident}/validate"), httpx.Response)
