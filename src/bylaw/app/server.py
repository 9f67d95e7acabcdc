"""A server: `build(settings)` opens, joins and starts its parts, and stops them again."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import bylaw
from bylaw.api.asgi import App as Asgi
from bylaw.api.first_start import OperatorKey, first_start
from bylaw.api.signing import Signing
from bylaw.api.tracing import Tracer, Untraced
from bylaw.api.upkeep import Upkeep
from bylaw.api.witness import Witness, refusal
from bylaw.api.workload import Workload
from bylaw.app.health import watch
from bylaw.app.joined import Joined
from bylaw.app.surface import surface_of
from bylaw.core.clock import Clock, SystemClock
from bylaw.core.errors import InvalidInput
from bylaw.core.ids import Ids, TenantId
from bylaw.decisions.engine import Engine
from bylaw.receipts.issue import Issuer
from bylaw.settings import Settings
from bylaw.stores import Stores, open_stores


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
        server = Joined(settings, stores, clock=clock, ids=ids, tracer=Untraced())
        yield Unserved(stores=stores, signing=server.signing, witness=server.witness, issuer=server.issuer)


@asynccontextmanager
async def join(
    settings: Settings, stores: Stores, *, clock: Clock, ids: Ids, tracer: Tracer
) -> AsyncIterator[App]:
    """Run a server on `stores` until the block ends; they are closed by whoever opened them.

    Raises: Corrupt when receipts and control plane are not of one time.
    """
    server = Joined(settings, stores, clock=clock, ids=ids, tracer=tracer)
    found = await server.witness.objections()
    if found:
        raise refusal(found)
    operator_key = await first_start(stores.control, clock=clock, ids=ids, raw=settings.keys.admin_key)
    watch(server)
    async with AsyncExitStack() as stack:
        for each in (server.notifier.sender, server.providers, server.sign_on):
            if each is not None:
                await stack.enter_async_context(aclosing(each))
        await stack.enter_async_context(server.upkeep.running())
        yield App(
            asgi=surface_of(server),
            stores=stores,
            engine=server.engine,
            signing=server.signing,
            upkeep=server.upkeep,
            workload=server.workload,
            settle=server.settle,
            operator_key=operator_key,
            key_file=stores.key_file.path,
        )


def _tracer(stack: AsyncExitStack) -> Tracer:
    """Return what makes spans; those that are left are sent when `stack` ends. Raises: InvalidInput."""
    try:
        from bylaw.api import otel  # noqa: PLC0415 - an optional extra
    except ImportError as error:
        raise InvalidInput("Traces need the extra otel: pip install '.[otel]' in a clone.") from error
    provider = otel.otlp_provider(bylaw.__version__)
    stack.callback(provider.shutdown)
    return otel.OtelTracer(provider)
