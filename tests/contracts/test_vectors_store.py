"""What every store of vectors must do."""

from dataclasses import replace

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bylaw.core.paging import Slice
from bylaw.policies.store import PolicyFilter
from bylaw.search.store import Meaning
from tests.contracts.values import A, B, content, current, fresh, policy, version

ALL = Slice(limit=100, total=True)
ONE, TWO = "model@1", "model@2"


async def say(unit, *names):
    """A policy for each of these names; return the digests of what they say."""
    made = [current(policy(unit.tenant_id), content=content(name=name)) for name in names]
    await unit.policies.add_all(made)
    return [each.version.digest for each in made]


def meaning(digest, *about, procedure=None):
    told = None if procedure is None else np.array(procedure, dtype=np.float32)
    return Meaning(digest=digest, about=np.array(about, dtype=np.float32), procedure=told)


async def test_what_is_saved_waits_until_its_vectors_are_kept(store):
    async with store.begin(A) as unit:
        assert not await unit.vectors.has_unembedded()
        first, second = await say(unit, "one", "two")
        assert (await unit.vectors.newest(), await unit.vectors.has_unembedded()) == (0, True)
        assert await unit.vectors.waiting(ONE) == 2
        (told,) = await unit.vectors.unembedded(ONE, limit=1)
        assert (told.content.name, told.digest) in {("one", first), ("two", second)}
        await unit.vectors.keep(ONE, [meaning(first, 0.5, -0.25, procedure=[1, 0])])
        assert await unit.vectors.waiting(ONE) == 1
        assert [each.digest for each in await unit.vectors.unembedded(ONE, limit=9)] == [second]
        (kept,) = await unit.vectors.after(ONE, 0, limit=9)
    assert kept.meaning.about.tolist() == [0.5, -0.25]
    assert kept.meaning.procedure.tolist() == [1, 0]
    async with store.begin(A, writes=False) as unit:
        assert (await unit.vectors.newest(), await unit.vectors.has_unembedded()) == (kept.number, True)
        assert await unit.vectors.after(ONE, kept.number, limit=9) == []
        assert await unit.vectors.after(TWO, 0, limit=9) == []


async def test_the_same_text_is_not_told_twice(store):
    async with store.begin(A) as unit:
        (digest,) = await say(unit, "one")
        await unit.vectors.keep(ONE, [meaning(digest, 1)])
        stored = (await unit.policies.list(PolicyFilter(), ALL)).items[0].policy
        edited = replace(stored, revision=2, latest=2, approved=2)
        other = version(stored.id, 2, content=content(name="two"))
        await unit.policies.save_all([(edited, other)])
        assert [each.digest for each in await unit.vectors.unembedded(ONE, limit=9)] == [other.digest]
        again = replace(edited, revision=3, latest=3, approved=3)
        await unit.policies.save_all([(again, version(stored.id, 3, content=content(name="one")))])
        await say(unit, "one", "two")
        assert await unit.vectors.waiting(ONE) == 1


async def test_another_model_tells_everything_again(store):
    async with store.begin(A) as unit:
        digests = await say(unit, "one", "two")
        await unit.vectors.keep(ONE, [meaning(each, 1) for each in digests])
        assert (await unit.vectors.waiting(ONE), await unit.vectors.waiting(TWO)) == (0, 2)
        await unit.vectors.keep(TWO, [meaning(digests[0], 2), meaning("nobody", 3)])
        assert (await unit.vectors.waiting(ONE), await unit.vectors.waiting(TWO)) == (1, 1)
        for embedder, digest in ((ONE, digests[1]), (TWO, digests[0])):
            (kept,) = await unit.vectors.after(embedder, 0, limit=9)
            assert kept.meaning.digest == digest


async def test_what_was_said_only_before_is_told_too(store):
    async with store.begin(A) as unit:
        (digest,) = await say(unit, "one")
        stored = (await unit.policies.list(PolicyFilter(), ALL)).items[0].policy
        gone = replace(stored, revision=2, deleted_ms=1)
        await unit.policies.save_all([(gone, None)])
        assert [each.digest for each in await unit.vectors.unembedded(ONE, limit=9)] == [digest]


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=6), max_size=5), st.integers(1, 4))
async def test_whoever_follows_sees_every_content_as_it_was_told_last(store, batches, page):
    async with store.begin(A) as unit:
        digests = await say(unit, *(fresh("name") for _ in range(6)))
        number, seen = 0, {}
        for turn, batch in enumerate(batches):
            told = {digests[each]: meaning(digests[each], turn) for each in batch}
            await unit.vectors.keep(ONE, [*told.values()])
            while newer := await unit.vectors.after(ONE, number, limit=page):
                assert number < newer[0].number
                assert len(newer) <= page
                numbers = [each.number for each in newer]
                assert numbers == sorted(set(numbers))
                number = numbers[-1]
                seen |= {each.meaning.digest: each.meaning.about[0] for each in newer}
        last = {digests[each]: turn for turn, batch in enumerate(batches) for each in batch}
        assert {digest: value for digest, value in seen.items() if digest in digests} == last


async def test_topics_are_told_once_and_counted(store):
    async with store.begin(A) as unit:
        for topic in ("Price-Match", "price_match", "tone", None):
            await unit.policies.add_all([current(policy(), content=content(topic=topic))])
        gone = policy(deleted_ms=1)
        await unit.policies.add_all([current(gone, content=content(topic="gone"))])
        told = await unit.policies.topics(PolicyFilter())
        assert [(each.topic, each.policies) for each in told] == [("price_match", 2), ("tone", 1)]
        assert await unit.policies.topics(PolicyFilter(readable=())) == told
        assert await unit.policies.topics(PolicyFilter(statuses=frozenset({"rejected"}))) == []
    async with store.begin(B) as unit:
        assert await unit.policies.topics(PolicyFilter()) == []


async def test_hits_are_narrowed_to_ids_and_digests(store):
    async with store.begin(A) as unit:
        one, two = await say(unit, "one", "two")
        by = {hit.digest: hit.id for hit in (await unit.policies.search((), PolicyFilter(), ALL)).items}
        for where in (PolicyFilter(digests=frozenset({one})), PolicyFilter(ids=frozenset({by[one]}))):
            (hit,) = (await unit.policies.search((), where, ALL)).items
            assert (hit.digest, hit.id) == (one, by[one])
        none = PolicyFilter(ids=frozenset({by[one]}), digests=frozenset({two}))
        assert (await unit.policies.search((), none, ALL)).total == 0
