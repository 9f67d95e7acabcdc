"""What a worker does with jobs: it runs them in turn, tries again, and writes nothing it no longer may."""

import asyncio
from collections import Counter

import pytest

from bylaw.core.clock import DAY_MS
from bylaw.core.errors import Conflict, NotFound, RateLimited, Unavailable
from bylaw.core.paging import Slice
from bylaw.jobs.forgetting import FORGET, ForgetJobs
from bylaw.jobs.lifecycle import cancelled, retried
from bylaw.jobs.model import MAX_BYTES, NewJob
from bylaw.jobs.running import Handler
from bylaw.jobs.schedule import recurring
from bylaw.jobs.store import JobFilter
from bylaw.jobs.worker import WorkerLimits
from tests.contracts.values import START, A, B
from tests.jobs.workers import LEASE_MS, enqueue, read, worker


async def test_a_job_is_done_and_its_result_kept(store, clock):
    async def mine(job):
        await job.progress(2, 2)
        return {"of": job.payload, "for": job.tenant_id, "attempt": job.attempt}

    (ident,) = await enqueue(store, NewJob(kind="mine", payload={"n": 1}))
    clock.advance(5)
    await worker(store, clock, mine=mine).run_until_idle()
    job = await read(store, ident)
    assert (job.status, job.result) == ("done", {"of": {"n": 1}, "for": A, "attempt": 1})
    assert (job.started_ms, job.ended_ms) == (START + 5, START + 5)
    assert (job.steps_done, job.steps_total, job.error) == (2, 2, "")
    assert job.worker == ""


async def test_a_failure_is_tried_again_later_and_later_and_then_given_up(store, clock):
    attempts = []

    async def mine(job):
        attempts.append((clock.now_ms() - START, job.attempt))
        raise Unavailable("The provider is away.")

    (ident,) = await enqueue(store, NewJob(kind="mine"))
    runs = worker(store, clock, mine=mine)
    for _ in range(5):
        await runs.run_until_idle()
        clock.advance(1_000)
    assert attempts == [(0, 1), (1_000, 2), (3_000, 3)]
    job = await read(store, ident)
    assert (job.status, job.error, job.attempt) == ("dead", "The provider is away.", 3)


async def test_chance_shortens_waits_by_half_at_most(store, clock):
    async def mine(_):
        raise Unavailable("no")

    (ident,) = await enqueue(store, NewJob(kind="mine"))
    runs = worker(store, clock, mine=mine, waits_ms=(1_000,), chance=1.0)
    await runs.run_until_idle()
    assert (await read(store, ident)).due_ms == START + 500


async def test_who_asks_for_a_pause_gets_it(store, clock):
    async def mine(_):
        raise RateLimited("slowly", retry_after_s=90)

    (ident,) = await enqueue(store, NewJob(kind="mine"))
    await worker(store, clock, mine=mine).run_until_idle()
    assert (await read(store, ident)).due_ms == START + 90_000


async def test_what_cannot_work_is_given_up_at_once(store, clock):
    async def mine(_):
        raise NotFound("conversation", "c1")

    (ident,) = await enqueue(store, NewJob(kind="mine"))
    await worker(store, clock, mine=mine).run_until_idle()
    job = await read(store, ident)
    assert (job.status, job.attempt, job.error) == ("dead", 1, "No conversation with id 'c1' here.")


async def test_words_of_other_libraries_are_not_shown(store, clock, caplog):
    async def mine(_):
        raise ValueError("password=hunter2")

    (ident,) = await enqueue(store, NewJob(kind="mine"))
    await worker(store, clock, mine=mine).run_until_idle()
    job = await read(store, ident)
    assert job.error == "ValueError in the handler; the worker's log tells more."
    assert "hunter2" in caplog.text
    assert "Traceback" in caplog.text


@pytest.mark.parametrize(
    "result", [{"x": "y" * MAX_BYTES}, {"x": object()}, [1]], ids=["large", "object", "list"]
)
async def test_a_result_that_cannot_be_kept_ends_the_job(store, clock, result):
    async def mine(_):
        return result

    (ident,) = await enqueue(store, NewJob(kind="mine"))
    await worker(store, clock, mine=mine).run_until_idle()
    assert (await read(store, ident)).status == "dead"


async def test_a_job_of_an_unknown_kind_waits_for_a_worker_that_knows_it(store, clock):
    (ident,) = await enqueue(store, NewJob(kind="new"))
    await worker(store, clock).run_until_idle()
    job = await read(store, ident)
    assert (job.status, job.error) == ("waiting", "This worker does not know jobs of the kind 'new'.")

    async def new(_):
        return {}

    clock.advance(10_000)
    await worker(store, clock, new=new).run_until_idle()
    assert (await read(store, ident)).status == "done"


async def test_a_step_that_is_done_is_not_done_again(store, clock):
    did = Counter()

    async def fetch():
        did["fetch"] += 1
        return {"pages": 3}

    async def write(unit):
        did["write"] += 1
        await unit.jobs.enqueue(NewJob(kind="other"))
        return {"written": True}

    async def mine(job):
        fetched = await job.step("fetch", fetch)
        assert await job.step("fetch", fetch) == fetched
        written = await job.commit("write", write)
        if job.attempt == 1:
            raise Unavailable("at the worst moment")
        return {**fetched, **written}

    async def other(_):
        did["other"] += 1

    (ident,) = await enqueue(store, NewJob(kind="mine"))
    runs = worker(store, clock, mine=mine, other=other)
    await runs.run_until_idle()
    clock.advance(1_000)
    await runs.run_until_idle()
    assert (await read(store, ident)).result == {"pages": 3, "written": True}
    assert did == {"fetch": 1, "write": 1, "other": 1}


async def test_what_fails_while_it_commits_has_not_happened(store, clock):
    async def write(unit):
        await unit.jobs.enqueue(NewJob(kind="other"))
        return {"too": "y" * MAX_BYTES}

    async def mine(job):
        await job.commit("write", write)

    (ident,) = await enqueue(store, NewJob(kind="mine"))
    await worker(store, clock, mine=mine).run_until_idle()
    assert (await read(store, ident)).status == "dead"
    async with store.begin(A, writes=False) as unit:
        assert (await unit.jobs.list(JobFilter(), Slice(total=True))).total == 1


async def test_a_worker_whose_lease_ran_out_can_write_nothing(store, clock):
    reached, go_on = asyncio.Event(), asyncio.Event()
    refused = []

    async def paused(job):
        reached.set()
        await go_on.wait()
        for attempt in (
            lambda: job.progress(1, 1),
            lambda: job.commit("write", lambda unit: unit.jobs.enqueue(NewJob(kind="other"))),
            lambda: job.step("late", answer),
        ):
            with pytest.raises(Conflict) as told:
                await attempt()
            refused.append(told.value.reason)
        return {"by": "the paused one"}

    async def answer():
        return {}

    async def successor(job):
        return {"by": "its successor", "attempt": job.attempt}

    (ident,) = await enqueue(store, NewJob(kind="mine"))
    first = asyncio.create_task(worker(store, clock, name="w1", mine=paused).run_until_idle())
    await reached.wait()
    clock.advance(LEASE_MS + 1)
    await worker(store, clock, name="w2", mine=successor).run_until_idle()
    go_on.set()
    await first
    job = await read(store, ident)
    assert job.result == {"by": "its successor", "attempt": 2}
    assert refused == ["not_held"] * 3
    async with store.begin(A, writes=False) as unit:
        assert (await unit.jobs.list(JobFilter(), Slice(total=True))).total == 1
        assert await unit.jobs.steps(ident) == []


async def test_a_worker_goes_on_with_what_it_holds_when_the_clock_jumps(store, clock):
    reached, go_on = asyncio.Event(), asyncio.Event()
    attempts = []

    async def mine(job):
        attempts.append(job.attempt)
        reached.set()
        await go_on.wait()

    async def other(_):
        go_on.set()

    (ident,) = await enqueue(store, NewJob(kind="mine"))
    runs = worker(store, clock, mine=mine, other=other)
    running = asyncio.create_task(runs.run())
    await reached.wait()
    clock.advance(100 * LEASE_MS)
    await enqueue(store, NewJob(kind="other"))
    runs.wake()
    await go_on.wait()
    runs.stop()
    await running
    assert attempts == [1]
    assert (await read(store, ident)).status == "done"


@pytest.mark.parametrize("word", ["nul \0", "half \ud800"])
async def test_a_failure_that_no_store_can_hold_ends_its_job_all_the_same(store, clock, word):
    async def mine(_):
        raise NotFound("conversation", word)

    async def well(_):
        return {}

    bad, good = await enqueue(store, NewJob(kind="mine"), NewJob(kind="well"))
    await worker(store, clock, mine=mine, well=well).run_until_idle()
    assert (await read(store, bad)).status == "dead"
    assert (await read(store, good)).status == "done"


async def test_a_job_that_kills_its_workers_is_given_up(store, clock):
    (ident,) = await enqueue(store, NewJob(kind="mine"))
    for _ in range(3):
        async with store.system() as system:
            due = [
                *await system.backlog.due([A], now_ms=clock.now_ms(), each=1),
                *await system.backlog.lapsed(now_ms=clock.now_ms(), limit=1),
            ]
            await system.backlog.claim(due, worker="dies", now_ms=clock.now_ms(), until_ms=clock.now_ms())
        clock.advance(1)

    async def mine(_):
        pytest.fail("it was to be given up")

    await worker(store, clock, mine=mine).run_until_idle()
    job = await read(store, ident)
    assert (job.status, job.error) == ("dead", "Each of its workers died before it was done.")


async def test_what_is_asked_for_while_it_runs_is_done_once_more(store, clock):
    one = NewJob(kind="mine", dedupe="k")
    steps = []

    async def look():
        steps.append("look")
        return {}

    async def mine(job):
        await job.step("look", look)
        if len(steps) == 1:
            assert await enqueue(store, one, one) == [job.id, job.id]
        return {"times": len(steps)}

    (ident,) = await enqueue(store, one)
    await worker(store, clock, mine=mine).run_until_idle()
    job = await read(store, ident)
    assert (job.status, job.result, job.again) == ("done", {"times": 2}, False)


async def test_a_cancelled_job_stops_and_stays_cancelled(store, clock):
    reached, ended = asyncio.Event(), asyncio.Event()

    async def mine(_):
        reached.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    (ident,) = await enqueue(store, NewJob(kind="mine"))
    limits = WorkerLimits(lease_ms=30)
    running = asyncio.create_task(worker(store, clock, limits=limits, mine=mine).run_until_idle())
    await reached.wait()
    async with store.begin(A) as unit:
        job = await unit.jobs.get(ident)
        await unit.jobs.save(cancelled(job, now_ms=clock.now_ms()))
    await ended.wait()
    await running
    assert (await read(store, ident)).status == "cancelled"


async def test_who_stops_gives_back_what_it_holds(store, clock):
    reached = asyncio.Event()

    async def mine(_):
        reached.set()
        await asyncio.Event().wait()

    (ident,) = await enqueue(store, NewJob(kind="mine"))
    first = worker(store, clock, limits=WorkerLimits(grace_s=0), mine=mine)
    running = asyncio.create_task(first.run())
    await reached.wait()
    first.stop()
    await running
    job = await read(store, ident)
    assert (job.status, job.attempt, job.due_ms) == ("waiting", 0, START)


async def test_a_dead_job_is_retried_with_all_its_attempts_and_what_it_has_done(store, clock):
    did = Counter()
    broken = True

    async def fetch():
        did["fetch"] += 1
        return {}

    async def mine(job):
        await job.step("fetch", fetch)
        if broken:
            raise NotFound("conversation", "c1")

    (ident,) = await enqueue(store, NewJob(kind="mine"))
    runs = worker(store, clock, mine=mine)
    await runs.run_until_idle()
    async with store.begin(A) as unit:
        job = await unit.jobs.get(ident)
        assert job.status == "dead"
        await unit.jobs.save(retried(job, now_ms=clock.now_ms()))
    broken = False
    await runs.run_until_idle()
    assert (await read(store, ident)).status == "done"
    assert did == {"fetch": 1}


async def test_many_jobs_of_one_tenant_do_not_hold_up_another(store, clock):
    order = []

    async def mine(job):
        order.append(job.tenant_id)

    await enqueue(store, *[NewJob(kind="mine", priority=1)] * 40)
    await enqueue(store, *[NewJob(kind="mine", priority=-1)] * 4, tenant_id=B)
    await worker(store, clock, limits=WorkerLimits(slots=2), mine=mine).run_until_idle()
    assert Counter(order) == {A: 40, B: 4}
    assert Counter(order[:8]) == {A: 4, B: 4}


async def test_with_one_slot_tenants_take_turns(store, clock):
    order = []

    async def mine(job):
        order.append(job.tenant_id)

    await enqueue(store, *[NewJob(kind="mine")] * 3)
    await enqueue(store, *[NewJob(kind="mine")] * 3, tenant_id=B)
    await worker(store, clock, limits=WorkerLimits(slots=1), mine=mine).run_until_idle()
    assert order == [A, B, A, B, A, B]


async def test_what_recurs_is_enqueued_once_however_often_it_was_missed(store, clock):
    did = []

    async def mine(job):
        did.append(job.payload)

    hourly = recurring(A, "hourly", kind="mine", cron="0 * * * *", payload={"n": 1}, now_ms=START)
    async with store.begin(A) as unit:
        await unit.jobs.put_schedule(hourly)
    runs = worker(store, clock, mine=mine)
    await runs.run_until_idle()
    assert did == []
    clock.advance(5 * 3_600_000 + 7)
    await runs.run_until_idle()
    await runs.run_until_idle()
    assert did == [{"n": 1}]
    async with store.begin(A, writes=False) as unit:
        (left,) = await unit.jobs.schedules()
    assert left.next_ms == START + 6 * 3_600_000


async def test_two_workers_enqueue_what_recurs_once(store, clock):
    did = []

    async def mine(job):
        did.append(job.id)

    hourly = recurring(A, "hourly", kind="mine", cron="0 * * * *", payload={}, now_ms=START)
    async with store.begin(A) as unit:
        await unit.jobs.put_schedule(hourly)
    runs = [worker(store, clock, name=f"w{n}", mine=mine) for n in range(4)]
    for _ in range(3):
        clock.advance(3_600_000)
        await asyncio.gather(*(each.run_until_idle() for each in runs))
    assert len(did) == len(set(did)) == 3


async def test_workers_that_race_do_each_job_once(store, clock):
    did = Counter()

    async def mine(job):
        did[job.payload["n"]] += 1
        await asyncio.sleep(0)

    await enqueue(store, *[NewJob(kind="mine", payload={"n": n}) for n in range(60)])
    runs = [worker(store, clock, name=f"w{n}", limits=WorkerLimits(slots=5), mine=mine) for n in range(4)]
    await asyncio.gather(*(each.run_until_idle() for each in runs))
    assert did == dict.fromkeys(range(60), 1)


async def test_racing_callers_enqueue_one_job_of_a_key(store, clock):
    one = NewJob(kind="mine", dedupe="k")

    async def ask():
        return (await enqueue(store, one))[0]

    did = []

    async def mine(job):
        did.append(job.id)

    asked = await asyncio.gather(*(ask() for _ in range(8)))
    assert len(set(asked)) == 1
    runs = asyncio.create_task(worker(store, clock, mine=mine).run_until_idle())
    later = await asyncio.gather(*(ask() for _ in range(8)))
    await runs
    await worker(store, clock, mine=mine).run_until_idle()
    async with store.begin(A, writes=False) as unit:
        page = await unit.jobs.list(JobFilter(), Slice(limit=100))
    assert {job.status for job in page.items} == {"done"}
    assert {*asked, *later} == {job.id for job in page.items}


async def test_what_ended_long_ago_is_forgotten_every_night(store, clock):
    async def mine(job):
        if job.payload["n"]:
            raise NotFound("thing", "x")

    forget = Handler(
        handle=ForgetJobs(clock=clock, keep_ms=DAY_MS, keep_dead_ms=2 * DAY_MS), cron="0 3 * * *"
    )
    done, dead = await enqueue(store, *[NewJob(kind="mine", payload={"n": n}) for n in range(2)])
    runs = worker(store, clock, mine=mine, more={FORGET: forget})
    await runs.run_until_idle()
    left = []
    for _ in range(3):
        clock.advance(DAY_MS)
        await runs.run_until_idle()
        left.append([ident for ident in (done, dead) if await read(store, ident) is not None])
    assert left == [[done, dead], [dead], []]
    async with store.begin(B, writes=False) as unit:
        (theirs,) = (await unit.jobs.list(JobFilter(kind=FORGET), Slice(limit=1))).items
    assert (theirs.status, theirs.result, theirs.priority) == ("done", {"over": 1, "dead": 0}, -1)


async def test_a_clock_that_was_years_ahead_leaves_nothing_that_waits_for_years(store, clock):
    done = []

    async def mine(job):
        done.append(job.attempt)

    recurs = {"recurs": Handler(handle=mine, cron="0 3 * * *")}
    clock.advance(3_650 * DAY_MS)
    await enqueue(store, NewJob(kind="mine", at_ms=START))
    async with store.system() as system:
        due = await system.backlog.due([A], now_ms=clock.now_ms(), each=1)
        until_ms = clock.now_ms() + LEASE_MS
        await system.backlog.claim(due, worker="dead", now_ms=clock.now_ms(), until_ms=until_ms)
    await worker(store, clock, more=recurs).run_until_idle()
    clock.advance(-3_650 * DAY_MS)
    await worker(store, clock, mine=mine, more=recurs).run_until_idle()
    assert done == [2]
    clock.advance(DAY_MS)
    await worker(store, clock, more=recurs).run_until_idle()
    assert done == [2, 1, 1]


async def test_a_tenant_whose_jobs_never_end_leaves_room_for_everybody_else(store, clock):
    held, full, release = [], asyncio.Event(), asyncio.Event()

    async def stalls(job):
        held.append(job.tenant_id)
        if len(held) == 4:
            full.set()
        await release.wait()

    did = asyncio.Event()

    async def quick(_):
        did.set()

    await enqueue(store, *[NewJob(kind="stalls")] * 50)
    runs = worker(store, clock, limits=WorkerLimits(slots=8, poll_s=60), stalls=stalls, quick=quick)
    running = asyncio.create_task(runs.run())
    await full.wait()
    await enqueue(store, NewJob(kind="quick"), tenant_id=B)
    runs.wake()
    await did.wait()
    assert held == [A] * 4
    release.set()
    runs.stop()
    await running


async def test_a_lane_that_never_ends_leaves_room_in_its_tenant(store, clock):
    held, release, did = [], asyncio.Event(), []

    async def delivers(job):
        if job.job.lane == "stalls":
            held.append(job.id)
            await release.wait()
        did.append(job.job.lane)
        if len(did) == 3:
            release.set()

    await enqueue(store, *[NewJob(kind="delivers", lane="stalls", priority=1)] * 9)
    await enqueue(store, *[NewJob(kind="delivers", lane=lane) for lane in ("", "well", "well")])
    runs = worker(store, clock, limits=WorkerLimits(slots=16, lane=2), delivers=delivers)
    await runs.run_until_idle()
    assert (sorted(did[:3]), len(held), len(did)) == (["", "well", "well"], 9, 12)


async def test_jobs_of_a_dead_worker_wait_for_their_turn(store, clock):
    order = []

    async def mine(job):
        order.append((job.tenant_id, job.attempt))

    await enqueue(store, *[NewJob(kind="mine")] * 6)
    async with store.system() as system:
        due = await system.backlog.due([A], now_ms=clock.now_ms(), each=6)
        await system.backlog.claim(due, worker="dead", now_ms=clock.now_ms(), until_ms=clock.now_ms())
    clock.advance(1)
    await enqueue(store, NewJob(kind="mine"), tenant_id=B)
    await worker(store, clock, limits=WorkerLimits(slots=2), mine=mine).run_until_idle()
    assert Counter(order) == {(A, 2): 6, (B, 1): 1}
    assert (B, 1) in order[:3]
