from dataclasses import replace

import pytest

from bylaw.approvals.answer import list_approvals, read_approval
from bylaw.approvals.store import ApprovalFilter
from bylaw.core.errors import Conflict, Forbidden, InvalidInput, NotFound, PreconditionFailed
from bylaw.core.paging import Slice
from bylaw.tenancy.principal import Acting
from tests.approvals.desk import person
from tests.decisions.world import TENANT, caller, place


async def test_a_held_call_waits_with_everything_an_answer_is_bound_to(desk):
    held = await desk.decide()
    assert held.outcome == "review"
    approval = await desk.get(held.obligations[0].id)
    assert (approval.status, approval.tool, approval.revision) == ("pending", "pay", 1)
    assert (approval.occasion.receipt_id, approval.policies[0].id) == (held.receipt_id, "limit")
    assert approval.reason == "limit: `tool_call.arguments.amount < 500` does not hold."


@pytest.mark.parametrize("said", ["approved", "refused"])
async def test_an_answer_is_stored_and_queued_for_the_log(desk, said):
    held = await desk.decide()
    answered = await desk.answer(held.obligations[0].id, said, reason="known customer")
    assert (answered.status, answered.decided_by, answered.revision) == (said, "user:eve", 2)
    (entry,) = await desk.entries()
    assert entry == {
        "approval": answered.id,
        "approver": "user:eve",
        "call_digest": answered.call_digest,
        "change": said,
        "expires_ms": answered.expires_ms,
        "policies": [{"digest": answered.policies[0].digest, "id": "limit", "version": 1}],
        "reason": "known customer",
        "receipt": held.receipt_id,
    }


async def test_the_same_answer_again_changes_nothing_and_another_is_a_conflict(desk):
    ident = (await desk.decide()).obligations[0].id
    first = await desk.answer(ident, "refused")
    assert await desk.answer(ident, "refused") == first
    with pytest.raises(Conflict) as conflict:
        await desk.answer(ident, "approved")
    assert conflict.value.reason == "already_answered"
    assert len(await desk.entries()) == 1


async def test_an_answer_can_come_too_late(desk):
    ident = (await desk.decide()).obligations[0].id
    desk.clock.advance(24 * 3600 * 1000)
    with pytest.raises(Conflict) as conflict:
        await desk.answer(ident, "approved")
    assert conflict.value.reason == "expired"


async def test_the_key_that_made_a_call_does_not_answer_for_it(desk):
    ident = (await desk.decide()).obligations[0].id
    with pytest.raises(Forbidden):
        await desk.answer(ident, "approved", by=caller("conversations:write"))
    admin = replace(caller("admin"), id="another")
    assert (await desk.answer(ident, "approved", by=admin)).status == "approved"


async def test_an_admin_key_answers_for_its_own_call_and_is_named(desk):
    ident = (await desk.decide(by=caller("admin"))).obligations[0].id
    answered = await desk.answer(ident, "approved", by=caller("admin"))
    assert answered.decided_by == caller("admin").actor


async def test_answering_needs_the_scope_where_the_call_was_made(desk):
    ident = (await desk.decide()).obligations[0].id
    with pytest.raises(Forbidden):
        await desk.answer(ident, "approved", by=person("conversations:read"))
    with pytest.raises(NotFound):
        await desk.answer(ident, "approved", by=person("conversations:write", where=place("w2")))
    with pytest.raises(NotFound):
        await desk.answer("apr_unknown", "approved")
    assert (await desk.answer(ident, "approved", by=person(where=place("w1")))).status == "approved"


async def test_a_lost_update_and_a_long_reason_are_refused(desk):
    ident = (await desk.decide()).obligations[0].id
    with pytest.raises(PreconditionFailed):
        await desk.answer(ident, "approved", revision=7)
    with pytest.raises(InvalidInput):
        await desk.answer(ident, "approved", reason="x" * 2001)
    assert (await desk.answer(ident, "approved", revision=1)).revision == 2


async def test_lists_and_reads_show_only_what_the_caller_may_see(desk):
    first = (await desk.decide()).obligations[0].id
    second = (await desk.decide(workspace_id="w2")).obligations[0].id
    async with desk.store.begin(TENANT, writes=False) as unit:

        async def listed(by, **where):
            acting = Acting(unit=unit, principal=by, clock=desk.clock, ids=desk.ids)
            return [
                each.id for each in (await list_approvals(acting, ApprovalFilter(**where), Slice())).items
            ]

        assert set(await listed(person())) == {first, second}
        assert await listed(person(where=place("w1"))) == [first]
        assert await listed(person(where=place("w1")), within=(place("w2"),)) == []
        assert await listed(person(), within=(place("w2"),), status="pending") == [second]
        with pytest.raises(Forbidden):
            await listed(person("receipts:read"))
        acting = Acting(unit=unit, principal=person(where=place("w2")), clock=desk.clock, ids=desk.ids)
        assert (await read_approval(acting, second)).id == second
        with pytest.raises(NotFound):
            await read_approval(acting, first)


async def test_projecting_again_does_not_undo_an_answer(desk):
    held = await desk.decide()
    answered = await desk.answer(held.obligations[0].id, "approved")
    async with desk.store.begin(TENANT) as unit:
        await unit.approvals.add([replace(answered, status="pending", revision=1)])
    assert await desk.get(answered.id) == answered
