"""What every store of places, people, keys and agents does."""

from dataclasses import replace

import pytest

from bylaw.core.errors import Conflict, Forbidden, PreconditionFailed
from bylaw.core.ids import WorkspaceId
from bylaw.core.paging import Slice
from bylaw.tenancy.model import EVERYWHERE
from tests.contracts.lists import every
from tests.contracts.values import START, A, agent, current, key, place, policy, repo, user, workspace

ALL = Slice(limit=100)
KINDS = {"workspaces": workspace, "users": user, "keys": key, "agents": agent}


@pytest.fixture(params=sorted(KINDS))
def kind(request):
    return request.param


async def test_what_was_added_is_read_back_whole(store, kind):
    item = KINDS[kind]()
    async with store.begin(A) as unit:
        await getattr(unit.tenancy, kind).add(item)
    async with store.begin(A, writes=False) as unit:
        assert await getattr(unit.tenancy, kind).get(item.id) == item
        assert await getattr(unit.tenancy, kind).get("unknown") is None


async def test_every_field_survives(store):
    shop = workspace(
        review_edits=True,
        separate_approvers=True,
        require_policy=True,
        context_schema={"type": "object", "properties": {"n": {"type": "number", "minimum": 1.5}}},
    )
    code = repo(workspace_id=shop.id)
    ada = user(org_role="OWNER", workspace_roles={shop.id: "ADMIN"})
    ci = key(
        scopes=frozenset({"admin", "policy:read"}),
        place=place(shop.id, code.id),
        user_id=ada.id,
        rate_per_minute=7,
        expires_ms=START + 1,
        last_used_ms=START,
    )
    rules = policy(place=place(shop.id))
    bot = agent(
        place=place(shop.id, code.id), name="Bot", policy_id=rules.id, require_policy=True, registered=False
    )
    async with store.begin(A) as unit:
        await unit.tenancy.workspaces.add(shop)
        await unit.tenancy.repos.add(code)
        await unit.tenancy.users.add(ada)
        await unit.tenancy.keys.add(ci)
        await unit.policies.add_all([current(rules)])
        await unit.tenancy.agents.add(bot)
    async with store.begin(A) as unit:
        assert await unit.tenancy.workspaces.get(shop.id) == shop
        assert await unit.tenancy.repos.get(code.id) == code
        assert await unit.tenancy.users.get(ada.id) == ada
        assert await unit.tenancy.keys.get(ci.id) == ci
        assert await unit.tenancy.agents.get(bot.id) == bot


async def test_an_id_is_taken_once(store, kind):
    item = KINDS[kind]()
    async with store.begin(A) as unit:
        await getattr(unit.tenancy, kind).add(item)
        with pytest.raises(Conflict) as refused:
            await getattr(unit.tenancy, kind).add(replace(item, name="Other"))
        assert refused.value.reason == "exists"
        assert await getattr(unit.tenancy, kind).get(item.id) == item
    async with store.begin(A) as unit:
        assert await getattr(unit.tenancy, kind).get(item.id) == item


async def test_a_save_is_the_next_revision_or_nothing(store, kind):
    item = KINDS[kind]()
    async with store.begin(A) as unit:
        rows = getattr(unit.tenancy, kind)
        await rows.add(item)
        second = replace(item, name="Second", revision=2)
        await rows.save(second)
        for late in (
            replace(item, name="Late", revision=2),
            replace(item, revision=1),
            replace(item, revision=4),
        ):
            with pytest.raises(PreconditionFailed) as refused:
                await rows.save(late)
            assert refused.value.current == "2"
        assert await rows.get(item.id) == second
    async with store.begin(A) as unit:
        assert await getattr(unit.tenancy, kind).get(item.id) == second


async def test_a_save_of_nothing_is_refused(store, kind):
    async with store.begin(A) as unit:
        with pytest.raises(PreconditionFailed) as refused:
            await getattr(unit.tenancy, kind).save(replace(KINDS[kind](), revision=2))
        assert refused.value.current == ""


async def test_lists_are_newest_first_and_continue(store, kind):
    items = [KINDS[kind](created_ms=START + n // 2) for n in range(7)]
    async with store.begin(A) as unit:
        rows = getattr(unit.tenancy, kind)
        for item in (items[3], items[0], items[6], items[1], items[5], items[2], items[4]):
            await rows.add(item)
        expected = sorted(items, key=lambda item: (item.created_ms, item.id), reverse=True)
        assert await every(rows.list, limit=2) == expected
        assert await every(rows.list, limit=7) == expected
        page = await rows.list(Slice(limit=2, offset=3, total=True))
        assert (list(page.items), page.total) == (expected[3:5], 7)
        assert (await rows.list(Slice(limit=5, offset=7, total=True))).items == ()


async def test_a_list_walked_under_inserts_neither_repeats_nor_skips_the_old(store, kind):
    old = [KINDS[kind](created_ms=START + n) for n in range(6)]
    async with store.begin(A) as unit:
        for item in old:
            await getattr(unit.tenancy, kind).add(item)
    seen, cursor = [], None
    for n in range(1, 9):
        async with store.begin(A, writes=False) as unit:
            page = await getattr(unit.tenancy, kind).list(Slice(limit=2, cursor=cursor))
        seen += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
        async with store.begin(A) as unit:
            await getattr(unit.tenancy, kind).add(KINDS[kind](created_ms=START + 100 + n))
    assert seen == old[::-1]


async def test_what_is_deleted_is_found_by_id_and_listed_nowhere(store):
    shop = workspace()
    code, ada = repo(workspace_id=shop.id), user(org_role="OWNER")
    async with store.begin(A) as unit:
        await unit.tenancy.workspaces.add(shop)
        await unit.tenancy.repos.add(code)
        await unit.tenancy.users.add(ada)
        assert await unit.tenancy.users.count_owners() == 1
        gone = {"deleted_ms": START + 5, "revision": 2}
        await unit.tenancy.workspaces.save(replace(shop, **gone))
        await unit.tenancy.repos.save(replace(code, **gone))
        await unit.tenancy.users.save(replace(ada, **gone))
    async with store.begin(A) as unit:
        for rows, item in (
            (unit.tenancy.workspaces, shop),
            (unit.tenancy.repos, code),
            (unit.tenancy.users, ada),
        ):
            assert await rows.get(item.id) == replace(item, **gone)
            page = await rows.list(Slice(total=True))
            assert (page.items, page.total) == ((), 0)
        assert await every(unit.tenancy.workspaces.list) == []
        assert await unit.tenancy.users.count_owners() == 0


async def test_an_email_is_held_by_one_undeleted_user(store):
    ada = user(email="Ada@Example.org")
    async with store.begin(A) as unit:
        await unit.tenancy.users.add(ada)
        with pytest.raises(Conflict, match="already") as refused:
            await unit.tenancy.users.add(user(email="ADA@example.ORG"))
        assert refused.value.reason == "exists"
        await unit.tenancy.users.save(replace(ada, deleted_ms=START, revision=2))
        heir = user(email="ada@example.org")
        await unit.tenancy.users.add(heir)
        other = user()
        await unit.tenancy.users.add(other)
        for late in (replace(ada, revision=3), replace(other, email="aDa@example.org", revision=2)):
            with pytest.raises(Conflict) as refused:
                await unit.tenancy.users.save(late)
            assert refused.value.reason == "exists"
        await unit.tenancy.users.save(replace(heir, name="Heir", revision=2))


async def test_a_key_hash_is_taken_in_every_tenant(store):
    async with store.begin(A) as unit:
        await unit.tenancy.keys.add(key(sha256="same"))
    async with store.begin("tenant-b") as unit:
        with pytest.raises(Conflict) as refused:
            await unit.tenancy.keys.add(key("tenant-b", sha256="same"))
        assert refused.value.reason == "exists"


async def test_workspaces_and_repos_are_narrowed_to_some(store):
    shops = [workspace(created_ms=START + n) for n in range(3)]
    codes = [repo(workspace_id=shop.id, created_ms=START + n) for n, shop in enumerate(shops)]
    async with store.begin(A) as unit:
        for shop, code in zip(shops, codes, strict=True):
            await unit.tenancy.workspaces.add(shop)
            await unit.tenancy.repos.add(code)
        some = frozenset({shops[0].id, shops[2].id, WorkspaceId("unknown")})
        assert (await unit.tenancy.workspaces.list(ALL, only=some)).items == (shops[2], shops[0])
        assert (await unit.tenancy.repos.list(ALL, only=some)).items == (codes[2], codes[0])
        assert (await unit.tenancy.repos.list(ALL, only=frozenset())).items == ()
        assert (await unit.tenancy.workspaces.list(ALL, only=frozenset())).items == ()
        assert len(await every(unit.tenancy.workspaces.list)) == 3


async def test_users_are_listed_by_their_workspace(store):
    one, two = workspace(), workspace()
    ada = user(workspace_roles={one.id: "ADMIN", two.id: "READ"}, created_ms=START + 1)
    bob = user(workspace_roles={two.id: "WRITE"})
    async with store.begin(A) as unit:
        for shop in (one, two):
            await unit.tenancy.workspaces.add(shop)
        for person in (ada, bob):
            await unit.tenancy.users.add(person)
        assert (await unit.tenancy.users.list(ALL, workspace_id=one.id)).items == (ada,)
        assert (await unit.tenancy.users.list(ALL, workspace_id=two.id)).items == (ada, bob)
        left = replace(ada, workspace_roles={one.id: "READ"}, revision=2)
        await unit.tenancy.users.save(left)
        assert (await unit.tenancy.users.list(ALL, workspace_id=one.id)).items == (left,)
        assert (await unit.tenancy.users.list(ALL, workspace_id=two.id)).items == (bob,)


async def test_keys_are_listed_within_a_place(store):
    one, two = workspace(), workspace()
    code = repo(workspace_id=one.id)
    wide, shop, narrow, other = (
        key(place=where, created_ms=START + n)
        for n, where in enumerate((EVERYWHERE, place(one.id), place(one.id, code.id), place(two.id)))
    )
    async with store.begin(A) as unit:
        for each in (one, two):
            await unit.tenancy.workspaces.add(each)
        await unit.tenancy.repos.add(code)
        for each in (wide, shop, narrow, other):
            await unit.tenancy.keys.add(each)
        keys = unit.tenancy.keys
        assert (await keys.list(ALL)).items == (other, narrow, shop, wide)
        assert (await keys.list(ALL, within=EVERYWHERE)).items == (other, narrow, shop, wide)
        assert (await keys.list(ALL, within=place(one.id))).items == (narrow, shop)
        assert (await keys.list(ALL, within=place(one.id, code.id))).items == (narrow,)


async def test_a_save_leaves_the_last_use_of_a_key_as_it_is(store):
    ci = key()
    async with store.begin(A) as unit:
        await unit.tenancy.keys.add(ci)
    async with store.system() as system:
        await system.touch_keys({(A, ci.id): START + 9})
    async with store.begin(A) as unit:
        await unit.tenancy.keys.save(replace(ci, revoked_ms=START, revision=2))
        stored = await unit.tenancy.keys.get(ci.id)
    assert (stored.last_used_ms, stored.revoked_ms) == (START + 9, START)


async def test_an_agent_is_seen_first_once(store):
    first = agent(name="first")
    async with store.begin(A) as unit:
        assert await unit.tenancy.agents.get_or_add(first) == first
        assert await unit.tenancy.agents.get_or_add(replace(first, name="second")) == first
    async with store.begin(A) as unit:
        assert await unit.tenancy.agents.get(first.id) == first


async def test_agents_are_listed_by_policy_and_place_and_governed_ones_at_once(store):
    shop = workspace()
    rules = policy()
    bound = agent(policy_id=rules.id, created_ms=START + 1)
    strict = agent(require_policy=True, place=place(shop.id), created_ms=START + 2)
    free = agent(created_ms=START + 3)
    async with store.begin(A) as unit:
        await unit.tenancy.workspaces.add(shop)
        await unit.policies.add_all([current(rules)])
        for each in (bound, strict, free):
            await unit.tenancy.agents.add(each)
        agents = unit.tenancy.agents
        assert (await agents.list(ALL)).items == (free, strict, bound)
        assert (await agents.list(ALL, policy_id=rules.id)).items == (bound,)
        assert (await agents.list(ALL, readable=(place("elsewhere"),))).items == (free, bound)
        assert (await agents.list(ALL, readable=(place(shop.id),))).items == (free, strict, bound)
        assert (await agents.list(ALL, readable=())).items == ()
        placed = agent(place=place(shop.id), created_ms=START + 4)
        await agents.add(placed)
        governed = sorted(each.id for each in await every(agents.governed))
        assert governed == sorted([bound.id, strict.id, placed.id])


async def test_the_contents_of_a_place_are_counted(store):
    shop = workspace()
    code, old = repo(workspace_id=shop.id), repo(workspace_id=shop.id, deleted_ms=START)
    async with store.begin(A) as unit:
        await unit.tenancy.workspaces.add(shop)
        assert await unit.tenancy.contents(place(shop.id)) == {}
        for each in (code, old):
            await unit.tenancy.repos.add(each)
        for each in (policy(place=place(shop.id)), policy(place=place(shop.id), deleted_ms=START), policy()):
            await unit.policies.add_all([current(each)])
        await unit.tenancy.agents.add(agent(place=place(shop.id, code.id)))
        assert await unit.tenancy.contents(place(shop.id)) == {"repos": 1, "policies": 1, "agents": 1}
        assert await unit.tenancy.contents(place(shop.id, code.id)) == {"agents": 1}
        assert await unit.tenancy.contents(EVERYWHERE) == {"repos": 1, "policies": 2, "agents": 1}


async def test_what_refers_to_nothing_is_refused_and_ends_the_transaction(store):
    for item, kind in (
        (repo(workspace_id=WorkspaceId("nowhere")), "repos"),
        (user(workspace_roles={WorkspaceId("nowhere"): "READ"}), "users"),
        (key(place=place("nowhere")), "keys"),
        (key(user_id="nobody"), "keys"),
        (agent(place=place("nowhere", "nothing")), "agents"),
        (agent(policy_id="nothing"), "agents"),
    ):
        with pytest.raises(Conflict) as refused:
            await _refer_to_nothing(store, kind, item)
        assert refused.value.reason == "unknown_reference"
    async with store.begin(A) as unit:
        assert await every(unit.tenancy.workspaces.list) == []


async def _refer_to_nothing(store, kind, item):
    async with store.begin(A) as unit:
        await unit.tenancy.workspaces.add(workspace())
        with pytest.raises(Conflict):
            await getattr(unit.tenancy, kind).add(item)
        with pytest.raises(Conflict):
            await every(unit.tenancy.workspaces.list)


async def test_an_item_of_another_tenant_is_refused(store, kind):
    async with store.begin(A) as unit:
        with pytest.raises(Forbidden):
            await getattr(unit.tenancy, kind).add(KINDS[kind]("tenant-b"))
        with pytest.raises(Forbidden):
            await getattr(unit.tenancy, kind).save(replace(KINDS[kind]("tenant-b"), revision=2))
