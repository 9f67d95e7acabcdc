"""The organisation, its people, workspaces and repos, as far as whoever administers policies touches them."""

import pytest

from bylaw.api.compat.flashback.translate_places import NUMBERS
from tests.compat.flashback.conftest import ROLES, refused

USER = [
    "id", "email", "name", "lastName", "orgId", "orgRole", "validated", "deletedAt",
    "orgRoleDescription", "orgRoles",
]  # fmt: skip
ORGANIZATION = [
    "id", "name", "domain", "address1", "address2", "city", "zipcode", "phone", "state", "country",
    "deletedAt",
    "reposDisabled", "website", "is_business", "mfaEnforced",
]  # fmt: skip


async def test_a_workspace_from_first_to_last(org):
    made = await org.send("manager", "POST", "/workspace", json={"name": "Shop"})
    assert made.status_code == 201
    workspace = made.json()["workspace"]
    assert made.json() == {
        "success": True,
        "workspace": {"id": workspace["id"], "name": "Shop", "orgId": "acme"},
    }
    path = f"/workspace/{workspace['id']}"
    person, key = await org.person()
    refused(await org.send(key, "GET", path), 404)
    added = await org.send("manager", "POST", f"{path}/users", json={"userId": person["id"], "role": "ADMIN"})
    assert (added.status_code, added.json()) == (201, {"success": True})
    member = {
        "userId": person["id"],
        "role": "ADMIN",
        "user": {
            "id": person["id"],
            "name": person["name"],
            "lastName": "Doe",
            "email": person["email"],
            "orgRole": 0,
        },
    }
    whole = {**workspace, "users": [member]}
    assert await org.get(path, key) == {"success": True, "workspace": whole}
    assert await org.get("/workspace", key) == {"success": True, "workspaces": [whole]}
    renamed = await org.send(key, "PUT", path, json={"name": "Depot"})
    assert renamed.json() == {"success": True, "workspace": {**workspace, "name": "Depot"}}
    change = await org.send(key, "PUT", f"{path}/users/{person['id']}", json={"role": "READ"})
    assert change.json() == {"success": True}
    refused(await org.send(key, "PUT", path, json={"name": "Mine"}), 403)
    assert (await org.send("owner", "DELETE", f"{path}/users/{person['id']}")).json() == {"success": True}
    assert (await org.get("/workspace", key))["workspaces"] == []
    assert (await org.send("owner", "DELETE", path)).json() == {"success": True}
    refused(await org.send("owner", "GET", path), 404)


@pytest.mark.parametrize("caller", [*ROLES])
async def test_who_makes_workspaces_and_manages_their_people(org, caller):
    made = await org.send(caller, "POST", "/workspace", json={"name": "W"})
    assert made.status_code == (201 if caller in {"owner", "administrator", "manager"} else 403)
    person, _ = await org.person()
    given = {"userId": person["id"], "role": "READ"}
    found = await org.send(caller, "POST", "/workspace/w1/users", json=given)
    assert found.status_code == (201 if caller in {"owner", "administrator", "manager", "head"} else 403)


async def test_a_repo_from_first_to_last(org):
    new = {"name": "Code", "storageType": "S3", "mode": "NORMAL", "repoBuckets": [], "workspaceId": "w1"}
    made = await org.send("head", "POST", "/repo", json=new)
    assert made.status_code == 201
    repo = made.json()["repoId"]
    assert made.json() == {"success": True, "repoId": repo}
    (shown,) = (await org.get(f"/repo?repoId={repo}", "reader"))["repos"]
    assert shown == {
        "id": repo,
        "name": "Code",
        "storageType": "S3",
        "mode": "NORMAL",
        "workspaceId": "w1",
        "buckets": [],
        "createdAt": shown["createdAt"],
    }
    changed = await org.send("head", "PUT", f"/repo/{repo}", json={**new, "name": "Source"})
    assert changed.json() == {"success": True, "repoId": repo}
    assert {each["id"] for each in (await org.get("/repo?workspaceId=w1", "reader"))["repos"]} >= {repo, "r1"}
    assert (await org.get("/repo?workspaceId=w2", "reader"))["repos"] == []
    assert (await org.get("/repo", "member"))["repos"] == []
    refused(await org.send("head", "PUT", f"/repo/{repo}", json={"workspaceId": "w2"}), 404)
    assert (await org.send("head", "DELETE", f"/repo/{repo}")).json()["success"] is True
    refused(await org.send("head", "DELETE", f"/repo/{repo}"), 404)


async def test_a_person_from_first_to_last(org):
    new = {
        "email": "x@example.com",
        "firstName": "Grace",
        "lastName": "Hopper",
        "password": "s",
        "orgRole": 1,
    }
    made = await org.send("manager", "POST", "/organization/users", json=new)
    assert made.status_code == 201
    answer = made.json()
    assert list(answer) == ["success", "data", "message"]
    person = answer["data"]
    assert list(person) == USER
    assert (person["name"], person["lastName"], person["orgRole"]) == ("Grace", "Hopper", 1)
    assert (person["orgRoles"], person["orgRoleDescription"]) == ([0, 1], "BILLING")
    path = f"/organization/users/{person['id']}"
    assert await org.get(path, "manager") == person
    refused(await org.send("manager", "POST", "/organization/users", json=new), 400)
    changed = await org.send("owner", "PUT", path, json={"lastName": "Murray", "orgRole": 2})
    assert changed.json()["data"] == {
        **person,
        "lastName": "Murray",
        "orgRole": 2,
        "orgRoleDescription": "WORKSPACES",
        "orgRoles": [0, 1, 2],
    }
    role = await org.get(f"/user/{person['id']}")
    assert role == {
        "success": True,
        "data": {
            "userId": person["id"],
            "orgRole": 2,
            "orgRoleDescription": "WORKSPACES",
            "orgRoles": [0, 1, 2],
        },
    }
    changed = await org.send("owner", "PUT", f"/user/{person['id']}/role", json={"orgRole": 254})
    data = changed.json()["data"]
    assert (data["previousRole"], data["newRole"]) == (2, 254)
    assert (await org.send("owner", "DELETE", path)).json()["success"] is True
    refused(await org.send("owner", "GET", path), 404)
    assert (await org.send("owner", "POST", f"{path}/activate")).json()["success"] is True
    assert (await org.get(path))["orgRole"] == 254
    listed = await org.get("/organization/users")
    assert list(listed) == ["success", "data", "total"]
    assert listed["total"] == len(listed["data"])
    assert person["id"] in {each["id"] for each in listed["data"]}


async def test_roles_above_ones_own_are_out_of_reach_and_the_last_owner_stays(org):
    administrator, owner = org.people["administrator"]["id"], org.people["owner"]["id"]
    refused(await org.send("administrator", "PUT", f"/user/{owner}/role", json={"orgRole": 0}), 403)
    refused(await org.send("administrator", "PUT", f"/user/{administrator}/role", json={"orgRole": 255}), 403)
    refused(await org.send("member", "PUT", f"/user/{owner}/role", json={"orgRole": 0}), 403)
    refused(await org.send("owner", "PUT", f"/user/{owner}/role", json={"orgRole": 0}), 400)
    refused(await org.send("owner", "DELETE", f"/organization/users/{owner}"), 400)
    refused(await org.send("owner", "PUT", f"/user/{administrator}/role", json={"orgRole": 3}), 400)
    refused(await org.send("member", "GET", "/organization/users"), 403)


@pytest.mark.parametrize("caller", [*ROLES])
async def test_everybody_sees_themselves_and_their_organisation(org, caller):
    profile = (await org.get("/user/profile", caller))["data"]
    role = ROLES[caller][0]
    assert list(profile) == [
        "id", "name", "lastName", "email", "orgId", "orgRole", "orgRoleDescription", "orgRoles", "validated",
        "mfaRequired", "isBusiness",
    ]  # fmt: skip
    assert (profile["email"], profile["orgId"]) == (f"{caller}@example.com", "acme")
    assert (profile["orgRole"], profile["orgRoleDescription"]) == (NUMBERS[role], role)
    organisation = await org.get("/organization/acme", caller)
    assert list(organisation["data"]) == ORGANIZATION
    assert organisation["data"]["name"] == "acme Ltd"
    renamed = await org.send(caller, "PUT", f"/user/{profile['id']}", json={"name": caller.title()})
    assert renamed.json()["success"] is True


async def test_the_organisation_is_renamed_by_those_who_administer_it(org):
    refused(await org.send("manager", "PUT", "/organization/acme", json={"name": "Mine"}), 403)
    refused(await org.send("owner", "PUT", "/organization/other", json={"name": "Mine"}), 403)
    found = await org.send(
        "administrator", "PUT", "/organization/acme", json={"name": "Acme", "city": "Bonn"}
    )
    assert found.json()["data"]["name"] == "Acme"
    await org.send("owner", "PUT", "/organization/acme", json={"name": "acme Ltd"})


async def test_a_key_that_speaks_for_nobody_has_a_profile(org):
    profile = (await org.get("/user/profile", "all scopes"))["data"]
    assert (profile["name"], profile["lastName"], profile["email"]) == ("all scopes", "", "")
    assert profile["orgRoleDescription"] == "WORKSPACES"
