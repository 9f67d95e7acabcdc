"""Work that outlives a request: durable jobs of a tenant, run by workers apart from the server.

To have something done, enqueue it in the transaction that causes it; it is kept or lost with that:

    job_id = await unit.jobs.enqueue(NewJob(kind="mine", payload={"conversation_id": "c1"}))

To do it, register `async def handle(job: Running[Unit]) -> Mapping | None` for the kind (`app/worker.py`).
A handler sees `job.tenant_id`, `job.payload` and `job.attempt`, and works through

    await job.step(name, fn)        fn() -> JSON object, for what is outside of the database: kept once it is
                                    done, and not done again by a later attempt
    await job.commit(name, fn)      fn(unit) -> JSON object: its writes and its result are kept together, once
    job.begin(writes=...)           a transaction of the tenant, which commits only while the job is held
    await job.progress(done, total) shown to whoever asks; tells the worker that it is alive

A job starts at least once and may start again: after a crash, after an error (later and later, up to its
kind's `attempts`), and when somebody retries it. So what a handler does outside of `step` and `commit` must
bear repetition. Whoever has lost a job, to a cancellation or to another worker, can write nothing through it
any more. InvalidInput, NotFound, Forbidden and TooLarge end a job at once; other errors are tried again.

`NewJob.dedupe` names work: of one kind and key there is one live job. Enqueuing it again returns the id of
the one that is there, whose payload stays; if it runs already it will run once more, so that the returned job
always starts after the transaction that asked for it.
"""
