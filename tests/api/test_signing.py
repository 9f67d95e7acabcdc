"""The life of the signing keys: begun, rotated, revoked, and whole again after a crash at any step."""

import os
import stat

import pytest

from bylaw.api.signing import Signing
from bylaw.core.clock import ManualClock
from bylaw.core.errors import Conflict, Corrupt, InvalidInput, NotFound, Unavailable
from bylaw.core.ids import Ids
from bylaw.receipts import bundle as bundles
from bylaw.receipts import checkpoint, export, key_changes
from bylaw.receipts.audit import audit
from bylaw.receipts.issue import Issuer
from bylaw.receipts.signing import CHANGE_MS
from bylaw.receipts.verify import Trust, verify
from bylaw.storage.key_file import KeyFile
from bylaw.storage.sqlite.receipts import open_ledger
from tests.receipts.book import TENANT, Dice, decision

HOUR = 3_600_000


class House:
    """One server's keys and log in a folder, opened and closed like processes that come and go."""

    def __init__(self, folder, clock, *, keys=None):
        self.folder, self.clock = folder, clock
        self.path = keys or folder / "keys.json"
        self.ids = Ids(clock, Dice(5))
        self.ledger = None

    async def open(self, *, follow=True):
        keys = KeyFile(self.path).load_or_create(self.clock)
        self.folder.mkdir(exist_ok=True)
        self.ledger = await open_ledger(
            self.folder, origin=f"bylaw.test/{self.folder.name}", signer=keys.in_use, keys=keys.published
        )
        self.issuer = Issuer(self.ledger.log.origin, keys.signer, clock=self.clock, ids=self.ids)
        self.signing = Signing(
            KeyFile(self.path), keys, ledger=self.ledger, issuer=self.issuer, clock=self.clock
        )
        if follow:
            await self.signing.follow()
        return self.signing

    async def close(self):
        if self.ledger is not None:
            await self.ledger.close()
            self.ledger = None

    async def record(self):
        entry = self.issuer.issue(decision(), tenant=TENANT)
        await self.ledger.log.append([entry])
        return entry.id

    async def verified(self, ident, keys=None):
        stored = await self.ledger.logs.find(ident)
        held = await self.ledger.logs.checkpoint(stored.origin, covering=stored.index)
        wanted = bundles.proof.tiles_of_inclusion(stored.index, held.size)
        tiles = await self.ledger.logs.tiles(stored.origin, wanted, size=held.size)
        keys = await self.signing.published() if keys is None else keys
        return verify(bundles.write(bundles.assemble(stored, held, tiles, keys=keys)), Trust(keys=keys))

    async def changes(self):
        said = key_changes.claims(await self.ledger.logs.key_entries())
        return [(claim.change, claim.key, claim.at_ms) for claim in said]

    async def signers(self):
        """The keys that signed each checkpoint, oldest first."""
        notes = await self.ledger.logs.checkpoints(self.ledger.log.origin, above=0, limit=1000)
        keys = await self.signing.published()
        return [[key.kid for key in checkpoint.parse(note.note).signed_by(keys)] for note in notes]

    async def findings(self):
        keys = await self.signing.published()
        lines = [line async for line in export.lines(self.ledger.logs, keys)]
        found = audit(lines, Trust(keys=keys))
        return found.status, [finding.message for finding in found.findings]


@pytest.fixture
def clock():
    return ManualClock()


@pytest.fixture
async def house(tmp_path, clock):
    made = House(tmp_path / "one", clock)
    yield made
    await made.close()


async def test_the_first_entry_of_a_log_is_its_key(house, clock):
    signing = await house.open()
    assert await house.changes() == [("activated", signing.kid, clock.now_ms())]
    await house.close()
    clock.advance(HOUR)
    await house.open()
    assert len(await house.changes()) == 1


async def test_a_log_that_was_begun_without_its_key_says_it_later(house, clock):
    signing = await house.open(follow=False)
    begun = clock.now_ms()
    await house.record()
    clock.advance(HOUR)
    await signing.follow()
    assert await house.changes() == [("activated", signing.kid, begun)]
    assert await house.findings() == ("verified", [])


async def test_after_a_rotation_everything_verifies_and_both_keys_sign_the_handover(house, clock):
    signing = await house.open()
    old, before = signing.kid, await house.record()
    clock.advance(HOUR)
    new = await signing.rotate()
    after = await house.record()
    assert (signing.kid, new.standing) == (new.kid, "active")
    assert await house.signers() == [[old], [old], [old, new.kid], [new.kid]]
    assert (await house.changes())[1:] == [
        ("retired", old, clock.now_ms()),
        ("activated", new.kid, clock.now_ms()),
    ]
    assert {(await house.verified(ident)).status for ident in (before, after)} == {"verified"}
    assert await house.findings() == ("verified", [])
    assert stat.S_IMODE(house.path.stat().st_mode) == 0o600
    assert "outgoing_key" not in house.path.read_text()


async def test_a_clock_that_was_set_back_rotates_nothing(house, clock):
    """Else what the old key signed until then would be dated after its end, and count for nobody."""
    signing = await house.open()
    clock.advance(2 * HOUR)
    idents = [await house.record()]
    clock.advance(-HOUR)
    idents.append(await house.record())
    with pytest.raises(Conflict, match="set the clock") as refused:
        await signing.rotate()
    assert refused.value.reason == "clock_behind"
    clock.advance(HOUR)
    assert (await signing.rotate()).standing == "active"
    idents.append(await house.record())
    assert {(await house.verified(ident)).status for ident in idents} == {"verified"}
    assert await house.findings() == ("verified", [])


async def test_a_clock_that_was_set_back_before_a_restart_rotates_nothing(house, clock):
    await house.open()
    clock.advance(2 * HOUR)
    await house.record()
    await house.close()
    clock.advance(-HOUR)
    signing = await house.open()
    with pytest.raises(Conflict, match="set the clock"):
        await signing.rotate()
    assert len(await house.changes()) == 1


async def test_a_clock_that_is_a_little_behind_rotates_when_the_last_entry_was_signed(house, clock):
    signing = await house.open()
    clock.advance(HOUR)
    signed_ms = clock.now_ms()
    idents = [await house.record()]
    clock.advance(-CHANGE_MS)
    new = await signing.rotate()
    idents.append(await house.record())
    assert new.since_ms == signed_ms
    assert {(await house.verified(ident)).status for ident in idents} == {"verified"}


async def test_nothing_is_dated_before_its_key_when_the_clock_is_set_back(house, clock):
    signing = await house.open()
    clock.advance(2 * HOUR)
    await signing.rotate()
    clock.advance(-HOUR)
    idents = [await house.record()]
    await house.close()
    await house.open()
    idents.append(await house.record())
    assert {(await house.verified(ident)).status for ident in idents} == {"verified"}
    assert await house.findings() == ("verified", [])


async def test_a_restart_goes_on_with_the_new_key(house, clock):
    await (await house.open()).rotate()
    kid = house.signing.kid
    await house.close()
    clock.advance(HOUR)
    assert (await house.open()).kid == kid
    assert len(await house.changes()) == 3


class Cut(Exception):
    """The process dies here."""


def cutting(at, call):
    """Return `call` that dies instead at its `at`-th time."""
    times = iter(range(1, 100))

    def cut_or_call(*arguments):
        if next(times) == at:
            raise Cut
        return call(*arguments)

    return cut_or_call


@pytest.mark.parametrize(
    ("step", "at", "rotates"),
    [("store", 1, False), ("replace", 1, False), ("fsync", 2, True), ("append", 2, True), ("store", 2, True)],
    ids=["before anything", "before the file", "before the folder", "before the log", "before the end"],
)
async def test_a_crash_at_any_step_of_a_rotation_is_made_good(house, clock, monkeypatch, step, at, rotates):
    old = (await house.open()).kid
    before = await house.record()
    clock.advance(HOUR)
    with monkeypatch.context() as patched:  # a crash can only be put in from outside
        target = {"store": KeyFile, "replace": type(house.path), "fsync": os, "append": house.ledger.log}
        patched.setattr(target[step], step, cutting(at, getattr(target[step], step)))
        with pytest.raises(Cut):
            await house.signing.rotate()
    await house.close()
    clock.advance(HOUR)
    signing = await house.open()
    after = await house.record()
    assert (signing.kid != old) is rotates
    assert len(await house.changes()) == (3 if rotates else 1)
    assert ([old, signing.kid] in await house.signers()) is rotates
    assert {(await house.verified(ident)).status for ident in (before, after)} == {"verified"}
    assert await house.findings() == ("verified", [])
    assert "outgoing_key" not in house.path.read_text()


async def test_a_rotation_that_cannot_be_written_is_completed_later(house, clock, monkeypatch):
    signing = await house.open()
    old = signing.kid
    writer = house.ledger.writer
    clock.advance(1000)
    with monkeypatch.context() as patched:  # a full disk, say

        def fails(*_):
            raise OSError

        patched.setattr(writer, "_insert", fails)
        with pytest.raises(Unavailable):
            await signing.rotate()
    clock.advance(1000)
    ident = await house.record()
    assert (await house.verified(ident)).status == "verified"
    await signing.follow()
    assert [old, signing.kid] in await house.signers()
    assert len(await house.changes()) == 3
    assert await house.findings() == ("verified", [])


async def test_the_date_of_a_revocation_decides(house, clock):
    signing = await house.open()
    leaked, before = signing.kid, await house.record()
    clock.advance(HOUR)
    moment = clock.now_ms()
    after = await house.record()
    clock.advance(HOUR)
    key = await signing.revoke(leaked, moment)
    assert (key.standing, key.ended_ms) == ("revoked", moment)
    assert signing.kid != leaked
    assert (await house.verified(before)).status == "verified"
    found = await house.verified(after)
    assert found.status == "invalid"
    assert any("was revoked at" in step.reason for step in found.steps if step.result == "fail")
    assert (await house.verified(await house.record())).status == "verified"
    status, messages = await house.findings()
    assert status == "invalid"
    assert all(leaked in message or "only revoked keys" in message for message in messages)


async def test_revoking_what_signs_now_leaves_a_clean_log(house, clock):
    signing = await house.open()
    await house.record()
    clock.advance(HOUR)
    old = signing.kid
    await signing.revoke(old)
    assert [change for change, *_ in await house.changes()] == ["activated", "revoked", "activated"]
    clock.advance(HOUR)
    await house.record()
    assert await house.findings() == ("verified", [])
    await house.close()
    assert (await house.open()).kid != old


async def test_revoking_again_changes_nothing_unless_it_is_dated_earlier(house, clock):
    signing = await house.open()
    old = signing.kid
    clock.advance(HOUR)
    await signing.rotate()
    first = await signing.revoke(old)
    clock.advance(HOUR)
    assert await signing.revoke(old) == first
    assert len(await house.changes()) == 4
    earlier = await signing.revoke(old, first.ended_ms - 1000)
    assert earlier.ended_ms == first.ended_ms - 1000
    assert (await signing.published()).get(old) == earlier
    assert signing.kid != old


async def test_what_cannot_be_revoked_is_refused(house, clock):
    signing = await house.open()
    with pytest.raises(NotFound):
        await signing.revoke("nobody's")
    with pytest.raises(InvalidInput, match="dated now or earlier"):
        await signing.revoke(signing.kid, clock.now_ms() + 1)
    assert len(await house.changes()) == 1


async def test_servers_that_share_a_key_file_follow_a_rotation(house, tmp_path, clock):
    other = House(tmp_path / "two", clock, keys=house.path)
    try:
        one, two = await house.open(), await other.open()
        old = one.kid
        assert two.kid == old
        clock.advance(HOUR)
        await one.rotate()
        await other.record()
        await two.follow()
        after = await other.record()
        assert two.kid == one.kid != old
        assert [old, one.kid] in await other.signers()
        assert (await other.verified(after)).status == "verified"
        assert await other.findings() == ("verified", [])
        await two.rotate()
        await one.follow()
        assert one.kid == two.kid
        assert len((await one.published()).keys) == 3
    finally:
        await other.close()


async def test_an_export_is_whole_although_keys_change_meanwhile(house, clock):
    signing = await house.open()
    clock.advance(HOUR)
    latest, keys = await house.ledger.logs.latest(), await signing.published()
    await signing.rotate()
    lines = [line async for line in export.lines(house.ledger.logs, keys, upto=latest)]
    assert audit(lines, Trust(keys=keys)).status == "verified"
    late = [line async for line in export.lines(house.ledger.logs, keys)]
    assert "unknown_key" in {finding.code for finding in audit(late, Trust(keys=keys)).findings}


async def test_a_lost_key_file_is_said_and_nothing_is_made_up(house):
    signing = await house.open()
    house.path.unlink()
    with pytest.raises(Corrupt, match="are gone from"):
        await signing.rotate()
    house.path.write_bytes(b"{}")
    house.path.chmod(0o600)
    with pytest.raises(Corrupt):
        await signing.follow()
    assert (await house.verified(await house.record())).status == "verified"
