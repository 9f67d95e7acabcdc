"""What the routes work with: the joined parts of one server. `app` builds them, routes read them."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from bylaw.api.auth import Door
from bylaw.api.forgetting import Forgetting
from bylaw.api.links import Links
from bylaw.api.metrics import Metrics
from bylaw.api.ports import ControlStore, Gateway
from bylaw.api.receipts import ReceiptReader
from bylaw.api.signing import Signing
from bylaw.core.clock import Clock
from bylaw.core.ids import Ids, TenantId
from bylaw.decisions.engine import Engine
from bylaw.providers.calling import Providers
from bylaw.receipts.ports import Ledger
from bylaw.tenancy.sealing import Sealer


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One condition of readiness; `detail` says what is wrong, and is empty while it holds."""

    name: str
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """The parts of a server.

    `settle` is called after a transaction that wrote, before its answer leaves: it brings queued entries into
    the log and this process up to date with what was committed. `caught_up` returns once every effect of this
    process's receipts is visible in lists. `checks` are the conditions of readiness, `links` makes addresses
    of this server, `openapi` is the description of the API.
    """

    store: ControlStore
    ledger: Ledger
    receipts: ReceiptReader
    engine: Engine
    door: Door
    metrics: Metrics
    forgetting: Forgetting
    clock: Clock
    ids: Ids
    settle: Callable[[TenantId], Awaitable[None]]
    caught_up: Callable[[], Awaitable[None]]
    checks: Callable[[], Sequence[Check]]
    signing: Signing
    sealer: Sealer
    providers: Providers
    gateway: Gateway
    links: Links
    openapi: bytes
