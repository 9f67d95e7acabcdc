"""Webhooks of a tenant on each store, with workers and a clock that moves only when told."""

from dataclasses import dataclass, field, replace
from functools import partial

import pytest
import pytest_asyncio

from bylaw.api.notifying import note_stopped
from bylaw.core.clock import DAY_MS, ManualClock
from bylaw.core.ids import Ids, WorkspaceId
from bylaw.core.paging import Slice
from bylaw.jobs.running import Handler
from bylaw.jobs.worker import Worker, WorkerLimits
from bylaw.notify.delivery import Deliverer
from bylaw.notify.sending import Sender
from bylaw.notify.store import DeliveryFilter
from bylaw.notify.telling import DELIVER, EXPIRE, FORGET, Telling
from bylaw.notify.webhooks import NewWebhook, create_webhook
from bylaw.providers.http import HttpClient, HttpLimits
from bylaw.tenancy.principal import Acting, system_principal
from bylaw.tenancy.sealing import SecretKeys
from tests.contracts.conftest import kept, kept_postgres, kept_sqlite, store  # noqa: F401 - fixtures
from tests.contracts.values import A
from tests.notify.receiver import receiving


@pytest.fixture
def clock():
    return ManualClock()


@pytest_asyncio.fixture(loop_scope="session")
async def receiver():
    async with receiving() as running:
        yield running


@dataclass
class Tenant:
    """Tenant A at work: what it tells, and workers that deliver it."""

    store: object
    clock: ManualClock
    outgoing: str = "any"
    timeout_ms: int = 5_000
    ids: Ids = field(init=False)
    sealer: SecretKeys = field(default_factory=SecretKeys.first)
    telling: Telling = field(init=False)
    senders: list[Sender] = field(default_factory=list)

    def __post_init__(self):
        self.ids = Ids(self.clock)
        self.telling = Telling(clock=self.clock, ids=self.ids, keep_ms=30 * DAY_MS)

    @property
    def sender(self):
        limits = HttpLimits(timeout_ms=self.timeout_ms, answer_bytes=65_536, whole=False)
        self.senders.append(Sender(HttpClient(self.outgoing, limits), self.sealer, self.clock))
        return self.senders[-1]

    def acting(self, unit):
        principal = system_principal(unit.tenant_id)
        return Acting(unit=unit, principal=principal, clock=self.clock, ids=self.ids)

    def worker(self, name="one", *, sender=None):
        deliverer = Deliverer(
            sender=self.sender if sender is None else sender,
            telling=self.telling,
            clock=self.clock,
            stopped=partial(note_stopped, clock=self.clock),
            fail_ms=5 * DAY_MS,
        )
        handlers = {
            DELIVER: Handler(handle=deliverer.deliver),
            EXPIRE: Handler(handle=deliverer.expire),
            FORGET: Handler(handle=deliverer.forget),
        }
        return Worker(
            self.store,
            handlers,
            name=name,
            clock=self.clock,
            chance=lambda: 0.0,
            limits=WorkerLimits(slots=8, lane=2, poll_s=0.01, lease_ms=30_000, grace_s=0),
        )

    async def listen(self, url, *types, workspace_id=None, tenant_id=A):
        """Make a webhook; return it with its secret."""
        new = NewWebhook(url=url, types=types, workspace_id=workspace_id and WorkspaceId(workspace_id))
        async with self.store.begin(tenant_id) as unit:
            return await create_webhook(self.acting(unit), new, self.sealer, outgoing="any")

    async def tell(self, *notices, tenant_id=A):
        async with self.store.begin(tenant_id) as unit:
            await self.telling.tell(unit, notices, await unit.notify.webhooks.listening())

    async def deliver(self, *, after_ms=0):
        """Let that time pass, and do all that is due then."""
        self.clock.advance(after_ms)
        await self.worker().run_until_idle()

    async def deliveries(self, webhook, **where):
        async with self.store.begin(webhook.tenant_id, writes=False) as unit:
            wanted = DeliveryFilter(webhook_id=webhook.id, **where)
            return (await unit.notify.deliveries.list(wanted, Slice(limit=500))).items

    async def webhook(self, webhook):
        async with self.store.begin(webhook.tenant_id, writes=False) as unit:
            return await unit.notify.webhooks.get(webhook.id)

    async def change(self, webhook, **fields):
        async with self.store.begin(webhook.tenant_id) as unit:
            stored = await unit.notify.webhooks.get(webhook.id)
            await unit.notify.webhooks.save(replace(stored, revision=stored.revision + 1, **fields))


@pytest_asyncio.fixture(loop_scope="session")
async def acme(store, clock):  # noqa: F811 - a fixture of the contracts
    tenant = Tenant(store=store, clock=clock)
    yield tenant
    for each in tenant.senders:
        await each.aclose()
