"""Workspaces over the API: what cannot be used later is refused at once."""

import pytest


@pytest.fixture
async def shop(server):
    await server.make("/v1/workspaces", {"id": "shop", "name": "Shop"})
    return server


async def change(shop, schema):
    return await shop.send("admin", "PATCH", "/v1/workspaces/shop", json={"context_schema": schema})


@pytest.mark.parametrize(
    ("schema", "path"),
    [
        ({"type": "decimal"}, "context_schema.type"),
        ({"properties": {"amount": {"type": 5}}}, "context_schema.properties.amount.type"),
        ({"properties": {"lines": {"items": "text"}}}, "context_schema.properties.lines.items"),
        ({"properties": []}, "context_schema.properties"),
        ({"anyOf": [{}, {"oneOf": []}]}, "context_schema.anyOf[1].oneOf"),
    ],
)
async def test_a_context_schema_that_no_rule_could_be_checked_against_is_refused(shop, schema, path):
    found = await change(shop, schema)
    assert found.status_code == 422
    assert [each["path"] for each in found.json()["errors"]] == [path]
    assert found.json()["errors"][0]["message"].startswith(path)
    assert (await shop.send("admin", "GET", "/v1/workspaces/shop")).json()["context_schema"] is None


@pytest.mark.parametrize("schema", [{}, {"properties": {"amount": {"type": "integer"}}}, None])
async def test_a_context_schema_that_can_be_used_is_stored(shop, schema):
    assert (await change(shop, schema)).json()["context_schema"] == schema


async def test_a_rule_is_checked_against_the_schema_from_then_on(shop):
    assert (await change(shop, {"properties": {"amount": {"type": "integer"}}})).status_code == 200
    policy = {"name": "P", "rules": [{"expr": "amuont < 5"}], "workspace_id": "shop"}
    found = await shop.send("admin", "POST", "/v1/policies", json=policy)
    assert [each["path"] for each in found.json()["errors"]] == ["rules[0].expr"]


async def test_a_workspace_is_made_with_its_habits(server):
    habits = {"review_edits": True, "require_policy": True, "context_schema": {"properties": {}}}
    made = await server.make("/v1/workspaces", {"id": "desk", "name": "Desk", **habits})
    assert made | habits == made
    assert made["separate_approvers"] is False
    assert (await server.send("admin", "GET", "/v1/workspaces/desk")).json() == made
    unfit = {"id": "unfit", "name": "Unfit", "context_schema": {"properties": []}}
    assert (await server.send("admin", "POST", "/v1/workspaces", json=unfit)).status_code == 422
    assert (await server.send("admin", "GET", "/v1/workspaces/unfit")).status_code == 404


async def test_who_changed_what_is_in_the_log_before_the_answer(shop):
    path = "/v1/workspaces/shop"
    assert (await shop.send("admin", "PATCH", path, json={"require_policy": True})).status_code == 200
    (found, *_) = (await shop.send("admin", "GET", "/v1/receipts?kind=change")).json()["data"]
    claim = found["receipt"]["claim"]
    assert (claim["noun"], claim["id"], claim["change"]) == ("workspace", "shop", "changed")
    assert claim["fields"] == [{"name": "require_policy", "now": "true", "was": "false"}]
    assert claim["author"].startswith("key:")
    verified = (await shop.send(None, "GET", f"/v1/receipts/{found['id']}/verify")).json()
    assert verified["status"] == "verified"
