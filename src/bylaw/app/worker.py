"""A worker, joined from settings: what does jobs of each kind, on the control plane alone."""

import os
import random
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from functools import cache

from bylaw.api.ports import ControlStore, Unit
from bylaw.app.embedding import ask_to_embed_all, embedder_of, embedding_handlers, where_of
from bylaw.app.judging import providers_of, structured_of
from bylaw.app.learning import learning_handlers
from bylaw.app.webhooks import sender_of, webhook_handlers
from bylaw.core.clock import DAY_MS, Clock, SystemClock
from bylaw.core.ids import Ids
from bylaw.jobs.forgetting import FORGET, ForgetJobs
from bylaw.jobs.running import Handler
from bylaw.jobs.worker import Worker, WorkerLimits
from bylaw.settings import Settings
from bylaw.stores import open_control_plane
from bylaw.tenancy.sealing import Sealer


@asynccontextmanager
async def open_worker(settings: Settings) -> AsyncIterator[Worker[Unit]]:
    """Open the control plane that `settings` name, and a worker on it that runs when it is told to.

    Raises: as `open_control_plane`.
    """
    clock = SystemClock()
    ids = Ids(clock)
    async with AsyncExitStack() as stack:
        plane = await open_control_plane(settings, clock, ids, stack)
        await ask_to_embed_all(plane.control)
        joined = join_worker(settings, plane.control, plane.secret_file, clock=clock, ids=ids)
        yield await stack.enter_async_context(joined)


@asynccontextmanager
async def join_worker(
    settings: Settings, control: ControlStore, sealer: Sealer, *, clock: Clock, ids: Ids
) -> AsyncIterator[Worker[Unit]]:
    """Return a worker on a control plane that is open, with all that it does jobs by."""
    sender = sender_of(settings, sealer, clock)
    providers = providers_of(settings)
    embedder = cache(embedder_of(settings, providers))
    handlers: Mapping[str, Handler[Unit]] = {
        **embedding_handlers(embedder, where_of(settings)),
        **webhook_handlers(settings, sender, clock=clock, ids=ids),
        FORGET: Handler(handle=_forget_jobs(settings, clock), cron=settings.jobs.jobs_forget_at),
        **learning_handlers(embedder, structured_of(settings, providers), clock=clock, ids=ids),
    }
    async with aclosing(sender), aclosing(providers):
        yield Worker(
            control,
            handlers,
            name=f"{socket.gethostname()}:{os.getpid()}:{ids.secret(6)}",
            clock=clock,
            chance=random.random,
            limits=limits_of(settings),
        )


def limits_of(settings: Settings) -> WorkerLimits:
    """Return what a worker is held to."""
    jobs, grace_s = settings.jobs, settings.server.shutdown_s
    return WorkerLimits(slots=jobs.jobs_at_once, lane=jobs.jobs_in_lane, grace_s=grace_s)


def _forget_jobs(settings: Settings, clock: Clock) -> ForgetJobs[Unit]:
    jobs = settings.jobs
    keep_ms, keep_dead_ms = jobs.jobs_keep_days * DAY_MS, jobs.jobs_keep_dead_days * DAY_MS
    return ForgetJobs(clock=clock, keep_ms=keep_ms, keep_dead_ms=keep_dead_ms)
