import pytest

from bylaw.core.clock import ManualClock
from bylaw.core.errors import Conflict, Forbidden, InvalidInput, NotFound, PreconditionFailed
from bylaw.core.ids import Ids, TenantId
from bylaw.core.paging import Slice
from bylaw.tenancy.model import EVERYWHERE, Place
from bylaw.tenancy.places import (
    NewTenant,
    WorkspaceChange,
    change_workspace,
    create_repo,
    create_tenant,
    create_workspace,
    delete_repo,
    delete_workspace,
    list_repos,
    list_workspaces,
    read_repo,
    read_workspace,
    rename_repo,
    require_place,
)
from bylaw.tenancy.principal import OPERATOR_TENANT, Acting, Grant, Principal, system_principal
from tests.memory_unit import MemoryUnit, acting_as, as_principal

W1 = Place(workspace_id="w1")


@pytest.fixture
async def unit() -> MemoryUnit:
    unit = MemoryUnit()
    root = acting_as(unit)
    for name in ("w1", "w2"):
        await create_workspace(root, f"Workspace {name}", workspace_id=name)
        await create_repo(root, name, name="Repo", repo_id=f"r-{name}")
    return unit


def test_a_place_contains_itself_and_what_lies_inside():
    repo = Place(workspace_id="w1", repo_id="r1")
    assert EVERYWHERE.contains(repo)
    assert W1.contains(repo)
    assert repo.contains(repo)
    assert not repo.contains(W1)
    assert not Place(workspace_id="w2").contains(repo)
    assert not repo.contains(Place(workspace_id="w2", repo_id="r1"))


async def test_a_workspace_gets_an_id_and_raises_the_counter():
    acting = acting_as(MemoryUnit())
    workspace = await create_workspace(acting, "  Sales ")
    assert workspace.name == "Sales"
    assert await read_workspace(acting, workspace.id) == workspace
    assert acting.unit.changes.value == 1
    with pytest.raises(Conflict):
        await create_workspace(acting, "Again", workspace_id=workspace.id)


@pytest.mark.parametrize("name", ["", "   ", "x" * 201, "a\nb"])
async def test_a_name_that_no_one_could_read_is_refused(name):
    with pytest.raises(InvalidInput) as caught:
        await create_workspace(acting_as(MemoryUnit()), name)
    assert caught.value.problems[0].path == "name"


@pytest.mark.parametrize("ident", ["", "a b", "x" * 201, "a\x00"])
async def test_an_id_with_space_or_controls_is_refused(ident):
    with pytest.raises(InvalidInput):
        await create_workspace(acting_as(MemoryUnit()), "n", workspace_id=ident)


async def test_a_lost_update_is_refused(unit):
    root = acting_as(unit)
    changed = await change_workspace(root, "w1", WorkspaceChange(name="New", require_policy=True), revision=1)
    assert (changed.name, changed.require_policy, changed.revision) == ("New", True, 2)
    with pytest.raises(PreconditionFailed) as caught:
        await change_workspace(root, "w1", WorkspaceChange(name="Newer"), revision=1)
    assert caught.value.current == "2"
    counter = unit.changes.value
    assert await change_workspace(root, "w1", WorkspaceChange(name="New"), revision=None) == changed
    assert unit.changes.value == counter


async def test_how_edits_are_reviewed_is_not_for_those_it_binds(unit):
    local = acting_as(unit, "workspaces:write", place=W1)
    assert (await change_workspace(local, "w1", WorkspaceChange(name="Mine"), revision=None)).name == "Mine"
    for change in (WorkspaceChange(review_edits=False), WorkspaceChange(separate_approvers=True)):
        with pytest.raises(Forbidden):
            await change_workspace(local, "w1", change, revision=None)


async def test_a_place_is_seen_by_those_who_hold_something_there(unit):
    local = acting_as(unit, "decisions:write", place=W1)
    assert [one.id for one in (await list_workspaces(local, Slice())).items] == ["w1"]
    assert [one.id for one in (await list_repos(local, Slice())).items] == ["r-w1"]
    assert (await list_repos(local, Slice(), workspace_id="w2")).items == ()
    assert (await read_repo(local, "r-w1")).workspace_id == "w1"
    for read in (read_workspace(local, "w2"), read_repo(local, "r-w2"), read_repo(local, "nowhere")):
        with pytest.raises(NotFound):
            await read
    with pytest.raises(Forbidden):
        await create_workspace(local, "x")
    with pytest.raises(Forbidden):
        await create_repo(local, "w1", name="x")
    everyone = await list_workspaces(acting_as(unit), Slice(limit=1, total=True))
    assert (len(everyone.items), everyone.total) == (1, 2)
    rest = await list_workspaces(acting_as(unit), Slice(cursor=everyone.next_cursor))
    assert {one.id for one in everyone.items + rest.items} == {"w1", "w2"}


async def test_a_key_of_a_person_sees_no_more_places_than_the_person(unit):
    person = Principal(
        tenant_id=unit.tenant_id,
        kind="user",
        id="u",
        grants=(Grant(place=W1, scopes=frozenset({"policy:read"})),),
        org_role="USER",
    )
    everything = Grant(scopes=frozenset({"admin"}))
    elsewhere = Grant(place=Place(workspace_id="w2"), scopes=frozenset({"admin"}))
    for grant, seen in ((everything, ["w1"]), (elsewhere, [])):
        key = Principal(tenant_id=unit.tenant_id, kind="key", id="k", grants=(grant,), speaks_for=person)
        acting = as_principal(acting_as(unit), key)
        assert [one.id for one in (await list_workspaces(acting, Slice())).items] == seen


async def test_a_repo_belongs_to_one_workspace(unit):
    await require_place(unit, EVERYWHERE)
    await require_place(unit, Place(workspace_id="w1", repo_id="r-w1"))
    for wrong in (Place(repo_id="r-w1"), Place(workspace_id="w2", repo_id="r-w1")):
        with pytest.raises(InvalidInput):
            await require_place(unit, wrong)
    for missing in (Place(workspace_id="w9"), Place(workspace_id="w1", repo_id="r9")):
        with pytest.raises(NotFound):
            await require_place(unit, missing)


async def test_a_repo_is_renamed_under_its_revision(unit):
    root = acting_as(unit)
    assert (await rename_repo(root, "r-w1", name="Two", revision=1)).revision == 2
    with pytest.raises(PreconditionFailed):
        await rename_repo(root, "r-w1", name="Three", revision=1)


async def test_only_what_is_empty_is_deleted(unit):
    root = acting_as(unit)
    with pytest.raises(Conflict) as caught:
        await delete_workspace(root, "w1")
    assert caught.value.reason == "not_empty"
    assert "repos (1)" in caught.value.message
    await delete_repo(root, "r-w1")
    assert (await delete_workspace(root, "w1")).deleted_ms is not None
    for gone in (read_workspace(root, "w1"), read_repo(root, "r-w1"), delete_repo(root, "r-w1")):
        with pytest.raises(NotFound):
            await gone
    with pytest.raises(NotFound):
        await require_place(unit, W1)


async def test_nobody_works_in_another_tenants_transaction():
    with pytest.raises(NotFound):
        Acting(
            unit=MemoryUnit("t2"),
            principal=system_principal(TenantId("t1")),
            clock=ManualClock(),
            ids=Ids(ManualClock()),
        )


class Tenants:
    def __init__(self) -> None:
        self.added = []

    async def add_tenant(self, tenant) -> None:
        self.added.append(tenant)


async def test_only_the_operator_creates_tenants():
    clock = ManualClock()
    unit = Tenants()
    operator = system_principal(OPERATOR_TENANT)
    tenant = await create_tenant(
        unit, operator, NewTenant(name="Acme", id="acme"), clock=clock, ids=Ids(clock)
    )
    other = await create_tenant(unit, operator, NewTenant(name="Beta"), clock=clock, ids=Ids(clock))
    assert unit.added == [tenant, other]
    assert (tenant.id, len(other.id)) == ("acme", 36)
    with pytest.raises(Forbidden):
        await create_tenant(
            unit, system_principal(tenant.id), NewTenant(name="x"), clock=clock, ids=Ids(clock)
        )
