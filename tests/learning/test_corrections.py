"""Where a message should have been led, and that it is led there from then on."""

import pytest

from bylaw.core.clock import ManualClock
from bylaw.core.errors import Conflict, Forbidden, InvalidInput, NotFound
from bylaw.core.ids import Ids, PolicyId, WorkspaceId
from bylaw.core.paging import Slice
from bylaw.jobs.store import JobFilter
from bylaw.learning import corrections
from bylaw.learning.corrections import MOST, NewCorrection, correct, delete_correction, list_corrections
from bylaw.policies.lifecycle import delete_policy, set_active, undelete_policy
from bylaw.search.embedding import KIND
from bylaw.search.routing import route
from bylaw.search.store import CorrectionFilter
from bylaw.tenancy.model import EVERYWHERE, Place
from bylaw.tenancy.principal import Acting, Grant, Principal, system_principal
from tests.contracts.values import A, B, place, workspace
from tests.search.test_query import Concepts, embed, finder_of, store
from tests.search.test_routing import CERTAIN, write

__all__ = ["store"]

W = WorkspaceId("w")
RETURNS, TEMPERS = PolicyId("returns"), PolicyId("tempers")
ALL = Slice(limit=100, total=True)


class Server:
    """One process: what it found is its own, what is stored is everybody's."""

    def __init__(self, store):
        self.store = store
        self.finder = finder_of(Concepts())
        self.clock = ManualClock()

    def acting(self, unit, principal=None):
        who = system_principal(A) if principal is None else principal
        return Acting(unit=unit, principal=who, clock=self.clock, ids=Ids(self.clock))

    async def does(self, what, *args, principal=None, **given):
        async with self.store.begin(A) as unit:
            return await what(self.acting(unit, principal), *args, **given)

    async def corrects(self, *said, to=(), principal=None, **given):
        new = NewCorrection(said=said, policy_ids=tuple(to), **given)
        return await self.does(correct, new, principal=principal)

    async def leads(self, said, where=EVERYWHERE):
        async with self.store.begin(A, writes=False) as unit:
            return await route(self.acting(unit), self.finder, said, place=where)


@pytest.fixture
async def server(store):
    async with store.begin(A) as unit:
        await unit.tenancy.workspaces.add(workspace(id=W))
    await write(store, "Reimburse in a week", "returns", id=RETURNS)
    await write(store, "Never shout at the furious", "tempers", id=TEMPERS)
    await embed(store, Concepts())
    return Server(store)


async def test_the_same_message_and_those_like_it_lead_where_they_were_corrected_to(server):
    said = "I moved, and I am angry"
    assert (await server.leads(said)).chosen == ("tempers",)
    corrected = await server.corrects(said, to=[RETURNS])
    assert [each.policy_id for each in corrected.corrections] == [RETURNS]
    await embed(server.store, Concepts())
    assert (await server.leads("  i MOVED, and I am angry")).chosen == ("returns",)
    assert (await server.leads("My address is angry")).candidates[0].topic == "returns"
    other = Server(server.store)
    assert (await other.leads(said)).chosen == ("returns",)
    for each in corrected.corrections:
        await server.does(delete_correction, each.id)
    assert [(await each.leads(said)).chosen for each in (server, other)] == [("tempers",)] * 2


async def test_a_message_that_no_policy_is_about_leads_nowhere_until_somebody_says_otherwise(server):
    said = "I am angry"
    await server.corrects(said)
    await embed(server.store, Concepts())
    found = await server.leads(said)
    assert (found.chosen, found.topics) == ((), ())
    assert found.why == "Somebody said of such a message that no policy is about it."
    assert (await server.leads("I want my money back")).chosen == ("returns",)
    assert (await server.corrects(said, to=[TEMPERS])).is_unchanged is False
    page = await server.does(list_corrections, ALL)
    assert [(each.policy_id, each.text) for each in page.items] == [(TEMPERS, said)]
    assert (await server.leads(said)).chosen == ("tempers",)


async def test_saying_it_again_changes_nothing_and_leaves_no_entry(server):
    first = await server.corrects("My parcel moved", to=[RETURNS, TEMPERS, RETURNS])
    async with server.store.system() as system:
        entries = await system.queue.pending(10)
    told = [{name: each.payload[name] for name in ("noun", "change")} for each in entries]
    assert told == [{"noun": "correction", "change": "created"}] * 2
    assert "parcel" not in str([each.payload for each in entries])
    again = await server.corrects("my parcel  MOVED", to=[TEMPERS, RETURNS])
    assert again.is_unchanged
    assert {each.id for each in again.corrections} == {each.id for each in first.corrections}
    async with server.store.system() as system:
        assert len(await system.queue.pending(10)) == 2
    async with server.store.begin(A, writes=False) as unit:
        assert [each.kind for each in (await unit.jobs.list(JobFilter(), ALL)).items] == [KIND]


async def test_what_names_somebody_is_masked_before_it_is_stored_and_still_known(server):
    said = "I moved, write to ada@example.org about order AB12345"
    (made,) = (await server.corrects(said, to=[RETURNS])).corrections
    assert made.text == "I moved, write to [email] about order [id]"
    await embed(server.store, Concepts())
    assert (await server.leads(said)).chosen == ("returns",)


async def test_a_correction_holds_in_its_workspace(server):
    said = "I am angry"
    await server.corrects(said, to=[RETURNS], workspace_id=W)
    await embed(server.store, Concepts())
    assert (await server.leads(said)).chosen == ("tempers",)
    assert (await server.leads(said, place("w"))).chosen == ("returns",)


async def test_a_correction_takes_no_policy_out_that_blocks_or_is_certain(server):
    await write(server.store, "Something else", "law", action="block", id=PolicyId("law"))
    await write(server.store, "Anything else", "limits", rules=CERTAIN, id=PolicyId("limits"))
    said = "I am angry"
    await server.corrects(said, to=[RETURNS])
    await embed(server.store, Concepts())
    found = await server.leads(said)
    assert (found.chosen, found.topics) == (("returns",), ("law", "limits", "returns"))
    await server.corrects(said)
    assert (await server.leads(said)).topics == ()


async def test_only_so_many_are_kept_for_a_policy_and_for_none(server):
    for n in range(MOST):
        await server.corrects(f"angry {'a' * n}", to=[TEMPERS])
        await server.corrects(f"moved {'a' * n}")
    for to in ([TEMPERS], []):
        with pytest.raises(Conflict) as refused:
            await server.corrects("one more", to=to)
        assert refused.value.reason == "too_many"
        await server.corrects("one more", to=to, workspace_id=W)
    await server.corrects("one more", to=[RETURNS])
    (oldest, *_) = (await server.does(list_corrections, Slice(limit=MOST), policy_id=TEMPERS)).items
    await server.does(delete_correction, oldest.id)
    await server.corrects("one more still", to=[TEMPERS])


async def test_with_a_policy_all_that_leads_to_it_is_forgotten(server):
    await server.corrects("I am angry", to=[RETURNS])
    await server.corrects("hello", to=[TEMPERS])
    await embed(server.store, Concepts())
    assert (await server.leads("I am angry")).chosen == ("returns",)
    await server.does(delete_policy, RETURNS)
    assert (await server.leads("I am angry")).chosen == ("tempers",)
    assert [each.text for each in (await server.does(list_corrections, ALL)).items] == ["hello"]
    await server.does(undelete_policy, RETURNS)
    await server.does(set_active, RETURNS, is_active=True)
    assert (await server.leads("I am angry")).chosen == ("tempers",)


@pytest.mark.parametrize(
    ("said", "to", "code"),
    [
        (["..."], [RETURNS], "empty"),
        (["12345678"], [RETURNS], None),
        (["hello"], [RETURNS, TEMPERS, PolicyId("a"), PolicyId("b")], "too_many"),
        (["hello"], [PolicyId("plain")], "no_topic"),
        (["hello"], [PolicyId("elsewhere")], "other_place"),
    ],
)
async def test_what_cannot_be_learnt_from_is_refused(server, said, to, code):
    async with server.store.begin(A) as unit:
        await unit.tenancy.workspaces.add(workspace(id=WorkspaceId("x")))
    await write(server.store, "Plain", None, id=PolicyId("plain"))
    await write(server.store, "Elsewhere", "there", id=PolicyId("elsewhere"), place=place("x"))
    if code is None:
        assert (await server.corrects(*said, to=to, workspace_id=W)).corrections[0].text == "[id]"
        return
    with pytest.raises(InvalidInput) as refused:
        await server.corrects(*said, to=to, workspace_id=W)
    assert refused.value.problems[0].code == code


async def test_whoever_may_not_write_policies_there_corrects_nothing(server):
    def somebody(*scopes):
        grant = Grant(place=Place(workspace_id=W), scopes=frozenset(scopes))
        return Principal(tenant_id=A, kind="key", id="k", grants=(grant,))

    reader, writer = somebody("policy:read"), somebody("policy:read", "policy:write")
    with pytest.raises(Forbidden):
        await server.corrects("hello", to=[RETURNS], workspace_id=W, principal=reader)
    with pytest.raises(Forbidden):
        await server.corrects("hello", to=[RETURNS], principal=writer)
    (mine,) = (await server.corrects("hello", to=[RETURNS], workspace_id=W, principal=writer)).corrections
    (wide,) = (await server.corrects("hello", to=[RETURNS])).corrections
    page = await server.does(list_corrections, ALL, principal=reader)
    assert [each.id for each in page.items] == [mine.id]
    for ident, who, error in (
        (mine.id, reader, Forbidden),
        (wide.id, writer, NotFound),
        ("nobody", writer, NotFound),
    ):
        with pytest.raises(error):
            await server.does(delete_correction, ident, principal=who)
    with pytest.raises(NotFound):
        await server.corrects("hello", to=[PolicyId("nobody")])
    with pytest.raises(NotFound):
        await server.corrects("hello", workspace_id=WorkspaceId("nobody"))


async def test_with_a_conversation_or_a_receipt_what_was_learnt_goes_too(server):
    await server.corrects("one", to=[RETURNS], conversation_id="c1")
    await server.corrects("two", to=[RETURNS], receipt_id="rcpt_1")
    await server.corrects("three", to=[RETURNS], conversation_id="c2", receipt_id="rcpt_2")
    assert await server.does(corrections.forget_conversation, "c1") == 1
    assert await server.does(corrections.forget_receipt, "rcpt_1") == 1
    assert await server.does(corrections.forget_conversation, "c1") == 0
    async with server.store.begin(A, writes=False) as unit:
        assert [each.text for each in (await unit.corrections.list(CorrectionFilter(), ALL)).items] == [
            "three"
        ]
    async with server.store.begin(B, writes=False) as unit:
        assert (await unit.corrections.list(CorrectionFilter(), ALL)).total == 0
