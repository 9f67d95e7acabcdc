"""What the routes work with: the joined parts of one server. `app` builds them, routes read them."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Literal, Protocol

from bylaw.api.advising import Adviser
from bylaw.api.auth import Door
from bylaw.api.forgetting import Forgetting
from bylaw.api.links import Links
from bylaw.api.metrics import Metrics
from bylaw.api.oidc.sign_on import SignOn
from bylaw.api.ports import ControlStore, Gateway, Unit
from bylaw.api.receipts import ReceiptReader
from bylaw.api.recommending import Recommender
from bylaw.api.sign_in import SignIn
from bylaw.api.signing import Signing
from bylaw.core.clock import Clock
from bylaw.core.ids import Ids, TenantId
from bylaw.decisions.engine import Engine
from bylaw.notify.sending import Notifier
from bylaw.providers.calling import Providers
from bylaw.receipts.ports import Ledger
from bylaw.search.finder import Finder
from bylaw.tenancy.principal import Acting, Principal
from bylaw.tenancy.sealing import Sealer


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One condition of readiness; `detail` says what is wrong, and is empty while it holds."""

    name: str
    detail: str = ""


class Judge(Protocol):
    """A model that judges, as far as one asks how it does."""

    @property
    def digest(self) -> str:
        """What identifies it with its settings."""

    @property
    def model(self) -> str:
        """The name of the model."""

    def state_of(self, asker: str) -> Literal["closed", "open", "half_open"]:
        """Return whether a tenant asks it, leaves it alone, or tries it again."""

    @property
    def tokens_per_day(self) -> int:
        """How many tokens each tenant may use in a day, 0 for any number."""

    def spent(self, asker: str) -> int:
        """Return the tokens that a tenant used today."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of a server.

    `judge` is the model that judges rules in words, `sign_on` single sign-on; None where none is named.
    `adviser` reviews wordings, `recommender` finds policies for a need.
    `settle` is called after a transaction that wrote, before its answer leaves: it brings queued entries into
    the log and this process up to date with what was committed. `caught_up` returns once every effect of this
    process's receipts is visible in lists. `checks` are the conditions of readiness, `links` makes addresses
    of this server, `openapi` returns the description of the API.
    """

    store: ControlStore
    ledger: Ledger
    receipts: ReceiptReader
    engine: Engine
    judge: Judge | None
    adviser: Adviser
    recommender: Recommender
    door: Door
    metrics: Metrics
    forgetting: Forgetting
    finder: Finder
    clock: Clock
    ids: Ids
    settle: Callable[[TenantId], Awaitable[None]]
    caught_up: Callable[[], Awaitable[None]]
    checks: Callable[[], Sequence[Check]]
    sign_in: SignIn
    sign_on: SignOn | None
    signing: Signing
    sealer: Sealer
    providers: Providers
    gateway: Gateway
    notifier: Notifier
    links: Links
    openapi: Callable[[], bytes]

    @asynccontextmanager
    async def acting(self, principal: Principal, *, writes: bool = True) -> AsyncIterator[Acting[Unit]]:
        """Yield a caller at work inside their tenant, in a transaction of its own."""
        async with self.store.begin(principal.tenant_id, writes=writes) as unit:
            yield Acting(unit=unit, principal=principal, clock=self.clock, ids=self.ids)
