"""kill -9 under load: nothing that was acknowledged is missing, and it serves again."""

import asyncio
from pathlib import Path

import pytest

from bylaw.core.clock import SystemClock
from bylaw.storage.key_file import KeyFile
from bylaw.storage.postgres import receipts as on_postgres
from bylaw.storage.sqlite import receipts as on_sqlite
from tests import postgres
from tests.contracts.receipts.shelf import writer_origin
from tests.durability.acknowledging import KEYS, open_ledger
from tests.durability.killing import Recorder, account_for, kill_again_and_again, started
from tests.durability.served import Server

ROUNDS = [
    pytest.param(3, marks=pytest.mark.slow),
    pytest.param(20, marks=[pytest.mark.slow, pytest.mark.soak]),
]


@pytest.fixture(params=["sqlite", "postgres"])
async def store(request, tmp_path):
    if request.param == "sqlite":
        return "sqlite", str(tmp_path)
    place = postgres.plain(request.getfixturevalue("postgres_url"))
    await postgres.execute(place, "DROP SCHEMA IF EXISTS ledger CASCADE")
    return "postgres", place


@pytest.mark.parametrize("rounds", ROUNDS)
async def test_a_killed_writer_loses_nothing_that_it_acknowledged(store, rounds):
    account = await asyncio.to_thread(kill_again_and_again, Recorder(*store), rounds)
    missing = await account_for(await open_ledger(*store), KEYS, account.acknowledged)
    print(f"kill -9 of the writer over {store[0]}: {account}, {len(missing)} missing")
    assert missing == []


@pytest.mark.parametrize("rounds", ROUNDS)
async def test_a_killed_server_loses_no_decision_that_it_answered(store, rounds, tmp_path):
    kind, place = store
    key_file = tmp_path / "keys.json"
    where = ["--data", place] if kind == "sqlite" else ["--database", place]
    server = Server(*where, "--key-file", str(key_file))
    account = await asyncio.to_thread(kill_again_and_again, server, rounds)
    keys = KeyFile(key_file).load_or_create(SystemClock())
    opened = {"signer": keys.signer, "keys": keys.published}
    if kind == "sqlite":
        ledger = await on_sqlite.open_ledger(Path(place), origin=writer_origin(1), **opened)
    else:
        ledger = await on_postgres.open_ledger(place, origin=writer_origin, **opened)
    missing = await account_for(ledger, keys.published, account.acknowledged)
    print(f"kill -9 of the server over {kind}: {account}, {len(missing)} missing")
    assert missing == []


@pytest.fixture
def postmaster():
    with postgres.postmaster() as running:
        yield running


@pytest.mark.parametrize("rounds", ROUNDS)
async def test_a_killed_database_loses_nothing_and_the_same_process_goes_on(postmaster, rounds):
    def run() -> list[str]:
        recorder, acknowledged = Recorder("postgres", postmaster.url), []
        with started(recorder):
            for _ in range(rounds):
                acknowledged.extend(recorder.load(300))
                postmaster.crash()
            acknowledged.extend(recorder.load(300))
            return [*acknowledged, *recorder.kill()]

    acknowledged = await asyncio.to_thread(run)
    missing = await account_for(await open_ledger("postgres", postmaster.url), KEYS, acknowledged)
    print(f"kill -9 of PostgreSQL, {rounds} times: {len(acknowledged)} acknowledged, {len(missing)} missing")
    assert missing == []
