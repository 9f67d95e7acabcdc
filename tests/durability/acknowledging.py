"""A process that records receipts as fast as it can and names each on its output once it is durable.

`python -m tests.durability.acknowledging sqlite FOLDER | postgres URL`: the first line is `ready`.
"""

import asyncio
import logging
import os
import sys
from itertools import count
from pathlib import Path

import uvloop

from bylaw.core.clock import SystemClock
from bylaw.core.errors import Unavailable
from bylaw.core.ids import Ids
from bylaw.receipts.issue import Issuer
from bylaw.receipts.ports import Effect, Idempotency
from bylaw.receipts.signing import KeySet
from bylaw.storage.postgres import receipts as on_postgres
from bylaw.storage.sqlite import receipts as on_sqlite
from tests.contracts.receipts.shelf import writer_origin
from tests.receipts.book import TENANT, decision, signer

CLIENTS = 16
SIGNER = signer(1)
KEYS = KeySet().with_active(SIGNER.public, 0)


async def open_ledger(kind: str, place: str):
    if kind == "sqlite":
        return await on_sqlite.open_ledger(Path(place), origin=writer_origin(1), signer=SIGNER, keys=KEYS)
    return await on_postgres.open_ledger(place, origin=writer_origin, signer=SIGNER, keys=KEYS)


async def main(kind: str, place: str) -> None:
    logging.disable(logging.CRITICAL)
    ledger = await open_ledger(kind, place)
    issuer = Issuer(ledger.log.origin, SIGNER, clock=SystemClock(), ids=Ids())
    ledger.log.on_renamed = issuer.follow
    numbers = count()
    os.write(1, b"ready\n")

    async def client() -> None:
        while True:
            promise = Idempotency(scope=f"process {os.getpid()}", key=str(next(numbers)), digest="d")
            effects = [Effect(kind="violation", payload=b"1")]
            contents = {"request": os.urandom(600)}
            entry = issuer.issue(
                decision(), tenant=TENANT, contents=contents, effects=effects, idempotency=promise
            )
            try:
                await ledger.log.append([entry])
            except Unavailable:
                await asyncio.sleep(0.005)
            else:
                os.write(1, f"{entry.id}\n".encode())

    await asyncio.gather(*(client() for _ in range(CLIENTS)))


if __name__ == "__main__":
    uvloop.run(main(*sys.argv[1:]))
