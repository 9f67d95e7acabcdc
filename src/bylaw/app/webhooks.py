"""Webhooks, joined from settings: what tells them, what sends to them, and what a worker does for them."""

from collections.abc import Mapping
from functools import partial
from typing import Final

from bylaw.api.notifying import note_stopped
from bylaw.api.ports import Unit
from bylaw.core.clock import DAY_MS, Clock
from bylaw.core.ids import Ids
from bylaw.jobs.running import Handler
from bylaw.notify.delivery import Deliverer
from bylaw.notify.sending import Notifier, Sender
from bylaw.notify.telling import DELIVER, EXPIRE, FORGET, Telling
from bylaw.providers.http import HttpClient, HttpLimits
from bylaw.settings import Settings
from bylaw.tenancy.sealing import Sealer

_ANSWER_BYTES: Final = 65_536
_CALLS: Final = 500  # as many as a worker may be set to do at once


def telling_of(settings: Settings, clock: Clock, ids: Ids) -> Telling:
    """Return what tells webhooks."""
    return Telling(clock=clock, ids=ids, keep_ms=settings.webhooks.webhook_keep_days * DAY_MS)


def notifier_of(settings: Settings, sealer: Sealer, clock: Clock, *, ids: Ids) -> Notifier:
    """Return what routes of webhooks work with."""
    telling, sender = telling_of(settings, clock, ids), sender_of(settings, sealer, clock)
    return Notifier(telling=telling, sender=sender, outgoing=settings.server.outgoing)


def sender_of(settings: Settings, sealer: Sealer, clock: Clock) -> Sender:
    """Return what sends notices, through a client of its own: receivers answer soon, with a status."""
    timeout_ms = settings.webhooks.webhook_ms
    limits = HttpLimits(timeout_ms=timeout_ms, answer_bytes=_ANSWER_BYTES, whole=False, calls=_CALLS)
    return Sender(HttpClient(settings.server.outgoing, limits), sealer, clock)


def webhook_handlers(
    settings: Settings, sender: Sender, *, clock: Clock, ids: Ids
) -> Mapping[str, Handler[Unit]]:
    """Return what a worker does for webhooks, by the kind of job."""
    deliverer = Deliverer(
        sender=sender,
        telling=telling_of(settings, clock, ids),
        clock=clock,
        stopped=partial(note_stopped, clock=clock),
        fail_ms=settings.webhooks.webhook_fail_days * DAY_MS,
    )
    return {
        DELIVER: Handler(handle=deliverer.deliver),
        EXPIRE: Handler(handle=deliverer.expire),
        FORGET: Handler(handle=deliverer.forget, cron=settings.jobs.jobs_forget_at),
    }
