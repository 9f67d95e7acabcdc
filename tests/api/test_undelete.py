"""A deleted policy is found again and brought back, switched off, and the log says so."""

import asyncio

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")
RULES = [{"expr": "metadata.amount < 100"}]


async def gone(world, **given):
    """A policy that was deleted."""
    made = await world.make("/v1/policies", {"name": "Caps", "rules": RULES, **given})
    assert (await world.send("admin", "DELETE", f"/v1/policies/{made['id']}")).status_code == 204
    return made


async def undelete(world, ident, caller="admin", **options):
    return await world.send(caller, "POST", f"/v1/policies/{ident}/undelete", **options)


async def deleted(world, caller="admin"):
    found = await world.send(caller, "GET", "/v1/policies?deleted=true&limit=500")
    return {each["id"]: each for each in found.json()["data"]}


async def test_what_was_deleted_is_listed_apart(world):
    made = await gone(world)
    held = (await deleted(world))[made["id"]]
    assert held["deleted_at"] is not None
    listed = (await world.send("admin", "GET", "/v1/policies?limit=500")).json()["data"]
    assert made["id"] not in [each["id"] for each in listed]
    assert {each["deleted_at"] for each in listed} == {None}


async def test_it_comes_back_switched_off_with_its_versions(world):
    made = await gone(world)
    back = await undelete(world, made["id"], json={"reason": "deleted by mistake"})
    assert back.status_code == 200
    assert back.headers["etag"] == '"3"'
    said = back.json()
    assert (said["is_active"], said["is_in_force"], said["status"]) == (False, False, "approved")
    assert (said["deleted_at"], said["version"], said["digest"]) == (None, 1, made["digest"])
    assert made["id"] not in await deleted(world)
    asked = {"agent_id": "a", "metadata": {"amount": 500}, "policy_id": made["id"]}
    assert (await world.send("admin", "POST", "/v1/decisions", json=asked)).status_code == 409
    assert (await world.make(f"/v1/policies/{made['id']}/activate", {}))["is_in_force"] is True
    assert (await world.make("/v1/decisions", asked))["outcome"] == "block"
    assert (await world.send("admin", "DELETE", f"/v1/policies/{made['id']}")).status_code == 204


async def test_the_log_says_that_it_came_back(world):
    made = await gone(world)
    await undelete(world, made["id"], json={"reason": "needed"})
    listed = await world.send("admin", "GET", "/v1/receipts?kind=policy_version&limit=1")
    claim = listed.json()["data"][0]["receipt"]["claim"]
    assert (claim["policy"]["id"], claim["change"]) == (made["id"], "undeleted")


async def test_one_that_is_there_stays_as_it_is(world):
    made = await world.make("/v1/policies", {"name": "Caps", "rules": RULES})
    again = await undelete(world, made["id"])
    assert (again.status_code, again.headers["etag"]) == (200, '"1"')
    assert again.json()["is_active"] is True
    await world.send("admin", "DELETE", f"/v1/policies/{made['id']}")


async def test_a_slug_that_somebody_took_is_a_conflict_and_changes_nothing(world):
    made = await gone(world, slug="caps/taken")
    other = await world.make("/v1/policies", {"name": "Other", "rules": RULES, "slug": "caps/taken"})
    refused = await undelete(world, made["id"])
    assert (refused.status_code, refused.json()["reason"]) == (409, "exists")
    assert made["id"] in await deleted(world)
    await world.send("admin", "DELETE", f"/v1/policies/{other['id']}")
    assert (await undelete(world, made["id"])).status_code == 200


async def test_what_was_read_has_to_be_what_is_there(world):
    made = await gone(world)
    stale = await undelete(world, made["id"], headers={"if-match": '"1"'})
    assert stale.status_code == 412
    assert (await undelete(world, made["id"], headers={"if-match": '"2"'})).status_code == 200


async def test_it_comes_back_once_however_often_at_the_same_time(world):
    made = await gone(world)
    found = await asyncio.gather(*(undelete(world, made["id"]) for _ in range(8)))
    assert {each.status_code for each in found} == {200}
    assert {each.headers["etag"] for each in found} == {'"3"'}


async def test_nobody_else_finds_it_or_brings_it_back(world):
    made = await gone(world, workspace_id="w1")
    for caller, status in (("stranger", 404), ("neighbour", 404), ("nobody", 403), (None, 401)):
        assert (await undelete(world, made["id"], caller)).status_code == status
    for caller in ("stranger", "neighbour"):
        assert made["id"] not in await deleted(world, caller)
    reader = await world.make("/v1/keys", {"name": "reader", "scopes": ["policy:read"]})
    world.keys["reader"] = reader["key"]
    assert made["id"] in await deleted(world, "reader")
    assert (await undelete(world, made["id"], "reader")).status_code == 403
    assert (await undelete(world, "pol_nowhere")).status_code == 404


async def test_it_does_not_come_back_into_a_place_that_is_gone(world):
    await world.make("/v1/workspaces", {"id": "brief", "name": "Brief"})
    made = await gone(world, workspace_id="brief")
    assert (await world.send("admin", "DELETE", "/v1/workspaces/brief")).status_code == 204
    refused = await undelete(world, made["id"])
    assert refused.status_code == 404
    assert "workspace" in refused.json()["detail"]
