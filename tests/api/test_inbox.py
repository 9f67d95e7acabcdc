"""What waits for people, counted and listed apart from what waits for nobody any more."""

import pytest


async def hold(server, *, workspace="w", times=1):
    """Have calls wait for a person: each raises an approval, and an item that only points to it."""
    calls = [{"name": "pay", "arguments": {"n": n}} for n in range(times)]
    asked = [{"phase": "tool_call", "tool_call": call, "workspace_id": workspace} for call in calls]
    return [await server.make("/v1/decisions", each) for each in asked]


@pytest.fixture
async def held(server):
    """A server on which calls in two workspaces wait for a person."""
    for name in ("w", "v"):
        await server.make("/v1/workspaces", {"id": name, "name": name})
    await server.make("/v1/policies", {"name": "h", "rules": [{"expr": "false"}], "action": "review"})
    await hold(server, times=3)
    await hold(server, workspace="v")
    return server


async def read(server, path, caller="admin"):
    found = await server.send(caller, "GET", path)
    assert found.status_code == 200, found.text
    return found.json()


async def test_the_inbox_counts_what_waits_and_not_its_shadow_among_attention_items(held):
    assert await read(held, "/v1/inbox") == {"approvals": 4, "attention": 0}
    assert len((await read(held, "/v1/attention"))["data"]) == 4
    assert (await read(held, "/v1/attention?other_than=approval"))["data"] == []


async def test_the_inbox_of_a_workspace_counts_that_one_alone(held):
    assert await read(held, "/v1/inbox?workspace_id=v") == {"approvals": 1, "attention": 0}


async def test_what_was_answered_waits_no_more(held):
    first, *others = (await read(held, "/v1/approvals?waits=true"))["data"]
    await held.make(f"/v1/approvals/{first['id']}/refuse", {"reason": "no"})
    assert (await read(held, "/v1/approvals?waits=true"))["data"] == others
    assert (await read(held, "/v1/inbox"))["approvals"] == 3


async def test_a_key_of_one_workspace_counts_what_waits_there(held):
    key = {"name": "v", "scopes": ["conversations:read"], "workspace_id": "v"}
    held.keys["v"] = (await held.make("/v1/keys", key))["key"]
    assert await read(held, "/v1/inbox", "v") == {"approvals": 1, "attention": 0}
