"""What is particular to receipts in a file."""

import asyncio
import os
import resource
import subprocess
import sys

import apsw
import pytest

from bylaw.core.errors import Conflict, Corrupt, Unavailable
from bylaw.core.paging import Slice
from bylaw.receipts.ports import ReceiptQuery
from bylaw.storage.sqlite import receipts_queries as queries
from bylaw.storage.sqlite.receipts_schema import FILE
from tests.contracts.receipts.shelf import Shelf
from tests.receipts.book import TENANT, decision


@pytest.fixture
async def shelf(tmp_path):
    found = Shelf("sqlite", tmp_path)
    yield found
    await found.close()


def bytes_on_disk(folder):
    return b"".join(path.read_bytes() for path in folder.iterdir() if path.name != FILE + "-shm")


async def test_a_second_owner_is_refused_with_the_name_of_the_first(shelf):
    await shelf.open()
    with pytest.raises(Conflict, match=f"process {os.getpid()}") as refused:
        await shelf.open()
    assert refused.value.reason == "in_use"


async def test_a_dead_owner_does_not_hold_the_file(shelf, tmp_path):
    script = (
        "import os, sys, pathlib; from bylaw.storage.sqlite.receipts_lock import Ownership;"
        "Ownership(pathlib.Path(sys.argv[1])); os.kill(os.getpid(), 9)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)  # noqa: ASYNC221
    assert (tmp_path / "receipts.lock").read_text().strip() not in ("", str(os.getpid()))
    await shelf.record(await shelf.open())


async def test_commits_wait_for_the_disk(shelf):
    ledger = await shelf.open()
    opened = ledger.writer._opened
    assert await opened.run(apsw.Connection.pragma, "synchronous") == 2
    assert await opened.run(apsw.Connection.pragma, "journal_mode") == "wal"
    assert await opened.run(apsw.Connection.pragma, "wal_autocheckpoint") == 1000


async def test_the_bytes_of_an_erased_part_leave_the_files(shelf, tmp_path):
    ledger = await shelf.open()
    sizes = [10, 300, 2_000, 9_000, 70_000]
    secrets, entries = [], []
    for number in range(60):
        mark = b"<secret %04d>" % number
        secrets.append(mark)
        filler = mark * (sizes[number % len(sizes)] // len(mark) + 1)
        entries += await shelf.record(ledger, contents={"request": filler, "detail": b"kept"})
    salts = [entry.parts[1].salt for entry in entries]
    assert all(mark in bytes_on_disk(tmp_path) for mark in secrets)
    for entry in entries[::2]:
        assert await ledger.of(TENANT).erase(entry.id, ["request"]) == ["request"]
    left = bytes_on_disk(tmp_path)
    assert [mark for mark in secrets[::2] if mark in left] == []
    assert [salt for salt in salts[::2] if salt in left] == []
    assert all(mark in left for mark in secrets[1::2])


async def test_an_erasure_says_when_a_reader_keeps_the_old_pages(shelf, tmp_path):
    ledger = await shelf.open()
    await ledger.writer._opened.run(apsw.Connection.set_busy_timeout, 1)
    (entry,) = await shelf.record(ledger, contents={"request": b"<secret>"})
    reader = apsw.Connection(str(tmp_path / FILE))
    rows = reader.execute("SELECT 1 FROM receipts UNION ALL SELECT 2")
    next(rows)
    with pytest.raises(Unavailable, match="erase again"):
        await ledger.of(TENANT).erase(entry.id)
    rows.close()
    reader.close()
    assert await ledger.of(TENANT).erase(entry.id) == []
    assert b"<secret>" not in bytes_on_disk(tmp_path)


async def test_a_full_disk_fails_that_batch_and_writing_goes_on(shelf):
    ledger = await shelf.open()
    await shelf.record(ledger, 3)
    run, pragma = ledger.writer._opened.run, apsw.Connection.pragma
    await run(pragma, "max_page_count", await run(pragma, "page_count") + 1)
    with pytest.raises(Unavailable) as failed:
        await shelf.record(ledger, contents={"request": bytes(100_000)})
    assert "full" in str(failed.value.__cause__)
    await run(pragma, "max_page_count", 1 << 30)
    while not ledger.log.state.ready:  # noqa: ASYNC110 - it looks by itself
        await asyncio.sleep(0)
    await shelf.record(ledger, 2)
    assert (await ledger.logs.latest())[0].size == 5
    assert await shelf.findings(ledger) == ("verified", [])


async def test_on_a_full_disk_the_log_is_not_ready_until_there_is_room(shelf, tmp_path):
    ledger = await shelf.open()
    await shelf.record(ledger, 3)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    written = (tmp_path / f"{FILE}-wal").stat().st_size
    resource.setrlimit(resource.RLIMIT_FSIZE, (written, before[1]))  # no file of ours grows
    try:
        for _ in range(2):
            with pytest.raises(Unavailable):
                await shelf.record(ledger)
        is_ready = ledger.log.state.ready
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not is_ready
    while not ledger.log.state.ready:  # noqa: ASYNC110 - it looks by itself
        await asyncio.sleep(0)
    await shelf.record(ledger, 2)
    assert (await ledger.logs.latest())[0].size == 5
    assert await shelf.findings(ledger) == ("verified", [])


async def test_reading_goes_on_while_a_batch_is_open(shelf):
    ledger = await shelf.open()
    (entry,) = await shelf.record(ledger)
    run = ledger.writer._opened.run
    await run(apsw.Connection.execute, "BEGIN IMMEDIATE")
    assert (await ledger.of(TENANT).get(entry.id)).id == entry.id
    await run(apsw.Connection.execute, "ROLLBACK")


async def test_readers_cannot_write(shelf):
    ledger = await shelf.open()
    for reader in (ledger.points, ledger.scans):
        with pytest.raises(apsw.ReadOnlyError):
            await reader.run(apsw.Connection.execute, "DELETE FROM receipts")


async def test_a_damaged_page_is_said_to_be_damaged(shelf, tmp_path):
    ledger = await shelf.open()
    await shelf.record(ledger, 200)
    await shelf.close()
    with (tmp_path / FILE).open("r+b") as file:
        pages = file.seek(0, os.SEEK_END) // 8192
        for page in range(12, pages):
            file.seek(page * 8192)
            file.write(b"\xff" * 8192)
    with pytest.raises(Corrupt, match="damaged"):
        await shelf.open()


async def test_a_file_of_a_newer_version_is_refused_and_left_as_it_is(shelf, tmp_path):
    await shelf.record(await shelf.open())
    await shelf.close()
    await altered(tmp_path, "PRAGMA user_version = 99")
    with pytest.raises(Conflict, match="newer Bylaw") as refused:
        await shelf.open()
    assert refused.value.reason == "newer_data"


async def test_a_file_of_an_older_version_is_brought_up_to_date(shelf, tmp_path):
    ledger = await shelf.open()
    (asked,) = await shelf.record(ledger)
    (after,) = await shelf.record(ledger, claim=decision(outcome_of=asked.id))
    await shelf.close()
    await altered(
        tmp_path,
        "DROP INDEX receipts_of_outcomes",
        "ALTER TABLE receipts DROP COLUMN outcome_of",
        "PRAGMA user_version = 1",
    )
    for _ in range(2):
        ledger = await shelf.open()
        page = await ledger.of(TENANT).list(ReceiptQuery(outcome_of=asked.id), Slice())
        assert [item.id for item in page.items] == [after.id]
        assert await shelf.findings(ledger) == ("verified", [])
        await shelf.close()


async def test_receipts_of_an_outcome_are_found_by_an_index(shelf, tmp_path):
    await shelf.record(await shelf.open())
    await shelf.close()
    connection = apsw.Connection(str(tmp_path / FILE))
    plan = connection.execute(
        "EXPLAIN QUERY PLAN SELECT id FROM receipts WHERE tenant = ? AND outcome_of = ?"
        " ORDER BY issued_ms DESC, id DESC LIMIT 50",
        ("acme", "rcpt_x"),
    ).fetchall()
    connection.close()
    assert len(plan) == 1
    assert "receipts_of_outcomes (tenant=? AND outcome_of=?)" in plan[0][-1]


async def test_outcomes_are_counted_out_of_an_index_alone(shelf, tmp_path):
    await shelf.record(await shelf.open())
    await shelf.close()
    connection = apsw.Connection(str(tmp_path / FILE))
    plan = connection.execute(f"EXPLAIN QUERY PLAN {queries.OUTCOMES}", ("acme", 0, 1)).fetchall()
    connection.close()
    index = "COVERING INDEX receipts_listed (tenant=? AND issued_ms>? AND issued_ms<?)"
    assert plan[0][-1] == f"SEARCH receipts USING {index}"


async def altered(folder, *statements):
    connection = apsw.Connection(str(folder / FILE))
    for statement in statements:
        connection.execute(statement)
    connection.close()


@pytest.mark.parametrize("content", [b"not a database at all" * 500, None])
async def test_a_file_of_another_kind_is_refused(shelf, tmp_path, content):
    if content is None:
        connection = apsw.Connection(str(tmp_path / FILE))
        connection.execute("CREATE TABLE theirs (a)")
        connection.execute("PRAGMA user_version = 7")
        connection.close()
    else:
        (tmp_path / FILE).write_bytes(content)
    with pytest.raises(Corrupt, match=r"not a receipts file|damaged: .*not a database"):
        await shelf.open()
