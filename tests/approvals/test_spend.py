from dataclasses import replace

import pytest

from bylaw.approvals.spend import asks_to_spend, lift, spend
from bylaw.decisions.request import read
from bylaw.evaluators.scripted import ScriptedEvaluator
from bylaw.tenancy.principal import Acting
from tests.approvals.desk import CALL
from tests.decisions.world import TENANT, caller, policy


async def test_the_exact_call_goes_through_once(desk):
    ident = await desk.approved()
    decision = await desk.decide(approval_id=ident)
    assert (decision.outcome, decision.compliant, decision.obligations) == ("allow", False, ())
    (limit,) = decision.policies
    assert (limit.status, limit.outcome, limit.approval_id, limit.approved_by) == (
        "violated", "allow", ident, "user:eve",
    )  # fmt: skip
    assert decision.reasons[-1] == f"Approved by user:eve ({ident})."
    spent = await desk.get(ident)
    assert (spent.status, spent.spent_on, spent.revision) == ("spent", decision.receipt_id, 3)
    assert [(entry["change"], entry["receipt"]) for entry in await desk.entries()][-1] == (
        "spent",
        decision.receipt_id,
    )

    again = await desk.decide(approval_id=ident)
    assert again.outcome == "review"
    assert again.reasons[-1] == f"Approval {ident} does not cover this call: it is spent."


async def test_the_order_of_arguments_and_the_id_of_the_call_do_not_matter(desk):
    ident = await desk.approved()
    call = {"name": "pay", "arguments": {"to": "ann", "amount": 900}, "id": "call_2"}
    assert (await desk.decide(approval_id=ident, tool_call=call)).outcome == "allow"


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        (
            {"tool_call": {"name": "pay", "arguments": {"amount": 901, "to": "ann"}}},
            "the call or its arguments changed",
        ),
        ({"tool_call": {"name": "pay", "arguments": {"amount": 900}}}, "the call or its arguments changed"),
        (
            {"tool_call": {"name": "Pay", "arguments": {"amount": 900, "to": "ann"}}},
            "the call or its arguments changed",
        ),
        ({"phase": "tool_result"}, "the call or its arguments changed"),
        ({"agent_id": "other"}, "another agent, conversation or place asks"),
        ({"conversation_id": "c2"}, "another agent, conversation or place asks"),
        ({"workspace_id": "w2"}, "another agent, conversation or place asks"),
    ],
)
async def test_any_other_call_is_held_again_and_the_approval_kept(desk, changes, why):
    ident = await desk.approved()
    decision = await desk.decide(approval_id=ident, **changes)
    assert (decision.outcome, decision.reasons[-1]) == (
        "review",
        f"Approval {ident} does not cover this call: {why}.",
    )
    assert (await desk.get(ident)).status == "approved"


async def test_an_approval_is_good_until_it_expires(desk):
    ident = await desk.approved()
    desk.clock.advance(24 * 3600 * 1000)
    decision = await desk.decide(approval_id=ident)
    assert decision.reasons[-1].endswith("it has expired.")
    assert decision.outcome == "review"


@pytest.mark.parametrize("said", ["refused", None])
async def test_what_was_not_approved_lifts_nothing(desk, said):
    ident = (await desk.decide()).obligations[0].id
    if said:
        await desk.answer(ident, said)
    decision = await desk.decide(approval_id=ident)
    assert (decision.outcome, decision.reasons[-1]) == (
        "review", f"Approval {ident} does not cover this call: it is {said or 'pending'}.",
    )  # fmt: skip


async def test_an_unknown_approval_is_said_aloud(desk):
    decision = await desk.decide(approval_id="apr_x")
    assert (decision.outcome, decision.reasons[-1]) == ("review", "There is no approval 'apr_x' here.")


async def test_another_version_that_holds_the_call_needs_an_approval_of_its_own(desk):
    ident = await desk.approved()
    desk.world.policies = [policy("limit", "tool_call.arguments.amount < 600", action="review", version=2)]
    decision = await desk.decide(approval_id=ident)
    assert decision.reasons[-1].endswith("other policy versions hold it now.")


async def test_another_policy_that_holds_the_call_does_too(desk):
    ident = await desk.approved()
    desk.world.policies = [*desk.world.policies, policy("two", "false", action="review")]
    assert (await desk.decide(approval_id=ident)).outcome == "review"


async def test_a_policy_that_no_longer_holds_the_call_does_not_matter(desk):
    desk.world.policies = [*desk.world.policies, policy("two", "false", action="review")]
    ident = await desk.approved()
    desk.world.policies = desk.world.policies[:1]
    assert (await desk.decide(approval_id=ident)).outcome == "allow"


async def test_a_block_is_never_lifted_and_spends_nothing(desk):
    ident = await desk.approved()
    desk.world.policies = [*desk.world.policies, policy("never", "false", action="block")]
    decision = await desk.decide(approval_id=ident)
    assert (decision.outcome, (await desk.get(ident)).status) == ("block", "approved")


async def test_a_flag_stays_a_flag(desk):
    desk.world.policies = [*desk.world.policies, policy("tone", "flag:rude", action="alert")]
    desk.world.evaluator = ScriptedEvaluator({"rude": "violated"})
    ident = await desk.approved()
    assert (await desk.decide(approval_id=ident)).outcome == "flag"


async def test_a_call_that_needs_no_approval_spends_none(desk):
    ident = await desk.approved()
    desk.world.policies = []
    decision = await desk.decide(approval_id=ident)
    assert (decision.outcome, (await desk.get(ident)).status) == ("allow", "approved")


async def test_a_dry_run_tells_and_spends_nothing(desk):
    ident = await desk.approved()
    decision = await desk.decide(approval_id=ident, dry_run=True)
    assert (decision.outcome, (await desk.get(ident)).status) == ("allow", "approved")


async def test_undecided_rules_of_the_request_are_covered_by_their_own_text_only(desk):
    ident = await desk.approved(policy_rules=["amount < 5"])
    other = await desk.decide(approval_id=ident, policy_rules=["amount < 6"])
    assert other.outcome == "review"
    assert (await desk.decide(approval_id=ident, policy_rules=["amount < 5"])).outcome == "allow"


async def test_attention_that_a_rule_asked_for_stays(desk):
    rule = {"type": "deterministic", "expr": "false", "attention": True}
    desk.world.policies = [*desk.world.policies, policy("watch", rule, action="log")]
    ident = await desk.approved()
    decision = await desk.decide(approval_id=ident)
    assert [(each.policy_id, each.type) for each in decision.obligations] == [("watch", "escalation")]


async def test_only_a_held_call_that_names_an_approval_needs_a_transaction(desk):
    held = await desk.decide()
    assert not asks_to_spend(read(CALL), held)
    assert asks_to_spend(read({**CALL, "approval_id": "a"}), held)
    approval = await desk.get(held.obligations[0].id)
    assert not asks_to_spend(read({**CALL, "approval_id": "a"}), lift(held, approval))


class Overtaken:
    """Approvals of which another caller spends one between reading and writing it."""

    def __init__(self, approvals) -> None:
        self._approvals = approvals

    async def get(self, ident):
        found = await self._approvals.get(ident)
        await self._approvals.save(replace(found, status="spent", revision=found.revision + 1))
        return found

    async def save(self, item):
        await self._approvals.save(item)


async def test_of_two_that_spend_at_once_one_wins(desk):
    ident = await desk.approved()
    asked = read({**CALL, "approval_id": ident})
    held = await desk.world.engine(ids=desk.ids, clock=desk.clock).decide(asked, caller())
    async with desk.store.begin(TENANT) as unit:
        unit.approvals = Overtaken(unit.approvals)
        decision = await spend(
            Acting(unit=unit, principal=caller(), clock=desk.clock, ids=desk.ids), asked, held
        )
    assert (decision.outcome, decision.reasons[-1]) == (
        "review", f"Approval {ident} was used by another call just now.",
    )  # fmt: skip
