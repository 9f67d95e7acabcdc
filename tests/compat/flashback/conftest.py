"""An organisation with people in every role, whose keys speak for them, and a second organisation."""

import itertools
from dataclasses import dataclass, field

import pytest_asyncio

from bylaw import settings
from bylaw.api.compat.flashback.translate_places import NUMBERS
from bylaw.app import build
from tests.api.conftest import SCOPES, World

# Who is there: their role in the organisation, and in the workspace w1.
ROLES = {
    "owner": ("OWNER", None),
    "administrator": ("ADMINISTRATORS", None),
    "manager": ("WORKSPACES", None),
    "biller": ("BILLING", None),
    "member": ("USER", None),
    "reader": ("USER", "READ"),
    "writer": ("USER", "WRITE"),
    "head": ("USER", "ADMIN"),
}
CONTENT = "Never mention 'rival'."
BROKEN, KEPT = "Ask the rival next door.", "Ask us."


@dataclass
class Org(World):
    """`acme` with the workspaces w1 and w2 and the repos r1 and r2 in them."""

    people: dict[str, dict] = field(default_factory=dict)
    numbers: itertools.count = field(default_factory=itertools.count)

    async def policy(self, caller="owner", **fields):
        """Make a policy and return it."""
        body = {"name": "Rivals", "content": CONTENT, "riskType": "HIGH", "actionType": 2, "orgId": "acme"}
        found = await self.send(caller, "POST", "/policy", json=body | fields)
        assert found.status_code == 201, found.text
        return found.json()["policy"]

    async def get(self, path, caller="owner", status=200):
        """Read what is there."""
        found = await self.send(caller, "GET", path)
        assert found.status_code == status, found.text
        return found.json()

    async def say(self, text=BROKEN, caller="service", **fields):
        """Ask whether a text may be said in repo r1, and return the decision."""
        asked = {"phase": "output", "agent_output": text, "workspace_id": "w1", "repo_id": "r1"}
        return await self.make("/v1/decisions", asked | fields, caller)

    async def person(self, role="USER"):
        """Add a person whose key speaks for them; return them and the name of the key."""
        name = f"person{next(self.numbers)}"
        new = {"email": f"{name}@example.com", "firstName": name.title(), "lastName": "Doe"}
        made = await self.make("/organization/users", new | {"orgRole": NUMBERS[role]})
        key = {"name": f"{name}'s key", "scopes": ["admin"], "user_id": made["data"]["id"]}
        self.keys[name] = (await self.make("/v1/keys", key))["key"]
        return made["data"], name


async def populate(org: Org) -> None:
    """Make the organisations, their people and keys, and two workspaces with a repo each."""
    for tenant, name in (("acme", "admin"), ("other", "stranger")):
        await org.make("/v1/tenants", {"id": tenant, "name": f"{tenant} Ltd"}, "operator")
        made = await org.make(f"/v1/tenants/{tenant}/keys", {"name": name, "scopes": ["admin"]}, "operator")
        org.keys[name] = made["key"]
    for workspace, repo in (("w1", "r1"), ("w2", "r2")):
        await org.make("/v1/workspaces", {"id": workspace, "name": f"Workspace {workspace}"})
        await org.make(f"/v1/workspaces/{workspace}/repos", {"id": repo, "name": f"Repo {repo}"})
    for name, (org_role, role) in ROLES.items():
        person = {"email": f"{name}@example.com", "firstName": name.title(), "lastName": "Doe"}
        made = await org.make("/organization/users", person | {"orgRole": NUMBERS[org_role]})
        org.people[name] = made["data"]
        if role is not None:
            await org.make("/workspace/w1/users", {"userId": made["data"]["id"], "role": role})
        key = {"name": f"{name}'s key", "scopes": ["admin"], "user_id": made["data"]["id"]}
        org.keys[name] = (await org.make("/v1/keys", key))["key"]
    plain = {"service": ["decisions:write"], "all scopes": [*SCOPES], "nobody": ["gateway:use"]}
    for name, scopes in plain.items():
        org.keys[name] = (await org.make("/v1/keys", {"name": name, "scopes": scopes}))["key"]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def organisation(tmp_path_factory):
    async with build(settings.build(data=tmp_path_factory.mktemp("server"))) as app:
        made = Org(app=app, keys={"operator": app.admin_key or ""})
        await populate(made)
        yield made


@pytest_asyncio.fixture(loop_scope="module")
async def org(organisation):
    """The organisation, which has no policies yet."""
    yield organisation
    while held := (await organisation.send("admin", "GET", "/v1/policies?limit=500")).json()["data"]:
        for each in held:
            gone = await organisation.send("admin", "DELETE", f"/v1/policies/{each['id']}")
            assert gone.status_code == 204


def refused(found, status):
    """Fail unless a request was refused in the contract's way; return what was said."""
    assert found.status_code == status, found.text
    assert found.headers["content-type"] == "application/json"
    body = found.json()
    assert list(body) == ["success", "message"]
    assert body["success"] is False
    return body["message"]
