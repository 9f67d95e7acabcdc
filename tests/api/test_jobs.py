"""Jobs over HTTP: seen, tried again and stopped by administrators of their tenant, and by nobody else."""

from dataclasses import replace

import pytest

from bylaw.jobs.model import NewJob, Step

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def enqueue(world, *new):
    async with world.app.stores.control.begin("acme") as unit:
        return list(await unit.jobs.enqueue_all(new))


async def become(world, ident, **given):
    async with world.app.stores.control.begin("acme") as unit:
        job = await unit.jobs.get(ident)
        await unit.jobs.save(replace(job, revision=job.revision + 1, **given))


async def test_a_job_is_shown_with_what_is_done_of_it(world):
    (ident,) = await enqueue(world, NewJob(kind="mine", payload={"n": 1}, dedupe="k", priority=1))
    async with world.app.stores.control.begin("acme") as unit:
        await unit.jobs.add_step(ident, Step(name="fetch", result={"pages": 3}, at_ms=0))
    await become(world, ident, status="dead", error="The provider is away.", attempt=8, ended_ms=0)
    shown = (await world.send("admin", "GET", f"/v1/jobs/{ident}")).json()
    assert shown.items() >= {
        "id": ident, "kind": "mine", "key": "k", "status": "dead", "priority": 1, "attempt": 8,
        "error": "The provider is away.", "payload": {"n": 1}, "result": None, "started_at": None,
        "steps": [{"name": "fetch", "result": {"pages": 3}, "done_at": "1970-01-01T00:00:00.000Z"}],
    }.items()  # fmt: skip
    assert "worker" not in shown


async def test_lists_are_filtered_and_paged(world):
    ids = await enqueue(world, *[NewJob(kind="listed") for _ in range(3)])
    await become(world, ids[1], status="cancelled", ended_ms=0)
    page = (await world.send("admin", "GET", "/v1/jobs?kind=listed&limit=2")).json()
    rest = (await world.send("admin", "GET", f"/v1/jobs?kind=listed&cursor={page['next_cursor']}")).json()
    assert [each["id"] for each in (*page["data"], *rest["data"])] == ids[::-1]
    waiting = (await world.send("admin", "GET", "/v1/jobs?kind=listed&status=waiting")).json()
    assert [each["id"] for each in waiting["data"]] == [ids[2], ids[0]]
    assert (await world.send("admin", "GET", "/v1/jobs?status=lost")).status_code == 422
    assert (await world.send("admin", "GET", "/v1/jobs?cursor=x")).status_code == 422


async def test_a_dead_job_is_retried_unless_another_does_the_same(world):
    (first,) = await enqueue(world, NewJob(kind="again", dedupe="k"))
    await become(world, first, status="dead", attempt=3, ended_ms=0)
    (second,) = await enqueue(world, NewJob(kind="again", dedupe="k"))
    refused = await world.send("admin", "POST", f"/v1/jobs/{first}/retry")
    assert (refused.status_code, refused.json()["reason"]) == (409, "exists")
    assert (await world.send("admin", "POST", f"/v1/jobs/{second}/cancel")).json()["status"] == "cancelled"
    retried = (await world.send("admin", "POST", f"/v1/jobs/{first}/retry")).json()
    assert (retried["status"], retried["attempt"], retried["ended_at"]) == ("waiting", 0, None)
    again = await world.send("admin", "POST", f"/v1/jobs/{first}/retry")
    assert (again.status_code, again.json()["status"]) == (200, "waiting")


async def test_what_is_done_is_neither_retried_nor_cancelled(world):
    (ident,) = await enqueue(world, NewJob(kind="over"))
    await become(world, ident, status="done", ended_ms=0)
    for what in ("retry", "cancel"):
        refused = await world.send("admin", "POST", f"/v1/jobs/{ident}/{what}")
        assert (refused.status_code, refused.json()["reason"]) == (409, "illegal_transition")


async def test_a_cancelled_job_stays_so_when_cancelled_again(world):
    (ident,) = await enqueue(world, NewJob(kind="over"))
    for _ in range(2):
        done = await world.send("admin", "POST", f"/v1/jobs/{ident}/cancel")
        assert (done.status_code, done.json()["status"]) == (200, "cancelled")


async def test_only_administrators_of_the_whole_tenant_see_jobs(world):
    (ident,) = await enqueue(world, NewJob(kind="ours"))
    for caller, status in ((None, 401), ("nobody", 403), ("neighbour", 403), ("approver", 403)):
        for method, path in (
            ("GET", "/v1/jobs"),
            ("GET", f"/v1/jobs/{ident}"),
            ("POST", f"/v1/jobs/{ident}/retry"),
            ("POST", f"/v1/jobs/{ident}/cancel"),
        ):
            assert (await world.send(caller, method, path)).status_code == status, (caller, path)
    assert (await world.send("stranger", "GET", f"/v1/jobs/{ident}")).status_code == 404
    assert (await world.send("stranger", "POST", f"/v1/jobs/{ident}/cancel")).status_code == 404
    assert (await world.send("stranger", "GET", "/v1/jobs?kind=ours")).json()["data"] == []


async def test_metrics_tell_how_much_there_is_to_do(world):
    await world.app.workload.look()
    text = (await world.send("operator", "GET", "/metrics")).text
    told = dict(line.split() for line in text.splitlines() if line.startswith("bylaw_jobs_"))
    assert float(told["bylaw_jobs_waiting"]) > 0
    assert float(told["bylaw_jobs_dead"]) >= 0
    assert float(told["bylaw_jobs_worker_restarts"]) == 0
