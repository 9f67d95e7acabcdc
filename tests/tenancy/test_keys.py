import hashlib
import re
from dataclasses import replace

import pytest

from bylaw.core.errors import Conflict, Forbidden, InvalidInput, NotFound, Unauthenticated
from bylaw.core.ids import TenantId
from bylaw.core.paging import Slice
from bylaw.tenancy.keys import (
    KeySpec,
    KeyTable,
    list_keys,
    mint_key,
    read_key,
    register_key,
    revoke_key,
    shown_prefix,
)
from bylaw.tenancy.model import Place
from bylaw.tenancy.people import NewUser, create_user, remove_user, set_workspace_role
from bylaw.tenancy.places import create_workspace
from bylaw.tenancy.roles import principal_of
from tests.memory_unit import MemoryUnit, acting_as, as_principal

SPEC = KeySpec(name="ci", scopes=("decisions:write",))


async def table(acting) -> KeyTable:
    unit = acting.unit
    rows = [(key, unit.tenancy.users.items.get(key.user_id)) for key in unit.tenancy.keys.items.values()]
    return KeyTable.of(rows)


async def test_a_minted_key_is_shown_once_and_stored_as_its_hash():
    acting = acting_as(MemoryUnit())
    minted = await mint_key(acting, SPEC)
    assert re.fullmatch(r"sf_live_v1_[0-9A-Za-z]{32}", minted.raw)
    assert minted.key.sha256 == hashlib.sha256(minted.raw.encode()).hexdigest()
    assert minted.key.prefix == minted.raw[: len("sf_live_v1_") + 4]
    assert minted.raw not in repr(acting.unit.tenancy.keys.items)
    assert acting.unit.changes.value == 1


async def test_a_minted_key_resolves_to_its_principal():
    acting = acting_as(MemoryUnit())
    minted = await mint_key(
        acting, KeySpec(name="ci", scopes=("decisions:write",), rate_per_minute=90), style="ak_live_"
    )
    caller = (await table(acting)).resolve(minted.raw, 0)
    assert caller.principal.tenant_id == "t1"
    assert caller.principal.may("decisions:write")
    assert not caller.principal.may("policy:read")
    assert (caller.key_id, caller.rate_per_minute) == (minted.key.id, 90)


async def test_an_existing_raw_key_is_registered_once():
    acting = acting_as(MemoryUnit())
    raw = "sf_live_v1_a3Bf" + "x" * 28
    key = await register_key(acting, SPEC, raw=raw)
    assert key.prefix == "sf_live_v1_a3Bf"
    assert (await table(acting)).resolve(raw, 0).key_id == key.id
    with pytest.raises(Conflict):
        await register_key(acting, SPEC, raw=raw)


@pytest.mark.parametrize(
    "raw", ["", "short", "sf_live_v1_abc", "x" * 300, "é" * 40, "a b" * 20, "tab\t" * 10]
)
async def test_a_raw_key_that_is_weak_or_not_plain_text_is_refused(raw):
    with pytest.raises(InvalidInput):
        await register_key(acting_as(MemoryUnit()), SPEC, raw=raw)


async def test_unknown_revoked_and_expired_keys_are_refused():
    acting = acting_as(MemoryUnit())
    now = acting.clock.now_ms()
    minted = await mint_key(acting, KeySpec(name="brief", scopes=("admin",), expires_ms=now + 10))
    keys = await table(acting)
    assert keys.resolve(minted.raw, now + 9).key_id == minted.key.id
    for raw, moment in [(minted.raw, now + 10), (minted.raw + "x", now), ("\ud800", now)]:
        with pytest.raises(Unauthenticated):
            keys.resolve(raw, moment)
    revoked = await revoke_key(acting, minted.key.id)
    assert revoked.revoked_ms == now
    with pytest.raises(Unauthenticated):
        (await table(acting)).resolve(minted.raw, now)
    before = acting.unit.changes.value
    assert await revoke_key(acting, minted.key.id) == revoked
    assert acting.unit.changes.value == before


async def test_a_key_of_a_person_follows_their_roles_and_ends_with_them():
    acting = acting_as(MemoryUnit())
    workspace = await create_workspace(acting, "Sales")
    user = await create_user(acting, NewUser(email="a@b", name="A"))
    minted = await mint_key(acting, KeySpec(name="mine", scopes=("policy:write",), user_id=user.id))
    place = Place(workspace_id=workspace.id)
    assert not (await table(acting)).resolve(minted.raw, 0).principal.may("policy:write", place)
    await set_workspace_role(acting, user.id, workspace.id, role="WRITE")
    caller = (await table(acting)).resolve(minted.raw, 0)
    assert caller.principal.may("policy:write", place)
    assert caller.principal.actor == f"user:{user.id}"
    await remove_user(acting, user.id)
    with pytest.raises(Unauthenticated):
        (await table(acting)).resolve(minted.raw, 0)
    with pytest.raises(NotFound):
        await mint_key(acting, KeySpec(name="late", scopes=("admin",), user_id=user.id))


async def test_a_tenants_keys_are_replaced_without_touching_the_others():
    one, two = acting_as(MemoryUnit("t1")), acting_as(MemoryUnit("t2"))
    first, second = await mint_key(one, SPEC), await mint_key(two, SPEC)
    both = KeyTable.of([(first.key, None), (second.key, None)])
    fewer = both.with_tenant(TenantId("t1"), [])
    assert (len(both), len(fewer)) == (2, 1)
    assert fewer.resolve(second.raw, 0).principal.tenant_id == "t2"
    with pytest.raises(Unauthenticated):
        fewer.resolve(first.raw, 0)


async def test_limits_are_checked_and_all_named():
    acting = acting_as(MemoryUnit())
    with pytest.raises(InvalidInput) as caught:
        await mint_key(acting, KeySpec(name="n", scopes=("admin",), rate_per_minute=0, expires_ms=1))
    assert [problem.path for problem in caught.value.problems] == ["rate_per_minute", "expires_at"]


async def test_only_an_admin_of_the_place_makes_reads_and_revokes_keys():
    unit = MemoryUnit()
    root = acting_as(unit)
    await create_workspace(root, "One", workspace_id="w1")
    await create_workspace(root, "Two", workspace_id="w2")
    wide = await mint_key(root, SPEC)
    local = acting_as(unit, "admin", place=Place(workspace_id="w1"))
    spec = KeySpec(name="x", scopes=("admin",), place=Place(workspace_id="w1"))
    mine = await mint_key(local, spec)
    assert (await read_key(local, mine.key.id)).id == mine.key.id
    page = await list_keys(local, Slice(), within=Place(workspace_id="w1"))
    assert [key.id for key in page.items] == [mine.key.id]
    assert len((await list_keys(root, Slice())).items) == 2
    with pytest.raises(NotFound):
        await revoke_key(local, wide.key.id)
    with pytest.raises(Forbidden):
        await list_keys(local, Slice())
    for place in (Place(), Place(workspace_id="w2")):
        with pytest.raises(Forbidden):
            await mint_key(local, KeySpec(name="x", scopes=("admin",), place=place))
    with pytest.raises(Forbidden):
        await mint_key(acting_as(unit, "policy:write"), SPEC)


async def test_nobody_makes_a_key_that_acts_as_somebody_above_them():
    root = acting_as(MemoryUnit())
    for name, role in (("ann", "OWNER"), ("kim", "ADMINISTRATORS")):
        await create_user(root, NewUser(email=f"{name}@b", name=name, org_role=role, id=name))
    kim = as_principal(root, principal_of(root.unit.tenancy.users.items["kim"]))
    everything = KeySpec(name="k", scopes=("admin",))
    for user_id in (None, "ann"):
        with pytest.raises(Forbidden):
            await mint_key(kim, replace(everything, user_id=user_id))
        await mint_key(root, replace(everything, user_id=user_id))
    await mint_key(kim, replace(everything, user_id="kim"))
    await mint_key(kim, replace(everything, place=Place(workspace_id=await _workspace(root))))
    await mint_key(kim, replace(SPEC, user_id="ann"))


async def _workspace(root):
    return (await create_workspace(root, "One")).id


def test_what_is_shown_of_a_key_is_its_prefix_and_four_more():
    assert shown_prefix("ak_live_abcdefgh") == "ak_live_abcd"
    assert shown_prefix("my-own-key-of-old") == "my-o"
