"""The published page of POST /policy, replayed: its request as it stands, and its answer field for field."""

import json
import re

import pytest

from tests.shared import REASON, SHARED

pytestmark = pytest.mark.skipif(SHARED is None, reason=REASON)


def page():
    (path,) = (SHARED / "seeds").glob("004_*.txt")
    return path.read_text(encoding="utf-8")


def examples():
    """The body that the page sends, and the answer that it shows."""
    body, answer = (json.loads(block) for block in re.findall(r"```json\n(.*?)```", page(), re.DOTALL))
    return body, answer


async def test_the_example_of_the_page_is_answered_as_it_shows(org):
    body, shown = examples()
    policy = shown["policy"]
    person, workspace = policy["createdBy"], policy["workspace"]
    await org.make("/v1/tenants", {"id": body["orgId"], "name": "Page"}, "operator")
    made = await org.make(
        f"/v1/tenants/{body['orgId']}/keys", {"name": "admin", "scopes": ["admin"]}, "operator"
    )
    org.keys["page"] = made["key"]
    new = {"id": person["id"], "email": person["email"], "name": person["name"], "org_role": "OWNER"}
    await org.make("/v1/users", new, "page")
    await org.make(f"/user/{person['id']}", {"lastName": person["lastName"]}, "page", method="PUT")
    await org.make("/v1/workspaces", {"id": workspace["id"], "name": workspace["name"]}, "page")
    key = {"name": "theirs", "scopes": ["policy:write"], "user_id": person["id"]}
    org.keys["theirs"] = (await org.make("/v1/keys", key, "page"))["key"]
    found = await org.send("theirs", "POST", "/policy", json=body)
    assert found.status_code == 201
    answer = found.json()
    own = {name: answer["policy"][name] for name in ("id", "createdAt", "lastUpdatedAt")}
    assert answer == {**shown, "policy": {**policy, **own, "content": body["content"]}}
    assert list(answer["policy"]) == list(policy)
    shape = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
    assert shape.fullmatch(policy["createdAt"])
    assert shape.fullmatch(own["createdAt"])


async def test_every_field_of_the_page_is_answered(org):
    names = re.findall(r"^\| »{2,3} (\w+) ", page().partition("Status Code **201**")[2], re.MULTILINE)
    told = json.dumps(await org.policy(workspaceId="w1", repoId="r1"))
    assert len(names) > 20
    assert all(f'"{name}"' in told for name in names)
