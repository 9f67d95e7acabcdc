import pytest

from bylaw.core.errors import Conflict, Forbidden, InvalidInput, NotFound, PreconditionFailed
from bylaw.core.paging import Slice
from bylaw.policies.binding import bind_policy
from bylaw.policies.editing import Edit, NewPolicy, create_policy, edit_policy, roll_back
from bylaw.policies.lifecycle import decide_policy, delete_policy
from bylaw.policies.model import Source
from bylaw.policies.reading import (
    diff_versions,
    list_effective,
    list_policies,
    list_versions,
    read_policy,
    read_version,
)
from bylaw.policies.store import PolicyFilter
from bylaw.tenancy.agents import NewAgent, register_agent
from bylaw.tenancy.model import EVERYWHERE, Place
from tests.memory_unit import MemoryUnit, acting_as

W1, W2, W3 = (Place(workspace_id=name) for name in ("w1", "w2", "w3"))
R1 = Place(workspace_id="w1", repo_id="r1")
POLICY = {"name": "Invoices", "rules": [{"expr": "amount < 5000"}]}


def entries(unit):
    return [
        (payload["change"], payload["policy"]["version"])
        for kind, payload in unit.outbox.entries
        if kind == "policy_version"
    ]


async def make(acting, place=W1, **kwargs):
    return (await create_policy(acting, NewPolicy(content=POLICY, place=place, **kwargs))).policy


async def test_a_policy_begins_with_version_one_in_force(root):
    new = NewPolicy(content=POLICY, place=W1, source=Source(type="import"), reason=" first ")
    made = await create_policy(root, new)
    assert made.policy.id.startswith("pol_")
    assert made.policy.is_in_force
    assert made.policy.source.type == "import"
    assert (made.version.number, made.version.author, made.version.reason) == (1, "system:bylaw", "first")
    assert await read_policy(root, made.policy.id) == made
    kind, payload = root.unit.outbox.entries[-1]
    assert (kind, payload) == (
        "policy_version",
        {
            "author": "system:bylaw",
            "change": "created",
            "policy": {"digest": made.version.digest, "id": made.policy.id, "version": 1},
            "reason": "first",
        },
    )


async def test_an_edit_makes_a_new_version_and_leaves_the_old_one(root):
    policy = await make(root)
    counter = root.unit.changes.value
    edited = await edit_policy(root, policy.id, Edit(fields={"risk": "HIGH"}, reason="why", revision=1))
    assert (edited.policy.latest, edited.policy.approved, edited.policy.revision) == (2, 2, 2)
    assert (edited.version.content.risk, edited.version.content.name) == ("HIGH", "Invoices")
    assert (await read_version(root, policy.id, number=1)).content.risk == "MEDIUM"
    assert entries(root.unit)[-1] == ("edited", 2)
    assert root.unit.changes.value == counter + 1
    assert [version.number for version in (await list_versions(root, policy.id, Slice())).items] == [2, 1]


async def test_an_edit_that_changes_nothing_makes_no_version(root):
    policy = await make(root)
    counter = root.unit.changes.value
    for fields in ({}, {"risk": "MEDIUM"}, {"rules": [{"expr": "amount < 5000"}]}):
        same = await edit_policy(root, policy.id, Edit(fields=fields))
        assert (same.policy, same.version.number) == (policy, 1)
    assert root.unit.changes.value == counter
    assert len(root.unit.outbox.entries) == 1


async def test_a_whole_edit_lets_the_rest_fall_back(root):
    policy = await make(root)
    await edit_policy(root, policy.id, Edit(fields={"description": "long"}))
    whole = await edit_policy(root, policy.id, Edit(fields=POLICY, whole=True))
    assert (whole.version.number, whole.version.content.description) == (3, "")
    with pytest.raises(InvalidInput):
        await edit_policy(root, policy.id, Edit(fields={"risk": "LOW"}, whole=True))


async def test_a_lost_update_is_refused(root):
    policy = await make(root)
    await edit_policy(root, policy.id, Edit(fields={"risk": "HIGH"}, revision=1))
    for act in (
        edit_policy(root, policy.id, Edit(fields={"risk": "LOW"}, revision=1)),
        roll_back(root, policy.id, number=1, revision=1),
        decide_policy(root, policy.id, "archive", revision=1),
        delete_policy(root, policy.id, revision=1),
    ):
        with pytest.raises(PreconditionFailed) as caught:
            await act
        assert caught.value.current == "2"


async def test_rolling_back_writes_the_old_content_again(root):
    policy = await make(root)
    await edit_policy(root, policy.id, Edit(fields={"rules": [{"expr": "amount < 9"}]}))
    back = await roll_back(root, policy.id, number=1)
    assert (back.version.number, back.version.reason) == (3, "rolled back to version 1")
    assert back.version.digest == (await read_version(root, policy.id, number=1)).digest
    assert (await roll_back(root, policy.id, number=1)).version.number == 3
    with pytest.raises(NotFound):
        await roll_back(root, policy.id, number=9)


async def test_where_edits_are_reviewed_the_new_version_waits(root):
    policy = await make(root, W2, status="approved")
    edited = await edit_policy(root, policy.id, Edit(fields={"risk": "HIGH"}))
    assert (edited.policy.approved, edited.policy.pending, edited.policy.latest) == (1, 2, 2)
    assert edited.version.number == 1
    assert edited.policy.is_in_force
    again = await edit_policy(root, policy.id, Edit(fields={"action": "log"}))
    assert (again.policy.approved, again.policy.pending) == (1, 3)
    third = await read_version(root, policy.id, number=3)
    assert (third.content.risk, third.content.action) == ("HIGH", "log")
    assert entries(root.unit) == [("created", 1), ("proposed", 2), ("proposed", 3)]


async def test_where_edits_are_reviewed_a_new_policy_waits_too(root):
    assert (await make(root, W2)).status == "pending_review"
    assert (await make(root, W2)).approved is None
    assert (await make(root, W1)).status == "approved"
    assert (await make(root, W1, status="pending_review")).status == "pending_review"
    assert (await make(root, W2, status="approved")).status == "approved"
    with pytest.raises(Forbidden):
        await make(root, W3, status="approved")


async def test_an_edit_keeps_a_policy_in_review(root):
    policy = await make(root, W1, status="pending_review")
    edited = await edit_policy(root, policy.id, Edit(fields={"risk": "HIGH"}))
    assert (edited.policy.status, edited.policy.approved, edited.policy.latest) == ("pending_review", None, 2)
    assert edited.version.number == 2
    assert not edited.policy.is_in_force


async def test_expressions_are_checked_again_when_an_old_version_returns(root):
    policy = await make(root)
    with pytest.raises(InvalidInput):
        await edit_policy(root, policy.id, Edit(fields={"rules": [{"expr": "amount <"}]}))
    assert (await read_policy(root, policy.id)).version.number == 1


async def test_who_may_write_is_decided_by_scope_and_place(unit):
    root = acting_as(unit)
    wide, own, other = await make(root, EVERYWHERE), await make(root, W1), await make(root, W2)
    writer = acting_as(unit, "policy:write", place=W1)
    assert (await edit_policy(writer, own.id, Edit(fields={"risk": "HIGH"}))).version.author == "key:k1"
    assert (await read_policy(writer, wide.id)).policy == wide
    with pytest.raises(Forbidden):
        await edit_policy(writer, wide.id, Edit(fields={"risk": "LOW"}))
    with pytest.raises(NotFound):
        await edit_policy(writer, other.id, Edit(fields={"risk": "LOW"}))
    for place in (EVERYWHERE, W2):
        with pytest.raises(Forbidden):
            await make(writer, place)
    reader = acting_as(unit, "policy:read", place=W1)
    with pytest.raises(Forbidden):
        await edit_policy(reader, own.id, Edit(fields={"risk": "LOW"}))
    stranger = acting_as(unit, "receipts:read")
    for act in (read_policy(stranger, own.id), list_policies(stranger, PolicyFilter(), Slice())):
        with pytest.raises(Forbidden):
            await act


async def test_nothing_is_found_in_another_tenant(root):
    policy = await make(root)
    stranger = acting_as(MemoryUnit("t2"))
    for act in (
        read_policy(stranger, policy.id),
        read_version(stranger, policy.id, number=1),
        edit_policy(stranger, policy.id, Edit(fields={})),
        delete_policy(stranger, policy.id),
    ):
        with pytest.raises(NotFound):
            await act


async def test_a_place_must_exist_and_a_slug_be_free(root):
    with pytest.raises(NotFound):
        await make(root, Place(workspace_id="w9"))
    with pytest.raises(InvalidInput):
        await make(root, Place(workspace_id="w2", repo_id="r1"))
    await make(root, slug="finance/invoices")
    with pytest.raises(Conflict):
        await make(root, slug="finance/invoices")
    for slug in ("Upper", "a b", "a/b/c", ""):
        with pytest.raises(InvalidInput):
            await make(root, slug=slug)
    with pytest.raises(InvalidInput):
        await make(root, reason="x" * 3000)


async def test_a_tenant_holds_a_bounded_number_of_policies(root, monkeypatch):
    monkeypatch.setattr("bylaw.policies.editing.MAX_POLICIES", 1)
    await make(root)
    with pytest.raises(Conflict) as caught:
        await make(root)
    assert caught.value.reason == "too_many"


async def test_what_governs_a_place_is_the_union_of_what_encloses_it(root):
    made = {place: (await make(root, place)).id for place in (EVERYWHERE, W1, R1, W2)}
    bound = await make(root, EVERYWHERE, reach="bound")
    off = await make(root, W1, is_active=False)
    await register_agent(root, NewAgent(id="bot"))

    async def governs(acting, place, agent=None):
        page = await list_effective(acting, place, Slice(), agent_id=agent)
        return {current.policy.id for current in page.items}

    assert await governs(root, R1) == {made[EVERYWHERE], made[W1], made[R1]}
    assert await governs(root, W1) == {made[EVERYWHERE], made[W1]}
    assert await governs(root, W1, "bot") == {made[EVERYWHERE], made[W1]}
    await bind_policy(root, "bot", bound.id)
    assert await governs(root, W1, "bot") == {made[EVERYWHERE], made[W1], bound.id}
    assert off.id not in await governs(root, W1)
    with pytest.raises(NotFound):
        await governs(root, Place(workspace_id="w9"))


async def test_a_list_shows_what_the_caller_may_see(unit):
    root = acting_as(unit)
    made = {place: (await make(root, place)).id for place in (EVERYWHERE, W1, R1, W2)}
    local = acting_as(unit, "policy:read", place=W1)
    page = await list_policies(local, PolicyFilter(readable=()), Slice())
    assert {current.policy.id for current in page.items} == {made[EVERYWHERE], made[W1], made[R1]}


async def test_two_versions_are_compared(root):
    policy = await make(root)
    await edit_policy(root, policy.id, Edit(fields={"rules": [{"expr": "amount < 100"}], "action": "review"}))
    diff = await diff_versions(root, policy.id, old=1, new=2)
    assert [change.field for change in diff.fields] == ["action"]
    assert [change.change for change in diff.rules] == ["changed"]
    assert diff.direction == "unclear"
    assert diff.rules[0].direction == "narrows"
