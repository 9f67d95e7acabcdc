"""Webhooks, joined from settings: what sends them, and what delivers them."""

from typing import Final

from bylaw.core.clock import Clock
from bylaw.notify.sending import Sender
from bylaw.providers.http import HttpClient, HttpLimits
from bylaw.settings import Settings
from bylaw.tenancy.sealing import Sealer

_ANSWER_BYTES: Final = 65_536
_CALLS: Final = 100


def sender_of(settings: Settings, sealer: Sealer, clock: Clock) -> Sender:
    """Return what sends notices, through a client of its own: receivers answer little, and soon."""
    limits = HttpLimits(timeout_ms=settings.webhooks.webhook_ms, answer_bytes=_ANSWER_BYTES, calls=_CALLS)
    return Sender(HttpClient(settings.server.outgoing, limits), sealer, clock)
