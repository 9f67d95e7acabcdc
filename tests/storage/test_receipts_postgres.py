"""What is particular to receipts in PostgreSQL: several writers, lost sessions, the wall between tenants."""

import asyncio

import asyncpg
import pytest

from bylaw.core.clock import ManualClock
from bylaw.core.errors import Conflict, Forbidden, Unavailable
from bylaw.core.ids import ReceiptId
from bylaw.core.paging import Slice
from bylaw.receipts.ports import Idempotency, ReceiptQuery, Recorded, Repeated
from bylaw.storage.postgres import receipts_queries as queries
from bylaw.storage.postgres import receipts_schema as schema
from bylaw.storage.receipt_rows import resume
from tests import postgres
from tests.contracts.receipts.shelf import OTHER, Shelf, writer_origin
from tests.receipts.book import TENANT, decision


@pytest.fixture
async def url(postgres_url):
    plain = postgres.plain(postgres_url)
    await postgres.execute(plain, "DROP SCHEMA IF EXISTS ledger CASCADE")
    return plain


@pytest.fixture
async def shelf(url):
    found = Shelf("postgres", url)
    yield found
    await found.close()


@pytest.fixture
async def database(url):
    connection = await asyncpg.connect(url)
    yield connection
    await connection.close()


async def cut(database, ledger):
    """End the session that writes, as a failing network or a restarted server would; return it."""
    session = ledger.log._writer._connection
    await database.execute("SELECT pg_terminate_backend($1)", session.get_server_pid())
    return session


async def until_back(ledger, lost):
    while ledger.log._writer._connection is lost or ledger.log._task is not None:  # noqa: ASYNC110
        await asyncio.sleep(0.001)


async def test_every_process_writes_a_log_of_its_own(shelf):
    one, two = await shelf.open(), await shelf.open()
    assert (one.log.origin, two.log.origin) == (writer_origin(1), writer_origin(2))
    await asyncio.gather(*(shelf.record(ledger) for ledger in (one, two) for _ in range(20)))
    assert [(note.origin, note.size) for note in await one.logs.latest()] == [
        (writer_origin(1), 20),
        (writer_origin(2), 20),
    ]
    assert await shelf.findings(two) == ("verified", [])


async def test_an_ended_process_leaves_its_log_to_the_next(shelf):
    one = await shelf.open()
    await shelf.record(one, 3)
    await one.close()
    shelf.open_ones.clear()
    two = await shelf.open()
    assert two.log.origin == writer_origin(1)
    assert await two.log.append([shelf.issue(two)]) == [Recorded(origin=writer_origin(1), index=3)]


async def test_a_writer_never_waits_for_another_that_is_inside_a_transaction(shelf, database):
    one, two = await shelf.open(), await shelf.open()
    await shelf.record(one)
    await shelf.record(two)
    await database.execute("SELECT set_config('bylaw.system', 'on', false)")
    async with database.transaction():
        await database.execute("SELECT FROM ledger.logs WHERE number = 1 FOR UPDATE")
        await database.execute("INSERT INTO ledger.checkpoints VALUES (1, 99, 'held open')")
        await asyncio.wait_for(shelf.record(two, 5), 60)
        await database.execute("DELETE FROM ledger.checkpoints WHERE size = 99")


async def test_a_database_that_can_only_be_read_is_not_ready_until_it_can_be_written(shelf):
    ledger = await shelf.open()
    await shelf.record(ledger)
    session = ledger.log._writer._connection
    await session.execute("SET default_transaction_read_only = on")
    for _ in range(2):
        with pytest.raises(Unavailable):
            await shelf.record(ledger)
    assert not ledger.log.state.ready
    await session.execute("SET default_transaction_read_only = off")
    while not ledger.log.state.ready:  # noqa: ASYNC110 - it looks by itself
        await asyncio.sleep(0.001)
    await shelf.record(ledger, 2)
    assert await shelf.findings(ledger) == ("verified", [])


async def test_two_processes_that_race_for_a_key_record_it_once(shelf):
    one, two = await shelf.open(), await shelf.open()

    async def send(ledger, number):
        promise = Idempotency(scope="s", key=f"k{number}", digest="d")
        (fate,) = await ledger.log.append([shelf.issue(ledger, idempotency=promise)])
        return number, fate

    fates = await asyncio.gather(*(send(ledger, number) for number in range(40) for ledger in (one, two)))
    for number in range(40):
        mine = [fate for at, fate in fates if at == number]
        assert sorted(type(fate).__name__ for fate in mine) == ["Recorded", "Repeated"]
        (again,) = [fate for fate in mine if isinstance(fate, Repeated)]
        assert again.id == (await one.of(TENANT).repeated("s", f"k{number}")).id
    assert sum(note.size for note in await one.logs.latest()) == 40
    assert await shelf.findings(one) == ("verified", [])


async def test_two_processes_that_send_one_id_record_it_once(shelf):
    one, two = await shelf.open(), await shelf.open()
    named = ReceiptId("rcpt_01JD0000000000000000000000")
    sent = [ledger.log.append([shelf.issue(ledger, ident=named)]) for ledger in (one, two)]
    fates = [fate for (fate,) in await asyncio.gather(*sent)]
    assert sorted(type(fate).__name__ for fate in fates) == ["Recorded", "Repeated"]


async def test_a_lost_session_is_replaced_and_the_log_goes_on(shelf, database):
    ledger = await shelf.open()
    await shelf.record(ledger, 3)
    await until_back(ledger, await cut(database, ledger))
    assert ledger.log.origin == writer_origin(1)
    assert await ledger.log.append([shelf.issue(ledger)]) == [Recorded(origin=writer_origin(1), index=3)]
    assert await shelf.findings(ledger) == ("verified", [])


async def test_a_database_that_is_gone_is_unavailable_to_readers(shelf, postgres_server):
    ledger = await shelf.open()
    (entry,) = await shelf.record(ledger)
    name = shelf.place.rpartition("/")[2].partition("?")[0]
    forbid = f"ALTER DATABASE {name} ALLOW_CONNECTIONS false"
    cut_all = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"  # noqa: S608
    await postgres.execute(postgres_server, forbid, cut_all)
    try:
        with pytest.raises(Unavailable):
            await ledger.of(TENANT).get(entry.id)
        with pytest.raises(Unavailable):
            await ledger.log.append([shelf.issue(ledger)])
    finally:
        await postgres.execute(postgres_server, forbid.replace("false", "true"))
    while not ledger.log.ready:  # noqa: ASYNC110 - it tries again by itself
        await asyncio.sleep(0.01)
    assert (await ledger.of(TENANT).get(entry.id)).id == entry.id
    await shelf.record(ledger)


async def test_a_session_cut_under_load_loses_nothing_that_was_acknowledged(shelf, database, caplog):
    ledger = await shelf.open()
    acknowledged = []

    async def client():
        for _ in range(40):
            entry = shelf.issue(ledger)
            try:
                await ledger.log.append([entry])
            except Unavailable:
                await asyncio.sleep(0.002)
            else:
                acknowledged.append(entry.id)

    async def cutter():
        for _ in range(4):
            await asyncio.sleep(0.01)
            await cut(database, ledger)

    await asyncio.gather(cutter(), *(client() for _ in range(8)))
    assert acknowledged
    for ident in acknowledged:
        await ledger.logs.find(ident)
    assert await shelf.findings(ledger) == ("verified", [])
    assert "idempotency" not in caplog.text


async def test_a_log_that_somebody_else_claimed_is_never_written_again(shelf, database):
    ledger = await shelf.open()
    await shelf.record(ledger, 2)
    writer = ledger.log._writer
    writer.on_lost = None
    lost = await cut(database, ledger)
    while not lost.is_closed():  # noqa: ASYNC110 - the driver tells nobody else
        await asyncio.sleep(0.001)
    thief = await shelf.open()
    assert thief.log.origin == writer_origin(1)
    stale = shelf.issue(ledger)
    with pytest.raises(Unavailable):
        await ledger.log.append([stale])
    await until_back(ledger, lost)
    assert ledger.log.origin == writer_origin(2)
    await shelf.record(thief)
    await shelf.record(ledger)
    assert [(note.origin, note.size) for note in await ledger.logs.latest()] == [
        (writer_origin(1), 3),
        (writer_origin(2), 1),
    ]
    assert await shelf.findings(ledger) == ("verified", [])


async def test_a_log_is_not_written_again_before_it_is_claimed_again(shelf, database):
    ledger = await shelf.open()
    await shelf.record(ledger, 2)
    await database.execute("REVOKE SELECT ON ledger.logs FROM bylaw_app")
    lost = await cut(database, ledger)
    while ledger.log.ready:  # noqa: ASYNC110 - it tries by itself
        await asyncio.sleep(0.001)
    await database.execute("GRANT SELECT ON ledger.logs TO bylaw_app")
    await until_back(ledger, lost)
    await shelf.record(ledger)
    assert (await shelf.open()).log.origin == writer_origin(2)


async def test_the_key_of_a_leaf_is_the_second_fence(shelf, caplog):
    ledger = await shelf.open()
    await shelf.record(ledger, 2)
    writer = ledger.log._writer
    intruder = type(writer)(shelf.place, origin=writer_origin, signer=shelf.signer, keys=shelf.keys)
    await intruder.recover()
    intruder._number, intruder._origin = writer._number, writer._origin
    edge = await queries.edge(intruder._connection, intruder._number, intruder._origin)
    intruder._appender = resume(intruder._origin, edge, signers=(shelf.signer,), keys=shelf.keys)
    await intruder.write([shelf.issue(ledger)])
    with pytest.raises(Unavailable):
        await ledger.log.append([shelf.issue(ledger)])
    await intruder.close()
    await shelf.record(ledger)
    assert await shelf.findings(ledger) == ("verified", [])
    assert "not written" in caplog.text


async def count(db, table):
    return await db.fetchval(f"SELECT count(*) FROM ledger.{table}")  # noqa: S608 - our own names


async def test_a_tenant_sees_only_its_own_rows_even_in_plain_sql(shelf):
    ledger = await shelf.open()
    promise = Idempotency(scope="s", key="k", digest="d")
    await shelf.record(ledger, idempotency=promise)
    await shelf.record(ledger, idempotency=promise, tenant=OTHER)
    tables = ("receipts", "parts", "idempotency", "policy_sets")
    async with ledger._readers.begin(OTHER) as db:
        assert [await count(db, name) for name in tables] == [1] * 4
        assert await db.fetchval("SELECT tenant FROM ledger.receipts") == OTHER
        for hidden in ("effects", "nodes", "checkpoints"):
            assert await count(db, hidden) == 0
        assert await db.execute("DELETE FROM ledger.parts WHERE leaf = 0") == "DELETE 0"
    async with ledger._readers._pool.acquire() as db, db.transaction():
        await db.execute("SET LOCAL ROLE bylaw_app")
        assert await db.fetchval("SELECT count(*) FROM ledger.receipts") == 0


@pytest.mark.parametrize(
    "statement", ["UPDATE ledger.receipts SET outcome = 'allow'", "DELETE FROM ledger.receipts"]
)
async def test_the_serving_role_cannot_change_what_is_recorded(shelf, statement):
    ledger = await shelf.open()
    await shelf.record(ledger)
    with pytest.raises(Unavailable, match="permission denied"):
        async with ledger._readers.begin(None) as db:
            await db.execute(statement)


async def test_a_role_that_bypasses_the_wall_is_refused(url, database):
    await database.execute(
        "DO $$ BEGIN CREATE ROLE bylaw_test_bypass LOGIN BYPASSRLS;"
        " EXCEPTION WHEN duplicate_object THEN NULL; END $$"
    )
    connection = await asyncpg.connect(url, user="bylaw_test_bypass")
    try:
        with pytest.raises(Forbidden, match="bypasses row-level security"):
            await schema.serving_role(connection)
    finally:
        await connection.close()


async def test_a_role_without_any_right_is_told_which_one_to_get(url, database):
    await schema.make_tables(url)
    await database.execute(
        "DO $$ BEGIN CREATE ROLE bylaw_test_nobody LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$"
    )
    connection = await asyncpg.connect(url, user="bylaw_test_nobody")
    try:
        with pytest.raises(Forbidden, match="grant bylaw_app to it"):
            await schema.serving_role(connection)
    finally:
        await connection.close()


async def test_a_ledger_of_a_newer_version_is_refused(shelf, database):
    await (await shelf.open()).close()
    shelf.open_ones.clear()
    await database.execute("UPDATE ledger.version SET number = 99")
    with pytest.raises(Conflict, match="newer Bylaw") as refused:
        await shelf.open()
    assert refused.value.reason == "newer_data"


async def test_a_ledger_of_an_older_version_is_brought_up_to_date(shelf, database):
    """Two servers start on it at once; what was recorded before is found by the new filter."""
    ledger = await shelf.open()
    (asked,) = await shelf.record(ledger)
    (after,) = await shelf.record(ledger, claim=decision(outcome_of=asked.id))
    await shelf.close()
    await database.execute("ALTER TABLE ledger.receipts DROP COLUMN outcome_of")
    await database.execute("UPDATE ledger.version SET number = 1")
    first, second = await asyncio.gather(shelf.open(), shelf.open())
    page = await first.of(TENANT).list(ReceiptQuery(outcome_of=asked.id), Slice())
    assert [item.id for item in page.items] == [after.id]
    await shelf.record(second, claim=decision(outcome_of=asked.id))
    assert len((await first.of(TENANT).list(ReceiptQuery(outcome_of=asked.id), Slice())).items) == 2
    assert await shelf.findings(first) == ("verified", [])


async def test_receipts_of_an_outcome_are_found_by_an_index(shelf, database):
    ledger = await shelf.open()
    await shelf.record(ledger, 200)
    await shelf.close()
    await database.execute("ANALYZE ledger.receipts")
    rows = await database.fetch(
        "EXPLAIN SELECT id FROM ledger.receipts WHERE tenant = 'acme' AND outcome_of = 'rcpt_x'"
        " ORDER BY issued_ms DESC, id DESC LIMIT 50"
    )
    assert "receipts_of_outcomes" in "\n".join(row[0] for row in rows)


async def test_outcomes_are_counted_out_of_an_index_alone(shelf, database):
    ledger = await shelf.open()
    await shelf.record(ledger, 200)
    await database.execute("VACUUM ANALYZE ledger.receipts")
    start = ManualClock().now_ms()
    span = (start, start + 9000, 3000)
    async with ledger._readers.begin(TENANT) as db:
        rows = await db.fetch(f"EXPLAIN {queries.OUTCOMES}", TENANT, *span)
    assert "Index Only Scan using receipts_listed" in "\n".join(row[0] for row in rows)
