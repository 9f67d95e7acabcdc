"""A stopped server's log leaves as a file, and verifies without it."""

import asyncio

from click.testing import CliRunner

from bylaw.app import build
from bylaw.cli.log import log
from bylaw.core.clock import SystemClock
from bylaw.core.errors import InvalidInput
from bylaw.core.ids import Ids
from bylaw.receipts.issue import Issuer
from bylaw.settings import load
from tests.receipts.book import TENANT, decision


async def served(folder):
    """Run a server on `folder` that records two decisions; return its published keys."""
    async with build(load({"data": str(folder)}, {})) as app:
        ledger, keys, clock = app.stores.ledger, app.stores.keys, SystemClock()
        issuer = Issuer(ledger.log.origin, keys.signer, clock=clock, ids=Ids(clock))
        for outcome in ("allow", "block"):
            await ledger.log.append([issuer.issue(decision(outcome), tenant=TENANT)])
        return keys.published.jwks()


def test_the_log_of_a_stopped_server_is_exported_and_verifies(tmp_path):
    (tmp_path / "jwks.json").write_bytes(asyncio.run(served(tmp_path / "data")))
    exported, keys = str(tmp_path / "log.jsonl"), str(tmp_path / "jwks.json")
    run = CliRunner().invoke
    assert run(log, ["export", "--data", str(tmp_path / "data"), "-o", exported]).exit_code == 0
    audited = run(log, ["audit", exported, "--keys", keys], standalone_mode=False)
    assert audited.return_value == 0, audited.output
    assert " leaves, " in audited.output


def test_an_export_of_no_data_makes_none(tmp_path):
    done = CliRunner().invoke(log, ["export", "--data", str(tmp_path / "none")], standalone_mode=False)
    assert isinstance(done.exception, InvalidInput)
    assert not (tmp_path / "none").exists()
