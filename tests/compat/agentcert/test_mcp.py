"""The MCP server, asked by the official client over a real socket."""

import contextlib
import json

import httpx
import pytest

from tests.e2e.serving import ADMIN_KEY, serving

pytest.importorskip("mcp")

import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client

TOOLS = {
    "certify_decision",
    "get_receipt",
    "verify_receipt",
    "get_anchor_proof",
    "list_my_receipts",
    "search_policies",
    "decide",
}
CALL = {
    "agent_id": "copilot",
    "platform": "copilot",
    "user_intent": "Approve invoice #123",
    "agent_output": "Approved.",
    "tools_used": ["lookup"],
    "policy_rules": ["amount < 5000"],
    "model": "some-model",
    "metadata": {"amount": 4200},
}


@pytest.fixture(scope="module")
def running(tmp_path_factory):
    with serving("--data", str(tmp_path_factory.mktemp("server"))) as found:
        yield found


def made(running, path, body):
    found = httpx.post(running.url + path, json=body, headers={"x-api-key": ADMIN_KEY})
    assert found.status_code in {200, 201}, found.text
    return found.json()


async def asked(running, method, path):
    """What the server answers beside the client's session."""
    async with httpx.AsyncClient(base_url=running.url, headers={"x-api-key": ADMIN_KEY}) as beside:
        return await beside.request(method, path)


def key_of(running, *scopes):
    return made(running, "/v1/keys", {"name": "mcp", "scopes": [*scopes]})


@contextlib.asynccontextmanager
async def client(running, key=ADMIN_KEY, *, path="/mcp", mode="auto"):
    async with (
        httpx2.AsyncClient(headers={"X-API-Key": key}) as http,
        Client(streamable_http_client(running.url + path, http_client=http), mode=mode) as found,
    ):
        yield found


async def call(found, tool, **arguments):
    result = await found.call_tool(tool, arguments)
    assert not result.is_error, result.content
    assert json.loads(result.content[0].text) == result.structured_content
    return result.structured_content


@pytest.mark.parametrize("path", ["/mcp", "/mcp/sse"])
async def test_a_client_finds_the_tools(running, path):
    async with client(running, path=path) as found:
        tools = {tool.name: tool for tool in (await found.list_tools()).tools}
    assert set(tools) == TOOLS
    certify = tools["certify_decision"].input_schema
    assert certify["required"] == ["agent_id"]
    assert {"metadata", "policy_id", "model"} <= set(certify["properties"])
    assert all(tool.description for tool in tools.values())


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_a_client_certifies_reads_verifies_and_lists(running, mode):
    async with client(running, mode=mode) as found:
        certified = await call(found, "certify_decision", **CALL)
        ident = certified["receipt_id"]
        assert (certified["decision"], certified["risk_level"]) == ("approve", "low")
        read = await call(found, "get_receipt", receipt_id=ident)
        assert (read["execution_hash"], read["anchor_status"]) == (certified["execution_hash"], "anchored")
        verified = await call(found, "verify_receipt", receipt_id=ident)
        assert [verified["verified"], verified["execution_hash_match"]] == [True, True]
        anchor = await call(found, "get_anchor_proof", receipt_id=ident)
        assert (anchor["network"], anchor["hash_match"], anchor["tx_signature"]) == ("local_log", True, None)
        listed = await call(found, "list_my_receipts", limit=1)
        assert [each["receipt_id"] for each in listed["data"]] == [ident]


async def test_a_tool_answers_what_its_route_answers(running):
    async with client(running) as found:
        certified = await call(found, "certify_decision", **CALL)
        read = await call(found, "get_receipt", receipt_id=certified["receipt_id"])
    path = f"/v1/receipts/{certified['receipt_id']}"
    assert read == (await asked(running, "GET", path)).json()


async def test_metadata_and_the_policy_reach_the_rules(running):
    rules = [{"type": "deterministic", "expr": "amount < 100"}]
    policy = made(running, "/v1/policies", {"name": "Small amounts", "rules": rules, "reach": "bound"})
    async with client(running) as found:
        certified = await call(found, "certify_decision", **CALL, policy_id=policy["id"])
        assert (certified["decision"], certified["policy_id"]) == ("reject", policy["id"])
        searched = await call(found, "search_policies", query="small amounts")
        assert policy["id"] in [each["id"] for each in searched["data"]]


async def test_a_client_asks_before_it_acts(running):
    rules = [{"expr": "!has(tool_call) || tool_call.name != 'drop_table'"}]
    made(running, "/v1/policies", {"name": "No drops", "rules": rules})
    async with client(running) as found:
        for tool, outcome in (("drop_table", "block"), ("read_table", "allow")):
            asked = {"agent_id": "dba", "phase": "tool_call", "tool_call": {"name": tool}}
            assert (await call(found, "decide", **asked))["outcome"] == outcome


async def test_a_call_under_a_key_is_carried_out_once(running):
    async with client(running) as found:
        first = await call(found, "certify_decision", **CALL, idempotency_key="mcp-once")
        again = await call(found, "certify_decision", **CALL, idempotency_key="mcp-once")
    assert first == again


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("certify_decision", {"platform": "custom"}, "agent_id"),
        ("certify_decision", {**CALL, "policy_id": "pol_nowhere"}, "pol_nowhere"),
        ("get_receipt", {"receipt_id": "rcpt_nowhere"}, "rcpt_nowhere"),
        ("get_receipt", {"receipt_id": "../keys"}, "the id of a receipt"),
        ("verify_receipt", {}, "the id of a receipt"),
        ("decide", {"agent_id": "a", "idempotency_key": 7}, "key is text"),
        ("list_my_receipts", {"limit": 100_000}, "limit"),
        ("decide", {"no_such_field": 1}, "no_such_field"),
    ],
)
async def test_what_fails_is_told_to_the_agent(running, tool, arguments, said):
    async with client(running) as found:
        result = await found.call_tool(tool, arguments)
    assert result.is_error
    assert said in result.content[0].text


async def test_a_tool_does_no_more_than_the_key_may(running):
    key = key_of(running, "decisions:write")["key"]
    async with client(running, key) as found:
        certified = await call(found, "certify_decision", **CALL)
        for tool, arguments in (
            ("get_receipt", {"receipt_id": certified["receipt_id"]}),
            ("search_policies", {}),
        ):
            result = await found.call_tool(tool, arguments)
            assert result.is_error
            assert json.loads(result.content[0].text)["code"] == "forbidden"


async def refused(found):
    """Whether the client's next message is refused."""
    try:
        await found.call_tool("list_my_receipts", {})
    except Exception:  # noqa: BLE001 - the SDK raises what its transport made of a 401
        return True
    return False


@pytest.mark.parametrize("mode", ["auto", "legacy"])
async def test_revoking_a_key_ends_the_sessions_that_use_it(running, mode):
    key = key_of(running, "decisions:write", "receipts:read")
    async with client(running, key["key"], mode=mode) as found:
        await call(found, "certify_decision", **CALL)
        gone = await asked(running, "POST", f"/v1/keys/{key['id']}/revoke")
        assert gone.status_code in {200, 204}
        assert await refused(found)


MESSAGE = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


def post(running, path="/mcp", *, key=ADMIN_KEY, **options):
    headers = {
        "accept": "application/json, text/event-stream",
        "x-api-key": key,
        **options.pop("headers", {}),
    }
    return httpx.post(running.url + path, headers=headers, **(options or {"json": MESSAGE}))


def test_nobody_gets_in_without_a_key(running):
    assert post(running, key="sf_live_v1_nobody").status_code == 401
    assert httpx.post(f"{running.url}/mcp", json=MESSAGE).status_code == 401
    assert httpx.get(f"{running.url}/mcp").status_code == 401


def test_there_is_no_stream_to_listen_to(running):
    found = httpx.get(f"{running.url}/mcp", headers={"x-api-key": ADMIN_KEY})
    assert (found.status_code, found.headers["allow"]) == (405, "POST")


def test_what_is_no_message_is_refused(running):
    headers = {"content-type": "application/json"}
    assert post(running, content=b'{"jsonrpc": ', headers=headers).status_code == 400
    assert post(running, content=b'{"id":1,"id":2}', headers=headers).status_code == 422
    assert post(running, json=[MESSAGE, MESSAGE]).status_code == 400
    assert post(running, content=b"a=b", headers={"content-type": "text/plain"}).status_code == 415
    found = post(running, content=b" " * (1 << 20) + b"{}", headers=headers)
    assert (found.status_code, found.json()["code"]) == (413, "too_large")


def test_messages_have_the_pace_of_their_key(running):
    slow = made(running, "/v1/keys", {"name": "slow", "scopes": ["receipts:read"], "rate_per_minute": 1})
    assert post(running, key=slow["key"]).status_code == 200
    assert post(running, key=slow["key"]).status_code == 429
