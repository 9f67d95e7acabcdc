"""Importing over HTTP: within the walls, under the limits, and in the log, like every other write."""

import pytest

TIME = "2025-03-01T09:00:00.000Z"


@pytest.fixture
async def world(inhabited):
    return inhabited


def batch(**more):
    policy = {
        "id": "there-1",
        "workspace_id": "w-there",
        "content": {"name": "No prices", "rules": [{"text": "Never mention 'prices'."}]},
        "created_at": TIME,
        "created_by": "user:u-17",
        "updated_at": TIME,
    }
    return {
        "workspaces": [{"id": "w-there", "name": "There", "created_at": TIME}],
        "policies": [policy],
        "reason": "Imported from there.",
    } | more


async def send(world, caller="admin", **more):
    return await world.send(caller, "POST", "/v1/imports", json=batch(**more))


async def test_what_comes_is_in_force_at_once_and_stands_in_the_log(world):
    found = (await send(world)).json()
    assert (found["tenant_id"], found["dry_run"]) == ("acme", False)
    assert [each["outcome"] for each in found["results"]] == ["imported", "imported"]
    asked = {"phase": "output", "workspace_id": "w-there", "agent_output": "Our prices are low."}
    decision = await world.make("/v1/decisions", asked)
    assert (decision["outcome"], [each["id"] for each in decision["policies"]]) == ("block", ["there-1"])
    policy = (await world.send("admin", "GET", "/v1/policies/there-1")).json()
    assert (policy["created_at"], policy["created_by"]) == (TIME, "user:u-17")
    (version,) = (await world.send("admin", "GET", "/v1/policies/there-1/versions")).json()["data"]
    assert version["author"].startswith("key:")
    assert version["reason"] == "Imported from there."
    entries = await world.send("admin", "GET", "/v1/receipts?kind=policy_version&limit=500")
    claims = [each["receipt"]["claim"] for each in entries.json()["data"]]
    told = [each for each in claims if each["policy"]["id"] == "there-1"]
    assert [(each["change"], each["author"]) for each in told] == [("created", version["author"])]


async def test_every_tenant_has_its_own_under_the_same_id(world):
    await send(world)
    assert (await world.send("stranger", "GET", "/v1/policies/there-1")).status_code == 404
    theirs = (await send(world, "stranger")).json()
    assert (theirs["tenant_id"], theirs["results"][1]["outcome"]) == ("other", "imported")
    row = batch()["policies"][0] | {"content": {"name": "Other", "rules": [{"text": "No."}]}}
    changed = await send(
        world, "stranger", policies=[row | {"updated_at": "2025-03-02T09:00:00Z"}], update=True
    )
    assert changed.json()["results"][1]["outcome"] == "updated"
    ours = (await world.send("admin", "GET", "/v1/policies/there-1")).json()
    assert (ours["name"], ours["version"]) == ("No prices", 1)


@pytest.mark.parametrize("caller", ["neighbour", "approver", "nobody"])
async def test_who_does_not_administer_the_tenant_imports_nothing(world, caller):
    for dry_run in (True, False):
        found = await send(world, caller, dry_run=dry_run)
        assert (found.status_code, found.json()["code"]) == (403, "forbidden")
    assert (await world.send("admin", "GET", "/v1/policies/there-1")).status_code == 404


@pytest.mark.parametrize(
    "more",
    [
        {"policies": [{"id": "x", "content": {}, "created_by": "system:bylaw"}]},
        {"policies": [{"id": "x", "content": {}, "created_by": "user:ada\n"}]},
        {"policies": [{"id": "x", "content": {}, "created_at": "yesterday"}]},
        {"policies": [{"id": "x", "content": {}, "digest": "sha256:0"}]},
        {"policies": [{"id": "x", "content": {}, "status": "deleted"}]},
        {"receipts": []},
        {"policies": [{"id": "x", "content": {}}] * 2},
        {"workspaces": [{"id": f"w{number}", "name": "W"} for number in range(501)]},
        {"users": [{"id": f"u{n}", "email": f"u{n}@example.com", "name": "U"} for n in range(501)]},
        {"agents": [{"id": f"a{number}"} for number in range(501)]},
    ],
    ids=["actor", "line", "time", "digest", "status", "receipts", "twice", "places", "people", "agents"],
)
async def test_a_batch_that_is_none_is_refused_whole(world, more):
    found = await send(world, **more)
    assert (found.status_code, found.json()["code"]) == (422, "invalid_input")
    assert (await world.send("admin", "GET", "/v1/workspaces/w-there")).status_code == 404


async def test_a_batch_holds_five_hundred_of_a_kind(world):
    found = await send(world, agents=[{"id": f"a{number}"} for number in range(500)], dry_run=True)
    assert (found.status_code, len(found.json()["results"])) == (200, 502)


async def test_a_batch_under_a_key_is_answered_again_as_it_was(world):
    async with world.client() as client:
        sent = {"json": batch(), "headers": {"idempotency-key": "import-1"}}
        first = await client.post("/v1/imports", **sent)
        again = await client.post("/v1/imports", **sent)
    assert again.json() == first.json()
    assert again.headers["idempotent-replayed"] == "true"
