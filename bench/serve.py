"""A server of the bench in its own process: `python -m bench.serve VARIANT --data DIR [--database URL]`.

Variants: `sqlite` and `postgres` are the product. `nostore` is the same server with the store left out: it
grows and signs its log and keeps nothing of it. It exists to be measured against and cannot be reached from
the settings of the product.
Prints one JSON line with the port and the first key, and serves until SIGTERM.
"""

import argparse
import json
import os
import signal
from collections.abc import Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import uvicorn
import uvloop

from bylaw import app as joined
from bylaw import settings
from bylaw.api.tracing import Untraced
from bylaw.app import join
from bylaw.cli.serve import listen, spare_the_collector
from bylaw.core.clock import SystemClock
from bylaw.core.ids import Ids
from bylaw.receipts.ports import PendingEntry, Recorded, Repeated
from bylaw.receipts.signing import Signer
from bylaw.storage.control import open_control
from bylaw.storage.group_commit import GroupCommit
from bylaw.storage.key_file import KeyFile
from bylaw.storage.memory.receipts import MemoryLedger, MemoryRows
from bylaw.storage.receipt_rows import plan
from bylaw.storage.secret_file import SecretFile
from bylaw.stores import Stores


class Forgetful(MemoryRows):
    """A writer that does everything but keep what it wrote."""

    async def write(self, entries: Sequence[PendingEntry]) -> Sequence[Recorded | Repeated]:
        planned = plan(entries, {}, {})
        batch = self._appender.stage(planned.fresh)
        self._appender.commit()
        self.checkpoints = [batch.checkpoint]
        return planned.fates(batch)


class ForgetfulLedger(MemoryLedger):
    """A receipts plane that holds the latest checkpoint and nothing else."""

    def __init__(self, *, origin: str, signer: Signer) -> None:
        super().__init__(origin=origin, signer=signer)
        self.log = GroupCommit(Forgetful(origin, signer))


@asynccontextmanager
async def without_store(wanted: settings.Settings):
    clock = SystemClock()
    ids = Ids(clock)
    folder = wanted.storage.data
    key_file = KeyFile(folder / "keys.json")
    keys = key_file.load_or_create(clock)
    async with AsyncExitStack() as stack:
        ledger = ForgetfulLedger(origin="bench.local/memory", signer=keys.signer)
        stack.push_async_callback(ledger.close)
        control = await open_control(f"sqlite:///{folder / 'control.db'}", ids=ids, clock=clock)
        stack.push_async_callback(control.close)
        stores = Stores(
            control=control,
            ledger=ledger,
            keys=keys,
            key_file=key_file,
            secret_file=SecretFile(folder / "secrets.json"),
        )
        yield await stack.enter_async_context(join(wanted, stores, clock=clock, ids=ids, tracer=Untraced()))


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("variant", choices=("sqlite", "postgres", "nostore"))
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--database", default="")
    parser.add_argument("--admin-key", default="")
    parser.add_argument("--core", type=int)
    options = parser.parse_args()
    if options.core is not None:
        os.sched_setaffinity(0, {options.core})
    given = {"rate_per_minute": 1_000_000, "access_log": os.environ.get("ACCESS_LOG", "errors")}
    if options.admin_key:
        given["admin_key"] = options.admin_key
    if options.database:
        given |= {"database": options.database, "key_file": str(options.data / "keys.json")}
    else:
        given["data"] = options.data
    wanted = settings.build(**given)
    build = without_store if options.variant == "nostore" else joined.build
    listener = listen("127.0.0.1", 0)
    async with build(wanted) as running:
        config = uvicorn.Config(
            running.asgi,
            http="httptools",
            lifespan="off",
            access_log=False,
            log_level="warning",
            proxy_headers=False,
        )
        spare_the_collector()
        print(json.dumps({"port": listener.getsockname()[1], "key": running.admin_key}), flush=True)
        for each in (signal.SIGINT, signal.SIGTERM):
            signal.signal(each, signal.SIG_IGN)
        await uvicorn.Server(config).serve(sockets=[listener])


if __name__ == "__main__":
    uvloop.run(main())
