"""System events as the contract has them, with policies as context 14."""

import json

import pytest

KEYS = [
    "id", "timestamp", "contextId", "context", "event", "orgId", "userId", "userName", "userEmail",
    "workspaceId", "jsonData", "showUnread",
]  # fmt: skip


async def events(org, caller="owner", status=200, **query):
    found = await org.send(caller, "POST", "/systemevent", json={"skip": 0, "take": 100} | query)
    assert found.status_code == status, found.text
    return found.json()


async def test_every_write_of_a_policy_leaves_who_and_when(org):
    policy = await org.policy()
    path = f"/policy/{policy['id']}"
    assert (await org.send("owner", "PUT", path, json={"riskType": "LOW"})).status_code == 200
    assert (await org.send("owner", "DELETE", path)).status_code == 200
    found = await events(org, context=14, contextId=policy["id"])
    assert list(found) == ["events", "total", "skip", "take"]
    assert [each["event"] for each in found["events"]] == ["deleted", "updated", "created"]
    for each in found["events"]:
        assert list(each) == KEYS
        assert (each["context"], each["orgId"], each["workspaceId"]) == ("policy", "acme", None)
        assert each["userId"] == org.people["owner"]["id"]
        assert (each["userName"], each["userEmail"]) == ("Owner Doe", "owner@example.com")
        assert each["timestamp"].endswith("Z")
        assert isinstance(each["id"], int)
        assert "change" in json.loads(each["jsonData"])
    assert [
        each["event"] for each in (await events(org, context=14, contextId=policy["id"], event=1))["events"]
    ] == ["updated"]


async def test_a_key_of_an_application_leaves_an_event_for_every_change(org):
    made = (
        await org.send("writer", "POST", "/repo/r1/ai/apikey", json={"name": "k", "aiType": "AWS"})
    ).json()
    path = f"/repo/r1/ai/apikey/{made['id']}"
    await org.send("writer", "PUT", path, json={"name": "other"})
    await org.send("writer", "DELETE", path)
    found = (await events(org, context=12, contextId=made["id"]))["events"]
    assert [(each["event"], each["context"]) for each in found] == [
        ("deleted", "aillmapikey"),
        ("updated", "aillmapikey"),
        ("created", "aillmapikey"),
    ]
    assert {each["workspaceId"] for each in found} == {"w1"}


async def test_every_change_of_a_connection_is_in_its_workspace(org):
    new = {"name": "models", "aiType": "OPENAI", "key": "sk-0123456789", "workspaceId": "w1"}
    made = (await org.send("owner", "POST", "/ai/llm", json=new)).json()
    path = f"/ai/llm/{made['aiLlmId']}"
    await org.send("owner", "PUT", path, json={"name": "other"})
    await org.send("owner", "DELETE", path)
    for caller in ("owner", "reader"):
        found = (await events(org, caller, context=11, workspaceId="w1", contextId=made["aiLlmId"]))["events"]
        assert [each["event"] for each in found] == ["deleted", "updated", "created"]


async def test_people_see_their_own_events_and_those_of_their_workspaces(org):
    policy = await org.policy("writer", workspaceId="w1")
    seen = {each["contextId"] for each in (await events(org, "reader"))["events"]}
    assert policy["id"] in seen
    assert {each["workspaceId"] for each in (await events(org, "reader"))["events"]} == {"w1"}
    assert (await events(org, "member"))["total"] == 0
    assert (await events(org, "stranger", context=14))["total"] == 0
    assert (await events(org, "biller"))["events"] == []
    await org.send("owner", "DELETE", f"/policy/{policy['id']}")


async def test_reading_is_per_person_and_repeats_harmlessly(org):
    policy = await org.policy(workspaceId="w1")
    (event,) = (await events(org, contextId=policy["id"]))["events"]
    assert event["showUnread"] is True
    for method, body, unread in (
        ("POST", {"id": event["id"]}, False),
        ("POST", {"ids": [event["id"], 10**9, "x"]}, False),
        ("DELETE", {"ids": [event["id"]]}, True),
        ("DELETE", {"id": event["id"]}, True),
    ):
        found = await org.send("owner", method, "/systemevent/read", json=body)
        assert (found.status_code, found.json()) == (200, {"success": True})
        (now,) = (await events(org, contextId=policy["id"]))["events"]
        assert now["showUnread"] is unread
    await org.send("owner", "POST", "/systemevent/read", json={"id": event["id"]})
    assert (await events(org, contextId=policy["id"], showUnread=True))["total"] == 0
    assert (await events(org, "reader", contextId=policy["id"], showUnread=True))["total"] == 1
    await org.send("owner", "DELETE", f"/policy/{policy['id']}")


@pytest.mark.parametrize("body", [{}, {"id": "x"}, {"ids": []}, {"ids": [True]}, {"ids": ["1"]}])
async def test_nothing_to_mark_is_refused(org, body):
    for method in ("POST", "DELETE"):
        found = await org.send("owner", method, "/systemevent/read", json=body)
        assert (found.status_code, found.json()["success"]) == (400, False)


@pytest.mark.parametrize(
    "query",
    [{"context": 15}, {"context": -1}, {"event": 3}, {"take": 0}, {"skip": -1}, {"from_timestamp": "x"}],
)
async def test_what_is_no_question_is_refused(org, query):
    assert (await events(org, status=400, **query))["success"] is False


async def test_defaults_are_a_day_and_twenty(org):
    found = await org.send("owner", "POST", "/systemevent", json={})
    assert (found.json()["skip"], found.json()["take"]) == (0, 20)
    assert (await events(org, take=1000))["take"] == 100
    assert (await events(org, to_timestamp="2020-01-01T00:00:00.000Z"))["total"] == 0
    assert (await events(org, context=1))["total"] == 0
