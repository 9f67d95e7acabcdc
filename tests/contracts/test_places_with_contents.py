"""Places together with what they hold: on the stores of the server, whose references must never break."""

import pytest
import pytest_asyncio

from bylaw.core.clock import ManualClock
from bylaw.core.errors import Conflict, Forbidden
from bylaw.core.ids import Ids, TenantId
from bylaw.core.paging import Slice
from bylaw.policies.editing import NewPolicy, create_policy
from bylaw.policies.lifecycle import delete_policy
from bylaw.policies.places import delete_repo, delete_workspace, move_repo
from bylaw.policies.store import PolicyFilter
from bylaw.tenancy import keys, people, places
from bylaw.tenancy.agents import NewAgent, register_agent
from bylaw.tenancy.model import Place
from bylaw.tenancy.principal import Acting, Grant, Principal, system_principal
from tests.contracts.values import A

W1, W2 = Place(workspace_id="w1"), Place(workspace_id="w2")
R1 = Place(workspace_id="w1", repo_id="r1")
MOVED = Place(workspace_id="w2", repo_id="r1")


@pytest.fixture
def acting():
    clock = ManualClock()

    def begin(unit, principal=None):
        who = system_principal(A) if principal is None else principal
        return Acting(unit=unit, principal=who, clock=clock, ids=Ids(clock))

    return begin


@pytest_asyncio.fixture(loop_scope="session")
async def world(store, acting):
    async with store.begin(A) as unit:
        root = acting(unit)
        for name in ("w1", "w2"):
            await places.create_workspace(root, name, workspace_id=name)
        await places.create_repo(root, "w1", name="code", repo_id="r1")
        for place in (W1, R1, W2):
            await make(root, place)
    return store


async def make(root, place, **options):
    content = {"name": "p", "rules": [{"text": "Never share personal data."}]}
    return (await create_policy(root, NewPolicy(content=content, place=place, **options))).policy


async def placed(unit, **where):
    page = await unit.policies.list(PolicyFilter(**where), Slice(limit=100))
    return sorted(repr(each.policy.place) for each in page.items)


async def test_a_repo_goes_with_its_policies_and_a_workspace_with_its_own(world, acting):
    async with world.begin(A) as unit:
        root = acting(unit)
        with pytest.raises(Conflict) as refused:
            await places.delete_repo(root, "r1")
        assert refused.value.reason == "not_empty"
        gone = await delete_repo(root, "r1")
        assert gone.deleted_ms is not None
        assert await placed(unit) == sorted(map(repr, (W1, W2)))
        await delete_workspace(root, "w1")
        assert await placed(unit) == [repr(W2)]
        assert len(await placed(unit, include_deleted=True)) == 3


async def test_a_workspace_that_holds_a_repo_stays_with_all_its_policies(world, acting):
    with pytest.raises(Conflict, match=r"repos \(1\)"):
        async with world.begin(A) as unit:
            await delete_workspace(acting(unit), "w1")
    async with world.begin(A, writes=False) as unit:
        assert len(await placed(unit)) == 3


async def test_a_repo_moves_with_everything_in_it(world, acting):
    async with world.begin(A) as unit:
        root = acting(unit)
        bound = await make(root, R1, reach="bound")
        gone = await make(root, R1)
        await delete_policy(root, gone.id)
        await register_agent(root, NewAgent(id="bot", place=R1))
        await register_agent(root, NewAgent(id="other", place=W1))
        minted = await keys.mint_key(root, keys.KeySpec(name="k", scopes=("policy:read",), place=R1))
    async with world.begin(A) as unit:
        root = acting(unit)
        moved = await move_repo(root, "r1", "w2")
        assert (moved.workspace_id, moved.revision) == ("w2", 2)
        assert await move_repo(root, "r1", "w2") == moved
    async with world.begin(A, writes=False) as unit:
        assert await placed(unit) == sorted(map(repr, (W1, W2, MOVED, MOVED)))
        assert (await unit.policies.get(bound.id)).place == MOVED
        assert (await unit.policies.get(gone.id)).place == MOVED
        assert (await unit.tenancy.agents.get("bot")).place == MOVED
        assert (await unit.tenancy.agents.get("other")).place == W1
        assert (await unit.tenancy.keys.get(minted.key.id)).place == MOVED
        assert await placed(unit, place=MOVED, match="effective") == sorted(map(repr, (W2, MOVED, MOVED)))


@pytest.mark.parametrize("place", [W1, W2])
async def test_moving_needs_the_right_to_write_in_both_workspaces(world, acting, place):
    half = Grant(place=place, scopes=frozenset({"workspaces:write", "policy:write"}))
    other = Grant(place=W1 if place == W2 else W2, scopes=frozenset({"policy:read"}))
    caller = Principal(tenant_id=TenantId(A), kind="key", id="k", grants=(half, other))
    with pytest.raises(Forbidden):
        async with world.begin(A) as unit:
            await move_repo(acting(unit, caller), "r1", "w2")


async def test_a_tenant_is_read_and_renamed(world, acting):
    async with world.begin(A) as unit:
        renamed = await places.rename_tenant(acting(unit), " Acme Ltd ")
        assert renamed.name == "Acme Ltd"
    async with world.begin(A, writes=False) as unit:
        assert await places.read_tenant(acting(unit)) == renamed
    reader = Principal(tenant_id=TenantId(A), kind="key", id="k", grants=())
    with pytest.raises(Forbidden):
        async with world.begin(A) as unit:
            await places.rename_tenant(acting(unit, reader), "Mine")


async def test_a_removed_person_is_brought_back_with_their_roles(world, acting):
    async with world.begin(A) as unit:
        root = acting(unit)
        ann = await people.create_user(root, people.NewUser(email="a@b", name="Ann", last_name=" Lee "))
        ann = await people.set_workspace_role(root, ann.id, "w1", role="WRITE")
        assert ann.full_name == "Ann Lee"
        await people.remove_user(root, ann.id)
        back = await people.restore_user(root, ann.id)
        assert (back.deleted_ms, back.workspace_roles) == (None, {"w1": "WRITE"})
        assert await people.restore_user(root, ann.id) == back
        assert (await people.rename_user(root, ann.id, last_name="")).full_name == "Ann"
        await people.remove_user(root, ann.id)
        await people.create_user(root, people.NewUser(email="A@b", name="Another"))
        with pytest.raises(Conflict):
            await people.restore_user(root, ann.id)
