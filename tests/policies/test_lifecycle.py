import pytest

from bylaw.core.errors import Conflict, Corrupt, Forbidden, InvalidInput, NotFound
from bylaw.core.paging import Slice
from bylaw.policies.binding import bind_policy
from bylaw.policies.editing import Edit, NewPolicy, create_policy, edit_policy
from bylaw.policies.lifecycle import decide_policy, delete_policy, set_active, set_reach
from bylaw.policies.reading import list_policies, list_versions, read_policy, read_version
from bylaw.policies.store import PolicyFilter
from bylaw.tenancy.agents import NewAgent, read_agent, register_agent
from bylaw.tenancy.model import EVERYWHERE, Place
from tests.memory_unit import acting_as

W1, W2, W3 = (Place(workspace_id=name) for name in ("w1", "w2", "w3"))
POLICY = {"name": "Invoices", "rules": [{"text": "Reject it."}]}


async def make(acting, place=W1, **kwargs):
    return (await create_policy(acting, NewPolicy(content=POLICY, place=place, **kwargs))).policy


async def brought_to(acting, status):
    policy = await make(acting, status="approved" if status in {"approved", "archived"} else "pending_review")
    if status in {"rejected", "archived"}:
        policy = await decide_policy(acting, policy.id, "reject" if status == "rejected" else "archive")
    assert policy.status == status
    return policy


@pytest.mark.parametrize(
    ("status", "decision", "result"),
    [
        ("pending_review", "approve", "approved"),
        ("pending_review", "reject", "rejected"),
        ("pending_review", "archive", None),
        ("pending_review", "restore", None),
        ("approved", "approve", "approved"),
        ("approved", "reject", None),
        ("approved", "archive", "archived"),
        ("approved", "restore", "approved"),
        ("rejected", "approve", None),
        ("rejected", "reject", "rejected"),
        ("rejected", "archive", None),
        ("rejected", "restore", None),
        ("archived", "approve", None),
        ("archived", "reject", None),
        ("archived", "archive", "archived"),
        ("archived", "restore", "approved"),
    ],
)
async def test_every_transition_is_drawn_repeated_or_a_conflict(root, status, decision, result):
    policy = await brought_to(root, status)
    written = len(root.unit.outbox.entries)
    if result is None:
        with pytest.raises(Conflict) as caught:
            await decide_policy(root, policy.id, decision)
        assert caught.value.reason == "illegal_transition"
        return
    decided = await decide_policy(root, policy.id, decision, reason="because")
    assert decided.status == result
    assert decided.is_in_force == (result == "approved")
    assert (decided == policy) == (status == result)
    assert len(root.unit.outbox.entries) == written + (status != result)
    if decision in {"approve", "reject"} and status != result:
        assert (decided.decided_by, decided.decided_reason) == ("system:bylaw", "because")


async def test_approving_a_pending_edit_puts_it_in_force(root):
    policy = await make(root, W2, status="approved")
    await edit_policy(root, policy.id, Edit(fields={"risk": "HIGH"}))
    approved = await decide_policy(root, policy.id, "approve")
    assert (approved.approved, approved.pending, approved.latest) == (2, None, 2)
    assert (await read_policy(root, policy.id)).version.content.risk == "HIGH"
    assert await decide_policy(root, policy.id, "approve") == approved
    assert root.unit.outbox.entries[-1][1]["policy"]["version"] == 2


async def test_rejecting_a_pending_edit_leaves_the_approved_version_in_force(root):
    policy = await make(root, W2, status="approved")
    await edit_policy(root, policy.id, Edit(fields={"risk": "HIGH"}))
    rejected = await decide_policy(root, policy.id, "reject", reason="no")
    assert (rejected.status, rejected.approved, rejected.pending) == ("approved", 1, None)
    assert rejected.is_in_force
    assert root.unit.outbox.entries[-1][1]["policy"]["version"] == 2
    assert await decide_policy(root, policy.id, "reject") == rejected
    with pytest.raises(Conflict):
        await decide_policy(root, policy.id, "approve")
    again = await edit_policy(root, policy.id, Edit(fields={"action": "log"}))
    assert (again.policy.pending, again.policy.latest) == (3, 3)
    assert (await read_version(root, policy.id, number=3)).content.risk == "MEDIUM"


async def test_an_archived_policy_keeps_its_pending_edit(root):
    policy = await make(root, W2, status="approved")
    await edit_policy(root, policy.id, Edit(fields={"risk": "HIGH"}))
    await decide_policy(root, policy.id, "archive")
    with pytest.raises(Conflict):
        await decide_policy(root, policy.id, "approve")
    await decide_policy(root, policy.id, "restore")
    assert (await decide_policy(root, policy.id, "approve")).approved == 2


async def test_nobody_approves_their_own_edit_where_approvers_are_separate(unit):
    ann = acting_as(unit, "policy:write", "policy:approve", place=W3, ident="ann")
    bob = acting_as(unit, "policy:approve", place=W3, ident="bob")
    eve = acting_as(unit, "policy:write", place=W3, ident="eve")
    policy = await make(ann, W3)
    assert policy.status == "pending_review"
    for one in (ann, eve):
        with pytest.raises(Forbidden):
            await decide_policy(one, policy.id, "approve")
    assert (await decide_policy(bob, policy.id, "approve")).is_in_force
    await edit_policy(eve, policy.id, Edit(fields={"risk": "HIGH"}))
    await edit_policy(ann, policy.id, Edit(fields={"action": "log"}))
    with pytest.raises(Forbidden):
        await decide_policy(ann, policy.id, "approve")
    assert (await decide_policy(ann, policy.id, "reject")).approved == 1


async def test_a_policy_that_begins_with_a_later_version_is_approved_by_another_too(unit):
    ann = acting_as(unit, "policy:write", "policy:approve", place=W3, ident="ann")
    bob = acting_as(unit, "policy:approve", place=W3, ident="bob")
    policy = await make(ann, W3, version=900_000)
    assert (policy.latest, policy.approved, policy.pending) == (900_000, None, None)
    with pytest.raises(Forbidden):
        await decide_policy(ann, policy.id, "approve")
    assert (await decide_policy(bob, policy.id, "approve")).approved == 900_000
    edited = await edit_policy(ann, policy.id, Edit(fields={"risk": "HIGH"}))
    assert (edited.policy.latest, edited.policy.pending) == (900_001, 900_001)


async def test_writing_implies_approving_elsewhere(unit):
    writer = acting_as(unit, "policy:write", place=W2)
    policy = await make(writer, W2)
    assert (await decide_policy(writer, policy.id, "approve")).is_in_force
    reader = acting_as(unit, "policy:read", place=W2)
    for decision in ("approve", "reject", "archive", "restore"):
        with pytest.raises(Forbidden):
            await decide_policy(reader, policy.id, decision)
    approver = acting_as(unit, "policy:approve", place=W2)
    with pytest.raises(Forbidden):
        await decide_policy(approver, policy.id, "archive")


async def test_switching_off_stops_enforcement_and_keeps_everything(root):
    policy = await make(root)
    off = await set_active(root, policy.id, is_active=False)
    assert (off.status, off.is_in_force) == ("approved", False)
    assert await set_active(root, policy.id, is_active=False) == off
    assert (await set_active(root, policy.id, is_active=True)).is_in_force
    changes = [payload["change"] for _, payload in root.unit.outbox.entries]
    assert changes == ["created", "deactivated", "activated"]


async def test_a_deleted_policy_is_gone_but_its_versions_are_not(root):
    policy = await make(root)
    gone = await delete_policy(root, policy.id, reason="old")
    assert not gone.is_in_force
    for act in (
        read_policy(root, policy.id),
        delete_policy(root, policy.id),
        edit_policy(root, policy.id, Edit(fields={})),
        decide_policy(root, policy.id, "archive"),
        set_active(root, policy.id, is_active=False),
    ):
        with pytest.raises(NotFound):
            await act
    assert (await list_policies(root, PolicyFilter(), Slice())).items == ()
    assert len((await list_policies(root, PolicyFilter(include_deleted=True), Slice())).items) == 1
    assert (await read_version(root, policy.id, number=1)).content.name == "Invoices"
    assert len((await list_versions(root, policy.id, Slice())).items) == 1


async def test_a_bound_policy_is_not_deleted_from_under_its_agent(root):
    policy = await make(root, EVERYWHERE, reach="bound")
    await register_agent(root, NewAgent(id="bot"))
    agent = await bind_policy(root, "bot", policy.id, revision=1)
    assert (agent.policy_id, agent.revision) == (policy.id, 2)
    assert await bind_policy(root, "bot", policy.id) == agent
    for act in (delete_policy(root, policy.id), set_reach(root, policy.id, "place")):
        with pytest.raises(Conflict) as caught:
            await act
        assert caught.value.reason == "still_bound"
    assert (await bind_policy(root, "bot", None)).policy_id is None
    assert (await set_reach(root, policy.id, "place")).reach == "place"
    assert (await set_reach(root, policy.id, "place")).reach == "place"
    assert (await delete_policy(root, policy.id)).deleted_ms is not None


async def test_only_a_policy_for_binding_that_contains_the_agent_is_bound(unit):
    root = acting_as(unit)
    place, bound, local = (
        await make(root, EVERYWHERE),
        await make(root, EVERYWHERE, reach="bound"),
        await make(root, W1, reach="bound"),
    )
    await register_agent(root, NewAgent(id="bot"))
    await register_agent(root, NewAgent(id="w1-bot", place=W1))
    for policy, reason in ((place, "not_bindable"), (local, "other_place")):
        with pytest.raises(Conflict) as caught:
            await bind_policy(root, "bot", policy.id)
        assert caught.value.reason == reason
    with pytest.raises(NotFound):
        await bind_policy(root, "bot", "nowhere")
    assert (await bind_policy(root, "w1-bot", local.id)).policy_id == local.id
    with pytest.raises(Forbidden):
        await bind_policy(acting_as(unit, "agents:write", place=W1), "w1-bot", bound.id)
    both = acting_as(unit, "agents:write", "policy:read", place=W1)
    assert (await bind_policy(both, "w1-bot", bound.id)).policy_id == bound.id
    assert (await read_agent(both, "w1-bot")).policy_id == bound.id


async def test_a_version_that_is_gone_is_corruption_not_absence(root):
    policy = await make(root)
    root.unit.policies.written[policy.id].clear()
    with pytest.raises(Corrupt) as caught:
        await set_active(root, policy.id, is_active=False)
    assert policy.id in caught.value.place


async def test_reasons_are_bounded(root):
    policy = await make(root)
    with pytest.raises(InvalidInput):
        await decide_policy(root, policy.id, "archive", reason="x" * 2001)
    assert (await read_policy(root, policy.id)).policy.status == "approved"
