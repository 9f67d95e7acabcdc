import pytest

from bylaw.core.clock import ManualClock
from bylaw.core.errors import Conflict, Forbidden, InvalidInput, NotFound, PreconditionFailed
from bylaw.core.paging import Slice
from bylaw.tenancy.agents import (
    AgentChange,
    NewAgent,
    change_agent,
    list_agents,
    read_agent,
    register_agent,
    see_agent,
)
from bylaw.tenancy.model import Place
from bylaw.tenancy.people import (
    NewUser,
    create_user,
    list_users,
    read_user,
    remove_user,
    rename_user,
    set_org_role,
    set_workspace_role,
)
from bylaw.tenancy.places import create_workspace
from bylaw.tenancy.roles import principal_of
from tests.memory_unit import MemoryUnit, acting_as, as_principal

W1, W2 = Place(workspace_id="w1"), Place(workspace_id="w2")


@pytest.fixture
async def root():
    acting = acting_as(MemoryUnit())
    for name in ("w1", "w2"):
        await create_workspace(acting, name, workspace_id=name)
    return acting


async def person(root, name, org_role="USER", **roles):
    user = await create_user(root, NewUser(email=f"{name}@b", name=name, org_role=org_role, id=name))
    for workspace, role in roles.items():
        user = await set_workspace_role(root, user.id, workspace, role=role)
    return as_principal(root, principal_of(user))


async def test_the_last_owner_cannot_be_removed_or_demoted(root):
    await person(root, "ann", "OWNER")
    for act in (remove_user(root, "ann"), set_org_role(root, "ann", "USER")):
        with pytest.raises(Conflict) as caught:
            await act
        assert caught.value.reason == "last_owner"
    await person(root, "bob", "OWNER")
    assert (await set_org_role(root, "ann", "USER")).org_role == "USER"
    assert (await remove_user(root, "ann")).deleted_ms is not None
    with pytest.raises(NotFound):
        await read_user(root, "ann")


async def test_nobody_raises_anyone_above_themselves(root):
    manager = await person(root, "mia", "WORKSPACES")
    await person(root, "ann", "OWNER")
    await person(root, "uwe")
    assert (await set_org_role(manager, "uwe", "WORKSPACES")).org_role == "WORKSPACES"
    forbidden = [
        set_org_role(manager, "uwe", "ADMINISTRATORS"),
        set_org_role(manager, "ann", "USER"),
        remove_user(manager, "ann"),
        rename_user(manager, "ann", "x"),
        create_user(manager, NewUser(email="x@y", name="x", org_role="OWNER")),
    ]
    for act in forbidden:
        with pytest.raises(Forbidden):
            await act


async def test_a_workspace_admin_gives_roles_in_that_workspace_only(root):
    admin = await person(root, "ada", w1="ADMIN")
    await person(root, "uwe")
    assert (await set_workspace_role(admin, "uwe", "w1", role="WRITE")).workspace_roles == {"w1": "WRITE"}
    with pytest.raises(NotFound):
        await set_workspace_role(admin, "uwe", "w2", role="READ")
    writer = await person(root, "wim", w1="WRITE")
    with pytest.raises(Forbidden):
        await set_workspace_role(writer, "uwe", "w1", role="ADMIN")
    assert (await set_workspace_role(admin, "uwe", "w1", role=None)).workspace_roles == {}
    counter = root.unit.changes.value
    await set_workspace_role(admin, "uwe", "w1", role=None)
    assert root.unit.changes.value == counter


async def test_unknown_roles_and_addresses_are_named(root):
    await person(root, "uwe")
    with pytest.raises(InvalidInput) as caught:
        await set_workspace_role(root, "uwe", "w1", role="BOSS")
    assert "READ, WRITE, ADMIN" in caught.value.message
    with pytest.raises(InvalidInput):
        await set_org_role(root, "uwe", "KING")
    with pytest.raises(InvalidInput) as caught:
        await create_user(root, NewUser(email="nowhere", name="x"))
    assert caught.value.problems[0].path == "email"
    with pytest.raises(Conflict):
        await create_user(root, NewUser(email="UWE@b", name="x"))


async def test_people_see_themselves_and_those_they_share_a_workspace_with(root):
    ann, bob, eve = (
        await person(root, "ann", w1="READ"),
        await person(root, "bob", w1="READ"),
        await person(root, "eve"),
    )
    assert (await read_user(ann, "bob")).id == "bob"
    assert (await read_user(eve, "eve")).id == "eve"
    with pytest.raises(NotFound):
        await read_user(eve, "bob")
    assert {user.id for user in (await list_users(ann, Slice(), workspace_id="w1")).items} == {"ann", "bob"}
    with pytest.raises(Forbidden):
        await list_users(bob, Slice())
    with pytest.raises(NotFound):
        await list_users(bob, Slice(), workspace_id="w2")
    assert len((await list_users(root, Slice())).items) == 3


async def test_people_rename_themselves(root):
    eve = await person(root, "eve")
    assert (await rename_user(eve, "eve", "Eva", revision=1)).name == "Eva"
    with pytest.raises(PreconditionFailed):
        await rename_user(eve, "eve", "Evi", revision=1)


async def test_an_agent_is_seen_first_and_registered_later(root):
    seen = await see_agent(root.unit, "bot", clock=ManualClock(5))
    assert (seen.registered, seen.created_ms) == (False, 5)
    assert await see_agent(root.unit, "bot", clock=ManualClock(9)) == seen
    agent = await register_agent(root, NewAgent(id="bot", name="Bot", place=W1))
    assert (agent.registered, agent.place, agent.revision, agent.created_ms) == (True, W1, 2, 5)
    with pytest.raises(Conflict):
        await register_agent(root, NewAgent(id="bot"))
    with pytest.raises(InvalidInput):
        await see_agent(root.unit, "", clock=ManualClock())


async def test_an_agent_that_was_seen_is_given_a_place_only_by_whoever_writes_everywhere(root):
    """It may act anywhere, and the policies of its place follow it there."""
    await see_agent(root.unit, "bot", clock=ManualClock(5))
    local = acting_as(root.unit, "agents:write", place=W1)
    with pytest.raises(Forbidden) as caught:
        await register_agent(local, NewAgent(id="bot", place=W1))
    assert caught.value.needs == "agents:write"
    assert (await register_agent(local, NewAgent(id="new", place=W1))).place == W1


async def test_an_agent_is_changed_where_the_caller_writes(root):
    await register_agent(root, NewAgent(id="a1", place=W1))
    await register_agent(root, NewAgent(id="a2", place=W2))
    local = acting_as(root.unit, "agents:write", place=W1)
    changed = await change_agent(local, "a1", AgentChange(require_policy=True), revision=1)
    assert (changed.require_policy, changed.revision) == (True, 2)
    assert await change_agent(local, "a1", AgentChange()) == changed
    assert (await change_agent(local, "a1", AgentChange(name=" One "))).name == "One"
    with pytest.raises(InvalidInput):
        await change_agent(local, "a1", AgentChange(name="a\nb"))
    assert [agent.id for agent in (await list_agents(local, Slice())).items] == ["a1"]
    with pytest.raises(NotFound):
        await read_agent(local, "a2")
    with pytest.raises(PreconditionFailed):
        await change_agent(local, "a1", AgentChange(name="x"), revision=1)
    with pytest.raises(Forbidden):
        await change_agent(acting_as(root.unit, "agents:read"), "a1", AgentChange())
    with pytest.raises(Forbidden):
        await list_agents(acting_as(root.unit, "policy:read"), Slice())
    with pytest.raises(Forbidden):
        await register_agent(local, NewAgent(id="a3", place=W2))
