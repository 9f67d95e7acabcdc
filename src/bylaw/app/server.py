"""A server: `build(settings)` opens, joins and starts its parts, and stops them again."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import bylaw
from bylaw.api.aftermath import Aftermath
from bylaw.api.anchors import Anchors
from bylaw.api.asgi import App as Asgi
from bylaw.api.auth import Door, UnknownPace
from bylaw.api.compat.agentcert.routes import CertificateRoutes, Certifier
from bylaw.api.compat.openai.routes import ChatRoutes
from bylaw.api.contracts import application, document, failures
from bylaw.api.deciding import Decider
from bylaw.api.edge import Edge, EdgeLimits, Hot, Served
from bylaw.api.entries import Entries
from bylaw.api.feed import Feed
from bylaw.api.first_start import OperatorKey, first_start
from bylaw.api.follow import Follower
from bylaw.api.hot import HotRoutes
from bylaw.api.inside import Inside
from bylaw.api.limits import Limits
from bylaw.api.links import Links
from bylaw.api.metrics import Metrics
from bylaw.api.notifying import tell_of_entries
from bylaw.api.origin import Proxies
from bylaw.api.parts import Check, Parts
from bylaw.api.ports import SystemUnit
from bylaw.api.projection import Projector
from bylaw.api.receipts import ReceiptReader
from bylaw.api.sightings import Sightings
from bylaw.api.signing import Signing
from bylaw.api.soundness import Soundness
from bylaw.api.spending import Spending
from bylaw.api.tallying import Tallying
from bylaw.api.tracing import Tracer, Untraced
from bylaw.api.upkeep import Upkeep
from bylaw.api.witness import Witness, refusal
from bylaw.api.workload import Workload
from bylaw.app.embedding import finder_of
from bylaw.app.finding import ask_to_embed
from bylaw.app.judging import adviser_of, model_of, panel_of, providers_of, watch_judging
from bylaw.app.routing import PolicyRouter
from bylaw.app.webhooks import forgetting_of, notifier_of
from bylaw.core.clock import Clock, SystemClock
from bylaw.core.errors import InvalidInput
from bylaw.core.ids import Ids, TenantId
from bylaw.decisions.engine import Engine
from bylaw.decisions.loading import LoadedSnapshots
from bylaw.gateway.choosing import Connections
from bylaw.gateway.passage import Gateway
from bylaw.receipts.issue import Issuer
from bylaw.settings import Settings
from bylaw.stores import Stores, open_stores
from bylaw.tenancy.changes import Entry

# A process is late when it has missed this many looks for changes, and some.
_LATE: Final = 10
_SLACK_MS: Final = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class App:
    """A running server.

    `operator_key` is what this start did about the operator's key, None for nothing; `key_file` holds the
    signing keys. `settle` logs and publishes what a committed transaction of a tenant changed.
    """

    asgi: Asgi
    stores: Stores
    engine: Engine
    signing: Signing
    upkeep: Upkeep
    workload: Workload
    settle: Callable[[TenantId], Awaitable[None]]
    operator_key: OperatorKey | None
    key_file: Path

    @property
    def admin_key(self) -> str | None:
        """Return the text of the key that this start made, to be shown once."""
        return None if self.operator_key is None else self.operator_key.raw


@dataclass(frozen=True, slots=True, kw_only=True)
class Unserved:
    """What a server would stand on, and what tells whether its planes belong together."""

    stores: Stores
    signing: Signing
    witness: Witness
    issuer: Issuer


@asynccontextmanager
async def build(settings: Settings) -> AsyncIterator[App]:
    """Open what `settings` name, and run a server on it until the block ends.

    Raises: Conflict when another process owns the data, or a key file is not private; Corrupt when receipts
    and control plane are not of one time.
    """
    clock = SystemClock()
    ids = Ids(clock)
    async with AsyncExitStack() as stack:
        stores = await open_stores(settings, clock, ids, stack)
        tracer = _tracer(stack) if settings.telemetry.traces == "otlp" else Untraced()
        yield await stack.enter_async_context(join(settings, stores, clock=clock, ids=ids, tracer=tracer))


@asynccontextmanager
async def unserved(settings: Settings) -> AsyncIterator[Unserved]:
    """Open what `settings` name and run no server on it: nothing is written, nothing is compared.

    Raises: as `build`.
    """
    clock = SystemClock()
    ids = Ids(clock)
    async with AsyncExitStack() as stack:
        stores = await open_stores(settings, clock, ids, stack)
        server = _Joined(settings, stores, clock=clock, ids=ids, tracer=Untraced())
        yield Unserved(stores=stores, signing=server.signing, witness=server.witness, issuer=server.issuer)


def _tracer(stack: AsyncExitStack) -> Tracer:
    """Return what makes spans; those that are left are sent when `stack` ends. Raises: InvalidInput."""
    try:
        from bylaw.api import otel  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise InvalidInput("Traces need the extra otel: pip install '.[otel]' in a clone.") from error
    provider = otel.otlp_provider(bylaw.__version__)
    stack.callback(provider.shutdown)
    return otel.OtelTracer(provider)


def _mcp(door: Door, inside: Inside) -> Mapping[tuple[str, str], Hot]:
    """Return the handlers of the MCP server, none where its extra is not installed."""
    if find_spec("mcp") is None:
        return {}
    from bylaw.api.mcp import Mcp  # noqa: PLC0415 - an optional extra

    return Mcp(door, inside).table()


def _unknown_pace(settings: Settings) -> UnknownPace:
    """Return the pace of those who come without a key."""
    return UnknownPace(
        per_minute=settings.keys.unknown_per_minute,
        per_address=settings.keys.address_per_minute,
        proxies=Proxies(settings.server.proxies),
    )


@asynccontextmanager
async def join(
    settings: Settings, stores: Stores, *, clock: Clock, ids: Ids, tracer: Tracer
) -> AsyncIterator[App]:
    """Run a server on `stores` until the block ends; they are closed by whoever opened them.

    Raises: Corrupt when receipts and control plane are not of one time.
    """
    server = _Joined(settings, stores, clock=clock, ids=ids, tracer=tracer)
    found = await server.witness.objections()
    if found:
        raise refusal(found)
    operator_key = await first_start(stores.control, clock=clock, ids=ids, raw=settings.keys.admin_key)
    async with server.upkeep.running(), aclosing(server.providers), aclosing(server.notifier.sender):
        yield App(
            asgi=server.edge(),
            stores=stores,
            engine=server.engine,
            signing=server.signing,
            upkeep=server.upkeep,
            workload=server.workload,
            settle=server.settle,
            operator_key=operator_key,
            key_file=stores.key_file.path,
        )


class _Joined:
    """The parts of one server, joined and not yet running."""

    def __init__(self, settings: Settings, stores: Stores, *, clock: Clock, ids: Ids, tracer: Tracer) -> None:
        self._settings, self._stores = settings, stores
        self._clock = clock
        self._ids = ids
        self._tracer = tracer
        control, ledger = stores.control, stores.ledger
        self.metrics = Metrics()
        self.snapshots = LoadedSnapshots()
        self.follower = Follower(control, self.snapshots, clock)
        self.notifier = notifier_of(settings, stores.secret_file, clock, ids=ids)
        self.projector = Projector(control, ledger.effects, self.notifier.telling)
        self.issuer = Issuer(ledger.log.origin, stores.keys.signer, clock=clock, ids=ids)
        self.signing = Signing(stores.key_file, stores.keys, ledger=ledger, issuer=self.issuer, clock=clock)
        self.witness = Witness(control, ledger, clock)
        self.feed = Feed(control, ledger.logs)
        self.entries = Entries(control, self.issuer, ledger.log, tell=self._tell, keep=self.witness.keep_with)
        self.sightings = Sightings(control, clock)
        limits, unknown = Limits(clock, settings.keys.rate_per_minute), _unknown_pace(settings)
        self.door = Door(self.follower, limits, clock=clock, metrics=self.metrics, unknown=unknown)
        self.forgetting = forgetting_of(settings, control, clock)
        self.providers = providers_of(settings)
        self.finder = finder_of(settings, self.providers)
        self.soundness, self.workload = Soundness(control, ledger), Workload(control, clock)
        self.judge = model_of(settings, self.providers)
        self.panel = panel_of(settings, self.judge, tracer)
        router = PolicyRouter(control, self.finder, clock=clock, ids=ids)
        self.engine = Engine(snapshots=self.snapshots, panel=self.panel, clock=clock, ids=ids, router=router)
        self.upkeep = Upkeep(
            store=control,
            follower=self.follower,
            projector=self.projector,
            entries=self.entries,
            sightings=self.sightings,
            signing=self.signing,
            soundness=self.soundness,
            workload=self.workload,
            forgetting=self.forgetting,
            tallying=Tallying(control, clock),
            feed=self.feed,
            anchors=Anchors(ledger, self.issuer),
            door=self.door,
            witness=self.witness,
            follow_s=settings.storage.follow_ms / 1000,
            anchor_s=settings.receipts.anchor_s,
        )

    def edge(self) -> Edge:
        """Return the whole API."""
        control, ledger = self._stores.control, self._stores.ledger
        spending = Spending(control, self.projector, self.entries, clock=self._clock, ids=self._ids)
        aftermath = Aftermath(self.metrics, self.sightings, self.projector)
        decider = Decider(
            self.engine, self.issuer, ledger, spending=spending, aftermath=aftermath, tracer=self._tracer
        )
        hot = HotRoutes(self.door, decider, batch_items=self._settings.decisions.batch_items)
        links = Links(self._settings.server.public_url)
        gateway = Gateway(self._connections(), self.providers, decider)
        chat = ChatRoutes(self.door, gateway, links)
        parts = self._parts(gateway, links)
        server = self._settings.server
        limits = EdgeLimits(
            body_bytes=server.body_bytes, request_ms=server.request_ms, access_log=server.access_log
        )
        self.watch()
        table = {
            **hot.table(),
            **CertificateRoutes(self.door, Certifier(decider, links)).table(),
            **chat.table(),
        }
        served = Served(app=application(parts), hot=table, failures=failures())
        return Edge(
            replace(served, hot={**table, **_mcp(self.door, Inside(served))}),
            limits=limits,
            metrics=self.metrics,
            ids=self._ids,
            tracer=self._tracer,
        )

    def _parts(self, gateway: Gateway, links: Links) -> Parts:
        """Return what routes work with."""
        return Parts(
            store=self._stores.control,
            ledger=self._stores.ledger,
            receipts=ReceiptReader(self._stores.ledger, self.signing.published),
            engine=self.engine,
            judge=self.judge,
            adviser=adviser_of(self._settings, self.providers, self._ids),
            door=self.door,
            metrics=self.metrics,
            forgetting=self.forgetting,
            finder=self.finder,
            clock=self._clock,
            ids=self._ids,
            settle=self.settle,
            caught_up=self.projector.catch_up,
            checks=self.checks,
            signing=self.signing,
            sealer=self._stores.secret_file,
            providers=self.providers,
            gateway=gateway,
            notifier=self.notifier,
            links=links,
            openapi=document(),
        )

    def _connections(self) -> Connections:
        """Return what finds the connection for a model."""
        return Connections(
            self._stores.control,
            self.providers,
            self._stores.secret_file,
            clock=self._clock,
            seen=self.follower.seen,
        )

    async def _tell(self, system: SystemUnit, entries: Sequence[Entry]) -> None:
        """Take entries into the feeds, and tell webhooks of them."""
        await self.feed.take(system, entries)
        await tell_of_entries(self.notifier.telling, system, entries)

    async def settle(self, tenant_id: TenantId) -> None:
        """Log and publish what a committed transaction of a tenant changed."""
        before = self.follower.seen.get(tenant_id)
        await self.entries.drain(tenant_id)
        await self.follower.refresh(tenant_id)
        if self.follower.seen.get(tenant_id) != before:
            await ask_to_embed(self._stores.control, tenant_id)

    def checks(self) -> Sequence[Check]:
        """Return the conditions of readiness; what start-up does (schema, keys, policies) is done by now."""
        lag_ms, state = self.follower.lag_ms, self._stores.ledger.log.state
        late = lag_ms > _LATE * self._settings.storage.follow_ms + _SLACK_MS
        return (
            Check(name="changes", detail=f"not looked for since {lag_ms} ms" if late else ""),
            Check(name="control", detail=self.soundness.control),
            Check(
                name="receipts",
                detail=self.soundness.receipts if state.ready else "the log cannot be written",
            ),
        )

    def watch(self) -> None:
        """Show how far this process is behind, and how its log does."""
        watch, log = self.metrics.watch, self._stores.ledger.log
        watch("bylaw_changes_lag_seconds", "Since changes of others were looked for.", self._lag_s)
        watch(
            "bylaw_effects_lag",
            "Effects of decisions that lists do not show yet.",
            lambda: self.projector.lag,
        )
        watch(
            "bylaw_policies_refused",
            "Tenants served by an older snapshot.",
            lambda: len(self.snapshots.refused),
        )
        watch_judging(self.metrics, self.panel.cache, self.judge)
        self.workload.watch(self.metrics)
        watch("bylaw_log_queued", "Receipts that wait for their commit.", lambda: log.state.queued)
        watch("bylaw_log_commits", "Commits of the log by this process.", lambda: log.state.commits)
        watch("bylaw_log_receipts", "Receipts committed by this process.", lambda: log.state.written)

    def _lag_s(self) -> float:
        return self.follower.lag_ms / 1000
