"""Runs of the learning loop, on every store: what they propose, hold back, and never look at."""

from dataclasses import replace

import pytest

from bylaw.core.errors import Forbidden, InvalidInput, NotFound, PreconditionFailed
from bylaw.core.ids import WorkspaceId
from bylaw.jobs.lifecycle import cancelled
from bylaw.jobs.running import Running
from bylaw.jobs.store import JobFilter
from bylaw.learning import choosing, runs, standing
from bylaw.learning.job import mining
from bylaw.learning.mining.miner import OfflineMiner
from bylaw.learning.report import Choices
from bylaw.policies.editing import NewPolicy, create_policy
from tests.contracts.values import START, A, place
from tests.learning.loop import ALL, CORRECTED, W
from tests.learning.talk import EMBEDDER, refusal, talk

DAY_MS = 86_400_000


def outcomes(report):
    return [each.held_back or "proposed" for each in report.findings]


async def test_a_proposal_waits_for_review_with_its_evidence(loop):
    said = talk(*CORRECTED)
    await loop.hold(said)
    report = await loop.learn()
    (current,) = await loop.policies()
    policy, content = current.policy, current.version.content
    assert (policy.status, policy.is_in_force, policy.place) == ("pending_review", False, place("w"))
    source = policy.source
    assert (source.type, source.conversation_id, source.confidence) == ("learning_loop", said.id, 0.5)
    assert source.evidence == ("No, we never refund before the return arrives.",)
    assert "A person who took over" in source.rationale
    assert content.rules[0].text == "Do not refund before the return arrives."
    assert [(each.expect, each.request["agent_output"]) for each in content.examples] == [
        ("violate", "I refunded it.")
    ]
    assert report.findings[0].policy_id == policy.id
    assert (report.miner, report.embedder, report.read) == ("offline", EMBEDDER.id, 1)


async def test_a_run_that_is_carried_out_again_proposes_nothing_more(loop):
    await loop.hold(talk(*CORRECTED))
    run = await loop.start()
    assert await loop.carry_out(run) is not None
    assert await loop.carry_out(run) is None
    assert outcomes(await loop.learn()) == ["duplicate"]
    assert len(await loop.policies()) == 1


class Killed(BaseException):
    """The end of a process."""


async def test_a_run_that_dies_at_its_end_has_proposed_nothing(loop):
    await loop.hold(talk(*CORRECTED))
    run = await loop.start()

    class Dying:
        def __init__(self, writes):
            self.unit, self.writes = loop.store.begin(A, writes=writes), writes

        async def __aenter__(self):
            return await self.unit.__aenter__()

        async def __aexit__(self, *error):
            if self.writes:
                await self.unit.__aexit__(Killed, Killed(), None)
                raise Killed
            return await self.unit.__aexit__(*error)

    with pytest.raises(Killed):
        await loop.carry_out(run, begin=lambda *, writes=True: Dying(writes))
    assert await loop.policies() == ()
    assert outcomes((await loop.carry_out(run)).report) == ["proposed"]
    assert len(await loop.policies()) == 1


async def test_a_dry_run_says_what_it_would_propose(loop):
    await loop.hold(talk(*CORRECTED))
    report = await loop.learn(dry_run=True)
    assert outcomes(report) == ["proposed"]
    assert report.findings[0].policy_id is None
    assert await loop.policies() == ()


async def test_a_rejected_proposal_and_its_reason_suppress_what_says_the_same(loop, clock):
    await loop.hold(talk(*CORRECTED))
    await loop.learn()
    rejected = await loop.decide("reject", reason="Finance decides that.")
    (finding,) = (await loop.learn()).findings
    assert (finding.held_back, finding.because_of) == ("rejected_before", rejected.policy.id)
    assert "Finance decides that." in finding.notes[0]
    clock.advance(181 * DAY_MS)
    assert outcomes(await loop.learn()) == ["proposed"]


async def test_an_approved_proposal_is_in_force_and_brings_its_examples(loop):
    await loop.hold(refusal(0), refusal(1))
    await loop.learn()
    await loop.decide("approve")
    (current,) = await loop.policies()
    assert current.policy.is_in_force
    assert [each.request["user_intent"] for each in current.version.content.examples] == [
        "Change my ticket.",
        "I want another flight.",
    ]
    assert outcomes(await loop.learn()) == ["duplicate"]


async def test_a_policy_in_force_that_says_otherwise_is_named(loop):
    async with loop.store.begin(A) as unit:
        content = {"name": "n", "rules": [{"text": "Basic economy tickets cannot be modified."}]}
        made = await create_policy(loop.acting(unit), NewPolicy(content=content, place=place("w")))
    await loop.hold(talk("human: Basic economy tickets can always be modified."))
    (finding,) = (await loop.learn()).findings
    assert finding.held_back is None
    assert any(made.policy.id in note and "otherwise" in note for note in finding.notes)
    assert "It would widen what is allowed." in finding.notes


async def test_what_is_not_sure_enough_is_held_back(loop):
    await loop.choose(minimum_confidence=0.9)
    await loop.hold(talk(*CORRECTED))
    assert outcomes(await loop.learn()) == ["weak"]


async def test_one_conversation_bears_no_more_proposals_than_chosen(loop):
    await loop.choose(minimum_confidence=0.3, most_per_conversation=2)
    rules = (
        "We never refund before returns arrive.",
        "Always ask for the invoice first.",
        "You must greet in French.",
    )
    await loop.hold(talk(*(f"human: {rule}" for rule in rules)))
    assert sorted(outcomes(await loop.learn())) == ["proposed", "proposed", "too_many"]


async def test_a_run_proposes_no_more_than_people_read_and_the_next_one_goes_on(loop, monkeypatch):
    monkeypatch.setattr(standing, "MOST_PROPOSED", 1)
    await loop.hold(talk(*CORRECTED), talk("human: Always ask for the invoice first."))
    assert outcomes(await loop.learn()) == ["proposed", "too_many"]
    assert sorted(outcomes(await loop.learn())) == ["duplicate", "proposed"]
    assert sorted(outcomes(await loop.learn())) == ["duplicate", "duplicate"]


async def test_what_is_somebodys_alone_or_not_over_or_elsewhere_is_never_read(loop):
    await loop.hold(
        talk(*CORRECTED, owner="user:ada"),
        talk(*CORRECTED, status="open"),
        talk(*CORRECTED, status="abandoned"),
        talk(*CORRECTED, deleted_ms=START),
    )
    await loop.hold(talk(*CORRECTED), workspace_id="v")
    report = await loop.learn()
    assert (report.read, report.findings) == (0, ())
    assert await loop.policies() == ()


async def test_a_run_reads_as_much_as_it_has_room_for_and_the_newest_first(loop, monkeypatch):
    monkeypatch.setattr(runs, "MOST_SIZE", 1_000)
    for number in range(30):
        await loop.hold(talk("agent: Hello.", "human: " + "word " * 40, created_ms=START + number))
    assert (await loop.learn()).read == 4


async def test_resolving_learns_from_that_conversation_among_the_others(loop):
    open_one = replace(refusal(2), status="open", place=place("w"))
    other = talk("human: Always ask for the invoice first.")
    await loop.hold(refusal(0), open_one, other)
    async with loop.store.begin(A) as unit:
        await runs.resolve(loop.acting(unit), open_one.id, outcome="")
        (run,) = (await unit.learning.runs.list((place("w"),), ALL)).items
    assert (run.cause, run.conversation_id, run.status) == ("resolved", open_one.id, "waiting")
    report = (await loop.carry_out(run)).report
    assert report.read == 3
    (finding,) = report.findings
    assert finding.draft.supports[0] == open_one.id
    assert (await loop.policies())[0].policy.source.conversation_id == open_one.id


async def test_a_run_that_waits_is_the_one_for_whatever_comes_meanwhile(loop):
    first = await loop.start()
    assert (await loop.start()).id == first.id
    dry = await loop.start(dry_run=True)
    assert (await loop.start(dry_run=True)).id == dry.id != first.id
    assert (await loop.start(workspace_id=WorkspaceId("v"))).id not in {first.id, dry.id}
    await loop.carry_out(first)
    assert (await loop.start()).id != first.id


async def test_what_waits_for_one_conversation_reads_all_when_another_is_resolved(loop):
    talks = [replace(talk(*CORRECTED), status="open", place=place("w")) for _ in range(2)]
    await loop.hold(*talks)
    async with loop.store.begin(A) as unit:
        for each in talks:
            await runs.resolve(loop.acting(unit), each.id, outcome="")
        (run,) = (await unit.learning.runs.list((place("w"),), ALL)).items
    assert (run.cause, run.conversation_id) == ("resolved", None)
    assert (await loop.carry_out(run)).report.findings[0].draft.supports == tuple(each.id for each in talks)


async def test_a_run_that_goes_on_is_joined_by_nothing(loop):
    first = await loop.start()
    async with loop.store.begin(A) as unit:
        await unit.learning.runs.save(replace(first, status="running", revision=2))
    second = await loop.start()
    assert second.id != first.id
    assert (await loop.start()).id == second.id


async def test_what_a_job_gave_up_is_failed_and_holds_up_nobody(loop):
    given_up = await loop.start()
    async with loop.store.begin(A) as unit:
        (job,) = (await unit.jobs.list(JobFilter(), ALL)).items
        await unit.jobs.save(cancelled(job, now_ms=START))
    async with loop.store.begin(A, writes=False) as unit:
        assert (await runs.read_run(loop.acting(unit), given_up.id)).status == "failed"
        assert [each.status for each in (await runs.list_runs(loop.acting(unit), ALL)).items] == ["failed"]
    run = await loop.start()
    async with loop.store.begin(A) as unit:
        assert (await unit.learning.runs.get(given_up.id)).status == "failed"
        assert [each.id for each in await unit.learning.runs.unfinished(place("w"))] == [run.id]
    assert await loop.carry_out(given_up) is None


async def test_a_job_of_an_older_version_names_its_run_and_carries_it_out(loop):
    await loop.hold(talk(*CORRECTED))
    run = await loop.start()
    async with loop.store.begin(A) as unit:
        (job,) = (await unit.jobs.list(JobFilter(), ALL)).items
        changed = {"payload": {"run_id": run.id}, "dedupe": run.id, "status": "running"}
        older = replace(job, revision=job.revision + 1, **changed)
        await unit.jobs.save(older)
    handler = mining(lambda _: OfflineMiner(embedder=EMBEDDER), clock=loop.clock, ids=loop.ids)
    held = Running(older, loop.store, steps={}, clock=loop.clock, lease_ms=30_000)
    assert await handler.handle(held) == {"run_id": run.id, "read": 1, "proposed": 1}
    assert [each.policy.status for each in await loop.policies()] == ["pending_review"]


async def test_nobody_learns_where_it_is_switched_off(loop):
    await loop.choose(enabled=False)
    said = replace(talk(*CORRECTED), status="open", place=place("w"))
    await loop.hold(said)
    async with loop.store.begin(A) as unit:
        await runs.resolve(loop.acting(unit), said.id, outcome="")
        assert (await unit.learning.runs.list((place("w"),), ALL)).items == ()


async def test_runs_are_seen_and_started_where_one_may(loop):
    await loop.hold(talk(*CORRECTED))
    run = await loop.start()
    async with loop.store.begin(A) as unit:
        reader = loop.acting(unit, "conversations:read")
        assert (await runs.read_run(reader, run.id)).id == run.id
        assert [each.id for each in (await runs.list_runs(reader, ALL, workspace_id=W)).items] == [run.id]
        with pytest.raises(Forbidden):
            await runs.start_run(reader, W)
        neighbour = loop.acting(unit, "conversations:read", "policy:write", where=place("v"))
        assert (await runs.list_runs(neighbour, ALL)).items == ()
        with pytest.raises(NotFound):
            await runs.read_run(neighbour, run.id)
        with pytest.raises((NotFound, Forbidden)):
            await runs.start_run(neighbour, W)


async def test_choices_are_checked_and_kept_by_revision(loop):
    async with loop.store.begin(A) as unit:
        acting = loop.acting(unit)
        assert (await choosing.read_settings(acting, WorkspaceId("v"))).choices == Choices()
        for wrong in ({"similarity": 1.2}, {"most_per_conversation": 0}, {"suppress_days": -1}):
            with pytest.raises(InvalidInput):
                await choosing.choose(acting, W, Choices(**wrong), revision=None)
        with pytest.raises(PreconditionFailed):
            await choosing.choose(acting, W, Choices(), revision=7)
        with pytest.raises(Forbidden):
            await choosing.choose(loop.acting(unit, "conversations:read"), W, Choices(), revision=None)
