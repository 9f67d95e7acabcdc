"""The feed of events: what people changed, as soon as it was answered, with what each reader has read."""

import pytest

from bylaw.tenancy.principal import OPERATOR_TENANT


async def feed(server, caller="admin", **query):
    found = await server.send(caller, "GET", "/v1/events", params=query)
    assert found.status_code == 200, found.text
    return found.json()["data"]


def told(events):
    return [(each["noun"], each["change"], each["id"]) for each in events]


@pytest.fixture
async def shop(server):
    await server.make("/v1/workspaces", {"id": "w1", "name": "Shop"})
    await server.make("/v1/workspaces", {"id": "w2", "name": "Depot"})
    for name, workspace in (("one", "w1"), ("two", "w2")):
        scopes = ["receipts:read", "policy:write", "agents:write"]
        made = await server.make("/v1/keys", {"name": name, "scopes": scopes, "workspace_id": workspace})
        server.keys[name] = made["key"]
        server.ids[name] = made["id"]
    return server


async def policy(server, caller="one", workspace="w1"):
    made = {"name": "p", "rules": [{"expr": "false"}], "workspace_id": workspace}
    return (await server.make("/v1/policies", made, caller))["id"]


async def test_a_change_is_in_the_feed_once_it_was_answered(shop):
    ident = await policy(shop)
    await shop.make(f"/v1/policies/{ident}", {"risk": "HIGH"}, method="PATCH")
    assert (await shop.send("admin", "DELETE", f"/v1/policies/{ident}")).status_code == 204
    assert told(await feed(shop, noun="policy")) == [
        ("policy", "deleted", ident),
        ("policy", "updated", ident),
        ("policy", "created", ident),
    ]


async def test_an_event_names_the_entry_that_proves_it(shop):
    await policy(shop)
    (event,) = await feed(shop, noun="policy")
    receipt = (await shop.send("admin", "GET", f"/v1/receipts/{event['receipt_id']}")).json()
    assert receipt["kind"] == "policy_version"
    assert event["author"] == f"key:{shop.ids['one']}"
    assert event["workspace_id"] == "w1"


async def test_who_answers_for_an_agent_is_in_the_feed_and_what_the_agent_does_then_is_not(shop):
    await shop.make("/v1/policies", {"name": "p", "rules": [{"expr": "false"}], "action": "review"})
    call = {"name": "refund", "arguments": {"amount": 9}}
    body = {"agent_id": "bot", "workspace_id": "w1", "phase": "tool_call", "tool_call": call}
    for answer, word in (("approve", "approved"), ("refuse", "refused")):
        decision = await shop.make("/v1/decisions", body)
        (ident,) = [each["id"] for each in decision["obligations"] if each["kind"] == "approval"]
        await shop.make(f"/v1/approvals/{ident}/{answer}", {"reason": "Seen."})
        if answer == "approve":
            assert (await shop.make("/v1/decisions", body | {"approval_id": ident}))["outcome"] == "allow"
        events = await feed(shop, noun="approval")
        assert (events[0]["id"], events[0]["word"], events[0]["workspace_id"]) == (ident, word, "w1")
        assert events[0]["author"] == (await feed(shop, noun="policy"))[0]["author"]
        proof = (await shop.send("admin", "GET", f"/v1/receipts/{events[0]['receipt_id']}")).json()
        assert proof["kind"] == "approval"
    assert len(events) == 2
    await shop.app.upkeep.rebuild()
    assert await feed(shop, noun="approval") == events


async def test_every_kind_of_change_has_its_noun(shop):
    repo = (await shop.make("/v1/workspaces/w1/repos", {"name": "r"}))["id"]
    user = (await shop.make("/v1/users", {"email": "a@example.com", "name": "A"}))["id"]
    await shop.make(f"/v1/users/{user}/workspaces/w1", {"role": "READ"}, method="PUT")
    await shop.make(f"/v1/users/{user}/workspaces/w1", {"role": "WRITE"}, method="PUT")
    await shop.send("admin", "DELETE", f"/v1/users/{user}/workspaces/w1")
    await shop.make("/v1/agents", {"id": "bot", "workspace_id": "w1"})
    await shop.make(f"/v1/keys/{shop.ids['two']}/revoke", {})
    found = await feed(shop, limit=8)
    assert told(found) == [
        ("api_key", "deleted", shop.ids["two"]),
        ("agent", "created", "bot"),
        ("membership", "deleted", user),
        ("membership", "updated", user),
        ("membership", "created", user),
        ("user", "created", user),
        ("repo", "created", repo),
        ("api_key", "created", shop.ids["two"]),
    ]
    assert found[2]["workspace_id"] == "w1"


async def test_others_see_their_own_events_and_those_of_their_workspaces(shop):
    first = await policy(shop)
    second = await policy(shop, "two", "w2")
    mine = told(await feed(shop, "one"))
    assert ("policy", "created", first) in mine
    assert ("policy", "created", second) not in mine
    assert ("workspace", "created", "w1") in mine
    assert ("workspace", "created", "w2") not in mine
    assert len(await feed(shop)) > len(mine)


async def test_each_reader_has_read_what_they_marked(shop):
    await policy(shop)
    number = (await feed(shop, noun="policy"))[0]["number"]
    for _ in range(2):
        found = await shop.send("admin", "POST", "/v1/events/read", json={"numbers": [number, 999_999]})
        assert found.status_code == 204
    assert [each["read"] for each in await feed(shop, noun="policy")] == [True]
    assert [each["read"] for each in await feed(shop, "one", noun="policy")] == [False]
    assert await feed(shop, noun="policy", unread="true") == []
    await shop.send("admin", "POST", "/v1/events/unread", json={"numbers": [number]})
    assert len(await feed(shop, noun="policy", unread="true")) == 1


async def test_the_feed_is_made_whole_again_out_of_the_log(shop):
    await policy(shop)
    before = await feed(shop, limit=100)
    async with shop.app.stores.control.system() as system:
        unit = system.of(OPERATOR_TENANT)
        await unit.events.mark("somebody", [before[0]["number"]])
    await shop.app.upkeep.rebuild()
    assert await feed(shop, limit=100) == before


async def test_a_filter_takes_who_and_when(shop):
    await policy(shop)
    assert {each["noun"] for each in await feed(shop, who=shop.ids["one"])} == {"policy"}
    assert await feed(shop, until="2020-01-01T00:00:00Z") == []
    assert await feed(shop, since="2020-01-01T00:00:00Z", workspace_id="w2", noun="policy") == []
