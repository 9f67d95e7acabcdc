"""Repos that move between workspaces, and people with a last name who come back."""

import pytest

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def test_a_repo_moves_with_its_policies_and_its_new_name(world):
    repo = await world.make("/v1/workspaces/w1/repos", {"name": "code"})
    rules = [{"expr": "metadata.amount < 100"}]
    place = {"workspace_id": "w1", "repo_id": repo["id"]}
    policy = await world.make("/v1/policies", {"name": "Caps", "rules": rules, **place})
    path = f"/v1/repos/{repo['id']}"
    moved = await world.make(path, {"workspace_id": "w2", "name": "renamed"}, method="PATCH")
    assert (moved["workspace_id"], moved["name"]) == ("w2", "renamed")
    read = (await world.send("admin", "GET", f"/v1/policies/{policy['id']}")).json()
    assert (read["workspace_id"], read["repo_id"]) == ("w2", repo["id"])
    again = await world.send("admin", "PATCH", path, json={"workspace_id": "w2"})
    assert again.status_code == 200
    assert (await world.send("admin", "PATCH", path, json={})).json() == moved


async def test_a_repo_moves_only_for_those_who_may_write_in_both(world):
    repo = await world.make("/v1/workspaces/w1/repos", {"name": "code"})
    path = f"/v1/repos/{repo['id']}"
    spec = {"name": "w1 only", "scopes": ["admin"], "workspace_id": "w1"}
    world.keys["one"] = (await world.make("/v1/keys", spec))["key"]
    for caller, status in (("one", 404), ("neighbour", 404), ("stranger", 404), ("nobody", 403)):
        found = await world.send(caller, "PATCH", path, json={"workspace_id": "w2"})
        assert found.status_code == status, caller
    assert (await world.send("admin", "PATCH", path, json={"workspace_id": "nowhere"})).status_code == 404
    stale = await world.send("admin", "PATCH", path, json={"workspace_id": "w2"}, headers={"if-match": '"7"'})
    assert stale.status_code == 412
    assert (await world.send("admin", "GET", path)).json()["workspace_id"] == "w1"


async def test_people_have_a_last_name(world):
    body = {"email": "grace@example.org", "name": "Grace", "last_name": "Hopper"}
    user = await world.make("/v1/users", body)
    path = f"/v1/users/{user['id']}"
    assert (user["name"], user["last_name"]) == ("Grace", "Hopper")
    changed = await world.make(path, {"last_name": "Murray"}, method="PATCH")
    assert (changed["name"], changed["last_name"]) == ("Grace", "Murray")
    assert (await world.make(path, {"last_name": ""}, method="PATCH"))["last_name"] == ""
    too_long = await world.send("admin", "PATCH", path, json={"last_name": "x" * 10_000})
    assert (too_long.status_code, too_long.json()["errors"][0]["path"]) == (422, "last_name")


async def test_a_removed_person_comes_back_with_their_roles(world):
    user = await world.make("/v1/users", {"email": "ida@example.org", "name": "Ida"})
    path = f"/v1/users/{user['id']}"
    await world.make(f"{path}/workspaces/w1", {"role": "WRITE"}, method="PUT")
    assert (await world.send("admin", "DELETE", path)).status_code == 204
    assert (await world.send("stranger", "POST", f"{path}/restore")).status_code == 404
    assert (await world.send("neighbour", "POST", f"{path}/restore")).status_code == 403
    back = await world.send("admin", "POST", f"{path}/restore")
    assert (back.status_code, back.json()["workspace_roles"]) == (200, {"w1": "WRITE"})
    assert (await world.send("admin", "POST", f"{path}/restore")).status_code == 200
    await world.send("admin", "DELETE", path)
    await world.make("/v1/users", {"email": "ida@example.org", "name": "Another"})
    taken = await world.send("admin", "POST", f"{path}/restore")
    assert (taken.status_code, taken.json()["reason"]) == (409, "exists")
