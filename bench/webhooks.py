"""Webhooks: what telling costs while lists are kept, and how many deliveries a worker makes a second.

The receiver is on this machine and answers at once, so what is measured is ours: the queue, the signature,
the call, and keeping what became of it.
"""

import asyncio
import tempfile
import time
from dataclasses import dataclass

import uvloop

from bench.report import Table
from bylaw import settings
from bylaw.app.webhooks import sender_of, telling_of, webhook_handlers
from bylaw.core.clock import SystemClock
from bylaw.core.ids import Ids, TenantId
from bylaw.decisions.effects import Occasion, PolicySnapshot, ViolationEffect
from bylaw.jobs.worker import Worker, WorkerLimits
from bylaw.notify.webhooks import NewWebhook, create_webhook
from bylaw.review.projection import project_review
from bylaw.storage.control import open_control
from bylaw.storage.sql.control import SqlControlStore
from bylaw.tenancy.model import Tenant
from bylaw.tenancy.principal import Acting, system_principal
from bylaw.tenancy.sealing import SecretKeys
from tests import postgres
from tests.notify.receiver import receiving

TENANT = TenantId("t")
PAGE = 500  # effects of one transaction, as in the server
CLOCK = SystemClock()
IDS = Ids(CLOCK)
SETTINGS = settings.build(outgoing="any")
SEALER = SecretKeys.first()


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """Units: milliseconds for a page; deliveries a second."""

    silent_ms: float
    unheard_ms: float
    told_ms: float
    delivered: int


def run(*, quick: bool) -> list[Table]:
    """Measure on both databases."""
    pages = 2 if quick else 6
    with tempfile.TemporaryDirectory() as folder:
        found = {"SQLite": uvloop.run(measured(f"sqlite:///{folder}/control.db", pages))}
    with postgres.postmaster() as server, postgres.fresh_database(server.url) as url:
        found["PostgreSQL"] = uvloop.run(measured(url, pages))
    return [
        Table(
            title=f"Webhooks: a page of {PAGE} violations taken into lists, and deliveries",
            columns=("database", "not told ms", "no webhook ms", "one webhook ms", "delivered/s"),
            rows=[
                (
                    name,
                    round(each.silent_ms, 1),
                    round(each.unheard_ms, 1),
                    round(each.told_ms, 1),
                    each.delivered,
                )
                for name, each in found.items()
            ],
            notes=["The fastest of the pages. One worker in this process delivers to a receiver in it."],
        )
    ]


async def measured(url: str, pages: int) -> Measured:
    """Return the figures of one database."""
    store = await open_control(url, ids=IDS, clock=CLOCK)
    async with store.system() as system:
        await system.add_tenant(Tenant(id=TENANT, name="t", created_ms=CLOCK.now_ms()))
    silent_ms = await fastest_page_ms(store, pages, tells=False)
    unheard_ms = await fastest_page_ms(store, pages, tells=True)
    async with receiving() as receiver:
        async with store.begin(TENANT) as unit:
            acting = Acting(unit=unit, principal=system_principal(TENANT), clock=CLOCK, ids=IDS)
            await create_webhook(acting, NewWebhook(url=receiver.url), SEALER, outgoing="any")
        told_ms = await fastest_page_ms(store, pages, tells=True)
        sender = sender_of(SETTINGS, SEALER, CLOCK)
        handlers = webhook_handlers(SETTINGS, sender, clock=CLOCK, ids=IDS)
        limits = WorkerLimits()
        worker = Worker(store, handlers, name="bench", clock=CLOCK, chance=lambda: 0.0, limits=limits)
        began = time.perf_counter()
        await worker.run_until_idle()
        delivered = round(len(set(receiver.ids)) / (time.perf_counter() - began))
        await sender.aclose()
    await store.close()
    return Measured(silent_ms=silent_ms, unheard_ms=unheard_ms, told_ms=told_ms, delivered=delivered)


async def fastest_page_ms(store: SqlControlStore, pages: int, *, tells: bool) -> float:
    """Return how long the fastest of some pages took."""
    telling, took = telling_of(SETTINGS, CLOCK, IDS), list[float]()
    for _ in range(pages):
        page = [violation() for _ in range(PAGE)]
        began = time.perf_counter()
        async with store.system() as system:
            unit = system.of(TENANT)
            await project_review(unit, page)
            if tells:
                await telling.of_effects(unit, page)
        took.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(0)
    return min(took)


def violation() -> ViolationEffect:
    """Return a violation of a decision of this moment."""
    ident = IDS.uuid7()
    occasion = Occasion(tenant_id=TENANT, receipt_id=f"rcpt_{ident}", at_ms=CLOCK.now_ms(), phase="tool_call")
    policy = PolicySnapshot(id="p", name="cap", version=1, digest="sha256:0", risk="HIGH", action="block")
    return ViolationEffect(id=f"vio_{ident}", occasion=occasion, policy=policy, explanation="No.", block=True)
