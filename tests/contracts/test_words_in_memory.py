"""The words that are held in memory tell what a look at every text tells, whoever changed what meanwhile."""

import asyncio
from contextlib import AsyncExitStack
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bylaw.core.clock import ManualClock
from bylaw.core.ids import Ids
from bylaw.core.paging import Slice
from bylaw.policies.searching import score, words_of
from bylaw.policies.store import PolicyFilter
from bylaw.search import finder as finding
from bylaw.search import lexicon
from bylaw.search.finder import Finder
from bylaw.storage.control import open_control
from tests.contracts.values import START, A, B, content, current, place, policy, tenant, version, workspace

WHOLE = Slice(limit=500, total=True)
NUMBERS = count()


def finder_of(*, memory_bytes=1 << 30):
    def nobody():
        raise AssertionError("Words need nobody who embeds.")

    return Finder(nobody, memory_bytes=memory_bytes)


def said(text, **given):
    return content(
        **({"name": text, "description": "", "rules": (), "conditions": None, "examples": ()} | given)
    )


async def told(unit, finder, query, *, part=WHOLE, **where):
    """What memory says: which policies, what each is worth, what they say, and how many."""
    words = await finder.words(unit)
    assert words.are_in_memory
    page = await words.search(words_of(query), PolicyFilter(**where), part)
    return [(hit.id, hit.worth, hit.digest) for hit in page.items], page.total


async def scanned(unit, query, *, part=WHOLE, **where):
    """What looking at every policy says."""
    words = words_of(query)
    every = (await unit.policies.list(PolicyFilter(**where), Slice(limit=500))).items
    worth = [(score(each.version.content, words), each) for each in every]
    found = [each for each in worth if each[0] or not words]
    found.sort(key=lambda each: (each[0], each[1].policy.created_ms, each[1].policy.id), reverse=True)
    items = [(each.policy.id, points, each.version.digest) for points, each in found]
    return items[part.offset : part.offset + part.limit], len(items)


texts = st.lists(
    st.sampled_from(
        [
            "refund",
            "refunds",
            "Refunding",
            "never",
            "a_b",
            "pricing",
            "prices",
            "don't",
            "Straße",
            "価格表",
            "表",
        ]
    ),
    min_size=1,
    max_size=4,
).map(" ".join)
topics = st.none() | st.sampled_from(["refund", "Price_Match", "tone"])
contents = st.builds(
    lambda text, topic, action, risk: said(text, topic=topic, action=action, risk=risk),
    texts,
    topics,
    st.sampled_from(["block", "log"]),
    st.sampled_from(["LOW", "HIGH"]),
)
places = st.sampled_from([(), ("w1",), ("w2",)])
changes = st.lists(
    st.tuples(st.sampled_from(["add", "edit", "move", "delete", "switch", "drop"]), contents, places),
    max_size=9,
)
queries = texts | st.sampled_from(["fund", "r", "elephant", "how to refund", "strasse", "価格", "match"])
filters = st.fixed_dictionaries(
    {},
    optional={
        "statuses": st.just(frozenset({"approved"})),
        "topic": st.sampled_from(["refund", "price match"]),
        "risks": st.just(frozenset({"HIGH"})),
        "actions": st.just(frozenset({"block"})),
        "in_force": st.booleans(),
        "has_pending": st.booleans(),
        "readable": st.sampled_from([(), (place("w1"),)]),
    },
)
around = st.none() | st.tuples(places, st.sampled_from(["exact", "within", "effective", "near"]))


async def change(unit, policies, kind, said, where):
    """Change the oldest policy that it is not too late for, or add one."""
    where = place(*where)
    if kind == "add" or not policies:
        made = policy(unit.tenant_id, created_ms=START + next(NUMBERS) // 2, place=where)
        await unit.policies.add_all([current(made, content=said)])
        policies.append(made)
        return
    old = policies.pop(0)
    newer, revised = None, {}
    match kind:
        case "edit" | "drop":
            revised = {"latest": old.latest + 1, "approved": old.latest + 1}
            newer = version(old.id, old.latest + 1, content=said)
        case "move":
            revised = {"place": where}
        case "delete":
            revised = {"deleted_ms": None if old.deleted_ms else START}
        case "switch":
            revised = {"is_active": not old.is_active}
    made = replace(old, revision=old.revision + 1, **revised)
    await unit.policies.save_all([(made, newer)])
    policies.append(made)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(changes, st.lists(st.tuples(queries, filters, around), min_size=1, max_size=4), st.integers(0, 3))
async def test_memory_tells_what_a_look_at_every_policy_tells(store, drawn, asked, offset):
    tenant_id = f"t-{next(NUMBERS)}"
    async with store.system() as system:
        await system.add_tenant(tenant(tenant_id))
    async with store.begin(tenant_id) as unit:
        for each in ("w1", "w2"):
            await unit.tenancy.workspaces.add(workspace(tenant_id, id=each))
    finder, policies = finder_of(), []
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(lexicon, "_DEAD", 2)
        patched.setattr(finding, "_PAGE", 2)
        for step, (kind, said, where) in enumerate(drawn):
            async with store.begin(tenant_id) as unit:
                await change(unit, policies, kind, said, where)
            query, _, _ = asked[step % len(asked)]
            async with store.begin(tenant_id, writes=False) as unit:
                assert await told(unit, finder, query) == await scanned(unit, query)
        async with store.begin(tenant_id, writes=False) as unit:
            for query, drawn_where, near in asked:
                at = {} if near is None else {"place": place(*near[0]), "match": near[1]}
                wanted = drawn_where | at
                part = Slice(limit=2, offset=offset, total=True)
                expected = await scanned(unit, query, part=part, **wanted)
                assert await told(unit, finder, query, part=part, **wanted) == expected
                by_sql = await unit.policies.search(words_of(query), PolicyFilter(**wanted), part)
                assert [(hit.id, hit.worth, hit.digest) for hit in by_sql.items] == expected[0]
                everything = (await unit.policies.list(PolicyFilter(), WHOLE)).items
                some = frozenset(each.version.digest for each in everything[::2])
                ids = frozenset(each.policy.id for each in everything[1:])
                for named in ({"digests": some}, {"ids": ids}, {"ids": ids, "digests": some}):
                    for words in (query, ""):
                        narrow = wanted | named
                        assert await told(unit, finder, words, **narrow) == await scanned(
                            unit, words, **narrow
                        )


async def test_of_what_is_worth_the_same_the_newest_policy_comes_first(store):
    """The newest version is another thing: to edit an old policy does not bring it before a new one."""
    made = [policy(created_ms=START + step) for step in range(3)]
    async with store.begin(A) as unit:
        await unit.policies.add_all([current(each, content=said("refund")) for each in made])
    edited = replace(made[0], revision=2, latest=2, approved=2)
    newer = version(edited.id, 2, content=said("refund"), created_ms=START + 10)
    async with store.begin(A) as unit:
        await unit.policies.save_all([(edited, newer)])
    blocking = PolicyFilter(actions=frozenset({"block"}))
    async with store.begin(A, writes=False) as unit:
        found = await unit.policies.search(words_of("fund"), blocking, Slice(limit=2))
    assert [hit.id for hit in found.items] == [made[2].id, made[1].id]


async def test_a_transaction_sees_its_own_state_and_nobody_sees_what_was_taken_back(store):
    finder, made = finder_of(), policy()
    async with store.begin(A) as unit:
        await unit.policies.add_all([current(made, content=said("apples"))])
    async with store.begin(A, writes=False) as early:
        before = await scanned(early, "apples")
        changed = replace(made, revision=2, latest=2, approved=2)
        async with store.begin(A) as unit:
            await unit.policies.save_all([(changed, version(made.id, 2, content=said("pears")))])
        async with store.begin(A, writes=False) as unit:
            assert await told(unit, finder, "pears") == await scanned(unit, "pears") != ([], 0)
            assert await told(unit, finder, "apples") == ([], 0)
        words = await finder.words(early)
        page = await words.search(words_of("apples"), PolicyFilter(), WHOLE)
        assert ([(hit.id, hit.worth, hit.digest) for hit in page.items], page.total) == before
    with pytest.raises(ZeroDivisionError):
        await _taken_back(store, finder, replace(changed, revision=3, deleted_ms=START))
    async with store.begin(A, writes=False) as unit:
        assert await told(unit, finder, "pears") == await scanned(unit, "pears") != ([], 0)


async def _taken_back(store, finder, deleted):
    async with store.begin(A) as unit:
        await unit.policies.save_all([(deleted, None)])
        words = await finder.words(unit)
        assert not words.are_in_memory
        assert (await words.search(words_of("pears"), PolicyFilter(), WHOLE)).total == 0
        raise ZeroDivisionError


async def test_what_memory_does_not_hold_is_asked_of_the_store(store):
    long = "0123456789" * 4
    finder, made = finder_of(), policy(slug="one")
    async with store.begin(A) as unit:
        await unit.policies.add_all([current(made, content=said(f"{long}x §§ apples"))])
    async with store.begin(A, writes=False) as unit:
        for query, where in (
            (long[3:37], {}),
            ("§§", {}),
            ("apples", {"slugs": frozenset({"one"})}),
            ("apples", {"text": "APPLES"}),
            ("apples", {"slug_prefix": "o"}),
            ("apples", {"include_deleted": True}),
            ("apples", {"place": place("elsewhere"), "match": "exact", "or_policy": made.id}),
        ):
            assert (await told(unit, finder, query, **where))[1] == 1, (query, where)
        assert (await told(unit, finder, "apples", only_deleted=True))[1] == 0


async def test_who_gives_up_waiting_leaves_nothing_twice(store):
    made = [policy() for _ in range(40)]
    async with store.begin(A) as unit:
        await unit.policies.add_all([current(each, content=said("apples")) for each in made])
    async with store.begin(A, writes=False) as unit:
        fresh = await unit.policies.spelled_after(0, limit=99)
    held = lexicon.Lexicon()
    parts = [fresh[:10], fresh, fresh[:30]] * 4
    await asyncio.gather(*(asyncio.to_thread(held.put, part) for part in parts))
    assert np.count_nonzero(held.seen.worth(words_of("apples"))) == 40
    assert np.count_nonzero(held.seen.wanted(PolicyFilter())) == 40
    assert held.seen.number == fresh[-1].number


async def test_another_tenant_finds_its_own_and_memory_is_bounded(store):
    finder = finder_of(memory_bytes=1)
    for tenant_id, text in ((A, "apples of ours"), (B, "apples of theirs")):
        async with store.begin(tenant_id) as unit:
            await unit.policies.add_all([current(policy(tenant_id), content=said(text))])
    for tenant_id, theirs in ((A, "theirs"), (B, "ours"), (A, "theirs")):
        async with store.begin(tenant_id, writes=False) as unit:
            assert (await told(unit, finder, theirs))[0] == []
            assert await told(unit, finder, "apples") == await scanned(unit, "apples")
            assert len((await scanned(unit, "apples"))[0]) == 1
        assert len(finder._held) == 1


async def test_what_another_server_changes_is_found_at_once(tmp_path):
    clock = ManualClock()
    async with AsyncExitStack() as stack:
        servers = []
        for _ in range(2):
            url = f"sqlite:///{tmp_path / 'control.db'}"
            store = await open_control(url, ids=Ids(clock), clock=clock)
            stack.push_async_callback(store.close)
            servers.append((store, finder_of()))
        async with servers[0][0].system() as system:
            await system.add_tenant(tenant(A))
        policies = []
        for number in range(12):
            store, _ = servers[number % 2]
            async with store.begin(A) as unit:
                kind = ("add", "edit", "delete")[number % 3]
                await change(unit, policies, kind, said(f"apples number{number}"), ())
            for store, finder in servers:
                async with store.begin(A, writes=False) as unit:
                    for query in ("apples", f"number{number}", "number"):
                        assert await told(unit, finder, query) == await scanned(unit, query)
