"""Many policies are made and loaded in few statements."""

from collections import Counter

import pytest
from sqlalchemy import event

from bylaw.core.clock import ManualClock
from bylaw.core.ids import Ids
from bylaw.decisions.loading import LoadedSnapshots
from bylaw.policies.packs.apply import Agreed, apply_packs
from bylaw.policies.packs.documents import Document
from bylaw.policies.packs.load import parse_packs
from bylaw.storage.control import open_control
from bylaw.tenancy.places import create_workspace
from bylaw.tenancy.principal import Acting, system_principal
from tests.contracts.values import A, tenant

COUNT = 300


@pytest.fixture
async def store(tmp_path):
    clock = ManualClock()
    opened = await open_control(f"sqlite:///{tmp_path / 'control.db'}", ids=Ids(clock), clock=clock)
    async with opened.system() as system:
        await system.add_tenant(tenant(A))
    yield opened
    await opened.close()


@pytest.fixture
def statements(store):
    """Every statement that either side of the database ran."""
    found = []
    for engine in (store.database._writer, store.database._readers):
        event.listen(engine.sync_engine, "before_cursor_execute", lambda *said: found.append(said[2]))
    return found


async def test_a_pack_is_applied_and_loaded_in_few_statements(store, statements):
    clock = ManualClock()
    rules = [{"expr": "amount < 5"}]
    written = {f"p{n}": {"name": f"P{n}", "rules": rules, "place": {"workspace": "w1"}} for n in range(COUNT)}
    packs = packs_of(written)
    async with store.begin(A) as unit:
        acting = Acting(unit=unit, principal=system_principal(A), clock=clock, ids=Ids(clock))
        await create_workspace(acting, "w1", workspace_id="w1")
        statements.clear()
        await apply_packs(acting, packs, Agreed())
        assert len(statements) < COUNT // 8
    snapshots = LoadedSnapshots()
    statements.clear()
    async with store.begin(A, writes=False) as unit:
        await snapshots.load(unit, 1)
        assert len(snapshots.entries(A)) == COUNT
        assert len(statements) < COUNT // 9
        statements.clear()
        await snapshots.load(unit, 2)
        assert not [each for each in statements if "versions.content" in each]


async def test_a_pack_is_changed_and_pruned_in_few_statements(store, statements):
    clock = ManualClock()
    contents = {f"p{n}": {"name": f"P{n}", "rules": [{"expr": "amount < 5"}]} for n in range(COUNT)}
    changed = {key: {**each, "risk": "HIGH", "active": False} for key, each in contents.items()}
    async with store.begin(A) as unit:
        acting = Acting(unit=unit, principal=system_principal(A), clock=clock, ids=Ids(clock))
        await apply_packs(acting, packs_of(contents), Agreed())
        for wanted in (changed, {"other": contents["p1"]}):
            statements.clear()
            applied = await apply_packs(acting, packs_of(wanted), Agreed(prune=True))
            assert len(applied.policies) >= COUNT
            assert len(statements) <= COUNT // 6
    async with store.system() as system:
        entries = await system.queue.pending(5 * COUNT, tenant_id=A)
    said = Counter(str(entry.payload["change"]) for entry in entries)
    assert said == {"created": COUNT + 1, "edited": COUNT, "deactivated": COUNT, "archived": COUNT}


def packs_of(contents):
    return parse_packs([Document(file="many.yaml", value={"pack": "many", "policies": contents})])
