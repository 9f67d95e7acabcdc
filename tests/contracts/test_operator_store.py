"""What every store does for the operator: tenants, keys, counters, the queue, progress, kept answers."""

import asyncio
from dataclasses import replace

import pytest

from bylaw.api.forgetting import Forgetting
from bylaw.core.errors import Conflict, InvalidInput, NotFound
from bylaw.core.ids import TenantId
from bylaw.core.paging import Slice
from bylaw.tenancy.changes import KnownLog
from bylaw.tenancy.store import SessionFilter
from tests.contracts.lists import every
from tests.contracts.values import (
    START,
    A,
    B,
    credential,
    key,
    reply,
    session,
    tenant,
    user,
    workspace,
)


async def test_tenants_are_added_once_read_and_listed(store):
    async with store.system() as system:
        late = tenant("late", name="Späti", created_ms=START + 1)
        await system.add_tenant(late)
        with pytest.raises(Conflict) as refused:
            await system.add_tenant(tenant("late"))
        assert refused.value.reason == "exists"
        assert await system.tenant(late.id) == late
        assert await system.tenant(TenantId("unknown")) is None
        assert await every(system.tenants, limit=1) == [late, tenant(B), tenant(A)]
        assert (await system.tenants(Slice(limit=1, total=True))).total == 3
        with pytest.raises(InvalidInput):
            await system.add_tenant(tenant(""))


async def test_the_key_table_holds_every_unrevoked_key_with_its_user(store):
    ada = user()
    plain, personal, revoked, old = (
        key(), key(user_id=ada.id), key(revoked_ms=START), key(expires_ms=START - 1)
    )  # fmt: skip
    theirs = key(B)
    async with store.begin(A) as unit:
        await unit.tenancy.users.add(ada)
        for each in (plain, personal, revoked, old):
            await unit.tenancy.keys.add(each)
    async with store.begin(B) as unit:
        await unit.tenancy.keys.add(theirs)
    async with store.system(writes=False) as system:
        mine = [(plain, None), (personal, ada), (old, None)]
        assert sorted(await system.keys(A), key=repr) == sorted(mine, key=repr)
        assert sorted(await system.keys(), key=repr) == sorted([*mine, (theirs, None)], key=repr)


async def test_the_last_use_of_a_key_only_moves_on(store):
    mine, theirs = key(), key(B)
    for tenant_id, each in ((A, mine), (B, theirs)):
        async with store.begin(tenant_id) as unit:
            await unit.tenancy.keys.add(each)
    async with store.system() as system:
        await system.touch_keys({(A, mine.id): 20, (B, theirs.id): 5, (B, mine.id): 99, (A, "gone"): 1})
        await system.touch_keys({(A, mine.id): 10, (B, theirs.id): 7})
        stored = {each.id: each for each, _ in await system.keys()}
        assert (stored[mine.id].last_used_ms, stored[theirs.id].last_used_ms) == (20, 7)
        assert (stored[mine.id].revision, await system.counters()) == (1, {A: 0, B: 0})


async def test_people_are_sought_by_their_address_and_have_a_password(store):
    address = "Ada@Example.org"
    mine, theirs = user(email=address), user(B, email=address.lower())
    gone, without = user(email="gone@example.org", deleted_ms=START), user(email="without@example.org")
    async with store.system() as system:
        assert await system.sign_ins.organisations(9) == 0
        for person, known in ((mine, "a"), (theirs, "b"), (gone, "c"), (without, None)):
            unit = system.of(person.tenant_id)
            await unit.tenancy.users.add(person)
            held = credential(person.tenant_id, id=person.id, password_hash=known, invitation=person.id)
            await unit.tenancy.credentials.add(held)
    async with store.system(writes=False) as system:
        seek = system.sign_ins.candidates
        found = await seek(address.upper(), limit=9)
        assert [(each.tenant.id, each.user, each.credential.password_hash) for each in found] == [
            (A, mine, "a"), (B, theirs, "b"),
        ]  # fmt: skip
        assert [each.user for each in await seek(address, limit=1)] == [mine]
        assert [each.user for each in await seek(address, tenant_id=B, limit=9)] == [theirs]
        for nobody in ("gone@example.org", "without@example.org", "", "%"):
            assert list(await seek(nobody, limit=9)) == []
        assert [await system.sign_ins.organisations(limit) for limit in (1, 9)] == [1, 2]
        invited = await system.sign_ins.invited(theirs.id)
        assert (invited.tenant_id, invited.id) == (B, theirs.id)
        assert await system.sign_ins.invited("nobody's") is None


async def test_people_are_sought_by_who_they_are_at_a_sign_in_service(store):
    address, at = "Ada@Example.org", {"issuer": "https://login.example.com", "subject": "17"}
    mine, theirs, bare = user(email=address), user(B, email=address.lower()), user(email="kim@example.org")
    gone = user(B, email="gone@example.org", deleted_ms=START)
    async with store.system() as system:
        for person, given in ((mine, at), (theirs, {"password_hash": "a"}), (bare, None), (gone, at)):
            unit = system.of(person.tenant_id)
            await unit.tenancy.users.add(person)
            if given is not None:
                held = credential(person.tenant_id, id=person.id, invitation=person.id, **given)
                await unit.tenancy.credentials.add(held)
    async with store.system(writes=False) as system:
        bound, unbound = system.sign_ins.bound, system.sign_ins.unbound
        (found,) = await bound(**at, limit=9)
        assert (found.tenant.id, found.user) == (A, mine)
        assert list(await bound(at["issuer"], "18", limit=9)) == []
        assert list(await bound("https://other.example.com", "17", limit=9)) == []
        assert [(each.tenant.id, each.user) for each in await unbound(address.upper(), limit=9)] == [
            (B, theirs)
        ]
        assert [each.user for each in await unbound("KIM@example.org", limit=9)] == [bare]
        for nobody in ("gone@example.org", "", "%"):
            assert list(await unbound(nobody, limit=9)) == []
    async with store.begin(A) as unit:
        held = await unit.tenancy.credentials.get(mine.id)
        await unit.tenancy.credentials.save(replace(held, issuer=None, subject=None, revision=2))
    async with store.system(writes=False) as system:
        assert list(await system.sign_ins.bound(**at, limit=9)) == []
        assert [each.user for each in await system.sign_ins.unbound(address, limit=9)] == [mine, theirs]
        assert [each.user for each in await system.sign_ins.unbound(address, limit=1)] == [mine]


async def test_sessions_have_a_list_apart_and_are_forgotten_once_they_expired(store):
    ada = user()
    plain = key(last_used_ms=START + 9)
    used = session(user_id=ada.id, last_used_ms=START + 9, expires_ms=START + 90)
    fresh, over = session(made_from=plain.id, expires_ms=START + 90), session(expires_ms=START + 2)
    revoked, theirs = session(revoked_ms=START, expires_ms=START + 90), session(B, last_used_ms=START + 9)
    async with store.system() as system:
        await system.of(A).tenancy.users.add(ada)
        for each in (plain, used, fresh, over, revoked, theirs):
            await system.of(each.tenant_id).tenancy.keys.add(each)
        assert await system.sign_ins.used(START + 9) == {(A, used.id): START + 9, (B, theirs.id): START + 9}
        assert await system.sign_ins.used(START + 10) == {}
    async with store.begin(A, writes=False) as unit:
        keys = unit.tenancy.keys
        assert await every(keys.list, limit=1) == [plain]

        async def listed(**where):
            page = await keys.sessions(Slice(limit=9), SessionFilter(**where))
            return {each.id for each in page.items}

        assert await listed(after_ms=START) == {used.id, fresh.id, over.id}
        assert await listed(after_ms=START + 2) == {used.id, fresh.id}
        assert await listed(after_ms=START, used_ms=START + 1) == {used.id}
        assert await listed(after_ms=START, user_id=ada.id) == {used.id}
        assert await listed(after_ms=START, made_from=plain.id) == {fresh.id}
    async with store.system() as system:
        assert await system.sign_ins.drop_sessions(before_ms=START + 90, limit=9) == 1
        assert await system.sign_ins.drop_sessions(before_ms=START + 91, limit=2) == 2
        assert await system.sign_ins.drop_sessions(before_ms=START + 91, limit=2) == 1
        assert {each.id for each, _ in await system.keys()} == {plain.id, theirs.id}


async def test_a_change_counter_rises_with_its_transaction(store):
    async with store.begin(A) as unit:
        assert await unit.changes.bump() == 1
        assert await unit.changes.bump() == 2
    with pytest.raises(RuntimeError, match="stop"):
        await _bump_and_fail(store)
    async with store.system(writes=False) as system:
        assert await system.counters() == {A: 2, B: 0}
    with pytest.raises(NotFound):
        async with store.begin(TenantId("unknown")) as unit:
            await unit.changes.bump()


async def _bump_and_fail(store):
    async with store.begin(A) as unit:
        await unit.changes.bump()
        raise RuntimeError("stop")


async def test_counters_count_every_one_of_many_writers(store):
    async def write():
        async with store.begin(A) as unit:
            await unit.tenancy.workspaces.add(workspace())
            return await unit.changes.bump()

    numbers = await asyncio.gather(*(write() for _ in range(20)))
    assert sorted(numbers) == list(range(1, 21))


async def test_entries_wait_in_order_until_they_are_removed(store, clock):
    for n in range(3):
        async with store.begin(A) as unit:
            await unit.outbox.add("policy_version", {"n": n, "text": "ü \0", "none": None})
            await unit.outbox.add("key", {"n": n}, {"n": n, "again": True})
        clock.advance(5)
    async with store.begin(B) as unit:
        await unit.outbox.add("key", {"n": 9})
    async with store.system() as system:
        entries = await system.queue.pending(100)
        mine = [entry for entry in entries if entry.tenant_id == A]
        assert [(entry.kind, entry.payload["n"]) for entry in mine] == [
            (kind, n) for n in range(3) for kind in ("policy_version", "key", "key")
        ]
        assert mine[0].payload == {"n": 0, "text": "ü \0", "none": None}
        assert mine[0].created_ms == START
        assert ["again" in entry.payload for entry in mine] == [False, False, True] * 3
        assert len({entry.id for entry in entries}) == 10
        assert await system.queue.pending(100, tenant_id=B) == entries[9:]
        assert await system.queue.pending(2) == mine[:2]
        await system.queue.remove([*mine[:7], entries[9]])
        await system.queue.remove(mine[:1])
        await system.queue.remove([])
    async with store.system(writes=False) as system:
        assert await system.queue.pending(100) == mine[7:]
    async with store.begin(A) as unit:
        await unit.outbox.add("key", {"n": 10})
    async with store.system(writes=False) as system:
        assert [entry.payload["n"] for entry in await system.queue.pending(100)] == [2, 2, 10]


async def test_progress_moves_on_only_and_can_begin_again(store):
    async with store.system() as system:
        assert await system.progress.positions() == {}
        await system.progress.advance("log/a", 5)
        await system.progress.advance("log/a", 3)
        await system.progress.advance("log/b", 1)
        await system.progress.advance("log/b", 2)
    async with store.system() as system:
        assert await system.progress.positions() == {"log/a": 5, "log/b": 2}
        await system.progress.reset()
        assert await system.progress.positions() == {}


async def test_a_log_is_known_as_far_as_it_was_seen(store):
    def seen(size, origin="log/a"):
        return KnownLog(origin=origin, size=size, note=f"note of {size} — ü", at_ms=START + size)

    async with store.system() as system:
        assert list(await system.known_logs.all()) == []
        for each in (seen(5), seen(3), seen(5), seen(1, "log/b"), seen(2, "log/b")):
            await system.known_logs.keep(each)
    async with store.system() as system:
        found = sorted(await system.known_logs.all(), key=lambda each: each.origin)
        assert found == [seen(5), seen(2, "log/b")]
        await system.known_logs.reset()
        assert list(await system.known_logs.all()) == []


async def test_the_operator_works_inside_a_tenant_in_one_transaction(store):
    shop = workspace()
    with pytest.raises(RuntimeError, match="stop"):
        await _add_and_fail(store, shop)
    async with store.system() as system:
        assert await system.progress.positions() == {}
        await system.of(A).tenancy.workspaces.add(shop)
        assert system.of(A).tenant_id == A
        assert await system.of(B).tenancy.workspaces.get(shop.id) is None
    async with store.begin(A) as unit:
        assert await unit.tenancy.workspaces.get(shop.id) == shop


async def _add_and_fail(store, shop):
    async with store.system() as system:
        await system.of(A).tenancy.workspaces.add(shop)
        await system.progress.advance("log", 1)
        raise RuntimeError("stop")


@pytest.fixture(params=["tenant", "operator"])
def opened(request, store):
    return lambda **how: store.begin(A, **how) if request.param == "tenant" else store.system(**how)


async def test_an_answer_is_kept_for_its_caller_and_key(store, opened):
    kept = reply()
    async with opened() as unit:
        assert await unit.replies.get(kept.caller, kept.key, since_ms=0) is None
        await unit.replies.add(kept)
        await unit.replies.add(reply(key=kept.key, caller="key:2"))
        with pytest.raises(Conflict) as refused:
            await unit.replies.add(reply(key=kept.key, caller=kept.caller))
        assert refused.value.reason == "exists"
    async with opened(writes=False) as unit:
        assert await unit.replies.get(kept.caller, kept.key, since_ms=START) == kept
        assert await unit.replies.get(kept.caller, kept.key, since_ms=START + 1) is None
        assert await unit.replies.get(kept.caller, "other", since_ms=0) is None
    async with store.begin(B) as unit:
        assert await unit.replies.get(kept.caller, kept.key, since_ms=0) is None


async def test_an_old_answer_gives_way(opened):
    old = reply()
    async with opened() as unit:
        await unit.replies.add(old)
    new = reply(caller=old.caller, key=old.key, digest="e", created_ms=START + 9)
    async with opened() as unit:
        assert await unit.replies.get(old.caller, old.key, since_ms=START + 1) is None
        await unit.replies.add(new)
        assert await unit.replies.get(old.caller, old.key, since_ms=START + 1) == new


async def kept_of(unit, keys):
    return [key for key in keys if await unit.replies.get("key:1", key, since_ms=0) is not None]


async def test_old_answers_of_everybody_are_forgotten_a_bounded_number_at_once(store, clock):
    keys = [str(n) for n in range(5)]
    async with store.system() as system:
        for unit in (system, system.of(A), system.of(B)):
            for n, key in enumerate(keys):
                await unit.replies.add(reply(key=key, caller="key:1", created_ms=START + n))
    async with store.system() as system:
        assert await system.drop_replies(before_ms=START + 2, limit=4) == 4
        assert await system.drop_replies(before_ms=START + 2, limit=4) == 2
        assert await system.drop_replies(before_ms=START + 2, limit=4) == 0
        for unit in (system, system.of(A), system.of(B)):
            assert await kept_of(unit, keys) == ["2", "3", "4"]
    clock.advance(START + 4 - clock.now_ms() + 1_000)
    await Forgetting(store, clock, keep_ms=1_000, batch=2).forget()
    async with store.system(writes=False) as system:
        for unit in (system, system.of(A), system.of(B)):
            assert await kept_of(unit, keys) == ["4"]


async def test_of_many_with_one_key_one_is_carried_out(opened):
    async def send(n):
        async with opened() as unit:
            kept = await unit.replies.get("key:1", "same", since_ms=0)
            if kept is None:
                await unit.replies.add(reply(key="same", digest=str(n)))
                return None
            return kept.digest

    results = await asyncio.gather(*(send(n) for n in range(8)), return_exceptions=True)
    winners = [n for n, each in enumerate(results) if each is None]
    assert len(winners) == 1
    assert all(isinstance(each, Conflict) or each in {None, str(winners[0])} for each in results)
