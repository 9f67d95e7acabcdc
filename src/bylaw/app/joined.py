"""The parts of one server, joined: who stands on what. What each is made of is in the module of its noun."""

from collections.abc import Sequence

from bylaw.api.anchors import Anchors
from bylaw.api.auth import Door, UnknownPace
from bylaw.api.entries import Entries
from bylaw.api.feed import Feed
from bylaw.api.follow import Follower
from bylaw.api.forgetting import Forgetting
from bylaw.api.letting_go import let_go_of_entries
from bylaw.api.limits import Limits
from bylaw.api.metrics import Metrics
from bylaw.api.notifying import tell_of_entries
from bylaw.api.origin import Proxies
from bylaw.api.ports import SystemUnit
from bylaw.api.projection import Projector
from bylaw.api.sightings import Sightings
from bylaw.api.signing import Signing
from bylaw.api.soundness import Soundness
from bylaw.api.tallying import Tallying
from bylaw.api.tracing import Tracer
from bylaw.api.upkeep import Upkeep
from bylaw.api.witness import Witness
from bylaw.api.workload import Workload
from bylaw.app.embedding import ask_to_embed, finder_of
from bylaw.app.judging import model_of, panel_of, providers_of
from bylaw.app.routing import PolicyRouter
from bylaw.app.signing_on import sign_on_of
from bylaw.app.webhooks import notifier_of
from bylaw.core.clock import HOUR_MS, Clock
from bylaw.core.ids import Ids, TenantId
from bylaw.decisions.engine import Engine
from bylaw.decisions.loading import LoadedSnapshots
from bylaw.receipts.issue import Issuer
from bylaw.settings import Settings
from bylaw.stores import Stores
from bylaw.tenancy.changes import Entry


class Joined:
    """The parts of one server, not yet running.

    `follower` keeps the policies of this process up to date, by which `engine` decides. `issuer` to `entries`
    log what was decided and changed; `projector` and `notifier` bring it to people. `upkeep` runs it all.
    """

    def __init__(self, settings: Settings, stores: Stores, *, clock: Clock, ids: Ids, tracer: Tracer) -> None:
        self.settings, self.stores = settings, stores
        self.clock, self.ids, self.tracer = clock, ids, tracer
        self.metrics = Metrics()
        control, ledger = stores.control, stores.ledger

        self.snapshots = LoadedSnapshots()
        self.follower = Follower(control, self.snapshots, clock)
        self.door = self._door()

        self.providers = providers_of(settings)
        self.finder = finder_of(settings, self.providers)
        self.judge = model_of(settings, self.providers)
        self.panel = panel_of(settings, self.judge, tracer)
        router = PolicyRouter(control, self.finder, clock=clock, ids=ids)
        self.engine = Engine(snapshots=self.snapshots, panel=self.panel, clock=clock, ids=ids, router=router)

        self.issuer = Issuer(ledger.log.origin, stores.keys.signer, clock=clock, ids=ids)
        self.signing = Signing(stores.key_file, stores.keys, ledger=ledger, issuer=self.issuer, clock=clock)
        self.witness = Witness(control, ledger, clock)
        self.feed = Feed(control, ledger.logs)
        self.entries = Entries(control, self.issuer, ledger.log, tell=self._tell, keep=self.witness.keep_with)

        self.sign_on = sign_on_of(settings, stores.secret_file, clock=clock, ids=ids)
        self.notifier = notifier_of(settings, stores.secret_file, clock, ids=ids)
        self.projector = Projector(control, ledger.effects, self.notifier.telling)
        self.sightings = Sightings(control, clock)
        self.forgetting = Forgetting(control, clock, keep_ms=settings.storage.keep_answers_h * HOUR_MS)
        self.soundness, self.workload = Soundness(control, ledger), Workload(control, clock)
        self.upkeep = self._upkeep()

    async def settle(self, tenant_id: TenantId) -> None:
        """Log and publish what a committed transaction of a tenant changed."""
        before = self.follower.seen.get(tenant_id)
        await self.entries.drain(tenant_id)
        await self.follower.refresh(tenant_id)
        if self.follower.seen.get(tenant_id) != before:
            await ask_to_embed(self.stores.control, tenant_id)

    async def _tell(self, system: SystemUnit, entries: Sequence[Entry]) -> None:
        """Take entries into the feeds, act on who may less since, and tell webhooks of them."""
        await self.feed.take(system, entries)
        await let_go_of_entries(system, entries, clock=self.clock, ids=self.ids)
        await tell_of_entries(self.notifier.telling, system, entries)

    def _door(self) -> Door:
        """Return who lets callers in, at their pace."""
        keys = self.settings.keys
        unknown = UnknownPace(
            per_minute=keys.unknown_per_minute,
            per_address=keys.address_per_minute,
            proxies=Proxies(self.settings.server.proxies),
        )
        limits = Limits(self.clock, keys.rate_per_minute)
        return Door(self.follower, limits, clock=self.clock, metrics=self.metrics, unknown=unknown)

    def _upkeep(self) -> Upkeep:
        """Return what looks after all of it."""
        control = self.stores.control
        return Upkeep(
            store=control,
            clock=self.clock,
            follower=self.follower,
            projector=self.projector,
            entries=self.entries,
            sightings=self.sightings,
            signing=self.signing,
            soundness=self.soundness,
            workload=self.workload,
            forgetting=self.forgetting,
            tallying=Tallying(control, self.clock),
            feed=self.feed,
            anchors=Anchors(self.stores.ledger, self.issuer),
            door=self.door,
            witness=self.witness,
            follow_s=self.settings.storage.follow_ms / 1000,
            anchor_s=self.settings.receipts.anchor_s,
        )
