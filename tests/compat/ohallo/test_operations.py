"""The eight operations, each as it succeeds and as it fails: 400, 401, 403 and 404."""

import pytest

from tests.compat.ohallo.asking import ENTRIES, SALE, entry, made

# method, path, body, status of success, body that is refused (None: a query does it)
OPERATIONS = {
    "list": ("GET", ENTRIES, None, 200, "?limit=0"),
    "search": ("GET", f"{ENTRIES}/search?q=discount", None, 200, "&limit=none"),
    "pending": ("GET", f"{ENTRIES}/pending", None, 200, "?offset=-1"),
    "create": ("POST", ENTRIES, SALE, 201, {"topic": "discounts"}),
    "update": ("PATCH", entry("{id}"), {"topic": "sales"}, 200, {"topic": ""}),
    "approve": ("POST", entry("{id}") + "/approve", None, 200, None),
    "reject": ("POST", entry("{id}") + "/reject", {"reason": "no"}, 200, {"reason": 7}),
    "delete": ("DELETE", entry("{id}"), None, 204, None),
}
each = pytest.mark.parametrize("name", OPERATIONS)


async def asked(world, name, caller, *, ident=None, workspace="shop"):
    method, path, body, _, _ = OPERATIONS[name]
    if ident is None:
        ident = (await made(world, status="pending_review"))["id"]
    path = path.replace("{id}", ident).replace("/shop/", f"/{workspace}/")
    return await world.send(caller, method, path, json=body)


def refused(found, status):
    assert found.status_code == status, found.text
    assert list(found.json()) == ["error"]
    assert found.json()["error"]
    return found


@each
async def test_it_does_what_it_says(world, name):
    found = await asked(world, name, "reader" if OPERATIONS[name][0] == "GET" else "writer")
    assert found.status_code == OPERATIONS[name][3], found.text


@pytest.mark.parametrize("name", [name for name, each in OPERATIONS.items() if each[4] is not None])
async def test_what_is_unusable_is_400(world, name):
    method, path, _, _, wrong = OPERATIONS[name]
    path = path.replace("{id}", (await made(world, status="pending_review"))["id"])
    if isinstance(wrong, str):
        refused(await world.send("writer", method, path + wrong), 400)
    else:
        refused(await world.send("writer", method, path, json=wrong), 400)


@each
async def test_without_a_key_that_is_one_it_is_401(world, name):
    for caller in (None, "sf_live_v1_" + "x" * 32):
        found = refused(await asked(world, name, caller), 401)
        assert found.headers["www-authenticate"].startswith("Bearer")


@each
async def test_without_the_scope_it_is_403_that_names_it(world, name):
    scope = "policy:read" if OPERATIONS[name][0] == "GET" else "policy:write"
    for caller in ("nobody", *(["reader"] if scope == "policy:write" else [])):
        assert scope in refused(await asked(world, name, caller), 403).text


@each
async def test_a_key_of_another_workspace_is_refused_or_finds_nothing(world, name):
    in_path = "{id}" not in OPERATIONS[name][1]
    refused(await asked(world, name, "clerk"), 403 if in_path else 404)


@each
async def test_what_is_not_there_or_not_theirs_is_404_alike(world, name):
    if "{id}" in OPERATIONS[name][1]:
        ident = (await made(world, status="pending_review"))["id"]
        theirs = refused(await asked(world, name, "stranger", ident=ident), 404)
        unknown = refused(await asked(world, name, "stranger", ident="not-a-uuid"), 404)
        assert theirs.text.replace(ident, "") == unknown.text.replace("not-a-uuid", "")
    else:
        refused(await asked(world, name, "stranger"), 404)
        refused(await asked(world, name, "writer", workspace="nowhere"), 404)
