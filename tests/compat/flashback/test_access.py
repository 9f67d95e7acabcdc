"""Who may do what: the roles of people through keys that speak for them, and the scopes of plain keys."""

import pytest

from tests.compat.flashback.conftest import CONTENT, ROLES, refused

PLACES = {"org": {}, "w1": {"workspaceId": "w1"}, "r1": {"workspaceId": "w1", "repoId": "r1"}}
ADMINISTER = {"owner", "administrator"}
IN_W1 = ADMINISTER | {"reader", "writer", "head"}
WRITE_IN_W1 = ADMINISTER | {"writer", "head"}
callers = pytest.mark.parametrize("caller", [*ROLES])
levels = pytest.mark.parametrize("level", [*PLACES])


@levels
@callers
async def test_making_and_changing(org, caller, level):
    may = caller in (ADMINISTER if level == "org" else WRITE_IN_W1)
    new = {"name": "n", "content": CONTENT, "riskType": "LOW", "actionType": 0, "orgId": "acme"}
    made = await org.send(caller, "POST", "/policy", json=new | PLACES[level])
    held = await org.policy(**PLACES[level])
    changed = await org.send(caller, "PUT", f"/policy/{held['id']}", json={"name": "m"})
    deleted = await org.send(caller, "DELETE", f"/policy/{held['id']}")
    if may:
        assert [made.status_code, changed.status_code, deleted.status_code] == [201, 200, 200]
    else:
        for each in (made, changed, deleted):
            refused(each, 403)


@levels
@callers
async def test_reading(org, caller, level):
    held = await org.policy(**PLACES[level])
    for tail in ("", "/violations", "/alerts"):
        found = await org.send(caller, "GET", f"/policy/{held['id']}{tail}")
        if level == "org" or caller in IN_W1:
            assert found.status_code == 200
        else:
            refused(found, 404)
    listed = await org.get("/policy?orgId=acme", caller)
    assert bool(listed["policies"]) == (level == "org" or caller in IN_W1)


@callers
async def test_nobody_writes_in_a_workspace_that_is_not_theirs(org, caller):
    new = {"name": "n", "content": CONTENT, "riskType": "LOW", "actionType": 0, "orgId": "acme"}
    made = await org.send(caller, "POST", "/policy", json=new | {"workspaceId": "w2"})
    held = await org.policy(workspaceId="w2")
    changed = await org.send(caller, "PUT", f"/policy/{held['id']}", json={"name": "m"})
    if caller in ADMINISTER:
        assert [made.status_code, changed.status_code] == [201, 200]
    else:
        refused(made, 403)
        assert changed.status_code in {403, 404}


@callers
async def test_what_happened_is_seen_where_one_may_read(org, caller):
    held = await org.policy(actionType=1)
    await org.say(conversation_id="c1")
    await org.say(conversation_id="c2", workspace_id="w2", repo_id="r2")
    for path, key in (("/policy/violations", "violations"), ("/policy/alerts", "alerts")):
        found = await org.get(f"{path}?policyId={held['id']}", caller)
        seen = [each["conversationId"] for each in found[key]]
        everything = caller in ADMINISTER
        assert seen == (["c2", "c1"] if everything else ["c1"] if caller in IN_W1 else [])
        assert found["total"] == len(seen)
        hidden = await org.get(f"{path}?workspaceId=w2&policyId={held['id']}", caller)
        assert hidden["total"] == (1 if everything else 0)
        hidden = await org.get(f"{path}?repoId=r2&policyId={held['id']}", caller)
        assert hidden["total"] == (1 if everything else 0)


@callers
async def test_help_with_writing_is_for_those_who_could_write(org, caller):
    drafts = {"policies": [{"policy_uuid": "d", "content": CONTENT}]}
    found = await org.send(caller, "POST", "/policy/validate", json=drafts)
    assert found.status_code == (200 if caller in WRITE_IN_W1 else 403)
    for level, uuid, who in ((0, None, ADMINISTER), (1, "w1", WRITE_IN_W1), (2, "r1", WRITE_IN_W1)):
        need = {"level": level, "prompt": "Keep personal data out of answers."}
        found = await org.send(caller, "POST", "/policy/recommend", json=need | {"uuid": uuid})
        assert found.status_code == (200 if caller in who else 403)


async def test_plain_keys_need_the_scope(org):
    held = await org.policy()
    for method, path, body in (
        ("GET", "/policy?orgId=acme", None),
        ("GET", f"/policy/{held['id']}", None),
        ("GET", "/policy/violations", None),
        ("GET", "/policy/alerts", None),
        ("GET", f"/policy/{held['id']}/alerts", None),
        ("PUT", f"/policy/{held['id']}", {"name": "n"}),
        ("DELETE", f"/policy/{held['id']}", None),
        ("POST", "/policy", {}),
        ("POST", "/policy/validate", {"policies": []}),
        ("POST", "/policy/recommend", {"level": 0, "prompt": "p"}),
    ):
        refused(await org.send("nobody", method, path, json=body), 403)
        refused(await org.send(None, method, path, json=body), 401)
        refused(await org.send("not a key at all", method, path, json=body), 401)
    assert (await org.get("/policy?orgId=acme", "all scopes"))["policies"] != []


async def test_a_key_never_exceeds_the_person_nor_its_own_scopes(org):
    limited = {"name": "limited", "scopes": ["policy:read"], "user_id": org.people["owner"]["id"]}
    org.keys["limited"] = (await org.make("/v1/keys", limited))["key"]
    held = await org.policy()
    assert (await org.get(f"/policy/{held['id']}", "limited"))["policy"] == held
    refused(await org.send("limited", "PUT", f"/policy/{held['id']}", json={"name": "n"}), 403)
    refused(await org.send("limited", "GET", "/policy/violations"), 403)


async def test_strangers_find_nothing(org):
    held = await org.policy(workspaceId="w1")
    for method, tail, body in (
        ("GET", "", None), ("PUT", "", {"name": "n"}), ("DELETE", "", None),
        ("GET", "/violations", None), ("GET", "/alerts", None),
    ):  # fmt: skip
        refused(await org.send("stranger", method, f"/policy/{held['id']}{tail}", json=body), 404)
    assert (await org.get("/policy?orgId=other", "stranger"))["policies"] == []
    need = {"level": 0, "uuid": "acme", "prompt": "p"}
    refused(await org.send("stranger", "POST", "/policy/recommend", json=need), 403)
    refused(await org.send("stranger", "GET", "/organization/acme"), 403)
