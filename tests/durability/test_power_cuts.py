"""Twenty power cuts at random moments: what was acknowledged is there, and the log still holds together."""

import asyncio
from itertools import count
from pathlib import Path
from random import Random

import apsw
import pytest

from bylaw.core.errors import Unavailable
from bylaw.receipts.ports import Effect, Idempotency
from tests.contracts.receipts.shelf import Shelf
from tests.durability.power_cut_vfs import Disk, PowerCutVfs
from tests.receipts.book import TENANT

CLIENTS = 8


@pytest.fixture(autouse=True)
def _quiet(caplog):
    caplog.set_level("CRITICAL", "bylaw.storage.group_commit")


async def write_until_the_cut(folder: Path, disk: Disk, *, synchronous: str, checkpoint_pages: int) -> list:
    """Record receipts through `disk` until its power is gone; return those that were acknowledged."""
    shelf = Shelf("sqlite", folder)
    vfs = PowerCutVfs(disk)
    acknowledged, numbers = [], count()
    try:
        ledger = await shelf.open()
        run = ledger.writer._opened.run
        await run(apsw.Connection.pragma, "synchronous", synchronous)
        await run(apsw.Connection.pragma, "wal_autocheckpoint", checkpoint_pages)

        async def client():
            while True:
                key = Idempotency(scope="s", key=f"k{next(numbers)}", digest="d")
                effects = [Effect(kind="violation", payload=b"1")]
                contents = {"request": bytes(shelf.dice(2)[0] * 30)}
                entry = shelf.issue(ledger, contents=contents, idempotency=key, effects=effects)
                try:
                    await ledger.log.append([entry])
                except Unavailable:
                    return
                acknowledged.append(entry)

        await asyncio.gather(*(client() for _ in range(CLIENTS)))
        await shelf.close()
    except (apsw.Error, Unavailable):
        pass  # the power went while the file was opened or closed
    finally:
        vfs.end()
    assert disk.is_off
    return acknowledged


async def missing_after(folder: Path, acknowledged: list) -> int:
    """Start again on what the disk kept; check it whole; return how many acknowledged receipts are gone."""
    shelf = Shelf("sqlite", folder)
    ledger = await shelf.open()
    shelf.clock.advance(10**9)
    there = {leaf.id: leaf for leaf in await ledger.logs.leaves(ledger.log.origin, start=0, limit=10**6)}
    kept = [entry for entry in acknowledged if entry.id in there]
    for entry in kept:
        assert there[entry.id].receipt == entry.receipt
        assert [part.content for part in await ledger.of(TENANT).parts(entry.id)] == [entry.parts[0].content]
        assert (await ledger.of(TENANT).repeated("s", entry.idempotency.key)).id == entry.id
    assert (await ledger.effects.ends()).get(ledger.log.origin, 0) == len(there)
    await shelf.record(ledger)
    assert await shelf.findings(ledger) == ("verified", [])
    await shelf.close()
    connection = apsw.Connection(str(folder / "receipts.db"))
    assert connection.execute("PRAGMA integrity_check").get == "ok"
    connection.close()
    return len(acknowledged) - len(kept)


async def cut(folder: Path, seed: int, *, synchronous: str) -> tuple[int, int]:
    """One cut; return how many receipts were acknowledged and how many of them are gone."""
    random = Random(seed)
    before, after = folder / f"{seed}-before", folder / f"{seed}-after"
    before.mkdir()
    after.mkdir()
    disk = Disk(cut_at=random.choice([random.randrange(60), random.randrange(60, 3000)]))
    acknowledged = await write_until_the_cut(
        before, disk, synchronous=synchronous, checkpoint_pages=random.choice([20, 1000])
    )
    disk.survive(after, random, survival=random.choice([0.0, 0.5, 0.9, random.random()]))
    return len(acknowledged), await missing_after(after, acknowledged)


async def cuts(folder: Path, seeds: range, *, synchronous: str) -> tuple[int, int]:
    found = [await cut(folder, seed, synchronous=synchronous) for seed in seeds]
    return sum(written for written, _ in found), sum(lost for _, lost in found)


@pytest.mark.slow
async def test_twenty_power_cuts_lose_nothing_that_was_acknowledged(tmp_path):
    acknowledged, lost = await cuts(tmp_path, range(20), synchronous="full")
    print(f"20 power cuts, synchronous=FULL: {acknowledged} acknowledged, {lost} lost")
    assert acknowledged > 1000
    assert lost == 0


@pytest.mark.slow
async def test_the_simulated_disk_shows_what_a_weaker_setting_loses(tmp_path):
    acknowledged, lost = await cuts(tmp_path, range(20), synchronous="normal")
    print(f"20 power cuts, synchronous=NORMAL: {acknowledged} acknowledged, {lost} lost")
    assert lost > 0


@pytest.mark.slow
@pytest.mark.soak
async def test_hundreds_of_power_cuts_lose_nothing_that_was_acknowledged(tmp_path):
    acknowledged, lost = await cuts(tmp_path, range(100, 400), synchronous="full")
    print(f"300 power cuts, synchronous=FULL: {acknowledged} acknowledged, {lost} lost")
    assert lost == 0
