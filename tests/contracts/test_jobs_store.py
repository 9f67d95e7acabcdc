"""What every store of jobs does: one live job of a key, fences, fair order, and what recurs."""

from dataclasses import replace

import pytest

from bylaw.core.errors import Conflict, InvalidInput, PreconditionFailed, TooLarge
from bylaw.core.paging import Slice
from bylaw.jobs.model import MAX_BYTES, Job, JobId, NewJob, Step
from bylaw.jobs.store import JobFilter, Load
from tests.contracts.values import START, A, B, schedule

ALL = Slice(limit=100, total=True)
MINUTE = 60_000


async def enqueue(store, *new, tenant_id=A):
    async with store.begin(tenant_id) as unit:
        return [await unit.jobs.enqueue(each) for each in new]


async def read(store, ident, tenant_id=A) -> Job:
    async with store.begin(tenant_id, writes=False) as unit:
        return await unit.jobs.get(ident)


async def claim(store, *, now_ms=START, each=10, worker="w1", lease_ms=MINUTE, after=None):
    async with store.system() as system:
        tenants = await system.backlog.tenants(now_ms=now_ms, after=after, limit=100)
        due = await system.backlog.due(tenants, now_ms=now_ms, each=each)
        return await system.backlog.claim(due, worker=worker, now_ms=now_ms, until_ms=now_ms + lease_ms)


async def test_a_job_is_kept_as_it_was_asked_for(store):
    new = NewJob(kind="mine", payload={"a": [1, {"b": None}]}, at_ms=START + 5, priority=1, dedupe="k")
    (ident,) = await enqueue(store, new)
    job = await read(store, ident)
    assert job == Job(
        id=ident,
        tenant_id=A,
        kind="mine",
        payload={"a": [1, {"b": None}]},
        dedupe="k",
        priority=1,
        due_ms=START + 5,
        created_ms=START,
    )


async def test_a_job_is_lost_with_the_transaction_that_asked_for_it(store):
    async def fail():
        async with store.begin(A) as unit:
            await unit.jobs.enqueue(NewJob(kind="mine"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await fail()
    async with store.begin(A, writes=False) as unit:
        assert (await unit.jobs.list(JobFilter(), ALL)).total == 0


@pytest.mark.parametrize(
    ("new", "error"),
    [
        (NewJob(kind="Not a kind"), InvalidInput),
        (NewJob(kind=""), InvalidInput),
        (NewJob(kind="mine", priority=2), InvalidInput),  # type: ignore[arg-type]
        (NewJob(kind="mine", payload={"x": float("nan")}), InvalidInput),
        (NewJob(kind="mine", payload={"x": object()}), InvalidInput),
        (NewJob(kind="mine", payload=[1]), InvalidInput),  # type: ignore[arg-type]
        (NewJob(kind="mine", payload={"x": "y" * MAX_BYTES}), TooLarge),
    ],
    ids=["kind", "no-kind", "priority", "nan", "object", "list", "size"],
)
async def test_what_cannot_be_kept_is_refused(store, new, error):
    async with store.begin(A) as unit:
        with pytest.raises(error):
            await unit.jobs.enqueue(new)
        with pytest.raises(error):
            await unit.jobs.enqueue_all([new])
        assert (await unit.jobs.list(JobFilter(), ALL)).total == 0


async def test_of_a_kind_and_key_one_job_is_live(store):
    one = NewJob(kind="mine", dedupe="k", payload={"n": 1})
    first, again, other_key, other_kind = await enqueue(
        store, one, replace(one, payload={"n": 2}), replace(one, dedupe="l"), replace(one, kind="yours")
    )
    assert first == again
    assert len({first, other_key, other_kind}) == 3
    (theirs,) = await enqueue(store, one, tenant_id=B)
    assert theirs not in {first, other_key, other_kind}
    assert (await read(store, first)).payload == {"n": 1}
    assert not (await read(store, first)).again


async def test_a_running_job_that_is_asked_for_again_remembers_it(store):
    one = NewJob(kind="mine", dedupe="k")
    (first,) = await enqueue(store, one)
    (claimed,) = await claim(store)
    assert await enqueue(store, one, one) == [first, first]
    stored = await read(store, first)
    assert stored == replace(claimed, again=True)
    async with store.begin(A) as unit:
        await unit.jobs.save(replace(stored, status="done", revision=stored.revision + 1, ended_ms=START))
        assert await unit.jobs.live("mine", "k") is None
        assert await unit.jobs.enqueue(one) != first


async def test_many_are_enqueued_in_their_order(store):
    new = [NewJob(kind="mine", payload={"n": n}, dedupe=None if n % 3 else "k") for n in range(1200)]
    async with store.begin(A) as unit:
        ids = await unit.jobs.enqueue_all(new)
    assert len(set(ids)) == 801
    for n in (0, 1, 2, 3, 700, 1199):
        assert (await read(store, ids[n])).payload == {"n": n if n % 3 else 0}


async def test_lists_are_newest_first_and_filtered(store, clock):
    made = []
    for n in range(5):
        made += await enqueue(store, NewJob(kind="even" if n % 2 == 0 else "odd"))
        clock.advance(1)
    async with store.begin(A, writes=False) as unit:
        page = await unit.jobs.list(JobFilter(), Slice(limit=2, total=True))
        assert ([job.id for job in page.items], page.total) == ([made[4], made[3]], 5)
        rest = await unit.jobs.list(JobFilter(), Slice(limit=5, cursor=page.next_cursor))
        assert [job.id for job in rest.items] == [made[2], made[1], made[0]]
        odd = await unit.jobs.list(JobFilter(kind="odd"), ALL)
        assert [job.id for job in odd.items] == [made[3], made[1]]
        assert (await unit.jobs.list(JobFilter(status="running"), ALL)).total == 0
        assert (await unit.jobs.list(JobFilter(status="waiting", kind="even"), ALL)).total == 3


async def test_what_is_due_comes_by_priority_and_then_by_time(store):
    last, first, second, third, not_yet = await enqueue(
        store,
        NewJob(kind="mine", priority=-1, at_ms=START - 9),
        NewJob(kind="mine", priority=1),
        NewJob(kind="mine", at_ms=START - 5),
        NewJob(kind="mine", at_ms=START),
        NewJob(kind="mine", priority=1, at_ms=START + 1),
    )
    async with store.system(writes=False) as system:
        due = await system.backlog.due([A], now_ms=START, each=10)
        assert [job.id for job in due] == [first, second, third, last]
        assert [job.id for job in await system.backlog.due([A], now_ms=START, each=2)] == [first, second]
        assert await system.backlog.due([], now_ms=START, each=2) == []
        assert [job.id for job in await system.backlog.due([A], now_ms=START + 1, each=1)] == [first]
        assert not_yet in {job.id for job in await system.backlog.due([A], now_ms=START + 1, each=9)}


async def test_tenants_with_work_are_found_however_much_the_others_have(store):
    async with store.begin(A) as unit:
        await unit.jobs.enqueue_all([NewJob(kind="mine")] * 50)
    await enqueue(store, NewJob(kind="mine", at_ms=START + 1, priority=1), tenant_id=B)
    async with store.system(writes=False) as system:
        assert await system.backlog.tenants(now_ms=START, after=None, limit=5) == [A]
    await enqueue(store, NewJob(kind="mine"), tenant_id=B)
    async with store.system(writes=False) as system:
        assert await system.backlog.tenants(now_ms=START, after=None, limit=5) == [A, B]
        assert await system.backlog.tenants(now_ms=START, after=None, limit=1) == [A]
        assert await system.backlog.tenants(now_ms=START, after=A, limit=5) == [B]
        assert await system.backlog.tenants(now_ms=START, after=B, limit=5) == []
        each_one = await system.backlog.due([A, B], now_ms=START, each=1)
        assert [job.tenant_id for job in each_one] == [A, B]


async def test_lanes_and_tenants_are_left_out_and_the_rest_keeps_its_order(store):
    hooks = ("", "a", "b")
    new = [NewJob(kind="mine", lane=hooks[n % 3], at_ms=START + n, payload={"n": n}) for n in range(9)]
    await enqueue(store, *new, NewJob(kind="mine", lane="b", priority=1, payload={"n": -1}))
    await enqueue(store, NewJob(kind="mine", lane="a", payload={"n": 99}), tenant_id=B)

    async def due(each, *but, tenants=(A, B)):
        async with store.system(writes=False) as system:
            found = await system.backlog.due(tenants, now_ms=START + 7, each=each, but={*but})
            return [job.payload["n"] for job in found]

    assert await due(20) == [-1, *range(8), 99]
    assert await due(3) == [-1, 0, 1, 99]
    assert await due(20, (A, "b"), (B, "b")) == [0, 1, 3, 4, 6, 7, 99]
    assert await due(2, (A, "b"), (A, "")) == [1, 4, 99]
    assert await due(20, *((A, lane) for lane in hooks), (B, "a")) == []
    async with store.system(writes=False) as system:
        assert await system.backlog.tenants(now_ms=START, after=None, limit=9, but={A}) == [B]
        assert await system.backlog.tenants(now_ms=START, after=None, limit=9, but={A, B}) == []


async def test_what_waits_in_a_lane_is_counted_up_to_a_bound(store):
    await enqueue(store, *[NewJob(kind="mine", lane="a", at_ms=START + n) for n in range(4)])
    await enqueue(store, NewJob(kind="mine"), NewJob(kind="mine", lane="b"))
    await claim(store)
    async with store.begin(A, writes=False) as unit:
        counts = [await unit.jobs.waiting(lane, most=most) for lane in ("a", "b", "") for most in (2, 9)]
    assert counts == [2, 3, 0, 0, 0, 0]


async def test_of_many_lanes_the_first_jobs_are_found(store):
    async with store.begin(A) as unit:
        lanes = [NewJob(kind="mine", lane=f"hook-{n}", at_ms=START - n, payload={"n": n}) for n in range(300)]
        await unit.jobs.enqueue_all(lanes)
    async with store.system(writes=False) as system:
        due = await system.backlog.due([A], now_ms=START, each=250)
    assert [job.payload["n"] for job in due] == [*range(299, 49, -1)]


async def test_a_job_is_claimed_once(store):
    await enqueue(store, NewJob(kind="mine"), NewJob(kind="mine"))
    async with store.system(writes=False) as system:
        due = await system.backlog.due([A], now_ms=START, each=10)
    async with store.system() as system:
        first = await system.backlog.claim(due[:1], worker="w1", now_ms=START, until_ms=START + 5)
        second = await system.backlog.claim(due, worker="w2", now_ms=START, until_ms=START + 5)
        assert await system.backlog.claim(due, worker="w3", now_ms=START, until_ms=START + 5) == []
        assert await system.backlog.claim([], worker="w3", now_ms=START, until_ms=START + 5) == []
    assert [job.id for job in (*first, *second)] == [job.id for job in due]
    assert first[0] == replace(
        due[0],
        status="running",
        attempt=1,
        worker="w1",
        lease_ms=START + 5,
        started_ms=START,
        revision=2,
    )
    assert await read(store, second[0].id) == second[0]


async def test_who_was_overtaken_can_neither_hold_nor_save(store):
    await enqueue(store, NewJob(kind="mine"))
    (mine,) = await claim(store, worker="w1", lease_ms=10)
    async with store.system() as system:
        assert await system.backlog.lapsed(now_ms=START + 10, limit=9) == []
        lapsed = await system.backlog.lapsed(now_ms=START + 11, limit=9)
        (theirs,) = await system.backlog.claim(lapsed, worker="w2", now_ms=START + 11, until_ms=START + 50)
    assert (theirs.attempt, theirs.worker, theirs.revision) == (2, "w2", 3)
    async with store.begin(A) as unit:
        assert not await unit.jobs.hold(mine, until_ms=START + 99)
        with pytest.raises(PreconditionFailed):
            await unit.jobs.save(replace(mine, status="done", revision=mine.revision + 1))
        assert await unit.jobs.hold(theirs, until_ms=START + 60, progress=(1, 2))
    async with store.system() as system:
        assert await system.backlog.extend([], until_ms=1) == frozenset()
        assert await system.backlog.extend([mine, theirs], until_ms=START + 70) == {(A, mine.id)}
        assert await system.backlog.extend([mine], until_ms=START + 80) == frozenset()
    held = replace(theirs, lease_ms=START + 70, steps_done=1, steps_total=2)
    assert await read(store, mine.id) == held


async def test_steps_are_kept_once_and_in_their_order(store):
    first, other = await enqueue(store, NewJob(kind="mine"), NewJob(kind="mine"))
    steps = [Step(name=name, result={"of": name}, at_ms=START) for name in ("z", "a", "m")]
    async with store.begin(A) as unit:
        for step in steps:
            await unit.jobs.add_step(first, step)
        await unit.jobs.add_step(other, steps[0])
        assert await unit.jobs.steps(first) == steps
        await unit.jobs.drop_steps(first)
        assert await unit.jobs.steps(first) == []
        assert await unit.jobs.steps(other) == steps[:1]
    with pytest.raises(Conflict):
        async with store.begin(A) as unit:
            await unit.jobs.add_step(other, replace(steps[0], result={}))
    with pytest.raises(Conflict):
        async with store.begin(A) as unit:
            await unit.jobs.add_step(JobId("nowhere"), steps[0])


async def test_what_recurs_is_put_by_name_and_whoever_lacks_it_is_found(store):
    nightly = schedule()
    hourly = replace(nightly, name="hourly", next_ms=START + 5)
    async with store.begin(A) as unit:
        for each in (nightly, hourly, replace(nightly, payload={"all": True})):
            await unit.jobs.put_schedule(each)
        assert await unit.jobs.schedules() == [hourly, replace(nightly, payload={"all": True})]
    async with store.system() as system:
        assert await system.backlog.recurring(now_ms=START - 1, limit=9) == []
        found = await system.backlog.recurring(now_ms=START + 5, limit=9)
        assert [each.name for each in found] == ["nightly", "hourly"]
        assert await system.backlog.recurring(now_ms=START + 5, limit=1) == found[:1]
        cron = nightly.cron
        for name, moments, by_ms, lacking in (
            ("nightly", cron, START, [B]),
            ("nightly", cron, START - 1, [A, B]),
            ("nightly", "1 * * * *", START, [A, B]),
            ("yearly", cron, START, [A, B]),
        ):
            assert await system.backlog.unscheduled(name, moments, by_ms=by_ms, limit=9) == lacking
            assert await system.backlog.unscheduled(name, moments, by_ms=by_ms, limit=1) == lacking[:1]


async def test_the_load_counts_what_waits_runs_and_died(store):
    async with store.system(writes=False) as system:
        assert await system.backlog.load(now_ms=START) == Load()
    await enqueue(store, *[NewJob(kind="mine", at_ms=START + n) for n in range(4)])
    await enqueue(store, NewJob(kind="mine"), tenant_id=B)
    claimed = await claim(store, each=1)
    async with store.begin(A) as unit:
        await unit.jobs.save(replace(claimed[0], status="dead", ended_ms=START, revision=3))
    async with store.system(writes=False) as system:
        before = await system.backlog.load(now_ms=START)
        assert before == Load(waiting=3, running=1, dead=1, oldest_ms=None)
        assert (await system.backlog.load(now_ms=START + 9)).oldest_ms == START + 1


async def test_what_ended_long_ago_is_forgotten_with_its_steps(store):
    await enqueue(store, *[NewJob(kind="mine") for _ in range(4)])
    old, fresh, dead, running = await claim(store)
    async with store.begin(A) as unit:
        await unit.jobs.add_step(old.id, Step(name="one", result={}, at_ms=START))
        await unit.jobs.save(replace(old, status="done", ended_ms=START, revision=3))
        await unit.jobs.save(replace(fresh, status="done", ended_ms=START + 5, revision=3))
        await unit.jobs.save(replace(dead, status="dead", ended_ms=START, revision=3))
    over = frozenset({"done", "cancelled"})
    async with store.begin(A) as unit:
        assert await unit.jobs.forget(over, before_ms=START, limit=9) == 0
        assert await unit.jobs.forget(over, before_ms=START + 5, limit=9) == 1
        assert await unit.jobs.forget(frozenset({"dead"}), before_ms=START + 9, limit=9) == 1
        left = {job.id for job in (await unit.jobs.list(JobFilter(), ALL)).items}
        assert left == {fresh.id, running.id}
        assert await unit.jobs.steps(old.id) == []
