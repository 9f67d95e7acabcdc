"""Conversations forgotten, and with them what was learnt from them, on every store."""

import json
from dataclasses import replace

import msgspec
import pytest

from bylaw.core.clock import DAY_MS
from bylaw.core.errors import Forbidden, NotFound
from bylaw.learning.forgetting import expire, forget_conversation
from tests.contracts.values import START, A, place
from tests.learning.loop import ALL, CORRECTED
from tests.learning.talk import refusal, talk

MONTH = 30 * DAY_MS


async def forget(loop, conversation, *scopes, where=None):
    async with loop.store.begin(A) as unit:
        await forget_conversation(loop.acting(unit, *scopes, where=where), conversation.id)


async def stored(loop, conversation):
    async with loop.store.begin(A, writes=False) as unit:
        return await unit.conversations.get(conversation.id)


async def entries(loop):
    async with loop.store.system(writes=False) as system:
        queued = await system.queue.pending(100)
    return [each.payload for each in queued if each.payload.get("noun") == "conversation"]


def begun(loop):
    return lambda *, writes=True: loop.store.begin(A, writes=writes)


async def last_run(loop):
    async with loop.store.begin(A, writes=False) as unit:
        return (await unit.learning.runs.list((place("w"),), ALL)).items[0]


def told(value) -> str:
    return json.dumps(msgspec.to_builtins(value))


async def test_nothing_of_a_forgotten_conversation_is_left(loop):
    said = talk(*CORRECTED, contact_name="Ada", contact_email="ada@example.org", outcome="Kept.")
    await loop.hold(said)
    await forget(loop, said)
    left = await stored(loop, said)
    assert (left.messages, left.contact_name, left.contact_email, left.outcome) == ((), "", "", None)
    assert (left.place, left.forgotten_ms) == (place("w"), START)
    assert (await loop.learn()).read == 0


async def test_to_forget_twice_changes_nothing_and_is_told_once(loop):
    said = talk(*CORRECTED)
    await loop.hold(said)
    await forget(loop, said)
    first = await stored(loop, said)
    await forget(loop, said)
    assert await stored(loop, said) == first
    ((author, change, fields, ident),) = [
        (each["author"], each["change"], each["fields"], each["id"]) for each in await entries(loop)
    ]
    assert (author, change, fields, ident) == ("system:bylaw", "deleted", [], said.id)


async def test_a_proposal_that_rests_on_nothing_else_is_withdrawn_without_its_words(loop):
    said = talk(*CORRECTED)
    await loop.hold(said)
    await loop.learn()
    await forget(loop, said)
    (current,) = await loop.policies()
    policy = current.policy
    assert (policy.status, policy.source.evidence) == ("rejected", ("[forgotten]",))
    assert policy.decided_reason == "Withdrawn: the conversations on which it rests were forgotten."
    run = await last_run(loop)
    assert [each.text for each in run.report.findings[0].draft.quotes] == ["[forgotten]"]
    assert run.report.findings[0].draft.examples == ()
    assert "never refund before the return" not in told(run).replace(current.version.content.name, "")


async def test_what_was_withdrawn_may_be_proposed_again(loop):
    said = talk(*CORRECTED)
    await loop.hold(said)
    await loop.learn()
    await forget(loop, said)
    await loop.hold(talk(*CORRECTED))
    assert [each.held_back for each in (await loop.learn()).findings] == [None]


async def test_a_proposal_that_others_show_too_goes_on_waiting(loop):
    first, second, third = refusal(0), refusal(1), refusal(2)
    await loop.hold(first, second, third)
    await loop.learn()
    await forget(loop, first)
    (current,) = await loop.policies()
    assert current.policy.status == "pending_review"
    said = "I'm sorry, but basic economy tickets cannot be modified."
    assert current.policy.source.evidence == ("[forgotten]", said, said)
    await forget(loop, second)
    await forget(loop, third)
    (current,) = await loop.policies()
    assert (current.policy.status, set(current.policy.source.evidence)) == ("rejected", {"[forgotten]"})


async def test_an_approved_policy_stays_in_force_and_its_evidence_goes(loop):
    said = talk(*CORRECTED)
    await loop.hold(said)
    await loop.learn()
    before = await loop.decide("approve")
    await forget(loop, said)
    (after,) = await loop.policies()
    assert (after.policy.is_in_force, after.version) == (True, before.version)
    assert after.policy.source.evidence == ("[forgotten]",)


async def test_a_finding_that_nobody_proposed_is_forgotten_whole(loop):
    said = talk("contact: Money?", "human: We never tell Peter's secret recipe to anybody.")
    await loop.hold(said)
    await loop.learn(dry_run=True)
    await forget(loop, said)
    (finding,) = (await last_run(loop)).report.findings
    assert (finding.held_back, finding.draft.text, finding.draft.quotes) == ("forgotten", "[forgotten]", ())
    assert "recipe" not in told(await last_run(loop))


async def test_what_is_forgotten_while_a_run_reads_it_is_not_proposed(loop):
    said = talk(*CORRECTED)
    await loop.hold(said)
    run = await loop.start()
    opened = []

    def begin(*, writes=True):
        opened.append(writes)
        return loop.store.begin(A, writes=writes)

    class Meanwhile:
        """The transaction after which the conversation is gone."""

        def __init__(self):
            self.inner = loop.store.begin(A, writes=False)

        async def __aenter__(self):
            return await self.inner.__aenter__()

        async def __aexit__(self, *error):
            await self.inner.__aexit__(*error)
            await forget(loop, said)

    def racing(*, writes=True):
        if not writes and False not in opened:
            opened.append(False)
            return Meanwhile()
        return begin(writes=writes)

    (finding,) = (await loop.carry_out(run, begin=racing)).report.findings
    assert (finding.held_back, finding.draft.text, finding.policy_id) == ("forgotten", "[forgotten]", None)
    assert await loop.policies() == ()


async def test_who_may_not_write_there_forgets_nothing(loop):
    said, alone = talk(*CORRECTED), talk(*CORRECTED, owner="user:ada")
    await loop.hold(said, alone)
    with pytest.raises(Forbidden):
        await forget(loop, said, "conversations:read")
    with pytest.raises(NotFound):
        await forget(loop, said, "conversations:read", "conversations:write", where=place("v"))
    with pytest.raises(NotFound):
        await forget(loop, alone)
    assert (await stored(loop, said)).messages == said.messages


async def test_what_is_over_is_forgotten_when_its_time_is_and_nowhere_else(loop, clock):
    old = [talk(*CORRECTED, created_ms=START - n) for n in range(1, 25)]
    open_one = talk(*CORRECTED, status="in_progress", created_ms=START - 1)
    alone = talk(*CORRECTED, owner="user:ada", created_ms=START - 1)
    young = talk(*CORRECTED, created_ms=START + MONTH)
    elsewhere = talk(*CORRECTED, created_ms=START - 1)
    await loop.hold(*old, open_one, alone, young)
    await loop.hold(elsewhere, workspace_id="v")
    options = {"clock": clock, "ids": loop.ids}
    clock.advance(MONTH)
    assert await expire(begun(loop), A, **options) == 0
    await loop.choose(keep_days=30)
    assert await expire(begun(loop), A, **options) == len(old)
    assert await expire(begun(loop), A, **options) == 0
    kept = [each for each in (open_one, alone, young, elsewhere) if (await stored(loop, each)).messages]
    assert len(kept) == 4
    assert (await entries(loop))[0]["fields"] == [{"name": "keep_days", "now": "30", "was": ""}]


async def test_withdrawing_needs_no_second_person(loop):
    async with loop.store.begin(A) as unit:
        shop = await unit.tenancy.workspaces.get("w")
        strict = replace(shop, separate_approvers=True, revision=shop.revision + 1)
        await unit.tenancy.workspaces.save(strict)
    said = talk(*CORRECTED)
    await loop.hold(said)
    await loop.learn()
    await forget(loop, said, "conversations:read", "conversations:write")
    assert (await loop.policies())[0].policy.status == "rejected"
