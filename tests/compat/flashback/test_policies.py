"""Policies: made, listed, read, changed and deleted, as the contract says."""

import json

import pytest

from tests.compat.flashback.conftest import CONTENT, refused

KEYS = [
    "id", "orgId", "name", "content", "riskType", "actionType", "createdBy", "createdAt", "lastUpdatedBy",
    "lastUpdatedAt", "workspaceId", "repoId", "workspace", "repo",
]  # fmt: skip
NEW = {"name": "Rivals", "content": CONTENT, "riskType": "HIGH", "actionType": 2, "orgId": "acme"}


async def test_a_new_policy_is_answered_whole(org):
    body = {**NEW, "workspaceId": "w1", "repoId": None}
    found = await org.send("writer", "POST", "/policy", json=body)
    assert found.status_code == 201
    answer = found.json()
    assert list(answer) == ["success", "policy"]
    assert answer["success"] is True
    policy = answer["policy"]
    assert list(policy) == KEYS
    writer = org.people["writer"]
    person = {"id": writer["id"], "name": "Writer", "lastName": "Doe", "email": "writer@example.com"}
    assert policy["createdBy"] == policy["lastUpdatedBy"] == person
    assert list(policy["createdBy"]) == ["id", "name", "lastName", "email"]
    assert policy["createdAt"] == policy["lastUpdatedAt"]
    assert policy["createdAt"].endswith("Z")
    assert len(policy["createdAt"]) == len("2026-01-10T09:00:00.000Z")
    assert policy["workspace"] == {"id": "w1", "name": "Workspace w1"}
    assert (policy["repoId"], policy["repo"]) == (None, None)
    assert {name: policy[name] for name in NEW if name != "orgId"} == {
        name: value for name, value in NEW.items() if name != "orgId"
    }


async def test_the_bytes_of_a_policy(org):
    made = await org.policy("writer", workspaceId="w1", repoId="r1", actionType=0, riskType="LOW")
    found = await org.send("reader", "GET", f"/policy/{made['id']}")
    writer = org.people["writer"]["id"]
    person = f'{{"id":"{writer}","name":"Writer","lastName":"Doe","email":"writer@example.com"}}'
    assert found.text == (
        f'{{"success":true,"policy":{{"id":"{made["id"]}","orgId":"acme","name":"Rivals",'
        f'"content":{json.dumps(CONTENT)},"riskType":"LOW","actionType":0,"createdBy":{person},'
        f'"createdAt":"{made["createdAt"]}","lastUpdatedBy":{person},"lastUpdatedAt":"{made["createdAt"]}",'
        '"workspaceId":"w1","repoId":"r1","workspace":{"id":"w1","name":"Workspace w1"},'
        '"repo":{"id":"r1","name":"Repo r1"}}}'
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", None), ("name", ""), ("name", "  "), ("content", None), ("content", ""), ("content", " \n"),
        ("riskType", "high"), ("riskType", None), ("actionType", 3), ("actionType", -1), ("actionType", "2"),
        ("actionType", True), ("actionType", 1.5), ("orgId", None), ("repoId", "r1"), ("workspaceId", "none"),
    ],
)  # fmt: skip
async def test_a_policy_that_is_not_usable_is_refused_with_the_field(org, field, value):
    body = {**NEW, field: value}
    assert field in refused(await org.send("owner", "POST", "/policy", json=body), 400)


async def test_what_is_missing_is_refused_and_what_is_unknown_passed_over(org):
    for field in NEW:
        body = {name: value for name, value in NEW.items() if name != field}
        assert field in refused(await org.send("owner", "POST", "/policy", json=body), 400)
    assert (await org.send("owner", "POST", "/policy?odd=1", json={**NEW, "odd": 1})).status_code == 201


async def test_a_repo_of_another_workspace_or_organisation_is_refused(org):
    for place in ({"workspaceId": "w1", "repoId": "r2"}, {"workspaceId": "w1", "repoId": "none"}):
        refused(await org.send("owner", "POST", "/policy", json={**NEW, **place}), 400)
    refused(await org.send("stranger", "POST", "/policy", json=NEW), 403)
    refused(await org.send("stranger", "GET", "/policy?orgId=acme"), 403)
    body = {**NEW, "orgId": "other", "workspaceId": "w1"}
    refused(await org.send("stranger", "POST", "/policy", json=body), 400)


async def test_a_list_needs_the_organisation_and_is_newest_first(org):
    refused(await org.send("owner", "GET", "/policy"), 400)
    refused(await org.send("owner", "GET", "/policy?orgId="), 400)
    made = [(await org.policy(name=f"p{n}"))["id"] for n in range(3)]
    listed = await org.get("/policy?orgId=acme&workspaceId=&repoId=")
    assert list(listed) == ["success", "policies"]
    assert [each["id"] for each in listed["policies"]] == made[::-1]
    await org.send("owner", "DELETE", f"/policy/{made[1]}")
    listed = await org.get("/policy?orgId=acme")
    assert [each["id"] for each in listed["policies"]] == [made[2], made[0]]


PLACES = {
    "org": {},
    "w1": {"workspaceId": "w1"},
    "r1": {"workspaceId": "w1", "repoId": "r1"},
    "w2": {"workspaceId": "w2"},
    "r2": {"workspaceId": "w2", "repoId": "r2"},
}


@pytest.mark.parametrize(
    ("query", "everybody", "those_in_w1"),
    [
        ("", "org w1 r1 w2 r2", "org w1 r1"),
        ("&workspaceId=w1", "w1 r1", "w1 r1"),
        ("&workspaceId=w1&repoId=r1", "r1", "r1"),
        ("&repoId=r1", "r1", "r1"),
        ("&workspaceId=w2", "w2 r2", ""),
        ("&repoId=r2", "r2", ""),
        ("&workspaceId=w1&repoId=r2", "", ""),
        ("&workspaceId=none", "", ""),
        ("&repoId=none", "", ""),
        ("&match=exact", "org", "org"),
        ("&match=exact&workspaceId=w1", "w1", "w1"),
        ("&match=exact&repoId=r2", "r2", ""),
        ("&match=effective", "org", "org"),
        ("&match=effective&workspaceId=w1", "org w1", "org w1"),
        ("&match=effective&repoId=r1", "org w1 r1", "org w1 r1"),
        ("&match=effective&workspaceId=w2", "org w2", ""),
    ],
)
async def test_lists_narrow_by_place_and_by_who_asks(org, query, everybody, those_in_w1):
    for name, place in PLACES.items():
        await org.policy(name=name, **place)
    of_all = "org" if "Id=" not in query else ""
    for caller, wanted in (("administrator", everybody), ("reader", those_in_w1), ("member", of_all)):
        listed = await org.get(f"/policy?orgId=acme{query}", caller)
        assert {each["name"] for each in listed["policies"]} == set(wanted.split()), caller


async def test_a_match_that_there_is_not_is_refused(org):
    refused(await org.send("owner", "GET", "/policy?orgId=acme&match=all"), 400)


async def test_one_field_changes_and_the_rest_stays(org):
    made = await org.policy("writer", workspaceId="w1")
    for change in ({"name": "N"}, {"content": "Never name a rival."}, {"riskType": "LOW"}, {"actionType": 1}):
        before = await org.get(f"/policy/{made['id']}")
        found = await org.send("head", "PUT", f"/policy/{made['id']}", json=change)
        assert found.status_code == 200, found.text
        after = found.json()["policy"]
        moved = {name: after[name] for name in ("lastUpdatedBy", "lastUpdatedAt")}
        assert after == {**before["policy"], **change, **moved}
        assert after["lastUpdatedBy"]["name"] == "Head"
        assert after["createdBy"]["name"] == "Writer"
        assert after["lastUpdatedAt"] >= before["policy"]["lastUpdatedAt"]
    assert (after["createdAt"], after["workspaceId"]) == (made["createdAt"], "w1")


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({}, 400), ({"name": None}, 400), ({"name": " "}, 400), ({"content": " "}, 400),
        ({"actionType": 5}, 400), ({"riskType": "X"}, 400), ({"name": "n", "orgId": "other"}, 400),
        ({"name": "n", "workspaceId": "w2"}, 400), ({"name": "n", "repoId": "r1"}, 400),
        ({"name": "n", "orgId": "acme", "workspaceId": "w1", "repoId": None}, 200),
        ({"name": "n", "workspaceId": None}, 200),
    ],
)  # fmt: skip
async def test_where_a_policy_holds_never_changes(org, change, status):
    made = await org.policy(workspaceId="w1")
    found = await org.send("owner", "PUT", f"/policy/{made['id']}", json=change)
    assert found.status_code == status, found.text
    after = await org.get(f"/policy/{made['id']}")
    assert [after["policy"][name] for name in ("orgId", "workspaceId", "repoId")] == ["acme", "w1", None]
    if status != 200:
        refused(found, status)
        assert after["policy"] == made


async def test_what_is_deleted_is_gone_for_good_and_its_past_stays(org):
    made = await org.policy(workspaceId="w1")
    assert (await org.say())["outcome"] == "block"
    path = f"/policy/{made['id']}"
    deleted = await org.send("owner", "DELETE", path)
    assert deleted.status_code == 200
    assert deleted.json()["success"] is True
    for method, body in (("GET", None), ("DELETE", None), ("PUT", {"name": "n"})):
        refused(await org.send("owner", method, path, json=body), 404)
    assert (await org.get("/policy?orgId=acme"))["policies"] == []
    assert (await org.say())["outcome"] == "allow"
    assert (await org.get(f"{path}/violations"))["total"] == 1
    assert (await org.get(f"/policy/violations?policyId={made['id']}"))["total"] == 1


async def test_every_write_is_in_the_log_with_who_and_when(org):
    made = await org.policy("writer", workspaceId="w1")
    await org.send("head", "PUT", f"/policy/{made['id']}", json={"name": "Other"})
    await org.send("owner", "DELETE", f"/policy/{made['id']}")
    listed = await org.get("/v1/receipts?kind=policy_version&limit=500", "admin")
    told = [json.dumps(each) for each in listed["data"] if made["id"] in json.dumps(each)]
    assert len(told) == 3
    for entry, who in zip(told, ("owner", "head", "writer"), strict=True):
        assert f"user:{org.people[who]['id']}" in entry


async def test_a_key_that_speaks_for_nobody_is_shown_by_its_name(org):
    made = await org.policy("all scopes")
    assert made["createdBy"] == {
        "id": made["createdBy"]["id"],
        "name": "all scopes",
        "lastName": "",
        "email": "",
    }
    assert made["createdBy"]["id"].startswith("key_")


async def test_a_policy_of_another_shape_is_shown_and_not_mangled(org):
    rules = [{"expr": "amount < 5000"}, {"text": "Never name a rival."}]
    native = await org.make(
        "/v1/policies", {"name": "Two", "rules": rules, "action": "review", "reach": "bound"}, "admin"
    )
    shown = (await org.get(f"/policy/{native['id']}"))["policy"]
    assert shown["content"] == "amount < 5000\nNever name a rival."
    assert (shown["actionType"], shown["riskType"]) == (2, "MEDIUM")
    assert [each["id"] for each in (await org.get("/policy?orgId=acme"))["policies"]] == [native["id"]]
    path = f"/policy/{native['id']}"
    message = refused(await org.send("owner", "PUT", path, json={"content": "Something else."}), 409)
    assert "/v1/policies/" in message
    same = {"content": shown["content"], "actionType": 2, "name": "Both"}
    assert (await org.send("owner", "PUT", path, json=same)).json()["policy"]["name"] == "Both"
    stored = await org.get(f"/v1/policies/{native['id']}", "admin")
    assert (stored["action"], len(stored["rules"])) == ("review", 2)


async def test_what_a_person_settled_natively_stays_when_the_text_changes(org):
    rule = {"text": "Never mention rivals.", "effect": "flag", "message": "No rivals.", "attention": True}
    native = await org.make("/v1/policies", {"name": "Rivals", "rules": [rule]}, "admin")
    path = f"/policy/{native['id']}"
    changed = await org.send("owner", "PUT", path, json={"content": "Never praise rivals."})
    assert changed.json()["policy"]["content"] == "Never praise rivals."
    stored = await org.get(f"/v1/policies/{native['id']}", "admin")
    assert stored["rules"] == [{"id": "r1", "type": "nl", **rule, "text": "Never praise rivals."}]
