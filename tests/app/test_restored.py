"""A server does not go on in silence when receipts and control database are not of one time."""

import asyncio
import shutil
import sys
from contextlib import asynccontextmanager

import pytest

from bylaw import settings
from bylaw.app import build, unserved
from bylaw.cli.main import main
from bylaw.core.clock import SystemClock
from bylaw.core.errors import Corrupt
from bylaw.core.ids import Ids
from bylaw.core.paging import Slice
from bylaw.receipts import model
from bylaw.receipts.audit import audit
from bylaw.receipts.model import OutcomeClaim
from bylaw.receipts.ports import ReceiptQuery
from bylaw.receipts.verify import Trust
from bylaw.tenancy.places import create_workspace
from bylaw.tenancy.principal import OPERATOR_TENANT, Acting, system_principal

CLOCK = SystemClock()
IDS = Ids(CLOCK)
PLANES = ("control", "receipts")


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@asynccontextmanager
async def running(data):
    async with build(settings.build(data=data)) as app:
        yield app


async def administer(control, name):
    """Make a change that leaves an entry."""
    async with control.begin(OPERATOR_TENANT) as unit:
        acting = Acting(unit=unit, principal=system_principal(OPERATOR_TENANT), clock=CLOCK, ids=IDS)
        await create_workspace(acting, name, workspace_id=name)


async def work(data, name):
    """Let a server run, change something, and stop."""
    async with running(data) as app:
        await administer(app.stores.control, name)
        await app.settle(OPERATOR_TENANT)


def keep(data, folder, *planes):
    folder.mkdir(exist_ok=True)
    for plane in planes or PLANES:
        shutil.copy(data / f"{plane}.db", folder)


def restore(data, folder, *planes):
    for plane in planes or PLANES:
        for stale in data.glob(f"{plane}.db*"):
            stale.unlink()
        shutil.copy(folder / f"{plane}.db", data)


async def changes(data):
    """What the entries of kind change say, oldest first."""
    async with unserved(settings.build(data=data)) as found:
        listed = found.stores.ledger.of(OPERATOR_TENANT)
        page = await listed.list(ReceiptQuery(kind="change"), Slice(limit=100))
    return [model.decode(item.receipt).claim for item in page.items][::-1]


async def test_receipts_that_are_older_are_refused_until_the_loss_is_accepted_in_the_log(data, tmp_path):
    await work(data, "w1")
    keep(data, tmp_path / "kept")
    await work(data, "w2")
    restore(data, tmp_path / "kept", "receipts")
    before = (data / "receipts.db").read_bytes()
    for _ in range(2):
        with pytest.raises(Corrupt, match=r"last \d+ are missing.*bylaw log accept") as refused:
            async with running(data):
                pass
        assert refused.value.place.startswith("log bylaw.local/")
    assert len((data / "receipts.db").read_bytes()) == len(before)
    async with unserved(settings.build(data=data)) as found:
        objections = await found.witness.objections()
        await found.witness.accept(objections, found.issuer, reason="the disk was lost")
        assert await found.witness.objections() == []
    await work(data, "w3")
    said = [(claim.noun, claim.change, claim.id) for claim in await changes(data)]
    assert [each for each in said if each[0] != "api_key"] == [
        ("workspace", "created", "w1"),
        ("log", "accepted", objections[0].origin),
        ("workspace", "created", "w3"),
    ]


async def test_a_control_database_that_is_older_is_refused(data, tmp_path):
    await work(data, "w1")
    keep(data, tmp_path / "kept")
    await work(data, "w2")
    restore(data, tmp_path / "kept", "control")
    with pytest.raises(Corrupt, match=r"older than the log .* of kind change"):
        async with running(data):
            pass
    (data / "control.db").unlink()
    with pytest.raises(Corrupt, match="The control database is new"):
        async with running(data):
            pass


async def test_both_of_one_time_are_gone_on_with(data, tmp_path):
    await work(data, "w1")
    keep(data, tmp_path / "kept")
    await work(data, "w2")
    restore(data, tmp_path / "kept")
    await work(data, "w3")


async def test_a_new_directory_and_one_that_was_only_opened_start(data):
    async with unserved(settings.build(data=data)):
        pass
    await work(data, "w1")


async def test_a_crash_between_the_two_commits_is_no_loss(data, tmp_path):
    """Killed after the log had the entries and before the control plane forgot them: they are logged once."""
    await work(data, "w1")
    async with unserved(settings.build(data=data)) as found:
        await administer(found.stores.control, "w2")
    keep(data, tmp_path / "kept", "control")
    async with running(data):
        pass
    restore(data, tmp_path / "kept", "control")
    async with running(data):
        pass
    assert [claim.id for claim in await changes(data) if claim.noun == "workspace"] == ["w1", "w2"]


async def test_an_acceptance_that_was_cut_off_is_completed_and_recorded_once(data, tmp_path):
    """Killed after the log had the entry and before the control plane knew the log as it is."""
    await work(data, "w1")
    keep(data, tmp_path / "kept")
    await work(data, "w2")
    restore(data, tmp_path / "kept", "receipts")
    keep(data, tmp_path / "cut", "control")
    for _ in range(3):
        restore(data, tmp_path / "cut", "control")
        async with unserved(settings.build(data=data)) as found:
            objections = await found.witness.objections()
            assert objections
            await found.witness.accept(objections, found.issuer, reason="the disk was lost")
            assert await found.witness.objections() == []
    await work(data, "w3")
    assert [claim.change for claim in await changes(data) if claim.noun == "log"] == ["accepted"]


async def test_a_second_loss_is_a_second_acceptance(data, tmp_path):
    await work(data, "w1")
    keep(data, tmp_path / "kept")
    for name in ("w2", "w3"):
        await work(data, name)
        restore(data, tmp_path / "kept", "receipts")
        async with unserved(settings.build(data=data)) as found:
            await found.witness.accept(await found.witness.objections(), found.issuer, reason="lost")
        keep(data, tmp_path / "kept", "receipts")
    assert [claim.change for claim in await changes(data) if claim.noun == "log"] == ["accepted"] * 2


async def test_lists_that_show_more_than_the_receipts_hold_are_noticed(data):
    await work(data, "w1")
    async with unserved(settings.build(data=data)) as found:
        async with found.stores.control.system() as system:
            await system.progress.advance(found.stores.ledger.log.origin, 7)
        (objection,) = await found.witness.objections()
    assert "the last 7 are missing" in objection.message


async def test_a_history_that_is_another_is_refused(data, tmp_path):
    """The lost end was written anew, and is longer by now."""
    await work(data, "w1")
    keep(data, tmp_path / "kept")
    await work(data, "w2")
    keep(data, tmp_path / "later", "control")
    restore(data, tmp_path / "kept")
    for name in ("w3", "w4", "w5"):
        await work(data, name)
    restore(data, tmp_path / "later", "control")
    with pytest.raises(Corrupt, match="its history is another"):
        async with running(data):
            pass


async def test_receipts_that_nobody_noted_yet_are_no_loss(data, tmp_path):
    await work(data, "w1")
    keep(data, tmp_path / "kept", "control")
    async with running(data) as app:
        claim = OutcomeClaim(agent="a", outcome_of="rcpt_x", status="done")
        issuer = app.upkeep.entries._issuer
        await app.stores.ledger.log.append([issuer.issue(claim, tenant=OPERATOR_TENANT) for _ in range(5)])
    restore(data, tmp_path / "kept", "control")
    await work(data, "w2")


def test_the_commands_say_export_and_accept_what_is_missing(data, tmp_path, monkeypatch, capsysbinary):
    def run(*arguments):
        monkeypatch.setattr(sys, "argv", ["bylaw", "log", *map(str, arguments)])
        code = main()
        said = capsysbinary.readouterr()
        return code, said.out, said.err.decode()

    asyncio.run(work(data, "w1"))
    keep(data, tmp_path / "kept")
    asyncio.run(work(data, "w2"))
    code, whole, _ = run("export", "--data", data)
    assert (code, audit(whole.splitlines(keepends=True), Trust()).found) == (0, 0)
    restore(data, tmp_path / "kept", "receipts")
    code, cut, err = run("export", "--data", data)
    assert code == 1
    assert "are missing." in err
    found = audit(cut.splitlines(keepends=True), Trust())
    assert (found.status, [each.code for each in found.findings]) == ("invalid", ["changed_leaf"])
    assert run("accept", "--data", data, "--reason", " ")[0] == 2
    code, out, _ = run("accept", "--data", data, "--reason", "restored from the night before")
    assert (code, b"recorded in the log" in out) == (0, True)
    code, out, _ = run("accept", "--data", data, "--reason", "again")
    assert (code, b"nothing to accept" in out) == (0, True)
    asyncio.run(work(data, "w3"))
