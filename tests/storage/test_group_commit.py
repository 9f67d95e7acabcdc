"""How callers share transactions, and what becomes of them when one fails."""

import asyncio

import pytest

from bylaw.core.errors import Unavailable
from bylaw.receipts.ports import PendingEntry, Recorded
from bylaw.storage.group_commit import GroupCommit


def entry(number=0, log="a.test/b/w1"):
    return PendingEntry(
        id=f"rcpt_{number}", log=log, tenant="acme", kind="decision", issued_ms=0, receipt=b"{}"
    )


class Ledger:
    """A writer that records in a list, when told to: `hold` keeps a batch in the air, `fails` breaks it."""

    def __init__(self, origin="a.test/b/w1"):
        self.origin = origin
        self.batches = []
        self.hold = asyncio.Event()
        self.hold.set()
        self.begun = asyncio.Event()
        self.fails = 0
        self.out = 0
        self.full = False
        self.recovered = 0
        self.signers = []
        self.next_origin = origin
        self.closed = False

    async def write(self, entries):
        self.begun.set()
        await self.hold.wait()
        if self.fails:
            self.fails -= 1
            raise OSError("disk full")
        first = sum(map(len, self.batches))
        self.batches.append([each.id for each in entries])
        return [Recorded(origin=self.origin, index=first + at) for at in range(len(entries))]

    async def recover(self):
        if self.out:
            self.out -= 1
            raise OSError("still gone")
        self.recovered += 1
        self.origin = self.next_origin

    async def try_out(self):
        if self.full:
            raise OSError("still full")

    def rotate(self, signer):
        self.signers.append(signer)

    async def close(self):
        self.closed = True


@pytest.fixture
def writer():
    return Ledger()


@pytest.fixture
async def log(writer):
    log = GroupCommit(writer, queue_limit=10, retry_s=0.001)
    yield log
    writer.hold.set()
    await log.close()


def call(log, *numbers):
    return asyncio.ensure_future(log.append([entry(number) for number in numbers]))


async def begun(writer, log, *numbers):
    """Start a batch and leave it in the air."""
    writer.hold.clear()
    first = call(log, *numbers)
    await writer.begun.wait()
    return first


async def test_callers_of_one_moment_share_a_batch(writer, log):
    await asyncio.gather(*(call(log, number) for number in range(5)))
    assert writer.batches == [[f"rcpt_{number}" for number in range(5)]]


async def test_the_next_batch_gathers_while_one_is_written(writer, log):
    first = await begun(writer, log, 0)
    rest = [call(log, number) for number in range(1, 4)]
    await asyncio.sleep(0)
    assert writer.batches == []
    writer.hold.set()
    await asyncio.gather(first, *rest)
    assert writer.batches == [["rcpt_0"], ["rcpt_1", "rcpt_2", "rcpt_3"]]


async def test_a_batch_has_at_most_so_many_calls(writer):
    log = GroupCommit(writer, batch_limit=2)
    await asyncio.gather(*(call(log, number) for number in range(5)))
    assert [len(batch) for batch in writer.batches] == [2, 2, 1]
    await log.close()


async def test_each_call_gets_the_answers_of_its_own_entries(log):
    one, two = await asyncio.gather(call(log, 0), call(log, 1, 2))
    assert [fate.index for fate in one] == [0]
    assert [fate.index for fate in two] == [1, 2]


async def test_a_failed_batch_fails_its_callers_and_nobody_else(writer, log, caplog):
    writer.fails = 1
    first = await begun(writer, log, 0, 1)
    second = call(log, 2)
    await asyncio.sleep(0)
    writer.hold.set()
    with pytest.raises(Unavailable, match="idempotency key") as failed:
        await first
    assert isinstance(failed.value.__cause__, OSError)
    assert (await second)[0].index == 0
    assert writer.recovered == 1
    assert writer.batches == [["rcpt_2"]]
    assert log.queued == 0
    assert "not written" in caplog.text


@pytest.mark.parametrize(("quiet_s", "lines"), [(3_600, 1), (0, 3)])
async def test_batches_that_fail_one_after_the_other_are_told_once(writer, caplog, quiet_s, lines):
    log = GroupCommit(writer, quiet_s=quiet_s)
    writer.fails = 3
    for number in range(3):
        with pytest.raises(Unavailable):
            await call(log, number)
    told = [record for record in caplog.records if "not written" in record.message]
    assert [("disk full" in record.message, record.exc_info) for record in told] == [(True, None)] * lines
    await log.close()


async def test_a_store_that_stays_away_refuses_until_it_is_back(writer, log, caplog):
    writer.fails, writer.out = 1, 1
    first = await begun(writer, log, 0)
    waiting = call(log, 1)
    await asyncio.sleep(0)
    writer.hold.set()
    for refused in (first, waiting):
        with pytest.raises(Unavailable):
            await refused
    assert not log.ready
    with pytest.raises(Unavailable, match="cannot be written now"):
        await log.append([entry(2)])
    while not log.ready:  # noqa: ASYNC110 - its own loop is what is tested
        await asyncio.sleep(0)
    assert (await call(log, 3))[0].index == 0
    assert log.queued == 0
    assert "out of order" in caplog.text


async def test_a_store_that_can_be_read_and_not_written_is_not_ready(writer, log):
    writer.fails, writer.full = 1, True
    for number in range(2):
        with pytest.raises(Unavailable):
            await call(log, number)
    assert not log.state.ready
    assert writer.batches == []
    writer.full = False
    while not log.state.ready:  # noqa: ASYNC110 - its own loop is what is tested
        await asyncio.sleep(0)
    assert (await call(log, 3))[0].index == 0


async def test_a_full_queue_refuses_at_once(writer, log):
    first = await begun(writer, log, *range(10))
    with pytest.raises(Unavailable, match="wait to be written"):
        await log.append([entry(99)])
    writer.hold.set()
    await first
    assert (await call(log, 99))[0].index == 10


async def test_a_loss_noticed_in_silence_is_mended_before_the_next_batch(writer, log):
    log.restore()
    await call(log, 0)
    assert writer.recovered == 1


async def test_what_was_issued_for_a_log_that_is_gone_is_refused(writer, log):
    writer.fails, writer.next_origin = 1, "a.test/b/w2"
    renamed = []
    log.on_renamed = renamed.append
    first = await begun(writer, log, 0)
    stale = call(log, 1)
    await asyncio.sleep(0)
    writer.hold.set()
    with pytest.raises(Unavailable):
        await first
    with pytest.raises(Unavailable, match="changed hands"):
        await stale
    assert renamed == [log.origin] == ["a.test/b/w2"]
    assert (await log.append([entry(2, log.origin)]))[0].origin == log.origin
    assert log.queued == 0


async def test_a_caller_that_left_does_not_disturb_the_others(writer, log):
    leaves = await begun(writer, log, 0)
    stays = call(log, 1)
    await asyncio.sleep(0)
    leaves.cancel()
    writer.hold.set()
    assert (await stays)[0].index == 1
    assert log.queued == 0


async def test_a_new_key_is_handed_over_between_batches(writer, log):
    first = await begun(writer, log, 0)
    log.rotate("new key")
    assert writer.signers == []
    second = call(log, 1)
    writer.hold.set()
    await asyncio.gather(first, second)
    assert writer.signers == ["new key"]


async def test_closing_writes_what_was_accepted_and_refuses_the_rest(writer, log):
    first = await begun(writer, log, 0)
    second = call(log, 1)
    await asyncio.sleep(0)
    closing = asyncio.ensure_future(log.close())
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="closed"):
        await log.append([entry(2)])
    assert not writer.closed
    writer.hold.set()
    await closing
    assert writer.closed
    assert [fate.index for future in (first, second) for fate in await future] == [0, 1]


async def test_a_store_that_never_comes_back_does_not_hold_up_the_close(writer, log):
    writer.fails, writer.out = 1, 10**9
    with pytest.raises(Unavailable):
        await call(log, 0)
    await log.close()
    assert writer.closed
