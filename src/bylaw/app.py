"""The only place where parts meet: `build(settings)` opens, joins and starts them, and stops them again."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import URL

from bylaw.api.asgi import App as Asgi
from bylaw.api.auth import Door
from bylaw.api.deciding import Decider
from bylaw.api.edge import Edge, EdgeLimits
from bylaw.api.entries import Entries
from bylaw.api.first_start import first_start
from bylaw.api.follow import Follower
from bylaw.api.hot import HotRoutes
from bylaw.api.limits import Limits
from bylaw.api.metrics import Metrics
from bylaw.api.native.app import document, native
from bylaw.api.parts import Check, Parts
from bylaw.api.ports import ControlStore
from bylaw.api.receipts import ReceiptReader
from bylaw.core.clock import Clock, SystemClock
from bylaw.core.ids import Ids, TenantId
from bylaw.decisions.engine import Engine
from bylaw.decisions.loading import LoadedSnapshots
from bylaw.evaluators.offline import OfflineEvaluator
from bylaw.receipts.issue import Issuer
from bylaw.receipts.ports import Ledger
from bylaw.receipts.signing import KeySet
from bylaw.settings import Settings
from bylaw.storage.control import open_control
from bylaw.storage.key_file import SigningKeys, load_or_create
from bylaw.storage.sqlite.receipts import open_ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """What a server stands on."""

    control: ControlStore
    ledger: Ledger
    keys: SigningKeys
    key_file: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A running server.

    `admin_key` is the text of the key that this start made, to be shown once; `key_file` holds the signing
    keys. `settle` logs and publishes what a committed transaction of a tenant changed.
    """

    asgi: Asgi
    stores: Stores
    follower: Follower
    settle: Callable[[TenantId], Awaitable[None]]
    admin_key: str | None
    key_file: Path


@asynccontextmanager
async def build(settings: Settings) -> AsyncIterator[App]:
    """Open what `settings` name, and run a server on it until the block ends.

    Raises: Conflict when another process owns the data, or a key file is not private.
    """
    clock = SystemClock()
    ids = Ids(clock)
    async with AsyncExitStack() as stack:
        stores = await _open(settings, clock, ids, stack)
        yield await stack.enter_async_context(join(settings, stores, clock=clock, ids=ids))


async def _open(settings: Settings, clock: Clock, ids: Ids, stack: AsyncExitStack) -> Stores:
    folder = settings.storage.data
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    key_file = folder / "keys.json"
    keys = load_or_create(key_file, clock)
    origin = f"{settings.receipts.log_host or 'bylaw.local'}/main"
    ledger = await open_ledger(folder, origin=origin, signer=keys.signer, keys=keys.published)
    stack.push_async_callback(ledger.close)
    url = URL.create("sqlite", database=str(folder / "control.db")).render_as_string()
    control = await open_control(url, ids=ids, clock=clock)
    stack.push_async_callback(control.close)
    return Stores(control=control, ledger=ledger, keys=keys, key_file=key_file)


@asynccontextmanager
async def join(settings: Settings, stores: Stores, *, clock: Clock, ids: Ids) -> AsyncIterator[App]:
    """Run a server on `stores` until the block ends; they are closed by whoever opened them."""
    metrics = Metrics()
    control, ledger = stores.control, stores.ledger
    admin_key = await first_start(control, clock=clock, ids=ids, raw=settings.keys.admin_key)
    snapshots = LoadedSnapshots()
    follower = Follower(control, snapshots, clock, every_ms=settings.storage.follow_ms)
    issuer = Issuer(ledger.log.origin, stores.keys.signer, clock=clock, ids=ids)
    entries = Entries(control, issuer, ledger.log)
    door = Door(follower, Limits(clock, settings.keys.rate_per_minute), clock=clock, metrics=metrics)

    async def settle(tenant_id: TenantId) -> None:
        await entries.drain(tenant_id)
        await follower.refresh(tenant_id)

    async def caught_up() -> None:
        pass

    async def published() -> KeySet:
        return stores.keys.published

    def checks() -> Sequence[Check]:
        return ()

    parts = Parts(
        store=control,
        ledger=ledger,
        receipts=ReceiptReader(ledger, published),
        door=door,
        metrics=metrics,
        clock=clock,
        ids=ids,
        settle=settle,
        caught_up=caught_up,
        checks=checks,
        published=published,
        openapi=document(),
    )
    server = settings.server
    limits = EdgeLimits(
        body_bytes=server.body_bytes, request_ms=server.request_ms, access_log=server.access_log
    )
    engine = Engine(snapshots=snapshots, evaluator=OfflineEvaluator(), clock=clock, ids=ids)
    decider = Decider(engine, issuer, ledger, metrics=metrics)
    hot = HotRoutes(door, decider, batch_items=settings.decisions.batch_items)
    edge = Edge(native(parts), hot.table(), limits=limits, metrics=metrics, ids=ids)
    await entries.drain()
    await follower.catch_up()
    following = asyncio.create_task(follower.run(), name="follow changes")
    try:
        yield App(
            asgi=edge,
            stores=stores,
            follower=follower,
            settle=settle,
            admin_key=admin_key,
            key_file=stores.key_file,
        )
    finally:
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
