"""What an agent reads of the tools, and how messages that are not an agent's are met."""

import asyncio
import json

import httpx
import pytest

pytest.importorskip("mcp")

from tests.compat.agentcert.test_mcp import (
    CALL,
    MESSAGE,
    TOOLS,
    asked,
    call,
    client,
    key_of,
    made,
    post,
    running,
)
from tests.e2e.serving import ADMIN_KEY

__all__ = ["running"]
WRITING = {"decide", "certify_decision"}


async def tools_of(running):
    async with client(running) as found:
        return {tool.name: tool for tool in (await found.list_tools()).tools}


async def test_every_tool_says_what_it_does_to_the_world(running):
    tools = await tools_of(running)
    for name in TOOLS:
        said = tools[name].annotations
        assert said.read_only_hint == (name not in WRITING)
        assert (said.destructive_hint, said.open_world_hint) == (False, False)
        assert tools[name].title == said.title


async def test_every_argument_is_said_in_words(running):
    for name, tool in (await tools_of(running)).items():
        assert len(tool.description) > 60, name
        for argument, said in tool.input_schema["properties"].items():
            assert len(said["description"]) > 10, (name, argument)


async def test_what_a_tool_answers_is_what_its_schema_says(running):
    """The official client checks each answer against the schema, and raises where they differ."""
    rules = [
        {"expr": "!has(amount) || amount < 5000"},
        {"text": "Never promise a refund.", "attention": True},
    ]
    made(running, "/v1/policies", {"name": "Refunds", "topic": "refunds", "rules": rules, "action": "review"})
    tools = await tools_of(running)
    assert all(tool.output_schema["type"] == "object" for tool in tools.values())
    async with client(running) as found:
        for metadata in ({"amount": 9000}, {}):
            certified = await call(found, "certify_decision", **{**CALL, "metadata": metadata})
        ident = certified["receipt_id"]
        for tool in ("get_receipt", "verify_receipt", "get_anchor_proof"):
            await call(found, tool, receipt_id=ident)
        await call(found, "certify_decision", **CALL, dry_run=True)
        decided = {"agent_id": "a", "phase": "tool_call", "tool_call": {"name": "pay", "arguments": {"n": 1}}}
        await call(found, "decide", **decided, metadata={"amount": 9000})
        await call(found, "list_my_receipts", limit=3)
        assert (await call(found, "search_policies", topic="refunds"))["data"]
        assert (await call(found, "search_policies", query="refund"))["data"]
        assert (await call(found, "search_policies", query="zebra"))["data"] == []


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("search_policies", {"text": "x"}, "query"),
        ("list_my_receipts", {"limt": 3}, "limit"),
        ("list_my_receipts", {"cursor": ["a"]}, "cursor is text"),
        ("search_policies", {"query": {"a": 1}}, "query is text"),
        ("search_policies", {"limit": True}, "limit is text, or a number"),
        ("get_receipt", {"receipt_id": "rcpt_1", "also": 1}, "receipt_id"),
        (
            "certify_decision",
            {**CALL, "policy_rules": [{"type": "deterministic", "expr": "amount <"}]},
            "policy_rules",
        ),
        ("certify_decision", {**CALL, "tools_used": "lookup"}, "tools_used"),
    ],
)
async def test_a_failure_says_what_to_mend(running, tool, arguments, said):
    async with client(running) as found:
        result = await found.call_tool(tool, arguments)
    assert result.is_error
    assert said in result.content[0].text


async def test_an_unknown_tool_is_no_tool_of_ours(running):
    async with client(running) as found:
        with pytest.raises(Exception, match="tools/list"):
            await found.call_tool("drop_everything", {})


def test_a_session_that_nobody_knows_does_not_matter(running):
    headers = {"mcp-session-id": "01234567-no-such-session"}
    found = post(running, json=MESSAGE, headers=headers)
    assert found.status_code == 200
    assert "mcp-session-id" not in found.headers
    ended = httpx.delete(f"{running.url}/mcp", headers={"x-api-key": ADMIN_KEY, **headers})
    assert (ended.status_code, ended.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("path", ["/mcp", "/mcp/sse"])
@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
@pytest.mark.parametrize(
    ("origin", "is_ours"),
    [
        ("https://evil.example", False),
        ("http://localhost.evil.example", False),
        ("http://127.0.0.1.evil.example:80", False),
        ("null", False),
        ("http://localhost:6274", True),
        ("http://127.0.0.1", True),
        ("http://[::1]:8181", True),
    ],
)
def test_a_page_of_another_site_does_not_get_in(running, path, method, origin, is_ours):
    headers = {
        "origin": origin,
        "x-api-key": ADMIN_KEY,
        "accept": "application/json, text/event-stream",
    }
    body = MESSAGE if method == "POST" else None
    found = httpx.request(method, running.url + path, headers=headers, json=body)
    assert found.status_code == ((200 if method == "POST" else 405) if is_ours else 403)


def test_a_protocol_of_another_time_is_refused(running):
    found = post(running, json=MESSAGE, headers={"mcp-protocol-version": "1999-01-01"})
    assert found.status_code == 400


async def test_many_sessions_of_one_key_share_its_pace_and_nothing_else(running):
    spec = {"name": "busy", "scopes": ["decisions:write"], "rate_per_minute": 100_000}
    key = made(running, "/v1/keys", spec)

    async def certify(number):
        async with client(running, key["key"]) as found:
            return await call(found, "certify_decision", **{**CALL, "metadata": {"amount": number}})

    certified = await asyncio.gather(*(certify(number) for number in range(12)))
    assert len({each["receipt_id"] for each in certified}) == 12


async def test_one_tenant_never_sees_what_another_certified(running):
    made(running, "/v1/tenants", {"id": "elsewhere", "name": "Elsewhere"})
    spec = {"name": "theirs", "scopes": ["admin"]}
    theirs = made(running, "/v1/tenants/elsewhere/keys", spec)["key"]
    async with client(running) as found:
        ident = (await call(found, "certify_decision", **CALL))["receipt_id"]
    async with client(running, theirs) as found:
        for tool in ("get_receipt", "get_anchor_proof"):
            result = await found.call_tool(tool, {"receipt_id": ident})
            assert result.is_error
            assert json.loads(result.content[0].text)["code"] == "not_found"
        assert (await call(found, "list_my_receipts"))["data"] == []
        assert (await call(found, "search_policies"))["data"] == []
        assert (await call(found, "verify_receipt", receipt_id=ident))["verified"] is True


async def test_revoking_a_key_cuts_every_session_at_once(running):
    key = key_of(running, "decisions:write", "receipts:read")
    async with client(running, key["key"]) as first, client(running, key["key"]) as second:
        for found in (first, second):
            await call(found, "certify_decision", **CALL)
        assert (await asked(running, "POST", f"/v1/keys/{key['id']}/revoke")).status_code in {200, 204}
        for found in (first, second):
            with pytest.raises(Exception, match=r".*"):
                await found.call_tool("list_my_receipts", {})
