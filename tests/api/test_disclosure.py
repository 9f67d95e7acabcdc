"""Policies of an agent's home, asked about from elsewhere: they count, and their words stay at home."""

import pytest

SECRET = "ACME-4711"
ASKED = {"phase": "input", "user_intent": "x", "agent_id": "home", "metadata": {"vendor": "b"}}


@pytest.fixture
async def world(inhabited):
    rules = [{"expr": f"metadata.vendor == '{SECRET}'"}]
    made = await inhabited.make(
        "/v1/policies", {"name": f"On {SECRET}", "rules": rules, "workspace_id": "w2"}
    )
    inhabited.ids["foreign"] = made["id"]
    await inhabited.make("/v1/agents", {"id": "home", "name": "h", "workspace_id": "w2"})
    for name, place in (("visitor", "w1"), ("owner", "w2")):
        scopes = ["decisions:write", "policy:read", "receipts:read"]
        key = {"name": name, "scopes": scopes, "workspace_id": place}
        inhabited.keys[name] = (await inhabited.make("/v1/keys", key))["key"]
    return inhabited


async def test_every_answer_about_it_keeps_its_words(world):
    headers = {"idempotency-key": "k"}
    first = await world.send("visitor", "POST", "/v1/decisions", json=ASKED, headers=headers)
    answered = first.json()
    assert answered["outcome"] == "block"
    (found,) = answered["elsewhere"]
    assert (found["id"], found["version"], found["outcome"]) == (world.ids["foreign"], 1, "block")
    assert found["message"] in answered["reasons"]
    ident = answered["receipt_id"]
    texts = {
        "decided": first.text,
        "again": (await world.send("visitor", "POST", "/v1/decisions", json=ASKED, headers=headers)).text,
    }
    asked = {
        "dry": ("POST", "/v1/decisions", ASKED | {"dry_run": True}),
        "batch": ("POST", "/v1/decisions:batch", {"requests": [ASKED]}),
        "explained": ("POST", "/v1/decisions:explain", ASKED),
        "certified": ("POST", "/v1/receipts", {"agent_id": "home", "user_intent": "x", "metadata": {}}),
        "read": ("GET", f"/v1/decisions/{ident}", None),
        "why": ("GET", f"/v1/decisions/{ident}/explain", None),
        "receipt": ("GET", f"/v1/receipts/{ident}", None),
        "body": ("GET", f"/v1/receipts/{ident}/body", None),
        "bundle": ("GET", f"/v1/receipts/{ident}/bundle?disclose=true", None),
    }
    for name, (method, path, body) in asked.items():
        said = await world.send("visitor", method, path, json=body)
        assert said.status_code in {200, 201}, (name, said.text)
        texts[name] = said.text
    assert texts["again"] == texts["decided"]
    assert [name for name, text in texts.items() if SECRET in text] == []


async def test_whoever_owns_it_reads_everything(world):
    answered = (await world.send("owner", "POST", "/v1/decisions", json=ASKED)).json()
    assert "elsewhere" not in answered
    assert SECRET in answered["reasons"][0]
    visited = (await world.send("visitor", "POST", "/v1/decisions", json=ASKED)).json()
    for path in ("decisions/{}", "receipts/{}", "receipts/{}/body", "receipts/{}/bundle"):
        said = await world.send("admin", "GET", f"/v1/{path.format(visited['receipt_id'])}")
        assert (said.status_code, SECRET in said.text) == (200, True), path


async def test_a_policy_elsewhere_is_not_found_in_force_or_not(world):
    asked = {"user_intent": "x", "policy_id": world.ids["foreign"]}
    said = [await world.send("visitor", "POST", "/v1/decisions", json=asked)]
    await world.make(f"/v1/policies/{world.ids['foreign']}/deactivate", {})
    said.append(await world.send("visitor", "POST", "/v1/decisions", json=asked))
    assert [each.status_code for each in said] == [404, 404]
    assert said[0].json()["detail"] == said[1].json()["detail"]
