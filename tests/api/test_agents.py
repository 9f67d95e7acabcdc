"""What the list of agents tells of what is enforced, and receipts of one workspace."""

import pytest


async def enforcement(server, agent_id: str) -> str:
    return (await server.send("admin", "GET", f"/v1/agents/{agent_id}")).json()["enforcement"]


@pytest.mark.parametrize(
    ("action", "told"),
    [("log", "logged"), ("alert", "enforced"), ("review", "enforced"), ("block", "enforced")],
)
async def test_an_agent_tells_whether_more_than_logging_governs_its_place(server, action, told):
    await server.make("/v1/workspaces", {"id": "w1", "name": "w1"})
    await server.make("/v1/agents", {"id": "here", "workspace_id": "w1"})
    await server.make("/v1/agents", {"id": "elsewhere"})
    assert await enforcement(server, "here") == "none"
    rules = [{"expr": "amount < 5"}]
    await server.make("/v1/policies", {"name": "p", "rules": rules, "workspace_id": "w1", "action": action})
    assert await enforcement(server, "here") == told
    assert await enforcement(server, "elsewhere") == "none"


async def test_a_bound_policy_counts_for_its_agent_as_long_as_it_is_in_force(server):
    await server.make("/v1/agents", {"id": "a/b~代理"})
    made = {"name": "p", "rules": [{"expr": "amount < 5"}], "reach": "bound"}
    policy = await server.make("/v1/policies", made)
    assert await enforcement(server, "a/b~代理") == "none"
    bound = await server.make("/v1/bindings/a/b~代理", {"policy_id": policy["id"]}, method="PUT")
    assert bound["enforcement"] == "enforced"
    await server.make(f"/v1/policies/{policy['id']}/deactivate", {})
    (listed,) = (await server.send("admin", "GET", "/v1/agents")).json()["data"]
    assert (listed["enforcement"], listed["policy_in_force"]) == ("none", False)


async def test_receipts_of_one_workspace_are_listed_apart(server):
    for ident in ("w1", "w2"):
        await server.make("/v1/workspaces", {"id": ident, "name": ident})
        await server.make("/v1/decisions", {"workspace_id": ident, "user_intent": "Hello"})
    found = (await server.send("admin", "GET", "/v1/receipts?workspace_id=w2")).json()["data"]
    assert [each["receipt"]["claim"]["workspace"] for each in found] == ["w2"]
