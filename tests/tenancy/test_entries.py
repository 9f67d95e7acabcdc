"""Whoever changes who may do what leaves an entry for the log."""

import json

import pytest

from bylaw.policies.binding import bind_policy
from bylaw.policies.editing import NewPolicy, create_policy
from bylaw.tenancy.agents import AgentChange, NewAgent, change_agent, register_agent, see_agent
from bylaw.tenancy.keys import KeySpec, mint_key, revoke_key
from bylaw.tenancy.model import Place
from bylaw.tenancy.people import NewUser, create_user, remove_user, rename_user, set_workspace_role
from bylaw.tenancy.places import WorkspaceChange, change_workspace, create_workspace, delete_workspace
from tests.memory_unit import MemoryUnit, acting_as


@pytest.fixture
def root():
    return acting_as(MemoryUnit())


def told(acting):
    """What the entries say, each field as what it was and what it is now; empties the queue."""
    found = [
        (
            entry["noun"],
            entry["id"],
            entry["change"],
            {
                field["name"]: (json.loads(field["was"] or '"-"'), json.loads(field["now"]))
                for field in entry["fields"]
            },
        )
        for kind, entry in acting.unit.outbox.entries
        if kind == "change"
    ]
    assert all(entry["author"] for _, entry in acting.unit.outbox.entries)
    acting.unit.outbox.entries.clear()
    return found


async def test_binding_and_unbinding_an_agent_are_entries(root):
    content = {"name": "P", "rules": [{"expr": "amount < 5"}]}
    policy = (await create_policy(root, NewPolicy(content=content, reach="bound"))).policy
    agent = await register_agent(root, NewAgent(id="a1", require_policy=True))
    root.unit.outbox.entries.clear()
    await bind_policy(root, agent.id, policy.id)
    await bind_policy(root, agent.id, policy.id)
    await bind_policy(root, agent.id, None)
    await change_agent(root, agent.id, AgentChange(name="Only a name"))
    await change_agent(root, agent.id, AgentChange(require_policy=False))
    assert told(root) == [
        ("agent", "a1", "changed", {"policy_id": (None, policy.id)}),
        ("agent", "a1", "changed", {"policy_id": (policy.id, None)}),
        ("agent", "a1", "changed", {"require_policy": (True, False)}),
    ]


async def test_an_agent_that_is_only_seen_is_no_entry_and_one_that_is_registered_is(root):
    await see_agent(root.unit, "a1", clock=root.clock)
    assert told(root) == []
    await register_agent(root, NewAgent(id="a1"))
    assert told(root) == [("agent", "a1", "changed", {"registered": (False, True)})]


async def test_the_life_of_an_api_key_is_entries_without_its_text(root):
    await create_workspace(root, "w1", workspace_id="w1")
    told(root)
    spec = KeySpec(name="Ops", scopes=("receipts:read", "admin"), place=Place(workspace_id="w1"))
    minted = await mint_key(root, spec)
    said = str(root.unit.outbox.entries)
    assert minted.raw not in said
    assert minted.key.sha256 not in said
    ((noun, ident, change, fields),) = told(root)
    assert (noun, ident, change) == ("api_key", minted.key.id, "created")
    assert fields["scopes"] == ("-", ["admin", "receipts:read"])
    assert fields["place"] == ("-", {"repo_id": None, "workspace_id": "w1"})
    await revoke_key(root, minted.key.id)
    await revoke_key(root, minted.key.id)
    assert told(root) == [("api_key", minted.key.id, "revoked", {})]


async def test_how_a_workspace_reviews_is_entries(root):
    workspace = await create_workspace(root, "Ops", workspace_id="w1")
    told(root)
    change = WorkspaceChange(name="New", review_edits=True, separate_approvers=True, require_policy=True)
    await change_workspace(root, workspace.id, change, revision=None)
    await change_workspace(root, workspace.id, WorkspaceChange(context_schema={"amount": 1.5}), revision=None)
    await delete_workspace(root, workspace.id)
    (_, _, _, habits), (_, _, _, schema), last = told(root)
    assert habits == dict.fromkeys(("review_edits", "separate_approvers", "require_policy"), (False, True))
    assert schema["context_schema"][0] is None
    assert schema["context_schema"][1].startswith("sha256:")
    assert last == ("workspace", "w1", "deleted", {})


async def test_roles_are_entries_and_what_people_are_called_is_not(root):
    await create_workspace(root, "w1", workspace_id="w1")
    told(root)
    user = await create_user(root, NewUser(email="ana@example.com", name="Ana Gram", id="u1"))
    await rename_user(root, user.id, "Ana Lyst")
    await set_workspace_role(root, user.id, "w1", role="ADMIN")
    await remove_user(root, user.id)
    assert "Ana" not in str(root.unit.outbox.entries)
    assert "example.com" not in str(root.unit.outbox.entries)
    created, role, gone = told(root)
    assert created == ("user", "u1", "created", {"org_role": ("-", "USER"), "workspace_roles": ("-", {})})
    assert role == ("user", "u1", "changed", {"workspace_roles": ({}, {"w1": "ADMIN"})})
    assert gone == ("user", "u1", "deleted", {})
