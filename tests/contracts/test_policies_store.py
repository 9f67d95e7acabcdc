"""What every store of policies does."""

import random
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bylaw.core.errors import Conflict, Forbidden, PreconditionFailed
from bylaw.core.ids import PolicyId, WorkspaceId
from bylaw.core.paging import Slice
from bylaw.policies.content import content_digest
from bylaw.policies.matching import facets_of
from bylaw.policies.model import Current, Source, outline, search_text, topic_key
from bylaw.policies.searching import score, words_of
from bylaw.policies.store import PolicyFilter
from bylaw.tenancy.model import EVERYWHERE
from tests.contracts.lists import every
from tests.contracts.values import START, A, B, content, current, place, policy, repo, version, workspace

ALL = Slice(limit=100)


async def add(unit, *policies, **said):
    for each in policies:
        await unit.policies.add_all([current(each, content=content(**said))])


async def ids(unit, **where):
    return [item.policy.id for item in (await unit.policies.list(PolicyFilter(**where), ALL)).items]


async def test_a_policy_and_its_version_are_read_back_whole(store):
    full = policy(
        slug="refunds/cap",
        status="pending_review",
        is_active=False,
        reach="bound",
        approved=None,
        pending=1,
        decided_by="bob",
        decided_reason="fine",
        deleted_ms=None,
        source=Source(
            type="learning_loop", conversation_id="c", confidence=0.25, rationale="r", evidence=("e", "f")
        ),
    )
    first = version(full.id)
    async with store.begin(A) as unit:
        await unit.policies.add_all([current(full, first)])
    async with store.begin(A) as unit:
        assert await unit.policies.get(full.id) == full
        stored = await unit.policies.version(full.id, 1)
        assert stored == first
        assert content_digest(stored.content) == first.digest
        assert await unit.policies.version(full.id, 2) is None
        assert await unit.policies.get("unknown") is None


async def test_an_id_and_the_slug_of_an_undeleted_policy_are_taken_once(store):
    first = policy(slug="cap")
    async with store.begin(A) as unit:
        await add(unit, first)
        for late in (replace(first, slug="other"), policy(slug="cap")):
            with pytest.raises(Conflict) as refused:
                await add(unit, late)
            assert refused.value.reason == "exists"
        other = policy(slug="other")
        await add(unit, other, policy(slug=None), policy(slug=None))
        with pytest.raises(Conflict) as refused:
            await unit.policies.save_all([(replace(other, slug="cap", revision=2), None)])
        assert refused.value.reason == "exists"
        await unit.policies.save_all([(replace(first, deleted_ms=START, revision=2), None)])
        await unit.policies.save_all([(replace(other, slug="cap", revision=2), None)])
        with pytest.raises(Conflict):
            await unit.policies.save_all([(replace(first, deleted_ms=None, revision=3), None)])


async def test_many_are_added_together_or_not_at_all(store):
    made = [Current(policy=each, version=version(each.id)) for each in (policy() for _ in range(230))]
    async with store.begin(A) as unit:
        await unit.policies.add_all(made)
        await unit.policies.add_all([])
    async with store.begin(A) as unit:
        page = await unit.policies.list(PolicyFilter(), Slice(limit=500))
    assert {item.policy.id: item for item in page.items} == {item.policy.id: item for item in made}
    fresh, taken = policy(slug="fresh"), replace(policy(), id=made[7].policy.id)
    with pytest.raises(Conflict) as refused:
        async with store.begin(A) as unit:
            await unit.policies.add_all(
                [Current(policy=each, version=version(each.id)) for each in (fresh, taken)]
            )
    assert refused.value.reason == "exists"
    async with store.begin(A) as unit:
        assert await unit.policies.get(fresh.id) is None


async def test_a_save_brings_its_version_or_changes_nothing(store):
    first = policy()
    second = version(first.id, 2, content=content(name="Second"))
    async with store.begin(A) as unit:
        await add(unit, first)
        later = replace(first, latest=2, approved=2, revision=2)
        await unit.policies.save_all([(later, second)])
        with pytest.raises(PreconditionFailed) as refused:
            await unit.policies.save_all([(replace(first, revision=2), version(first.id, 3))])
        assert refused.value.current == "2"
        assert await unit.policies.get(first.id) == later
        assert await unit.policies.version(first.id, 2) == second
        assert await unit.policies.version(first.id, 3) is None
    async with store.begin(A) as unit:
        with pytest.raises(Conflict) as refused:
            await unit.policies.save_all(
                [(replace(later, revision=3), replace(second, author="someone else"))]
            )
        assert refused.value.reason == "exists"
        assert await unit.policies.version(first.id, 2) == second


async def test_many_are_saved_together_or_not_at_all(store):
    olds = [policy(slug=f"p{n}") for n in range(230)]
    news = [replace(each, latest=2, approved=2, revision=2) for each in olds]
    versions = [version(each.id, 2, content=content(name="Second")) for each in news]
    async with store.begin(A) as unit:
        await add(unit, *olds)
        await unit.policies.save_all([*zip(news, versions, strict=True)])
        await unit.policies.save_all([])
    async with store.begin(A) as unit:
        page = await unit.policies.list(PolicyFilter(), Slice(limit=500))
        assert {item.policy.id: item for item in page.items} == {
            each.id: Current(policy=each, version=its) for each, its in zip(news, versions, strict=True)
        }
    later = [replace(each, is_active=False, revision=3) for each in news]
    for wrong, error in (
        (replace(later[150], revision=2), PreconditionFailed),
        (replace(later[150], revision=4), PreconditionFailed),
        (replace(policy(), revision=2), PreconditionFailed),
        (replace(later[150], slug="p3"), Conflict),
    ):
        with pytest.raises(error) as refused:
            async with store.begin(A) as unit:
                await unit.policies.save_all([(each, None) for each in (*later[:150], wrong)])
        assert error is Conflict or wrong.id in refused.value.message
        async with store.begin(A) as unit:
            assert await unit.policies.get(news[0].id) == news[0]


async def test_versions_are_listed_newest_first_also_of_a_deleted_policy(store):
    first = policy()
    versions = [version(first.id, n) for n in range(1, 6)]
    async with store.begin(A) as unit:
        await unit.policies.add_all([current(first, versions[0])])
        for n, each in enumerate(versions[1:], 2):
            await unit.policies.save_all([(replace(first, latest=n, revision=n, deleted_ms=START), each)])
        assert await every(lambda part: unit.policies.versions(first.id, part)) == versions[::-1]
        page = await unit.policies.versions(first.id, Slice(limit=2, offset=1, total=True))
        assert (list(page.items), page.total) == ([versions[3], versions[2]], 5)
        assert (await unit.policies.versions("unknown", Slice(total=True))).total == 0


async def test_a_list_shows_the_current_version(store):
    edited = policy()
    async with store.begin(A) as unit:
        await add(unit, edited, topic="old")
        waiting = replace(edited, latest=2, pending=2, revision=2)
        await unit.policies.save_all([(waiting, version(edited.id, 2, content=content(topic="new")))])
        assert await ids(unit, topic="OLD") == [edited.id]
        assert await ids(unit, topic="new") == []
        (outlined,) = (await unit.policies.outlines(ALL)).items
        assert (outlined.number, outlined.digest) == (
            1,
            version(edited.id, content=content(topic="old")).digest,
        )
        await unit.policies.save_all([(replace(waiting, approved=2, pending=None, revision=3), None)])
        assert await ids(unit, topic="new") == [edited.id]
        assert await ids(unit, topic="old") == []
        (item,) = await unit.policies.currents([edited.id])
        assert (item.policy.revision, item.version.number, item.version.content.topic) == (3, 2, "new")
        (outlined,) = (await unit.policies.outlines(ALL)).items
        assert outlined == outline(item)


async def test_outlines_say_of_all_undeleted_policies_which_are_in_force(store):
    one = workspace()
    code = repo(workspace_id=one.id)
    good, bound = policy(place=place(one.id, code.id)), policy(reach="bound", place=place(one.id))
    gone = policy(deleted_ms=START)
    dormant = [
        policy(status="pending_review", approved=None),
        policy(status="approved", approved=None),
        policy(status="rejected", approved=None),
        policy(status="archived"),
        policy(is_active=False),
    ]
    async with store.begin(A) as unit:
        await unit.tenancy.workspaces.add(one)
        await unit.tenancy.repos.add(code)
        await add(unit, good, bound, *dormant, gone)
        outlines = await every(unit.policies.outlines)
        stored = await every(lambda part: unit.policies.list(PolicyFilter(), part))
        in_force = {each.id for each in outlines if each.is_in_force}
        page = await unit.policies.outlines(Slice(limit=2, offset=1, total=True))
        named = await unit.policies.currents([good.id, gone.id, dormant[0].id, "unknown", good.id])
        assert await unit.policies.currents([]) == []
        where = await unit.policies.places([good.id, gone.id, "unknown"])
    assert outlines == sorted(map(outline, stored), key=lambda each: each.id, reverse=True)
    assert in_force == {good.id, bound.id}
    assert {each.policy.id for each in named} == {good.id, dormant[0].id}
    assert where == {good.id: good.place, gone.id: gone.place}
    assert all(each in stored for each in named)
    assert (list(page.items), page.total) == (outlines[1:3], 7)


async def test_lists_narrow_by_place(store):
    one, two = workspace(), workspace()
    code = repo(workspace_id=one.id)
    wide, shop, narrow, other = (
        policy(place=where, created_ms=START + n)
        for n, where in enumerate((EVERYWHERE, place(one.id), place(one.id, code.id), place(two.id)))
    )
    async with store.begin(A) as unit:
        for each in (one, two):
            await unit.tenancy.workspaces.add(each)
        await unit.tenancy.repos.add(code)
        await add(unit, wide, shop, narrow, other)
        assert await ids(unit, place=EVERYWHERE, match="within") == [other.id, narrow.id, shop.id, wide.id]
        assert await ids(unit, place=EVERYWHERE, match="exact") == [wide.id]
        assert await ids(unit, place=EVERYWHERE, match="effective") == [wide.id]
        assert await ids(unit, place=place(one.id), match="within") == [narrow.id, shop.id]
        assert await ids(unit, place=place(one.id), match="exact") == [shop.id]
        assert await ids(unit, place=place(one.id), match="effective") == [shop.id, wide.id]
        assert await ids(unit, place=place(one.id, code.id), match="effective") == [
            narrow.id,
            shop.id,
            wide.id,
        ]
        assert await ids(unit, place=place(one.id), match="near") == [narrow.id, shop.id, wide.id]
        assert await ids(unit, place=place(two.id), match="near") == [other.id, wide.id]
        assert await ids(unit, readable=(place(one.id, code.id),)) == [narrow.id, shop.id, wide.id]
        assert await ids(unit, readable=(place(one.id),)) == [narrow.id, shop.id, wide.id]
        assert await ids(unit, readable=()) == [wide.id]
        effective = {"place": place(two.id), "match": "effective", "reach": "place"}
        assert await ids(unit, **effective) == [other.id, wide.id]
        assert await ids(unit, **effective, or_policy=narrow.id) == [other.id, narrow.id, wide.id]


async def test_lists_narrow_by_every_other_field(store):
    plain = policy(created_ms=START)
    odd = policy(
        created_ms=START + 1,
        slug="pack/a%b_c",
        status="pending_review",
        is_active=False,
        reach="bound",
        approved=None,
        pending=1,
        source=Source(type="learning_loop"),
    )
    gone = policy(created_ms=START + 2, slug="pack/gone", deleted_ms=START)
    async with store.begin(A) as unit:
        await add(unit, plain, gone)
        await add(unit, odd, name="Straße 100%_x", topic="price_Match", action="log", risk="LOW")
        assert await ids(unit) == [odd.id, plain.id]
        assert await ids(unit, include_deleted=True) == [gone.id, odd.id, plain.id]
        assert await ids(unit, only_deleted=True) == [gone.id]
        for where in (
            {"statuses": frozenset({"pending_review", "rejected"})},
            {"is_active": False},
            {"has_pending": True},
            {"waits": True},
            {"in_force": False},
            {"reach": "bound"},
            {"slugs": frozenset({"pack/a%b_c", "x"})},
            {"slug_prefix": "pack/a%"},
            {"source_types": frozenset({"learning_loop"})},
            {"topic": "PRICE match"},
            {"topic": "price-match"},
            {"actions": frozenset({"log", "alert"})},
            {"risks": frozenset({"LOW"})},
            {"text": "STRASSE 100%_"},
        ):
            assert await ids(unit, **where) == [odd.id], where
        for where in (
            {"statuses": frozenset()},
            {"slugs": frozenset()},
            {"slug_prefix": "Pack"},
            {"topic": "price"},
            {"text": "100_"},
            {"text": "amount > 5000"},
            {"risks": frozenset()},
            {"slugs": frozenset({"pack/gone"})},
            {"in_force": False, "is_active": True},
            {"waits": False, "has_pending": True},
        ):
            assert await ids(unit, **where) == [], where
        assert await ids(unit, text="AMOUNT < 5000", is_active=True, has_pending=False) == [plain.id]
        assert await ids(unit, slug_prefix="") == [odd.id]
        assert await ids(unit, in_force=True) == await ids(unit, waits=False) == [plain.id]
        assert await ids(unit, in_force=False, include_deleted=True) == [gone.id, odd.id]


async def found(unit, query, part=ALL, **where):
    page = await unit.policies.search(words_of(query), PolicyFilter(**where), part)
    return [hit.id for hit in page.items], page.total


async def test_a_search_finds_words_and_their_kin_the_best_first(store):
    one = workspace()
    texts = {
        "a": {"topic": "escalation", "name": "Hand over to a person"},
        "b": {"topic": "price_match", "name": "Straße 100%_x of a person"},
        "c": {"topic": None, "name": "Escalate nothing"},
        "d": {"topic": "tone", "name": "Be kind"},
    }
    made = {key: policy(created_ms=START + n) for n, key in enumerate(texts)}
    made["d"] = replace(made["d"], place=place(one.id))
    async with store.begin(A) as unit:
        await unit.tenancy.workspaces.add(one)
        for key, said in texts.items():
            await add(unit, made[key], **said)
        for query, expected in (
            ("escalate", "ac"),
            ("how to ESCALATE to a person", "acb"),
            ("persons", "ba"),
            ("strasse", "b"),
            ("match", "b"),
            ("100%", "b"),
            ("elephant", ""),
        ):
            assert await found(unit, query, Slice(total=True)) == (
                [made[key].id for key in expected],
                len(expected),
            ), query
        assert await found(unit, "person", Slice(limit=1, offset=1, total=True)) == ([made["a"].id], 2)
        assert await found(unit, "kind", place=place(one.id), match="exact") == ([made["d"].id], None)
        assert await found(unit, "kind", readable=()) == ([], None)
        every = await unit.policies.search((), PolicyFilter(), Slice(limit=3, offset=1, total=True))
        newest = sorted(made.values(), key=lambda each: each.created_ms, reverse=True)
        assert [hit.id for hit in every.items] == [each.id for each in newest[1:4]]
        assert (every.total, {hit.worth for hit in every.items}) == (4, {0})


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_every_store_ranks_as_the_score_says(store, data):
    some = st.sampled_from(["refund", "refunds", "never", "a_b", "pricing", "prices", "%", "Straße"])
    phrase = st.lists(some, min_size=1, max_size=4).map(" ".join)
    said = data.draw(st.lists(st.tuples(phrase, st.none() | phrase), max_size=5))
    words = words_of(data.draw(phrase))
    whole = Slice(limit=500, total=True)
    async with store.begin(A) as unit:
        before = len((await unit.policies.list(PolicyFilter(), whole)).items)
        for number, (name, topic) in enumerate(said, before):
            await add(unit, policy(created_ms=START + number), name=name, topic=topic)
        held = (await unit.policies.list(PolicyFilter(), whole)).items
        worth = {item.policy.id: score(item.version.content, words) for item in held}
        ranked = sorted(held, key=lambda item: worth[item.policy.id], reverse=True)
        expected = [item.policy.id for item in ranked if worth[item.policy.id]]
        page = await unit.policies.search(words, PolicyFilter(), whole)
        assert ([hit.id for hit in page.items], page.total) == (expected, len(expected))
        digests = {item.policy.id: item.version.digest for item in held}
        assert all((hit.worth, hit.digest) == (worth[hit.id], digests[hit.id]) for hit in page.items)


async def test_a_search_follows_what_speaks_for_a_policy_and_where(store):
    here, there = workspace(), workspace()
    made = policy(place=place(here.id))
    async with store.begin(A) as unit:
        for each in (here, there):
            await unit.tenancy.workspaces.add(each)
        await add(unit, made, name="Apples")

        async def change(said=None, **given):
            nonlocal made
            made = replace(made, revision=made.revision + 1, **given)
            newer = None if said is None else version(made.id, made.latest, content=content(name=said))
            await unit.policies.save_all([(made, newer)])

        async def are_found(*, apples, pears, at=here):
            near = {"place": place(at.id), "match": "near"}
            held = [bool((await found(unit, query, **near))[0]) for query in ("apple", "pears")]
            assert held == [apples, pears]

        await are_found(apples=True, pears=False)
        await change("Pears", latest=2, pending=2)
        await are_found(apples=True, pears=False)
        await change(approved=2, pending=None)
        await are_found(apples=False, pears=True)
        await change(place=place(there.id))
        await are_found(apples=False, pears=False)
        await are_found(apples=False, pears=True, at=there)
        await change(place=EVERYWHERE)
        await are_found(apples=False, pears=True)
        await change(deleted_ms=START)
        await are_found(apples=False, pears=False)


async def test_words_that_no_index_holds_are_found_as_well(store):
    long = "0123456789" * 4
    async with store.begin(A) as unit:
        made = policy()
        await add(unit, made, name=f"{long}x §§ Zürich", topic="a'b")
        for query in (long[3:37], long, "§§", "zürich", "a'b", "345"):
            assert await found(unit, query, Slice(total=True)) == ([made.id], 1), query
        assert await found(unit, long + "y", Slice(total=True)) == ([], 0)


async def test_every_change_is_numbered_and_those_who_follow_read_what_came_since(store):
    async with store.begin(A) as unit:
        assert await unit.policies.last_spelled() == 0
        await unit.policies.add_all([current(policy(id=PolicyId(f"p{n}"))) for n in range(3)])
        assert await unit.policies.last_spelled() is None
    first = policy(id=PolicyId("p0"), revision=2, latest=2, approved=2, is_active=False)
    said = content(name="Changed", topic="Price_Match")
    async with store.begin(A) as unit:
        newer = version(first.id, 2, content=said)
        await unit.policies.save_all([(first, newer)])
    async with store.begin(A) as unit:
        gone = policy(id=PolicyId("p1"), revision=2, deleted_ms=START)
        await unit.policies.save_all([(gone, None)])
    async with store.begin(A, writes=False) as unit:
        last = await unit.policies.last_spelled()
        every = await unit.policies.spelled_after(0, limit=9)
        assert [each.id for each in every] == ["p2", "p0", "p1"]
        assert [each.number for each in every] == sorted({each.number for each in every})
        assert every[-1].number == last
        some = [await unit.policies.spelled_after(n, limit=1) for n in (0, every[0].number, last)]
        assert some == [[every[0]], [every[1]], []]
    assert every[2].facets is None
    told = every[1]
    assert (told.text, told.digest, told.created_ms) == (search_text(said), newer.digest, START)
    assert told.facets == facets_of(Current(policy=first, version=newer))
    assert (told.facets.topic, told.facets.in_force) == ("price match", False)


async def test_a_list_is_newest_first_and_continues(store):
    policies = [policy(created_ms=START + n // 2) for n in range(7)]
    async with store.begin(A) as unit:
        await add(unit, *policies)
        expected = sorted(policies, key=lambda item: (item.created_ms, item.id), reverse=True)
        walked = await every(lambda part: unit.policies.list(PolicyFilter(reach="place"), part))
        assert [item.policy for item in walked] == expected
        page = await unit.policies.list(PolicyFilter(), Slice(limit=2, offset=4, total=True))
        assert ([item.policy for item in page.items], page.total) == (expected[4:6], 7)


async def test_what_belongs_elsewhere_is_refused(store):
    theirs, nowhere = policy(B), policy(place=place("nowhere"))
    async with store.begin(A) as unit:
        with pytest.raises(Forbidden):
            await add(unit, theirs)
    with pytest.raises(Conflict) as refused:
        async with store.begin(A) as unit:
            await add(unit, nowhere)
    assert refused.value.reason == "unknown_reference"
    with pytest.raises(Conflict) as refused:
        async with store.begin(A) as unit:
            await unit.policies.add_all([current(policy(), version(theirs.id))])
    assert refused.value.reason == "unknown_reference"


PLACES = [place(), place("w1"), place("w2"), place("w1", "r1"), place("w2", "r2")]


def some(values):
    return st.none() | st.frozensets(st.sampled_from(values), max_size=2)


FILTERS = st.builds(
    PolicyFilter,
    place=st.none() | st.sampled_from(PLACES),
    match=st.sampled_from(["exact", "within", "effective"]),
    or_policy=st.none() | st.sampled_from([f"p{n}" for n in range(40)]),
    readable=st.none() | st.lists(st.sampled_from(PLACES), max_size=2).map(tuple),
    statuses=some(["approved", "pending_review", "archived"]),
    is_active=st.none() | st.booleans(),
    has_pending=st.none() | st.booleans(),
    reach=st.none() | st.sampled_from(["place", "bound"]),
    slugs=some(["a/1", "a/2", "b%1"]),
    slug_prefix=st.none() | st.sampled_from(["a/", "b%", "A", ""]),
    source_types=some(["manual", "learning_loop"]),
    topic=st.none() | st.sampled_from(["price match", "PRICE_MATCH", "returns", ""]),
    actions=some(["log", "block"]),
    risks=some(["LOW", "HIGH"]),
    text=st.none() | st.sampled_from(["rabatt", "%", "_", "İ", ""]),
    include_deleted=st.booleans(),
)


async def populate(unit):
    """40 policies that differ in everything a filter looks at."""
    random_ = random.Random(7)
    for name in ("w1", "w2"):
        await unit.tenancy.workspaces.add(workspace(id=name))
        await unit.tenancy.repos.add(repo(id=f"r{name[1:]}", workspace_id=name))
    for n in range(40):
        pick = random_.choice
        each = policy(
            id=f"p{n}",
            place=pick(PLACES),
            created_ms=START + n // 3,
            reach=pick(["place", "bound"]),
            status=pick(["approved", "pending_review", "archived"]),
            is_active=pick([True, True, False]),
            approved=pick([1, None]),
            pending=pick([None, 1]),
            deleted_ms=pick([None, None, START]),
            slug=f"{pick(['a/', 'b%', 'c'])}{n}",
            source=Source(type=pick(["manual", "learning_loop"])),
        )
        said = content(
            name=pick(["Rabatt", "100%", "a_b", "İstanbul"]),
            topic=pick([None, "Price-Match", "returns", ""]),
            action=pick(["log", "block"]),
            risk=pick(["LOW", "HIGH"]),
        )
        await unit.policies.add_all([current(each, content=said)])


def expected(items, where):
    """What a filter means, written once more and apart from the stores."""
    found = []
    for item in items:
        policy_, said = item.policy, item.version.content
        lies = {
            "exact": policy_.place == where.place,
            "within": where.place is not None and where.place.contains(policy_.place),
            "effective": where.place is not None and policy_.place.contains(where.place),
        }[where.match]
        governs = (where.place is None or lies) and where.reach in {None, policy_.reach}
        tests = [
            governs or policy_.id == where.or_policy,
            where.include_deleted or policy_.deleted_ms is None,
            where.is_active in {None, policy_.is_active},
            where.has_pending in {None, policy_.pending is not None},
            where.slug_prefix is None or policy_.slug.startswith(where.slug_prefix),
            where.topic is None
            or (said.topic is not None and topic_key(said.topic) == topic_key(where.topic)),
            where.text is None or where.text.casefold() in search_text(said),
            where.readable is None
            or policy_.place == EVERYWHERE
            or any(policy_.place.contains(p) or p.contains(policy_.place) for p in where.readable),
        ]
        chosen = [
            (where.statuses, policy_.status),
            (where.slugs, policy_.slug),
            (where.actions, said.action),
            (where.source_types, policy_.source.type),
            (where.risks, said.risk),
        ]
        if all(tests) and all(allowed is None or value in allowed for allowed, value in chosen):
            found.append(policy_.id)
    return found


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.differing_executors],
)
@given(where=FILTERS)
async def test_every_filter_means_the_same_on_every_store(store, where):
    async with store.begin(A) as unit:
        if not (await unit.policies.list(PolicyFilter(include_deleted=True), ALL)).items:
            await populate(unit)
    async with store.begin(A, writes=False) as unit:
        everything = await unit.policies.list(PolicyFilter(include_deleted=True), ALL)
        page = await unit.policies.list(where, Slice(limit=100, total=True))
    assert [item.policy.id for item in page.items] == expected(everything.items, where)
    assert page.total == len(page.items)


async def test_policies_are_counted_by_the_pack_that_made_them(store):
    slugs = ["refunds/limit", "refunds/tone", "refunds", "a.b_c-1/x", None, None, "abc/cab"]
    made = [policy(slug=slug, place=place("w1") if slug == "abc/cab" else EVERYWHERE) for slug in slugs]
    async with store.begin(A) as unit:
        await unit.tenancy.workspaces.add(workspace(id=WorkspaceId("w1")))
        await unit.policies.add_all([current(each) for each in made])
        await unit.policies.save_all([(replace(made[1], deleted_ms=START, revision=2), None)])
        found = await unit.policies.packs(PolicyFilter())
        assert found == {"refunds": 1, "": 3, "a.b_c-1": 1, "abc": 1}
        assert await unit.policies.packs(PolicyFilter(readable=())) == {"refunds": 1, "": 3, "a.b_c-1": 1}
        assert await unit.policies.packs(PolicyFilter(statuses=frozenset({"rejected"}))) == {}
