"""Writing policies over the wire: what is switched with an edit, and which fields there are."""

import pytest

from bylaw.api.native.policy_requests import NewPolicy, PolicyEdit

RULES = [{"expr": "amount < 5000"}]


async def changes(server, policy_id):
    """What the log says happened to a policy, oldest first: the change and the version."""
    found = (await server.send("admin", "GET", "/v1/receipts?kind=policy_version")).json()["data"]
    claims = [each["receipt"]["claim"] for each in reversed(found)]
    return [
        (claim["change"], claim["policy"]["version"])
        for claim in claims
        if claim["policy"]["id"] == policy_id
    ]


async def test_an_edit_switches_off_before_its_text_changes_and_on_after(server):
    made = await server.make("/v1/policies", {"name": "A", "rules": RULES})
    path = f"/v1/policies/{made['id']}"
    off = {"is_active": False, "name": "B", "reason": "pause"}
    found = await server.send("admin", "PATCH", path, json=off, headers={"if-match": '"1"'})
    assert (found.status_code, found.json()["is_active"], found.json()["name"]) == (200, False, "B")
    found = await server.send("admin", "PATCH", path, json={"is_active": True, "name": "C"})
    assert (found.json()["is_active"], found.json()["name"]) == (True, "C")
    read = await server.send("admin", "GET", path)
    assert (read.json()["is_active"], read.headers["etag"]) == (True, found.headers["etag"])
    assert await changes(server, made["id"]) == [
        ("created", 1),
        ("deactivated", 1),
        ("edited", 2),
        ("edited", 3),
        ("activated", 3),
    ]


async def test_a_refused_edit_switches_nothing(server):
    made = await server.make("/v1/policies", {"name": "A", "rules": RULES})
    path = f"/v1/policies/{made['id']}"
    edit = {"is_active": False, "rules": [{"expr": "amount <"}]}
    assert (await server.send("admin", "PATCH", path, json=edit)).status_code == 422
    stale = {"json": {"is_active": False}, "headers": {"if-match": '"7"'}}
    assert (await server.send("admin", "PATCH", path, **stale)).status_code == 412
    read = await server.send("admin", "GET", path)
    assert (read.json()["is_active"], read.headers["etag"]) == (True, '"1"')


@pytest.mark.parametrize(("method", "kind"), [("POST", NewPolicy), ("PATCH", PolicyEdit)])
async def test_an_unknown_field_is_told_with_every_field_there_is(server, method, kind):
    made = await server.make("/v1/policies", {"name": "A", "rules": RULES})
    path = "/v1/policies" if method == "POST" else f"/v1/policies/{made['id']}"
    body = {"name": "", "rules": RULES, "zzzzzz": 1}
    errors = (await server.send("admin", method, path, json=body)).json()["errors"]
    assert [each["path"] for each in errors] == ["zzzzzz", "name"]
    told = errors[0]["message"].partition("known are ")[2].rstrip(".").split(", ")
    assert told == sorted(kind.__struct_fields__)


async def test_a_list_counts_what_matches_when_it_is_asked_to(inhabited):
    where = "/v1/policies?limit=1&workspace_id=w1"
    assert (await inhabited.send("admin", "GET", where)).json()["total"] is None
    every = (await inhabited.send("admin", "GET", "/v1/policies?workspace_id=w1")).json()["data"]
    assert (await inhabited.send("admin", "GET", f"{where}&count=true")).json()["total"] == len(every)
    assert (await inhabited.send("neighbour", "GET", f"{where}&count=true")).json()["total"] == 0


async def test_a_list_of_named_policies_holds_these_alone(inhabited):
    made = [await inhabited.make("/v1/policies", {"name": name, "rules": RULES}) for name in "ABC"]
    asked = "&".join(f"id={each['id']}" for each in made[:2])
    found = (await inhabited.send("admin", "GET", f"/v1/policies?{asked}&id=nobody")).json()["data"]
    assert {each["name"] for each in found} == {"A", "B"}
    assert (await inhabited.send("stranger", "GET", f"/v1/policies?{asked}")).json()["data"] == []
