"""Statistics over HTTP: what decisions left is counted at once, where the caller may read."""

import pytest

HOURS = 24 * 6


async def decide(server, amount, caller="admin", **given):
    call = {"name": "pay", "arguments": {"amount": amount}}
    return await server.make("/v1/decisions", {"phase": "tool_call", "tool_call": call, **given}, caller)


async def read(server, path="/v1/statistics", caller="admin", **query):
    found = await server.send(caller, "GET", path, params=query)
    assert found.status_code == 200, found.text
    return found.json()


@pytest.fixture
async def shop(server):
    """Two workspaces with a policy each: one blocks, the other only tells."""
    for workspace, action, risk in (("w1", "block", "HIGH"), ("w2", "alert", "LOW")):
        await server.make("/v1/workspaces", {"id": workspace, "name": workspace})
        policy = {
            "name": f"cap of {workspace}",
            "rules": [{"expr": "tool_call.arguments.amount < 10"}],
            "workspace_id": workspace,
            "action": action,
            "risk": risk,
        }
        server.ids[workspace] = (await server.make("/v1/policies", policy))["id"]
    made = {"name": "one", "scopes": ["receipts:read", "decisions:write"], "workspace_id": "w1"}
    server.keys["one"] = (await server.make("/v1/keys", made))["key"]
    return server


async def test_a_violation_is_counted_as_soon_as_it_was_answered(shop):
    await decide(shop, 50, workspace_id="w1", model="m1")
    await decide(shop, 5, workspace_id="w1")
    await decide(shop, 50, workspace_id="w2", user_id="ada")
    found = await read(shop, window="24h")
    last = {name: count for name, count in found["series"][-1].items() if count and name != "at"}
    assert last == {"violations": 2, "alerts": 2, "blocks": 1, "low": 1, "high": 1}
    assert len(found["series"]) == HOURS
    assert found["span"]["bucket"] == "10m"
    assert found["series"][0]["at"] == found["span"]["since"]
    assert (found["summary"]["total"], found["summary"]["max"], found["summary"]["of"]) == (
        2,
        2,
        "violations",
    )


async def test_a_filter_narrows_what_is_counted(shop):
    await decide(shop, 50, workspace_id="w1", model="m1")
    await decide(shop, 50, workspace_id="w2", user_id="ada")
    for query in (
        {"workspace_id": "w1"},
        {"policy_id": shop.ids["w2"]},
        {"user_id": "ada"},
        {"model": "m1"},
        {"policy_id": shop.ids["w2"], "user_id": "ada"},
    ):
        assert (await read(shop, **query))["summary"]["total"] == 1
    for query in ({"user_id": "nobody"}, {"policy_id": shop.ids["w2"], "model": "m1"}):
        assert (await read(shop, **query))["summary"]["total"] == 0


async def test_a_breakdown_names_the_most_violated_policy_first(shop):
    await decide(shop, 50, workspace_id="w1")
    for _ in range(2):
        await decide(shop, 50, workspace_id="w2")
    found = await read(shop, "/v1/statistics/breakdown", window="7d", series="true")
    assert [(each["id"], each["totals"]["violations"]) for each in found["data"]] == [
        (shop.ids["w2"], 2),
        (shop.ids["w1"], 1),
    ]
    assert (found["count"], found["totals"]["violations"]) == (2, 3)
    assert all(sum(point["violations"] for point in each["series"]) for each in found["data"])
    cut = await read(shop, "/v1/statistics/breakdown", limit="1", offset="1")
    assert [(each["id"], each["series"]) for each in cut["data"]] == [(shop.ids["w1"], None)]


async def test_a_key_of_one_workspace_counts_what_lies_there(shop):
    await decide(shop, 50, workspace_id="w1")
    await decide(shop, 50, workspace_id="w2")
    assert (await read(shop, caller="one"))["summary"]["total"] == 1
    assert (await read(shop, caller="one", workspace_id="w2"))["summary"]["total"] == 0
    found = await read(shop, "/v1/statistics/breakdown", caller="one")
    assert [each["id"] for each in found["data"]] == [shop.ids["w1"]]


async def test_sums_are_made_beside_the_rows_and_change_no_answer(shop):
    await decide(shop, 50, workspace_id="w1")
    before = await read(shop, window="24h")
    await shop.app.upkeep.tallying.catch_up()
    assert (await read(shop, window="24h"))["summary"] == before["summary"]


async def test_too_many_points_are_refused(shop):
    found = await shop.send("admin", "GET", "/v1/statistics", params={"window": "365d", "bucket": "5m"})
    assert found.status_code == 422
    assert found.json()["errors"][0]["code"] == "too_many_points"


async def test_outcomes_are_counted_in_the_bucket_in_which_they_came_out(shop):
    for amount, workspace in ((5, "w1"), (50, "w1"), (60, "w1"), (50, "w2")):
        await decide(shop, amount, workspace_id=workspace)
    found = await read(shop, "/v1/statistics/outcomes", window="7d", bucket="1d")
    *earlier, last = found["series"]
    assert {name: count for name, count in last.items() if name != "at"} == {
        "allow": 1,
        "flag": 1,
        "review": 0,
        "block": 2,
    }
    assert len(earlier) == 6
    assert not any(each[name] for each in earlier for name in ("allow", "flag", "review", "block"))
    assert (found["span"]["since"], found["span"]["bucket"]) == (earlier[0]["at"], "1d")


async def test_a_key_of_one_workspace_cannot_count_outcomes_of_all(shop):
    found = await shop.send("one", "GET", "/v1/statistics/outcomes")
    assert found.status_code == 403
    assert found.json()["detail"] == "This needs the scope receipts:read in the whole tenant."


async def test_policies_in_force_are_counted_where_they_are_and_by_what_they_do(server):
    await server.make("/v1/workspaces", {"id": "w", "name": "w"})
    for place, action in ((None, "block"), ("w", "block"), ("w", "log")):
        policy = {"name": "p", "rules": [{"expr": "true"}], "action": action, "workspace_id": place}
        await server.make("/v1/policies", policy)
    made = await server.make(
        "/v1/policies", {"name": "off", "rules": [{"expr": "true"}], "workspace_id": "w"}
    )
    await server.make(f"/v1/policies/{made['id']}/deactivate", {})
    found = (await server.send("admin", "GET", "/v1/statistics/policies")).json()["data"]
    nothing = {"log": 0, "alert": 0, "review": 0, "block": 0}
    assert found == [
        {"workspace_id": None, **nothing, "block": 1},
        {"workspace_id": "w", **nothing, "block": 1, "log": 1},
    ]
