"""Finding policies by words and by meaning, with an embedder whose idea of meaning is a list of concepts."""

from contextlib import asynccontextmanager
from dataclasses import replace
from itertools import count

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bylaw.core.clock import ManualClock
from bylaw.core.errors import Forbidden, Unavailable
from bylaw.core.ids import Ids, WorkspaceId
from bylaw.core.paging import Slice
from bylaw.policies.searching import score
from bylaw.policies.store import PolicyFilter
from bylaw.search import query as search
from bylaw.search.embedding import embed_waiting
from bylaw.search.finder import Finder
from bylaw.search.query import search_policies
from bylaw.search.store import Meaning
from bylaw.storage.control import open_control
from bylaw.storage.memory.control import MemoryControlStore
from bylaw.tenancy.model import EVERYWHERE
from bylaw.tenancy.principal import Acting, Grant, Principal, system_principal
from tests.contracts.values import START, A, B, content, current, place, policy, tenant, version, workspace

CONCEPTS = (("refund", "money back", "reimburse"), ("angry", "furious"), ("address", "moved"), ("tone",))
NUMBERS = count()


class Concepts:
    """Says which concepts a text speaks of; `calls` are the texts that were embedded."""

    note = ""

    def __init__(self, name="concepts@1", *, fails=False) -> None:
        self.id = name
        self.dimensions = len(CONCEPTS)
        self.calls = []
        self.fails = fails

    async def embed(self, texts):
        if self.fails:
            raise Unavailable("The model is not there.")
        self.calls += texts
        return self.rows(texts)

    def rows(self, texts):
        rows = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for number, names in enumerate(CONCEPTS):
                row[number] = any(name in text.casefold() for name in names)
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1)


@pytest.fixture(params=["memory", "sqlite"])
async def store(request, tmp_path):
    clock = ManualClock()
    if request.param == "memory":
        opened = MemoryControlStore(ids=Ids(clock), clock=clock)
    else:
        opened = await open_control(f"sqlite:///{tmp_path / 'control.db'}", ids=Ids(clock), clock=clock)
    async with opened.system() as system:
        for tenant_id in (A, B):
            await system.add_tenant(tenant(tenant_id))
    yield opened
    await opened.close()


def finder_of(embedder, *, memory_bytes=1 << 20):
    return Finder(lambda: embedder, memory_bytes=memory_bytes)


def said(text, **given):
    return content(name=text, description="", topic=None, rules=(), conditions=None, examples=(), **given)


async def write(store, *texts, tenant_id=A, **given):
    made = [
        current(policy(tenant_id, created_ms=START + n, **given), content=said(text))
        for n, text in enumerate(texts)
    ]
    async with store.begin(tenant_id) as unit:
        await unit.policies.add_all(made)
    return made


async def embed(store, embedder, tenant_id=A):
    async def progress(done, total):
        assert done <= total

    @asynccontextmanager
    async def begin(*, writes=True):
        async with store.begin(tenant_id, writes=writes) as unit:
            yield unit

    return await embed_waiting(begin, embedder, progress=progress)


async def find(store, finder, query, *, tenant_id=A, principal=None, part=None, **where):
    clock = ManualClock()
    async with store.begin(tenant_id, writes=False) as unit:
        who = system_principal(tenant_id) if principal is None else principal
        acting = Acting(unit=unit, principal=who, clock=clock, ids=Ids(clock))
        part = Slice(limit=50) if part is None else part
        return await search_policies(acting, finder, query, where=PolicyFilter(**where), part=part)


def names(found):
    return [each.current.version.content.name for each in found.items]


async def test_meaning_finds_what_has_none_of_the_words(store):
    embedder = Concepts()
    finder = finder_of(embedder)
    await write(store, "Reimburse within a week", "Never shout at the furious", "Ask who moved")
    before = await find(store, finder, "money back please")
    assert (names(before), before.total, before.waiting, embedder.calls) == ([], 0, 3, [])
    assert await embed(store, embedder) == {"embedded": 3, "embedder": "concepts@1"}
    after = await find(store, finder, "money back please")
    assert (names(after), after.total, after.waiting) == (["Reimburse within a week"], 1, 0)
    (match,) = after.items
    assert (match.words, match.similarity > 0.9, match.score) == ((), True, pytest.approx(0.85, abs=0.16))
    assert names(await find(store, finder, "the weather")) == []
    assert names(await find(store, finder, " ")) == []


async def test_a_literal_word_is_always_found_and_says_so(store):
    embedder = Concepts()
    finder = finder_of(embedder)
    await write(store, "Refund at once", "Reimburse at once", "A zebra crosses")
    await embed(store, embedder)
    await write(store, "A refunded zebra")
    found = await find(store, finder, "refund zebra")
    assert set(names(found)) == {"Refund at once", "Reimburse at once", "A zebra crosses", "A refunded zebra"}
    assert (found.total, found.waiting) == (4, 1)
    why = {each.current.version.content.name: each for each in found.items}
    assert why["A refunded zebra"].words == ("refund", "zebra")
    assert why["A refunded zebra"].similarity is None
    assert why["Reimburse at once"].words == ()
    scores = [each.score for each in found.items]
    assert scores == sorted(scores, reverse=True)


async def test_where_nothing_is_near_the_nearest_few_are_told_apart(store):
    class Faint(Concepts):
        async def embed(self, texts):
            return (await super().embed(texts)) * np.float32(0.25)

    finder = finder_of(Faint())
    await write(store, "Refund", "Refund one", "Refund two", "Refund three", "Moved to a new address")
    await write(store, "Refund, rejected", status="rejected", approved=None)
    await embed(store, Faint())
    found = await find(store, finder, "money back")
    assert (found.items, found.total, len(found.nearest)) == ((), 0, 3)
    assert {(round(each.similarity, 2), each.score, each.words) for each in found.nearest} == {(0.25, 0, ())}
    assert {each.current.version.content.name[:6] for each in found.nearest} == {"Refund"}
    (rejected,) = (await find(store, finder, "money back", statuses=frozenset({"rejected"}))).nearest
    assert rejected.current.version.content.name == "Refund, rejected"
    for query in ("refund", "zebra", "furious"):
        assert (await find(store, finder, query)).nearest == (), query


async def test_a_failing_model_leaves_the_words(store):
    finder = finder_of(Concepts())
    await write(store, "Refund at once", "Reimburse at once")
    await embed(store, Concepts())
    broken = finder_of(Concepts(fails=True))
    assert names(await find(store, broken, "refund")) == ["Refund at once"]
    assert len(names(await find(store, finder, "refund"))) == 2


async def test_what_embeds_is_told_of_each_text_once(store):
    embedder = Concepts()
    made = await write(store, "Refund", "Tone")
    await embed(store, embedder)
    told = len(embedder.calls)
    await write(store, "Refund", "Tone")
    one = made[0].policy
    async with store.begin(A) as unit:
        edited = replace(one, revision=2, latest=2, approved=2)
        await unit.policies.save_all([(edited, version(one.id, 2, content=said("Address")))])
    assert (await embed(store, embedder))["embedded"] == 1
    assert len(embedder.calls) == told + 1
    finder = finder_of(embedder)
    assert names(await find(store, finder, "reimburse")) == ["Refund"]
    assert names(await find(store, finder, "who moved")) == ["Address"]


async def test_a_model_that_died_half_way_goes_on_where_it_was(store, monkeypatch):
    class Dying(Concepts):
        async def embed(self, texts):
            if len(self.calls) >= 2:
                raise Unavailable("Killed.")
            return await super().embed(texts)

    monkeypatch.setattr("bylaw.search.embedding._AT_ONCE", 1)
    await write(store, "Refund", "Angry", "Address", "Tone")
    with pytest.raises(Unavailable):
        await embed(store, Dying())
    async with store.begin(A) as unit:
        assert await unit.vectors.waiting("concepts@1") == 2
    assert (await embed(store, Concepts()))["embedded"] == 2


async def test_another_model_takes_over_and_is_never_compared_with_the_first(store):
    first, second = Concepts(), Concepts("concepts@2")
    await write(store, "Refund")
    await embed(store, first)
    fresh = finder_of(second)
    found = await find(store, fresh, "reimburse")
    assert (names(found), found.waiting) == ([], 1)
    await embed(store, second)
    assert names(await find(store, fresh, "reimburse")) == ["Refund"]


async def test_deleted_and_old_contents_are_not_found(store):
    embedder = Concepts()
    finder = finder_of(embedder)
    (made,) = await write(store, "Refund")
    await embed(store, embedder)
    assert names(await find(store, finder, "reimburse")) == ["Refund"]
    stored = replace(made.policy, revision=2, deleted_ms=START)
    async with store.begin(A) as unit:
        await unit.policies.save_all([(stored, None)])
    assert names(await find(store, finder, "reimburse")) == []
    async with store.begin(A) as unit:
        back = replace(stored, revision=3, deleted_ms=None, latest=2, approved=2)
        await unit.policies.save_all([(back, version(stored.id, 2, content=said("Nothing")))])
    assert names(await find(store, finder, "reimburse")) == []
    async with store.begin(A) as unit:
        again = replace(back, revision=4, latest=3, approved=3)
        await unit.policies.save_all([(again, version(stored.id, 3, content=said("Refund")))])
    assert names(await find(store, finder, "reimburse")) == ["Refund"]


async def test_nobody_finds_what_is_another_tenants(store):
    embedder = Concepts()
    finder = finder_of(embedder)
    await write(store, "Refund of ours")
    await write(store, "Refund of theirs", tenant_id=B)
    await embed(store, embedder, A)
    await embed(store, embedder, B)
    for query in ("reimburse", "refund", "ours theirs"):
        assert set(names(await find(store, finder, query))) <= {"Refund of ours"}
        assert set(names(await find(store, finder, query, tenant_id=B))) <= {"Refund of theirs"}


async def test_nobody_finds_what_they_may_not_see(store):
    embedder = Concepts()
    finder = finder_of(embedder)
    async with store.begin(A) as unit:
        for ident in ("w1", "w2"):
            await unit.tenancy.workspaces.add(workspace(id=WorkspaceId(ident)))
    await write(store, "Refund here", place=place("w1"))
    await write(store, "Refund there", place=place("w2"))
    await embed(store, embedder)
    grant = Grant(place=place("w1"), scopes=frozenset({"policy:read"}))
    reader = Principal(tenant_id=A, kind="key", id="k", grants=(grant,))
    for query in ("reimburse", "refund"):
        found = await find(store, finder, query, principal=reader)
        assert (names(found), found.total) == (["Refund here"], 1)
    nobody = Principal(tenant_id=A, kind="key", id="k", grants=(Grant(place=EVERYWHERE, scopes=frozenset()),))
    with pytest.raises(Forbidden):
        await find(store, finder, "refund", principal=nobody)


async def test_filters_narrow_what_meaning_finds_however_few_are_left(store, monkeypatch):
    monkeypatch.setattr(search, "_WIDTHS", (2, 4, 64))
    monkeypatch.setattr(search, "NEAR", 2)
    embedder = Concepts()
    finder = finder_of(embedder)
    await write(store, *(f"Refund {n}" for n in range(12)))
    await write(store, "Reimburse, rejected", status="rejected", approved=None)
    await embed(store, embedder)
    found = await find(store, finder, "money back", statuses=frozenset({"rejected"}))
    assert names(found) == ["Reimburse, rejected"]


async def test_a_query_far_from_everything_does_not_list_every_policy(store, monkeypatch):
    """What has nothing near was once looked for among all policies, which took seconds in a large tenant."""
    monkeypatch.setattr(search, "_WIDTHS", (2, 4, 64))
    monkeypatch.setattr(search, "NEAR", 2)
    embedder = Concepts()
    await write(store, *(f"Refund {n}" for n in range(12)))
    await embed(store, embedder)
    clock, asked = ManualClock(), []
    async with store.begin(A, writes=False) as unit:
        finding = unit.policies.search

        async def search_and_note(words, where, part):
            asked.append((words, where))
            return await finding(words, where, part)

        monkeypatch.setattr(unit.policies, "search", search_and_note)
        acting = Acting(unit=unit, principal=system_principal(A), clock=clock, ids=Ids(clock))
        found = await search_policies(
            acting, finder_of(embedder), "the tone", where=PolicyFilter(), part=Slice(limit=50)
        )
    assert found.total == 0
    assert all(words or where.digests is not None for words, where in asked)


async def test_memory_is_bounded_and_what_was_forgotten_is_read_again(store):
    embedder = Concepts()
    finder = finder_of(embedder, memory_bytes=1)
    for tenant_id in (A, B):
        await write(store, "Refund", tenant_id=tenant_id)
        await embed(store, embedder, tenant_id)
    for tenant_id in (A, B, A):
        assert names(await find(store, finder, "reimburse", tenant_id=tenant_id)) == ["Refund"]
        assert len(finder._held) == 1


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from(["refund", "reimburse", "angry refund", "zebra", "tone"]), max_size=14),
    st.sampled_from(["refund", "money back", "angry zebra", "tone"]),
    st.integers(1, 5),
)
async def test_pages_are_parts_of_one_list_in_which_every_word_is_found(store, texts, query, limit):
    embedder = Concepts()
    finder = finder_of(embedder)
    await write(store, *texts)
    await embed(store, embedder)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(search, "HEAD", 3)
        patched.setattr(search, "NEAR", 2)
        whole = await find(store, finder, query, part=Slice(limit=500))
        paged = []
        while len(paged) < whole.total:
            page = await find(store, finder, query, part=Slice(limit=limit, offset=len(paged)))
            assert page.total == whole.total
            assert page.items
            paged += page.items
    ids = [each.current.policy.id for each in whole.items]
    assert [each.current.policy.id for each in paged] == ids
    assert len(set(ids)) == len(ids) == whole.total
    async with store.begin(A, writes=False) as unit:
        words = search.words_of(query)
        literal = (await unit.policies.search(words, PolicyFilter(), Slice(limit=500))).items
    assert {hit.id for hit in literal} <= set(ids)


def slowly(every, query, embedder, *, where=lambda _: True):
    """Return the ids that a search finds, each with its score, by looking at every policy.

    `every` are the policies, each with its vector or None. What follows the head has a score of 0.
    """
    words = search.words_of(query)
    (asked,) = embedder.rows([query])
    known = {each.policy.id: each for each, _ in every if where(each.policy)}
    worth = {ident: score(each.version.content, words) for ident, each in known.items()}
    alike = {
        each.policy.id: float(row @ asked)
        for each, row in every
        if each.policy.id in known and row is not None
    }

    def latest(ident):
        return known[ident].policy.created_ms, ident

    literal = sorted(
        (ident for ident in known if worth[ident]), key=lambda each: (worth[each], *latest(each))
    )[::-1]
    nearest = sorted(alike, key=lambda each: (-alike[each], each))
    least = max([search.LEAST, *(0.6 * alike[each] for each in nearest[:1])])
    near = [each for each in nearest if alike[each] >= least][: search.NEAR]
    head = {*literal[: search.HEAD], *near}
    told = [alike[each] for each in head if worth[each] and each in alike]
    usual = sum(told) / len(told) if told else min((alike[each] for each in head if each in alike), default=0)
    means, says = spread({each: alike.get(each, usual) for each in head}), spread({e: worth[e] for e in head})
    is_known = any(each in alike for each in head)
    scores = {each: 0.85 * means[each] + 0.15 * says[each] if is_known else says[each] for each in head}
    total = {each: round(scores[each], 4) for each in head}
    ranked = sorted(head, key=lambda each: (total[each], *latest(each)), reverse=True)
    return {each: total.get(each, 0) for each in ranked + [each for each in literal if each not in head]}


def spread(values):
    low, high = min(values.values(), default=0), max(values.values(), default=0)
    return {each: 1.0 if high == low else (value - low) / (high - low) for each, value in values.items()}


phrases = st.lists(
    st.sampled_from(["refund", "reimburse", "angry", "furious", "moved", "tone", "zebra", "crossing"]),
    min_size=1,
    max_size=4,
).map(" ".join)


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(phrases, st.booleans(), st.booleans()), max_size=12), phrases, st.booleans())
async def test_what_is_found_is_what_looking_at_every_policy_finds(store, drawn, query, is_narrow):
    embedder, tenant_id = Concepts(), f"t-{next(NUMBERS)}"
    async with store.system() as system:
        await system.add_tenant(tenant(tenant_id))
    made = []
    for is_embedded in (True, False):
        texts = [(text, ok) for text, ok, told in drawn if told == is_embedded]
        for text, is_approved in texts:
            status = {} if is_approved else {"status": "rejected", "approved": None}
            (each,) = await write(store, text, tenant_id=tenant_id, **status)
            made.append(each)
        if is_embedded:
            await embed(store, embedder, tenant_id)
    told = {text for text, _, is_told in drawn if is_told}
    rows = [
        (each, embedder.rows([each.version.content.name])[0] if each.version.content.name in told else None)
        for each in made
    ]
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(search, "HEAD", 4)
        where = {"statuses": frozenset({"approved"})} if is_narrow else {}
        found = await find(store, finder_of(embedder), query, tenant_id=tenant_id, **where)
        expected = slowly(
            rows, query, embedder, where=lambda policy: policy.status == "approved" or not is_narrow
        )
    ids = [each.current.policy.id for each in found.items]
    # Scores that differ by less than they are precise may come in any order.
    assert sorted(ids) == sorted(expected)
    assert [expected[each] for each in ids] == [*expected.values()]
    assert [each.score for each in found.items] == pytest.approx([*expected.values()], abs=1e-3)
    assert found.total == len(expected)


@pytest.mark.parametrize("store", ["sqlite"], indirect=True)
async def test_one_of_ten_thousand_is_found_by_its_word_and_by_its_meaning(store):
    many = 10_000
    made = [current(policy(A, created_ms=START + n), content=said(f"Tone {n}")) for n in range(many)]
    made[77] = current(policy(A, created_ms=START), content=said("Reimburse a zebra"))
    embedder = Concepts()
    async with store.begin(A) as unit:
        await unit.policies.add_all(made)
        rows = embedder.rows([each.version.content.name for each in made])
        told = [
            Meaning(digest=each.version.digest, about=row, procedure=None)
            for each, row in zip(made, rows, strict=True)
        ]
        await unit.vectors.keep(embedder.id, told)
    finder = finder_of(embedder)
    for query in ("zebra", "money back"):
        found = await find(store, finder, query)
        assert (names(found), found.total) == (["Reimburse a zebra"], 1)
    first = await find(store, finder, "tone 9999")
    assert (names(first)[0], first.total) == ("Tone 9999", many - 1)
    last = await find(store, finder, "tone 9999", part=Slice(limit=50, offset=many - 10))
    assert len(last.items) == 9
    assert not set(names(first)) & set(names(last))
