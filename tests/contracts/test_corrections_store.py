"""What every store of corrections must do."""

from bylaw.core.ids import PolicyId, WorkspaceId
from bylaw.core.paging import Slice
from bylaw.search.store import CorrectionFilter, said_digest
from tests.contracts.test_vectors_store import ONE, TWO, meaning
from tests.contracts.values import A, correction, current, policy, workspace

ALL = Slice(limit=100, total=True)


async def led(unit, *texts, **given):
    made = [correction(unit.tenant_id, text=text, **given) for text in texts]
    for each in made:
        await unit.corrections.add(each)
    return made


async def test_a_message_waits_until_its_vectors_are_kept_and_is_followed(store):
    async with store.begin(A) as unit:
        (made,) = await led(unit, "Where is it?")
        assert await unit.corrections.get(made.id) == made
        assert (await unit.vectors.has_unembedded(), await unit.vectors.waiting(ONE)) == (True, 1)
        (told,) = await unit.vectors.unembedded(ONE, limit=9)
        assert (told.digest, told.content) == (said_digest("where  is IT?"), "Where is it?")
        await unit.vectors.keep(ONE, [meaning(told.digest, 1)])
        assert (await unit.vectors.has_unembedded(), await unit.vectors.waiting(ONE)) == (False, 0)
        assert [each.meaning.digest for each in await unit.vectors.after(ONE, 0, limit=9)] == [told.digest]


async def test_what_is_forgotten_has_no_vectors_and_its_number_is_not_given_again(store):
    async with store.begin(A) as unit:
        (made,) = await led(unit, "Where is it?")
        await unit.vectors.keep(ONE, [meaning(made.digest, 1)])
        last = await unit.vectors.newest()
        await unit.corrections.remove([made.id])
        assert await unit.corrections.get(made.id) is None
        assert await unit.vectors.after(ONE, 0, limit=9) == []
        assert [await unit.vectors.waiting(each) for each in (ONE, TWO)] == [0, 0]
        assert await unit.vectors.unembedded(TWO, limit=9) == []
        (again,) = await led(unit, "Where is it?")
        assert (await unit.vectors.waiting(ONE), await unit.vectors.has_unembedded()) == (1, True)
        await unit.vectors.keep(ONE, [meaning(again.digest, 2)])
        (kept,) = await unit.vectors.after(ONE, 0, limit=9)
        assert kept.number > last


async def test_a_text_is_known_as_long_as_anybody_says_it(store):
    async with store.begin(A) as unit:
        one, other = await led(unit, "Where is it?", "where is it?")
        await unit.vectors.keep(ONE, [meaning(one.digest, 1)])
        await unit.corrections.remove([one.id])
        assert len(await unit.vectors.after(ONE, 0, limit=9)) == 1
        await unit.corrections.remove([other.id])
        assert await unit.vectors.after(ONE, 0, limit=9) == []
        await unit.corrections.remove([])


async def test_corrections_are_found_by_place_policy_message_and_origin(store):
    w = WorkspaceId("w")
    async with store.begin(A) as unit:
        await unit.tenancy.workspaces.add(workspace(id=w))
        await unit.policies.add_all([current(policy(id=PolicyId("p")))])
        (mine,) = await led(unit, "a", workspace_id=w, policy_id=PolicyId("p"), conversation_id="c")
        (wide,) = await led(unit, "b", receipt_id="r")
        wanted = {
            CorrectionFilter(): {mine.id, wide.id},
            CorrectionFilter(only=frozenset({w})): {mine.id},
            CorrectionFilter(only=frozenset({None})): {wide.id},
            CorrectionFilter(only=frozenset({None, w})): {mine.id, wide.id},
            CorrectionFilter(only=frozenset()): set(),
            CorrectionFilter(policy_ids=frozenset({PolicyId("p")})): {mine.id},
            CorrectionFilter(is_nobodys=True): {wide.id},
            CorrectionFilter(digests=frozenset({said_digest("A ")})): {mine.id},
            CorrectionFilter(digests=frozenset()): set(),
            CorrectionFilter(conversation_id="c"): {mine.id},
            CorrectionFilter(receipt_id="r"): {wide.id},
        }
        for where, expected in wanted.items():
            found = await unit.corrections.list(where, ALL)
            assert ({each.id for each in found.items}, found.total) == (expected, len(expected)), where
